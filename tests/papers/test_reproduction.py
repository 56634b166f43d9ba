"""A reproduction: every claim answered, and a report whose one table says how."""

import json
from pathlib import Path

import pytest

from papers.claim import Claim, Outcome, compared
from papers.publication import Publication
from papers.reproduction import Reproduction, document, reproduce
from papers.results import validate
from papers.sections.study import Page
from papers.tables import Table

SPEED = Claim("speed", "It falls so fast.", "number", "p. 4", {"g": 9.81}, 0.01)
FALLS = Claim("falls", "It falls.", "shape", "p. 3", criterion="it is lower | after")
WAITS = Claim("waits", "It waits.", "shape", "p. 5", criterion="it stays")
PAPER = Publication("On falling", "Someone 1900", (SPEED, FALLS, WAITS))
OUTCOMES = (
    compared(SPEED, {"g": 9.8}, "a lower tower"),
    Outcome(FALLS, {"before": 1.0, "after": -2.5}, True, "a <ball> and not a cat"),
    Outcome(WAITS, {}, None, "nobody looked"),
)


class Stub:
    """A paper whose re-execution is known."""

    name = "someone1900"

    def __init__(self, outcomes):
        self.outcomes = outcomes
        self.asked = {}

    def run(self, **asked):
        self.asked = asked
        page = Page("More", ("Twice.",), (Table("drops", ("m", "s"), ((1.0, 0.45),)),))
        return Reproduction(PAPER, self.outcomes, ("One ball.",), (page,), {"a": "0" * 64})


def run(paper, out, **more):
    keywords = {"seed": 3, "scale": "quick", "store": None, "progress": lambda *_: None}
    return reproduce(paper, out=out, **{**keywords, **more})


def test_the_report_has_claim_published_here_and_verdict(tmp_path):
    paper = Stub(OUTCOMES)
    report = run(paper, tmp_path / "out", store=Path("agents"))
    assert paper.asked["store"] == Path("agents") and paper.asked["scale"] == "quick"
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert found["command"] == "reproduce"
    study = found["study"]
    assert study["verdict"] == (
        "Of 3 claims 2 come out here as published. It cannot be told of waits."
    )
    assert [each["agrees"] for each in study["outcomes"]] == [True, True, None]
    assert study["outcomes"][0]["published"] == {"g": 9.81}
    rows = (tmp_path / "out" / "tables" / "page_1_1.csv").read_text().splitlines()
    assert rows[0] == "claim,published,where,here,agrees,why different"
    assert "g 9.81,p. 4,g 9.8,yes,a lower tower" in rows[1]
    assert ",before 1; after −2.5,yes," in rows[2]
    assert rows[3].endswith("–,p. 5,–,cannot tell,nobody looked")
    page = report.read_text(encoding="utf-8")
    assert report.name == "report.html" and "a &lt;ball&gt; and not a cat" in page
    for text in (page, (tmp_path / "out" / "report.md").read_text(encoding="utf-8")):
        assert "Re-executed: On falling" in text and "Twice." in text
    assert found["provenance"]["command"].endswith("--store agents")


def test_what_does_not_come_out_is_named():
    wrong = (compared(SPEED, {"g": 1.6}, "on the moon"), *OUTCOMES[1:])
    assert Reproduction(PAPER, wrong, ()).verdict == (
        "Of 3 claims 1 come out here as published. Not so: speed. It cannot be told of waits."
    )


@pytest.mark.parametrize("outcomes", [(), OUTCOMES[:2], OUTCOMES[::-1], (*OUTCOMES, OUTCOMES[0])])
def test_every_claim_is_answered_once(outcomes):
    with pytest.raises(ValueError, match="must be those of speed, falls, waits, in this order"):
        Reproduction(PAPER, outcomes, ())


def test_an_unknown_scale_is_refused_before_any_work(tmp_path):
    paper = Stub(OUTCOMES)
    with pytest.raises(ValueError, match="no scale 'huge'; choose from full, quick."):
        run(paper, tmp_path, scale="huge")
    assert not paper.asked


def test_a_damaged_outcome_is_refused():
    found = document(Stub(OUTCOMES), Reproduction(PAPER, OUTCOMES, ()), {}, {})
    validate(found, "it")
    found["study"]["outcomes"][0]["agrees"] = "yes"
    with pytest.raises(ValueError, match=r"outcomes\[0\].agrees must be true or false"):
        validate(found, "it")
