"""Several runs of an observable through the command line: frequencies, and `--pool`."""

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fitting.runs import hierarchical
from ontogeny.cli import main

FEW = ("--forms", "constant", "logistic", "--noise", "white")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three logistic runs of 25 points, midpoints 40, 50 and 60, sd 0.04."""
    rng = np.random.default_rng(0)
    t = np.linspace(2.0, 100.0, 25)
    lines = ["seed,env_steps,success"]
    for seed, midpoint in enumerate((40.0, 50.0, 60.0)):
        y = 0.1 + 0.8 / (1 + np.exp(-0.15 * (t - midpoint))) + 0.04 * rng.standard_normal(t.size)
        lines += [f"{seed},{a},{b}" for a, b in zip(t, y, strict=True)]
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def compared(path: Path, out: Path, *words: str) -> dict[str, Any]:
    assert main(["compare", str(path), "--run", "seed", *FEW, "--out", str(out), *words]) == 0
    document = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def test_runs_of_one_observable_are_taken_together(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = compared(runs, tmp_path / "out")
    (entry,) = document["populations"]
    assert entry["number"] == 3 and entry["left_out"] == []
    assert "pooled" not in entry
    names = [model["name"] for model in entry["families"]["models"]]
    sigmoid = entry["families"]["models"][names.index("sigmoid")]
    # Each run is all but certain: 1 + 3 of K + 3.
    assert sigmoid["frequency"] == pytest.approx(4 / (3 + len(names)), abs=0.01)
    assert entry["forms"]["models"][0]["name"] == "logistic"
    assert "success, 3 runs together: Inconclusive: no shape" in capsys.readouterr().out
    assert "Runs together" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_one_run_is_not_taken_together(runs: Path, tmp_path: Path) -> None:
    rows = [line for line in runs.read_text().splitlines() if not line.startswith(("1", "2"))]
    runs.write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert "populations" not in compared(runs, tmp_path / "out", "--quiet")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("logistc", "There is no form named 'logistc'; did you mean logistic"),
        (
            "hill",
            "--pool hill: runs are pooled under a form with one floor, one gain, one midpoint",
        ),
    ],
)
def test_forms_that_cannot_be_pooled_are_wrong_usage(
    name: str, sentence: str, runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["compare", str(runs), *FEW, "--pool", name, "--out", str(out)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert sentence in err and "logistic" in err
    assert not out.exists()


def test_too_few_runs_are_said_before_anything_is_compared(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [line for line in runs.read_text().splitlines() if not line.startswith("2")]
    runs.write_text("\n".join(rows) + "\n", encoding="utf-8")
    out = tmp_path / "out"
    words = ["compare", str(runs), "--run", "seed", *FEW, "--pool", "logistic", "--out", str(out)]
    assert main([*words, "--quiet"]) == 1
    err = capsys.readouterr().err
    assert "--pool needs at least 3 runs of one observable" in err and "has 2 of success" in err
    assert err.count("\n") == 1
    assert not out.exists()


@pytest.mark.slow
def test_pooled_runs_are_the_same_again(
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    short = functools.partial(hierarchical.pool, draws=100, tune=150, chains=2)
    monkeypatch.setattr(hierarchical, "pool", short)
    words: Sequence[str] = ("--pool", "logistic", "--seed", "4")
    first, again = (compared(runs, tmp_path / name, *words) for name in "ab")
    assert first["populations"] == again["populations"]
    pooled = first["populations"][0]["pooled"]
    midpoint = next(p for p in pooled["parameters"] if p["name"] == "midpoint")
    assert midpoint["median"]["lower"] < 50.0 < midpoint["median"]["upper"]
    own = [run["pooled"]["midpoint"] for run in pooled["runs"]]
    for true, found in zip((40.0, 50.0, 60.0), own, strict=True):
        assert abs(found["value"] - true) < 4 * found["se"]
    captured = capsys.readouterr()
    assert "Pooling the runs of success: 500/500" in captured.err
    assert "Pooled under logistic, medians of the population: floor" in captured.out
