"""`run` trains, probes, and leaves a store that the other commands read."""

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
        ppo=replace(whole.ppo, total_timesteps=128, num_envs=8, num_steps=8, num_minibatches=2),
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
    assert "3 points over env_steps 0 to 128" in shown
    assert "alpha=0.0" in shown or "alpha=0," in shown
    assert "alpha=0.5" in shown
    assert main([*words, "--quiet"]) == 0
    capsys.readouterr()
    assert main(["show", "store", str(store)]) == 0
    assert capsys.readouterr().out == shown


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--vary", "alpha"], 2, "--vary alpha needs at least one value."),
        (["--seeds", "0"], 2, "--seeds and --jobs must be 1 or more."),
        (["--vary", "alhpa", "0.1"], 1, "has no condition alhpa to vary"),
        (["--vary", "alpha", "2"], 1, "alpha must be a probability"),
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
