"""Files that hold no results, or damaged ones, are one sentence."""

import json

import pytest

from papers.results import read


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not JSON"),
        ("[]", "holds no results of Ontogeny: it has no schema version"),
        ('{"schema": 2}', "has results of schema 2; this Ontogeny reads schema 1"),
        ('{"schema": 1}', "lacks command, curves, rejected, notes, provenance"),
        ('{"schema": 1, "x": NaN}', "is not JSON: it holds NaN, which is no number of JSON"),
    ],
)
def test_other_files_are_one_sentence(tmp_path, content, sentence):
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(ValueError, match=sentence):
        read(tmp_path)


def damage(place, value):
    """Return what sets one place of a document, whose first curve is `c`."""

    def spoil(document):
        curve = document["curves"][0]
        places = {"document": document, "curve": curve, "candidate": curve["candidates"][0]}
        places |= {name: curve[name] for name in ("verdict", "fitted", "residuals")}
        where, _, key = place.partition(".")
        if value is MISSING:
            del places[where][key]
        else:
            places[where][key] = value

    return spoil


MISSING = object()


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        ("document.curves", None, "curves must be a list; it is null"),
        ("document.provenance", None, "provenance must be an object; it is null"),
        ("curve.verdict", {}, "curves[0].verdict lacks kind, families, forms, reason"),
        ("curve.verdict", MISSING, "curves[0] lacks verdict"),
        ("verdict.kind", "surely", "curves[0].verdict.kind must be one of decided, tied"),
        ("verdict.families", [], "curves[0].verdict is decided and names no family"),
        ("verdict.forms", ["spline"], "verdict.forms must be forms of its candidates"),
        ("candidate.doubts", MISSING, "curves[0].candidates[0] lacks doubts"),
        ("candidate.weight", "heavy", "candidates[0].weight must be a finite number"),
        ("curve.t", [], "curves[0].t must have at least 1 elements; it has 0"),
        ("curve.y", [1.0], "curves[0]: lists that go together must be as long; t has 60, y has 1"),
        ("curve.y", [1e999], "curves[0].y[0] must be a finite number; it is inf"),
        ("fitted.average", {"median": []}, "curves[0].fitted.average lacks lower, upper"),
        ("residuals.values", [0.0], "curves[0].residuals: lists that go together"),
        ("curve.peak", {"time": None}, "curves[0].peak lacks height, probability"),
        ("curve.stages", [{}], "curves[0].stages[0] lacks onset"),
    ],
)
def test_damage_is_named_in_one_sentence(document, place, value, sentence, tmp_path):
    damage(place, value)(document)
    (tmp_path / "results.json").write_text(json.dumps(document).replace("Infinity", "1e999"))
    with pytest.raises(ValueError) as caught:
        read(tmp_path)
    assert sentence in str(caught.value) and str(caught.value).endswith(".")
    assert str(caught.value).startswith(f"{tmp_path / 'results.json'} is damaged: ")


def test_a_folder_without_results_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"has no results\.json; give a folder"):
        read(tmp_path)
