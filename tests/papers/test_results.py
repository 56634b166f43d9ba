import json
import math

import numpy as np
import pytest

from empirics.curve_set import CurveSet, Rejected
from fitting.comparison import Comparison, Score
from fitting.fit import PointFit, PosteriorFit
from fitting.onset_law import Rung
from fitting.onsets import OnsetComparison, OnsetScore, OnsetVerdict, OnsetVerdictKind
from fitting.verdict import Verdict, VerdictKind
from papers.curve_results import display_grid, number
from papers.results import ladder_json, read, to_json, write
from papers.schema import CURVE
from theory.curve import Curve, Progress, Schedule
from theory.family import Family
from theory.forms import FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import noises_for
from theory.onset import Onset

THETA = {"floor": 1.0, "gain": 2.0, "midpoint": 10.0, "rate": 0.8}
SD = 0.1


@pytest.fixture
def comparison():
    """Draws and points set by hand around a known logistic, so that every number is known."""
    t = np.arange(20.0)
    form = FORMS["logistic"]
    theta = np.array([THETA[name] for name in form.names])
    noise = np.random.default_rng(0).standard_normal(20)
    curve = Curve(
        "p_goal",
        t,
        form(t, theta) + SD * noise,
        progress=Progress.UPDATES,
        run="seed 1",
        run_id="a1",
        conditions={"alpha": 0.1, "beta": Schedule([0.0, 1.0], [2.0, 3.0])},
    )
    white = next(n for n in noises_for(curve) if n.name == "white")
    hypothesis = default_hypothesis(form, white, curve)
    full = np.array([*theta, SD])
    draws = np.tile(full, (101, 1))
    floor = hypothesis.names.index("floor")
    draws[:, floor] = np.linspace(0.5, 1.5, 101)
    point = PointFit(
        hypothesis, curve.digest, hypothesis.names, full, *(full * 0,) * 3,
        np.zeros((5, 5)), 17.5, 20, 5,
    )  # fmt: skip
    posterior = PosteriorFit(
        hypothesis, curve.digest, hypothesis.names, draws, 11.0, 0.02, 90.0, 0.1, "is", 17.0
    )
    good = Score(hypothesis, point, posterior, 11.0, 0.02, 0.9, None, math.nan, Family.SIGMOID)
    lost = Score(hypothesis, None, None, None, None, 0.0, doubts=("There is no evidence.",))
    verdict = Verdict(VerdictKind.DECIDED, (Family.SIGMOID,), ("logistic",), "It is sigmoid.")
    families = dict.fromkeys(Family, 0.0) | {Family.SIGMOID: 1.0}
    return Comparison(
        curve, (good, lost), families, families, {2.0: families}, None, None, verdict
    ), noise


def test_every_key_of_the_schema_is_there(comparison):
    entry = to_json("propose", [comparison[0]], None, {})["curves"][0]
    assert set(CURVE) <= set(entry)
    assert entry["verdict"] == {
        "kind": "decided",
        "families": ["sigmoid"],
        "forms": ["logistic"],
        "reason": "It is sigmoid.",
    }
    assert entry["conditions"]["beta"] == {"t": [0.0, 1.0], "value": [2.0, 3.0]}
    assert entry["sensitivity"]["2"]["sigmoid"] == 1.0


def test_numbers_are_the_nouns_numbers(comparison):
    score = comparison[0].scores[0]
    first, lost = to_json("compare", [comparison[0]], None, {})["curves"][0]["candidates"]
    assert (first["form"], first["noise"], first["family"]) == ("logistic", "white", "sigmoid")
    assert first["aicc"] == score.aicc and first["bic"] == score.bic
    assert first["log_likelihood"] == 17.5 and first["n_free"] == 5
    assert first["elpd_forecast"] is None  # it was nan
    floor = first["parameters"]["floor"]
    assert floor["value"] == pytest.approx(1.0)
    assert (floor["lower"], floor["upper"]) == pytest.approx((0.525, 1.475))
    assert lost["log_evidence"] is None and lost["aicc"] is None
    assert lost["parameters"]["floor"] is None
    assert lost["doubts"] == ["There is no evidence."]


def test_band_of_the_best_form(comparison):
    best = to_json("compare", [comparison[0]], None, {})["curves"][0]["best"]
    t, form = np.array(best["t"]), FORMS["logistic"]
    theta = np.array([THETA[name] for name in form.names])
    np.testing.assert_allclose(best["median"], form(t, theta), rtol=1e-12)
    # The floor alone varies, evenly from 0.5 to 1.5: the 95 % band is ±0.475 everywhere.
    np.testing.assert_allclose(np.array(best["median"]) - best["lower"], 0.475, rtol=1e-9)
    np.testing.assert_allclose(np.array(best["upper"]) - best["median"], 0.475, rtol=1e-9)


