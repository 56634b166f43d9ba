"""Aggregates of curves by group and task: the verb, and one sentence for each bad input."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ontogeny as og
from fitting.aggregates.aggregate import ALL, aggregate
from fitting.aggregates.measures import GAP
from theory.curve import Curve, Progress

DATA = Path(__file__).resolve().parents[3] / ".." / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="shared/data is not here")
T = np.arange(0.0, 50.0, 2.0)


def curve(last: float, algorithm: str = "ppo", env: str = "a", seed: int = 0) -> Curve:
    y = last / (1 + np.exp(-(T - 20) / 4)) + 0.01 * np.random.default_rng(seed).standard_normal(25)
    y[-1] = last
    conditions = {"algorithm": algorithm, "env": env, "seed": seed}
    return Curve("return", T, y, run=f"{algorithm}-{env}-{seed}", conditions=conditions)


def runs() -> list[Curve]:
    return [
        curve(1.0 + 0.1 * seed + (algorithm == "sac"), algorithm, env, seed)
        for algorithm in ("ppo", "sac")
        for env in ("a", "b")
        for seed in range(6)
    ]


def test_groups_tasks_and_comparisons() -> None:
    found = aggregate(runs(), by="algorithm", task="env", n_resamples=200)
    ppo, sac = found.groups
    assert (ppo.name, ppo.scores.tasks, ppo.scores.counts) == ("ppo", ("a", "b"), (6, 6))
    # The middle six of twelve scores: 1.0 to 1.5, each twice, without the three at either end.
    assert ppo.measures[0].value == pytest.approx(np.mean([1.1, 1.2, 1.2, 1.3, 1.3, 1.4]))
    assert sac.measures[0].value == pytest.approx(2.25)
    [one] = found.improvements
    assert (one.a, one.b, one.value, one.lower) == ("sac", "ppo", 1.0, 1.0)
    assert "no certainty" in found.doubts[-1]
    assert ppo.efficiency is not None and ppo.efficiency.runs.shape == (12, 25)
    assert ppo.efficiency.iqm[-1] == pytest.approx(ppo.measures[0].value)


def test_reference_scores_make_the_units_and_the_target() -> None:
    [group] = aggregate(runs()[:6], references={"": (0.0, 2.0)}, n_resamples=200).groups
    gap = next(one for one in group.measures if one.name == GAP)
    assert (group.name, gap.value) == (ALL, pytest.approx(1 - 0.625))


def test_the_same_seed_gives_the_same_intervals_whatever_the_order() -> None:
    first = aggregate(runs(), by="algorithm", n_resamples=200, seed=4)
    again = aggregate(runs()[::-1][::-1], by="algorithm", n_resamples=200, seed=4)
    assert [g.measures for g in first.groups] == [g.measures for g in again.groups]
    other = aggregate(runs(), by="algorithm", n_resamples=200, seed=5)
    assert first.groups[0].measures != other.groups[0].measures


def test_runs_that_share_no_progress_have_no_curve_but_scores() -> None:
    late = replace(curve(1.0), t=T + 100, run="late")
    [group] = aggregate([curve(1.0), late], n_resamples=200).groups
    assert group.efficiency is None and group.measures[0].value == 1.0
    assert any("no progress in common" in doubt for doubt in group.doubts)


@pytest.mark.parametrize(
    ("curves", "options", "said"),
    [
        ([], {}, "there is no run to aggregate."),
        (
            [curve(1.0), replace(curve(1.0), observable="length")],
            {},
            "runs are aggregated in one observable, and there are 2; choose one of length, return.",
        ),
        ([curve(1.0)], {"observable": "loss"}, "no curve of 'loss'; the observables are return."),
        (
            [curve(1.0)],
            {"by": "algo"},
            "run 'ppo-a-0' does not carry the condition 'algo'; it carries algorithm, env, seed.",
        ),
        (
            [curve(1.0), replace(curve(1.0), progress=Progress.UPDATES)],
            {},
            "runs must share their progress; got 'unspecified', 'updates'.",
        ),
        (
            [curve(1.0)],
            {"at": 99.0},
            "run 'ppo-a-0' was observed from 0 to 48; it has no score at 99.",
        ),
        (
            [curve(1.0)],
            {"last": 0.0},
            "the last share of the progress must lie in (0, 1]; it is 0.0.",
        ),
        (
            [curve(1.0)],
            {"task": "env", "references": {"b": (0.0, 1.0)}},
            "there are no reference scores for 'a'; there are for b.",
        ),
        (
            [curve(1.0)],
            {"references": {"": (1.0, 1.0)}},
            "reference scores must be finite and differ; they are 1.0, 1.0.",
        ),
        (
            [curve(1.0)],
            {"n_resamples": 5},
            "an interval needs at least 100 resamples; n_resamples = 5.",
        ),
    ],
)
def test_bad_input_is_said_in_one_sentence(
    curves: Sequence[Curve], options: dict[str, object], said: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        aggregate(curves, **options)  # type: ignore[arg-type]


@needs_data
def test_the_zoo_has_single_runs_and_says_so() -> None:
    curves = og.read_curves(DATA / "sb3_zoo").of("episodic_return")
    found = aggregate(curves, by="algorithm", task="environment", n_resamples=200)
    assert [group.name for group in found.groups] == ["dqn", "ppo", "sac", "trpo"]
    assert all(group.measures[0].lower is None for group in found.groups)
    assert [one.value is None for one in found.improvements].count(False) == 1  # CartPole's


@needs_data
def test_learned_planners_rise_alike() -> None:
    curves = [
        replace(one, conditions={"architecture": one.run.split("__")[0]})
        for one in og.read_curves(DATA / "learned_planner").of(
            "test_unfiltered/00_episode_successes"
        )
    ]
    found = aggregate(curves, by="architecture", n_resamples=200)
    assert {group.name: len(group.runs) for group in found.groups} == {
        "drc_11": 5,
        "drc_33": 5,
        "resnet": 5,
    }
    assert [group.differ for group in found.groups] == [False] * 3
    last = sorted(one.y[-1] for one in curves if one.conditions["architecture"] == "resnet")
    resnet = found.groups[2]
    assert resnet.measures[0].value == pytest.approx(np.mean(last[1:4]))
