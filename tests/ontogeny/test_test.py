"""`ontogeny test` from the command line: what it says, writes, and refuses."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from ontogeny.cli import main

NAMES = ("run", "updates", "p_correct", "initial_probability", "batch_size")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """First hits at three rungs, one run of which ends before its hit."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("runs") / "runs.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(NAMES)
        for p in (0.1, 0.03, 0.01):
            for seed in range(8):
                onset = 1e9 if (p, seed) == (0.01, 0) else rng.exponential(1 / p)
                for t in np.unique(np.geomspace(1, 800, 30).astype(int)):
                    rows.writerow((f"{p}-{seed}", t, float(t >= onset), p, 1))
    return path


@pytest.fixture(scope="module")
def results(table):
    out = table.parent / "results"
    words = ["--mechanism", "first_hit", "natural_policy_gradient", "--hold-out", "0.03"]
    assert main(["test", str(table), *words, "--out", str(out), "--quiet"]) == 0
    return out


def test_results_hold_scores_unknowns_and_what_was_foretold(results):
    document = json.loads((results / "results.json").read_text())
    [ladder] = document["ladders"]
    assert document["command"] == "test"
    assert ladder["condition"] == "initial_probability"
    assert ladder["held_out"] == 0.03
    scores = {score["mechanism"]: score for score in ladder["scores"]}
    assert set(scores) == {"first_hit", "natural_policy_gradient", "free medians", "power law"}
    assert scores["natural_policy_gradient"]["log_evidence"] is None
    assert "depends on learning_rate" in scores["natural_policy_gradient"]["doubts"][0]
    step = scores["first_hit"]["parameters"]["step_factor"]
    assert step["lower"] < 1 < step["upper"]
    assert scores["first_hit"]["held_out"] < 0
    assert sum(onset["upper"] is None for onset in ladder["onsets"]) == 1
    assert {one["quantity"] for one in ladder["signatures"]} == {
        "local exponent of the median onset",
        "squared coefficient of variation of the onset",
        "rise of a run over the rise of the mean over runs",
    }
    assert ladder["signatures"][-1]["foretold"]["first_hit"]["value"] < 0.1


def test_the_report_says_it_in_words(results):
    page = (results / "report.html").read_text()
    assert "Mechanisms tested on 24 runs over initial probability" in page
    assert "of which 1 ended without one and count as censored" in page
    assert "foretold from the others" in page
    assert (results / "report.md").read_text().count("first hit") >= 2
    assert (results / "tables" / "ladder_1_unknowns.csv").is_file()
    assert (results / "tables" / "ladder_1_signatures.csv").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--mechanism", "first_hot"], "first_hit"),
        (["--mechanism", "first_hit", "first_hit"], "names first_hit twice"),
        (["--mechanism", "nothing.py"], "nothing.py: no such file"),
        (
            ["--mechanism", "first_hit", "--level", "2"],
            "the level 2 lies outside what was observed",
        ),
        (["--mechanism", "first_hit", "--ladder", "speed"], "carries the condition 'speed'"),
        (
            ["--mechanism", "first_hit", "--hold-out", "7"],
            "has initial_probability = 7.0; choose one from 0.01, 0.03, 0.1",
        ),
        (
            ["--mechanism", "deep_linear"],
            "the runs carry none of the conditions that these mechanisms depend on",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(table, capsys, words, message):
    assert main(["test", str(table), *words, "--out", str(table.parent / "none")]) in (1, 2)
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert not (table.parent / "none").exists()


def test_a_file_that_fails_is_named(table, tmp_path, capsys):
    broken = tmp_path / "mine.py"
    broken.write_text("1 / 0\n")
    assert main(["test", str(table), "--mechanism", str(broken)]) == 1
    assert "mine.py failed: ZeroDivisionError: division by zero" in capsys.readouterr().err
    broken.write_text("x = 1\n")
    assert main(["test", str(table), "--mechanism", str(broken)]) == 1
    assert "defines no Mechanism at its top level" in capsys.readouterr().err


def test_what_is_no_probability_needs_a_level(tmp_path, capsys):
    path = tmp_path / "returns.csv"
    rows = [
        f"{t},{100 * (t > 5)},{p}-{s},{p},1"
        for p in (0.1, 0.2)
        for s in (0, 1)
        for t in range(1, 12)
    ]
    path.write_text("\n".join(["updates,return,run,initial_probability,batch_size", *rows]))
    words = ["test", str(path), "--y", "return", "--mechanism", "first_hit"]
    assert main(words) == 1
    assert "return runs from 0 to 100 and is no probability" in capsys.readouterr().err
    assert main([*words, "--level", "50", "--out", str(Path(tmp_path, "out")), "--quiet"]) == 0