def test_residuals_are_standardized(comparison):
    comparison, noise = comparison
    residuals = to_json("compare", [comparison], None, {})["curves"][0]["residuals"]
    np.testing.assert_allclose(residuals["values"], noise, rtol=1e-8)
    centered = noise - noise.mean()
    lag_1 = centered[1:] @ centered[:-1] / (centered @ centered)
    assert residuals["autocorrelation"][0] == pytest.approx(lag_1, rel=1e-8)


def test_what_reading_left_out_is_kept(comparison):
    curve_set = CurveSet((), (Rejected("a", "b", "c."),), ("n.",))
    document = to_json("propose", [comparison[0]], curve_set, {"seed": 1}, study=None)
    assert document["rejected"] == [{"run": "a", "observable": "b", "reason": "c."}]
    assert document["notes"] == ["n."] and document["provenance"] == {"seed": 1}


@pytest.mark.parametrize(
    ("value", "expected"), [(1, 1.0), (None, None), (math.nan, None), (-math.inf, None)]
)
def test_a_number_that_is_none_is_null(value, expected):
    assert number(value) == expected


def test_the_grid_is_dense_where_the_points_are():
    t = np.geomspace(1.0, 1e6, 30)
    grid = display_grid(t)
    assert grid[0] == t[0] and grid[-1] == t[-1] and (np.diff(grid) > 0).all()
    assert all(((grid >= a) & (grid <= b)).sum() >= 5 for a, b in zip(t, t[1:], strict=False))
    np.testing.assert_array_equal(display_grid(np.array([3.0])), [3.0])


def test_a_ladder_of_onsets():
    rungs = tuple(
        Rung(
            (("alpha", alpha), ("salience_ratio", ratio)),
            (Onset(10 / alpha, 11 / alpha, run="a"), Onset(900.0, math.inf, run="b")),
        )
        for alpha in (0.1, 0.2)
        for ratio in (1.2, 2.0)
    )
    scores = (
        OnsetScore("delta", -3.0, 0.1, 0.99, (100.0, 120.0, 50.0, math.inf), 2.0, 0.3),
        OnsetScore("free medians", -9.0, 0.1, 0.01, (), None, 0.3),
    )
    verdict = OnsetVerdict(OnsetVerdictKind.DECIDED, ("delta",), "delta leads.")
    found = OnsetComparison(("alpha", "salience_ratio"), rungs, ((),) * 4, scores, verdict)
    ladder = ladder_json(found, title="x", unit="updates")
    assert ladder["onsets"][1] == {
        "condition": 0.1,
        "facet": "salience ratio 1.2",
        "run": "b",
        "lower": 900.0,
        "upper": None,
    }
    assert ladder["predictions"] == [
        {
            "mechanism": "delta",
            "facet": "salience ratio 1.2",
            "condition": [0.1, 0.2],
            "median": [200.0, 100.0],
        },
        {
            "mechanism": "delta",
            "facet": "salience ratio 2.0",
            "condition": [0.1, 0.2],
            "median": [240.0, None],
        },
    ]
    assert [score["mechanism"] for score in ladder["scores"]] == ["delta", "free medians"]


def test_write_and_read(tmp_path, comparison):
    document = to_json("propose", [comparison[0]], None, {"seed": 1})
    path = write(tmp_path / "out", document)
    assert path == tmp_path / "out" / "results.json"
    assert read(tmp_path / "out") == read(path) == document
    assert [p.name for p in path.parent.iterdir()] == ["results.json"]


def test_nan_is_never_written(tmp_path, document):
    document["provenance"]["wall_seconds"] = math.nan
    with pytest.raises(ValueError, match="Out of range"):
        write(tmp_path, document)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not JSON"),
        ("[]", "holds no results of Ontogeny: it has no schema version"),
        ('{"schema": 2}', "has results of schema 2; this Ontogeny reads schema 1"),
        ('{"schema": 1}', "lacks command, curves, rejected, notes, provenance"),
    ],
)
def test_other_files_are_one_sentence(tmp_path, content, sentence):
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(ValueError, match=sentence):
        read(tmp_path)


def test_missing_parts_are_named(tmp_path, document):
    with pytest.raises(ValueError, match=r"has no results\.json; give a folder"):
        read(tmp_path)
    del document["curves"][0]["verdict"]
    (tmp_path / "results.json").write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"curve 0 of .* lacks verdict"):
        read(tmp_path)
