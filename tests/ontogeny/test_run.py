"""`run` trains, probes, and leaves a store that the other commands read."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ontogeny.cli import main


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The goal switch in miniature: two updates, few levels."""
    from empirics import experiments

    whole = experiments.EXPERIMENTS["goal-switch"]
    one = replace(
        whole,
        name="tiny",
        environment=replace(whole.environment, num_train_levels=40, num_held_out_levels=40),
        algorithm=replace(
            whole.algorithm, total_timesteps=128, num_envs=8, num_steps=8, num_minibatches=2
        ),
        schedule=(0, 64, 128),
        plan=replace(whole.plan, num_squares=20, num_success_levels=5),
    )
    monkeypatch.setattr(experiments, "EXPERIMENTS", {"tiny": one})
    yield


@pytest.mark.usefixtures("tiny")
def test_a_ladder_is_run_once_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    words = ["run", "tiny", "--vary", "alpha", "0", "0.5", "--seed", "7", "--out", str(store)]
    assert main(words) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == str(store)
    assert captured.err == "training: 0/2\ntraining: 2/2\n"
    assert main(["show", "store", str(store)]) == 0
    shown = capsys.readouterr().out
    assert "3 points over env_steps, 0 to 128" in shown
    assert "alpha=0.0" in shown or "alpha=0," in shown
    assert "alpha=0.5" in shown
    assert main([*words, "--quiet"]) == 0
    capsys.readouterr()
    assert main(["show", "store", str(store)]) == 0
    assert capsys.readouterr().out == shown


@pytest.mark.usefixtures("tiny")
def test_words_that_mean_the_same_are_one_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, listing = tmp_path / "store", tmp_path / "runs.json"
    words = ["run", "tiny", "--out", str(store), "--jobs", "2", "--json", str(listing)]
    assert main([*words, "--vary", "proxy_object", "true", "True", "1"]) == 0
    assert capsys.readouterr().err == "training: 0/1\ntraining: 1/1\n"
    (run,) = json.loads(listing.read_text())["runs"]
    assert run["run"] == "tiny proxy_object=True seed=0" and run["status"] == ""


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--vary", "alpha"], 2, "--vary alpha needs at least one value."),
        (["--vary", "alpha", "0", "--vary", "alpha", "1"], 2, "--vary alpha is given twice;"),
        (["--combine", "random", "--vary", "alpha", "0"], 2, "--combine random and --number N"),
        (["--number", "3", "--vary", "alpha", "0"], 2, "--combine random and --number N belong"),
        (
            ["--combine", "zip", "--vary", "alpha", "0", "1", "--vary", "cells", "3"],
            1,
            "the settings of a zip need equally many values; alpha has 2, cells has 1.",
        ),
        (["--sweep", "no.toml"], 2, "--sweep declares all of EXPERIMENT, --vary, --combine and"),
        (["--scheduler", "tcp://localhost:1"], 2, "--scheduler needs --backend dask or --backend"),
        (["--seeds", "0"], 2, "--seeds and --jobs must be 1 or more."),
        (["--vary", "alhpa", "0.1"], 1, "has no condition alhpa to vary"),
        (["--vary", "alpha", "2"], 1, "alpha must be a probability; it is 2.0."),
        (["--vary", "alpha", "abc"], 1, "alpha must be a number; it is 'abc'."),
        (["--vary", "alpha", "1e999"], 1, "alpha must be finite; it is inf."),
        (["--vary", "cells", "2.5"], 1, "cells must be a whole number; it is 2.5."),
        (["--vary", "proxy_object", "maybe"], 1, "proxy_object must be True or False; it is"),
        (["--vary", "max_steps", "10.5"], 1, "max_steps must be a whole number; it is 10.5."),
        (["--vary", "level_seed", "-1"], 1, "level_seed must be at least 0; it is -1."),
        (["--vary", "self", "1"], 1, "has no condition self to vary"),
        (["--vary", "cells", "2"], 1, "0 of 1 runs are done and kept in"),
    ],
)
def test_wrong_ladders_end_with_a_sentence(
    words: list[str], code: int, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "tiny", *words, "--quiet", "--out", str(tmp_path / "store")]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert sentence in captured.err


def test_small_agents_run_their_own_ladder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, listing = tmp_path / "store", tmp_path / "runs.json"
    words = ["run", "bandit", "--seeds", "3", "--out", str(store), "--json", str(listing)]
    assert main(words) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{store}\n"
    assert captured.err.splitlines()[0] == "training: 0/12"
    assert captured.err.splitlines()[-1] == "training: 12/12"
    first = json.loads(listing.read_text())
    assert main([*words, "--quiet"]) == 0
    assert json.loads(listing.read_text()) == first
    assert main([*words, "--quiet", "--vary", "n_arms", "3", "--seeds", "2"]) == 0
    assert len(json.loads(listing.read_text())["runs"]) == 2
    assert main([*words, "--quiet", "--vary", "alpha", "3"]) == 1
    assert "experiment 'bandit' has no condition alpha to vary" in capsys.readouterr().err


def test_several_conditions_are_varied_together(tmp_path: Path) -> None:
    listing = tmp_path / "runs.json"
    words = ["run", "lock", "--seeds", "2", "--out", str(tmp_path / "store"), "--quiet"]
    grid = ["--vary", "horizon", "1", "2", "--vary", "process_fraction", "0", "1"]
    assert main([*words, *grid, "--json", str(listing)]) == 0
    labels = [run["run"] for run in json.loads(listing.read_text())["runs"]]
    assert len(labels) == len(set(labels)) == 8
    assert labels[-1] == "lock=2 p0=0.25 rate=0.5 process_fraction=1.0 seed=1"


def test_a_file_declares_what_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from empirics import experiments

    short = replace(experiments.EXPERIMENTS["lock"], updates=50)
    monkeypatch.setattr(experiments, "EXPERIMENTS", {"lock": short})
    file, listing = tmp_path / "sweep.toml", tmp_path / "runs.json"
    file.write_text(
        'experiment = "lock"\nseeds = [1, 4]\n'
        "[zip]\nhorizon = [1, 2]\nprocess_fraction = [0.5, 1.0]\n"
    )
    words = ["run", "--sweep", str(file), "--out", str(tmp_path / "store"), "--quiet"]
    assert main([*words, "--json", str(listing)]) == 0
    assert [run["run"] for run in json.loads(listing.read_text())["runs"]] == [
        f"lock={horizon} p0=0.25 rate=0.5 process_fraction={fraction} seed={seed}"
        for horizon, fraction in ((1, 0.5), (2, 1.0))
        for seed in (1, 4)
    ]
    drawn = [
        "run",
        "lock",
        "--vary",
        "horizon",
        "1",
        "2",
        "3",
        "--combine",
        "random",
        "--seed",
        "5",
    ]
    words = [*drawn, "--number", "9", "--seeds", "1", "--quiet", "--out", str(tmp_path / "store")]
    assert main([*words, "--json", str(listing)]) == 0
    labels = [run["run"] for run in json.loads(listing.read_text())["runs"]]
    assert labels and all(label.endswith("seed=5") for label in labels)
    assert len(labels) == len(set(labels)) <= 3
