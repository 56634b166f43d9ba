"""`ontogeny aggregate` from the command line: what it says, writes, and refuses."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from ontogeny.cli import main
from papers.results import read
from papers.schema import validate


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two algorithms: one rises slowly at one time, the other in steps at random times."""
    rng = np.random.default_rng(3)
    t = np.arange(0, 60001, 1500)
    path = tmp_path_factory.mktemp("runs") / "runs.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("run", "env_steps", "success", "algorithm"))
        for k in range(6):
            slow = 1 / (1 + np.exp(-(t - 30000) / 6000)) + 0.02 * rng.standard_normal(t.size)
            step = 1.0 * (t > (k + 1) * 9000) + 0.02 * rng.standard_normal(t.size)
            for name, y in (("dqn", slow), ("ppo", step)):
                rows.writerows((f"{name}-{k}", *row, name) for row in zip(t, y, strict=True))
    return path


@pytest.fixture(scope="module")
def results(table: Path) -> Path:
    out = table.parent / "results"
    words = ["--by", "algorithm", "--level", "0.5", "--target", "1", "--quiet"]
    assert main(["aggregate", str(table), *words, "--out", str(out)]) == 0
    return out


def test_results_hold_both_the_mean_and_the_single_runs(results: Path) -> None:
    document = read(results)
    dqn, ppo = document["aggregates"]["groups"]
    assert (dqn["differ"], ppo["differ"]) == (False, True)
    assert len(ppo["curve"]["runs"]) == 6 and len(ppo["curve"]["iqm"]) == len(ppo["curve"]["t"])
    # Steps at 9, 18, … thousand steps are seen at the next multiple of 1500.
    assert ppo["onsets"][0]["t"] == [9000 * k + 1500 for k in range(1, 7)]
    assert ppo["onsets"][0]["median"] == 28500


def test_the_page_warns_and_draws_every_run(results: Path) -> None:
    page = (results / "report.html").read_text()
    assert "Runs differ in kind (ppo): the mean curve is none of them." in page
    assert "Midpoints of the 6 runs spread" in page
    assert "Midpoints of the 6 runs spread" in (results / "report.md").read_text()
    tables = {path.name for path in (results / "tables").iterdir()}
    assert {
        "aggregates.csv",
        "aggregates.tex",
        "aggregate_curves.csv",
        "improvements.csv",
    } <= tables
    with (results / "tables" / "aggregate_curves.csv").open() as file:
        assert {row["of"] for row in csv.DictReader(file) if row["group"] == "ppo"} == {
            "interquartile mean",
            *(f"ppo-{k}" for k in range(6)),
        }


def test_it_says_the_table_and_the_path(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--by", "algorithm", "--json", str(tmp_path / "a.json"), "--out", str(tmp_path)]
    assert main(["aggregate", str(table), *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == str(tmp_path / "report.html")
    assert any(line.startswith("  P(ppo > dqn)") for line in lines)
    assert any(line.startswith("  note: ppo: Midpoints") for line in lines)
    validate(json.loads((tmp_path / "a.json").read_text()), "a.json")


def test_a_damaged_curve_is_refused_in_one_sentence(results: Path, tmp_path: Path) -> None:
    document = read(results)
    document["aggregates"]["groups"][0]["curve"]["runs"][2].pop()
    with pytest.raises(ValueError, match=r"aggregates.groups\[0\].curve.runs\[2\]"):
        validate(document, "results.json")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--by", "algo"], 1, "does not carry the condition 'algo'; it carries algorithm"),
        (["--at", "1e9"], 1, "it has no score at 1e+09"),
        (["--last", "2"], 1, "must lie in (0, 1]; it is 2.0"),
        (["--reference", "all", "0", "x"], 2, "--reference all needs two numbers; got 0 and x."),
        (
            ["--reference", "all", "0", "1", "--reference", "all", "0", "2"],
            2,
            "--reference names all twice.",
        ),
    ],
)
def test_bad_words_are_one_sentence(
    table: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    said: str,
) -> None:
    assert main(["aggregate", str(table), *words, "--out", str(tmp_path / "out")]) == code
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_where_chooses_the_runs(table: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert main(["import", str(table), "--out", str(store), "--quiet"]) == 0
    words = ["--by", "algorithm", "--where", "algorithm = dqn", "--quiet"]
    assert main(["aggregate", str(store), *words, "--out", str(tmp_path / "out")]) == 0
    (group,) = read(tmp_path / "out")["aggregates"]["groups"]
    assert len(group["curve"]["runs"]) == 6 and not group["differ"]
