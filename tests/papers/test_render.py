"""What a render writes into a folder, and what it leaves there."""

import csv
import json

import pytest

from papers import report
from papers.report import render, render_folder
from papers.results import write

TABLES = ("candidates", "curves", "parameters", "readings", "runs", "stages")


def test_a_folder_gets_page_markdown_and_tables(tmp_path, study):
    write(tmp_path, study)
    path = render(tmp_path)
    assert path == tmp_path / "report.html"
    names = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    stems = (*TABLES, "ladder_1", "ladder_2")
    assert names == {
        "results.json",
        "report.html",
        "report.md",
        *(f"tables/{stem}.{kind}" for stem in stems for kind in ("csv", "tex")),
        *(f"tables/ladder_{i}_onsets.csv" for i in (1, 2)),
    }
    text = (tmp_path / "report.md").read_text()
    assert study["study"]["verdict"] in text and "## Provenance" in text


def rows_of(folder, name):
    with (folder / "tables" / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_tables_are_for_machines(tmp_path, study, make_peak):
    study["curves"][1]["peak"] = make_peak(-1)
    write(tmp_path, study)
    render(tmp_path)
    for path in (tmp_path / "tables").glob("*.csv"):
        text = path.read_text(encoding="utf-8")
        assert "\u2212" not in text and "–" not in text
        assert all(text.splitlines()[0].split(","))
    first = study["curves"][0]
    rows = rows_of(tmp_path, "candidates")
    assert len(rows) == 6 * 10
    assert float(rows[0]["log_evidence"]) == first["candidates"][0]["log_evidence"]
    assert rows[9]["log_evidence"] == ""
    assert "The plateau is not in sight." in {row["doubts"] for row in rows}
    stage = rows_of(tmp_path, "stages")[0]
    assert float(stage["onset"]) == 6.6e4 and float(stage["onset_lower"]) == 6e4
    assert float(stage["rise_upper"]) == 0.66
    (turn,) = rows_of(tmp_path, "extrema")
    assert turn["kind"] == "trough" and float(turn["prominence"]) == -0.2
    run = rows_of(tmp_path, "runs")[1]
    assert float(run["onset_upper"]) == 6.6e4 and float(run["flip_ends_above"]) == 0.93
    assert rows_of(tmp_path, "ladder_1_onsets")[0].keys() >= {"alpha", "run", "lower", "upper"}


def test_every_file_says_trough_where_a_curve_turns_up_again(tmp_path, document, make_peak):
    document["curves"][0]["peak"] = make_peak(-1) | {"family": "sigmoid"}
    write(tmp_path, document)
    render(tmp_path)
    for name in ("report.md", "tables/stages.tex", "tables/curves.tex", "tables/extrema.csv"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert "trough" in text and "peak" not in text, name
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<th scope="row">trough</th>' in page
    assert '<th scope="row">peak</th>' not in page


def test_tables_of_an_earlier_render_are_taken_away(tmp_path, study):
    write(tmp_path, study)
    render(tmp_path)
    mine = tmp_path / "tables" / "my notes.csv"
    mine.write_text("kept")
    del study["study"], study["ladders"]
    write(tmp_path, study)
    render(tmp_path)
    left = {path.stem for path in (tmp_path / "tables").iterdir()}
    assert left == {"candidates", "curves", "parameters", "stages", "my notes"}


def test_a_report_can_go_elsewhere(tmp_path, document):
    path = write(tmp_path / "a", document)
    assert render(path, out=tmp_path / "b") == tmp_path / "b" / "report.html"
    assert {p.name for p in (tmp_path / "a").iterdir()} == {"results.json"}
    assert render(tmp_path / "b") == tmp_path / "b" / "report.html"


def test_the_page_names_the_file_it_was_made_from(tmp_path, document):
    path = write(tmp_path, document).rename(tmp_path / "mine.json")
    text = render(path).read_text(encoding="utf-8")
    assert "<code>mine.json</code>" in text and "results.json" not in text


def test_nothing_is_written_before_everything_is_rendered(tmp_path, document, monkeypatch):
    write(tmp_path, document)

    def fail(*words, **names):
        raise KeyError("verdict")

    monkeypatch.setattr(report, "html", fail)
    with pytest.raises(ValueError, match=r"results\.json is damaged: KeyError: 'verdict'\.$"):
        render(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


@pytest.mark.parametrize(
    "error", [KeyError("x"), TypeError("x"), IndexError("x"), AttributeError("x"), StopIteration()]
)
def test_whatever_damage_does_it_is_one_sentence(tmp_path, document, monkeypatch, error):
    write(tmp_path, document)

    def fail(*words, **names):
        raise error

    monkeypatch.setattr(report, "markdown", fail)
    with pytest.raises(ValueError, match="is damaged: "):
        render(tmp_path)


def test_drawing_says_how_far_it_is(tmp_path, study):
    write(tmp_path, study)
    told = []
    render(tmp_path, progress=lambda *words: told.append(words))
    assert told[0][1:] == (0, 6) and told[-1][1:] == (6, 6)


def test_the_same_results_give_the_same_bytes(tmp_path, document):
    pages = []
    for name in ("a", "b"):
        write(tmp_path / name, json.loads(json.dumps(document)))
        pages.append(render_folder(tmp_path / name / "results.json").read_bytes())
    assert pages[0] == pages[1]
