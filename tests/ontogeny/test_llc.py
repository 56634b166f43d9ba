"""`llc` reads the checkpoints that `run` left, and leaves curves that the other commands read."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ontogeny.cli import main

SHORT = "--num-states 24 --batch-size 8 --chains 2 --draws 12 --burnin 4 --nbeta 1e6".split()
SETTINGS = [*SHORT, "--localization", "1e6", "--step-size", "1e-7"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store of the goal switch in miniature: two runs, three checkpoints each."""
    from empirics.experiments import EXPERIMENTS
    from empirics.policies.maze_policy import MazeNetwork
    from empirics.task import run_ladder

    whole = EXPERIMENTS["goal-switch"]
    small = {"cells": 3, "num_train_levels": 40, "num_held_out_levels": 40}
    tiny = replace(
        whole,
        environment=replace(whole.environment, **small),
        network=MazeNetwork(width=3, depth=2, hidden=5),
        algorithm=replace(
            whole.algorithm, total_timesteps=128, num_envs=8, num_steps=8, num_minibatches=2
        ),
        schedule=(0, 64, 128),
        plan=replace(whole.plan, num_squares=20, num_success_levels=5),
    )
    store = tmp_path_factory.mktemp("trained") / "store"
    run_ladder(tiny, "alpha", (0.0, 0.5), (0,), store)
    yield store


def test_checkpoints_become_a_curve(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, listing = tmp_path / "out", tmp_path / "llc.json"
    words = ["llc", str(trained), *SETTINGS, "--out", str(out), "--json", str(listing)]
    label = "goal-switch alpha=0.5 seed=0"
    assert main([*words, "--run", label]) == 0
    captured = capsys.readouterr()
    first, *_, last = captured.out.splitlines()
    assert first.startswith(f"{label} at 0: ") and " ± " in first
    assert last == str(out)
    assert captured.err.splitlines()[-1] == "reading llc_behavior: 3/3"
    (run,) = json.loads(listing.read_text())["runs"]
    assert (run["run"], run["observable"]) == (label, "llc_behavior")
    assert [each["env_steps"] for each in run["readings"]] == [0, 64, 128]
    assert all(each["llc"] > 0 and "doubts" in each for each in run["readings"])
    table = (out / "llc_readings.md").read_text().splitlines()
    assert len(table) == 2 + 3 and table[2].startswith(f"| {label} | 0 | llc_behavior |")
    # Once more, with the other run and the other energy: what is there is not made again.
    assert main([*words, "--quiet"]) == 0
    assert main([*words, "--energy", "value", "--checkpoints", "1", "--quiet"]) == 0
    assert capsys.readouterr().out == f"{out}\n{out}\n"
    assert main(["show", "store", str(out)]) == 0
    shown = capsys.readouterr().out
    assert shown.count("llc_behavior: 3 points over env_steps, 0 to 128") == 2
    assert shown.count("llc_value: 1 point over env_steps, 128 to 128") == 2


def test_runs_are_chosen_by_their_conditions(trained: Path, tmp_path: Path) -> None:
    out, listing = tmp_path / "out", tmp_path / "llc.json"
    words = ["llc", str(trained), *SETTINGS, "--out", str(out), "--json", str(listing), "--quiet"]
    assert main([*words, "--checkpoints", "1", "--where", "alpha > 0.1"]) == 0
    (run,) = json.loads(listing.read_text())["runs"]
    assert run["run"] == "goal-switch alpha=0.5 seed=0"


def test_the_curves_can_lie_beside_those_of_training(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["llc", str(trained), *SETTINGS, "--states", "on_policy", "--out", str(trained)]
    assert main([*words, "--checkpoints", "2", "--quiet"]) == 0
    assert main(["show", "store", str(trained)]) == 0
    shown = capsys.readouterr().out
    assert shown.count("llc_behavior: 2 points") == 2 and "p_goal: 3 points" in shown


def test_a_sweep_says_what_to_take(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, listing = tmp_path / "sweep", tmp_path / "sweep.json"
    words = ["llc", str(trained), *SHORT, "--calibrate", "--checkpoints", "1", "--out", str(out)]
    axes = ["--localization", "1e6", "1e7", "--step-size", "3e-8", "1e-7", "1e-6"]
    assert main([*words, *axes, "--json", str(listing)]) == 0
    *said, last = capsys.readouterr().out.splitlines()
    assert last == str(out / "calibration_llc_behavior.html")
    assert len(said) == 3 and said[1].startswith("With localization 1e+06 and nbeta 1e+06: ")
    document = json.loads(listing.read_text())
    assert document["sentence"] == said[0]
    assert [each["localization"] for each in document["fixed"]] == [1e6, 1e7]
    table = (out / "calibration_llc_behavior.md").read_text()
    assert said[0] in table and "1. goal-switch alpha=0.0 seed=0 at 128" in table
    assert table.count("\n| ") == 1 + 1 + 6 * 2
    page = Path(last).read_text()
    assert page.count("<svg role") == 2 and said[0].split(":")[0] in page


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--run", "alpha=0"], 1, "it has those of goal-switch alpha=0.0 seed=0, goal-switch al"),
        (
            ["--run", "a", "--where", "alpha = 0"],
            2,
            "--run names runs and --where chooses them: give",
        ),
        (["--step-size", "1", "2"], 2, "--step-size takes one value without --calibrate."),
        (["--checkpoints", "0"], 2, "--checkpoints must be 1 or more; it is 0."),
        (["--chains", "0"], 1, "num_chains must be at least 1; it is 0."),
        (["--batch-size", "0"], 1, "rows_per_move must be at least 1; it is 0."),
        (["--step-size", "9", "--checkpoints", "1"], 1, "no chain survived at any checkpoint of"),
    ],
)
def test_wrong_words_end_with_a_sentence(
    words: list[str],
    code: int,
    sentence: str,
    trained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert main(["llc", str(trained), *SETTINGS, *words, "--quiet", "--out", str(out)]) == code
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert sentence in captured.err


def test_a_store_without_checkpoints_and_no_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "bandit", "--seeds", "1", "--quiet", "--out", str(tmp_path / "s")]) == 0
    assert main(["llc", str(tmp_path / "s"), "--quiet"]) == 1
    assert "holds no checkpoints of its runs; 'ontogeny run goal-switch'" in capsys.readouterr().err
    assert main(["llc", str(tmp_path / "nowhere"), "--quiet"]) == 1
    assert "does not exist" in capsys.readouterr().err


def test_the_values_on_the_command_line_are_those_of_python(trained: Path, tmp_path: Path) -> None:
    import ontogeny as og
    from empirics.llc.along_settings import AlongSettings

    settings = AlongSettings(
        num_states=24,
        rows_per_move=8,
        step_size=1e-7,
        localization=1e6,
        nbeta=1e6,
        num_chains=2,
        num_draws=12,
        num_burnin_steps=4,
        seed=5,
    )
    out = tmp_path / "out"
    words = ["llc", str(trained), *SETTINGS, "--seed", "5", "--checkpoints", "1"]
    assert main([*words, "--quiet", "--out", str(out)]) == 0
    found = og.llc_along(trained, settings, num_checkpoints=1)
    for curve, each in zip(og.Store(out).curves().curves, found, strict=True):
        np.testing.assert_array_equal(curve.y, each.curve.y if each.curve else None)
