from dataclasses import replace

import numpy as np
import pytest

from empirics.cue_competition import CueCell, train_cue_agents
from empirics.store import Store
from fitting.ladders.onsets import OnsetVerdictKind
from papers.goal_switch.cue_half import analyze_arm, outcome, run_cue_half
from papers.goal_switch.cue_store import FOLDER, keep, onsets_digest
from papers.goal_switch.ladders import arm_ladder
from papers.goal_switch.relative_ladder import relative_ladders
from papers.goal_switch.study import error_rate


@pytest.fixture(scope="module")
def half():
    return run_cue_half(seed=4, alphas=(0.08, 0.04, 0.02), updates=3000)


def test_each_arm_is_decided_for_what_generated_it(half):
    assert [arm.update_rule for arm in half.arms] == [
        "delta_rule",
        "policy_gradient",
        "normalized_critic",
    ]
    for arm in half.arms:
        assert arm.comparison.verdict.kind is OnsetVerdictKind.DECIDED
        assert arm.outcome == "right"
        assert outcome(arm.clock_free, arm.truth) == "right"


def test_rows_show_observed_beside_predicted(half):
    for arm in half.arms:
        assert len(arm.rows) == 6 and sum(row.n_runs for row in arm.rows) == 48
        assert arm.n_censored == sum(run.onset.censored for run in arm.runs)
        for row in arm.rows:
            low, high = row.quartiles[1]
            if high is not None and row.n_censored == 0:
                assert 0.75 * low < row.predicted[arm.truth] < 1.33 * high
    assert half.arms[1].n_censored > 0


def test_predicted_curves_follow_the_runs(half):
    arm = half.arms[0]
    predicted = next(
        c
        for c in arm.predicted
        if c.observable == "w_proxy"
        and c.conditions["alpha"] == 0.04
        and c.conditions["salience_ratio"] == 2.0
    )
    runs = [
        run.curve("w_proxy").y
        for run in arm.runs
        if run.cell.alpha == 0.04 and run.cell.salience_ratio == 2.0
    ]
    assert np.max(np.abs(np.mean(runs, axis=0) - predicted.y)) < 0.03
    assert 0 < predicted.y.argmax() < predicted.n_obs - 1


@pytest.mark.slow
def test_the_same_seed_gives_the_same_result():
    small, again = (
        run_cue_half(seed=4, alphas=(0.08, 0.04), ratios=(2.0,), updates=600) for _ in range(2)
    )
    assert [arm.comparison.scores for arm in again.arms] == [
        arm.comparison.scores for arm in small.arms
    ]
    assert [arm.rows for arm in again.arms] == [arm.rows for arm in small.arms]


def test_the_settings_name_every_seed(half):
    seeds = {run.seed for arm in half.arms for run in arm.runs}
    assert set(half.settings["seeds"]) == seeds and len(seeds) == 8


def test_the_runs_are_kept_and_hashed(half, tmp_path):
    file = keep(half, tmp_path)
    assert file.parent == tmp_path / FOLDER / "curves"
    stored = Store(tmp_path / FOLDER, create=False).curves()
    assert {curve.digest for curve in stored.curves} == {
        curve.digest for arm in half.arms for run in arm.runs for curve in run.curves
    }


def test_the_digest_of_the_onsets_sees_any_of_them(half):
    arm, *others = half.arms
    first, *rest = arm.runs
    moved = replace(first, onset=replace(first.onset, lower=first.onset.lower / 2))
    changed = replace(half, arms=(replace(arm, runs=(moved, *rest)), *others))
    turned = replace(half, arms=half.arms[::-1])
    assert onsets_digest(changed) != onsets_digest(half)
    assert onsets_digest(turned) == onsets_digest(half)


def test_the_error_rate_follows_the_house_rule(half):
    rate = error_rate(half)
    assert (rate.wrong, rate.decided, rate.number) == (0, 3, 3)
    # 1 - 0.05^(1/3): none wrong of three says little.
    assert rate.upper_bound == pytest.approx(0.6316, abs=1e-4)


def test_an_arm_says_what_was_given_and_what_fitted(half):
    delta, gradient, _ = (arm_ladder(arm) for arm in half.arms)
    assert delta["text"].startswith("All 48 agents had flipped when training ended.")
    censored = half.arms[1].n_censored
    assert gradient["text"].startswith(f"{censored} of 48 agents had not flipped")
    for ladder in (delta, gradient):
        assert "prior sd of its logarithm of 0.1; with one of 3" in ladder["text"]
        assert "cue_" not in ladder["text"] and "0 of them" not in ladder["text"]


def test_a_wrong_mechanism_that_needs_another_pace_is_doubted(half):
    scores = {s["mechanism"]: s for s in arm_ladder(half.arms[0])["scores"]}
    doubts = " ".join(scores["cue_normalized_critic"]["doubts"])
    assert "prior sd from 1" in doubts
    assert scores["cue_delta_rule"]["doubts"] == []


def test_relative_ladders_say_where_nothing_is_implied():
    ladders = relative_ladders((0.0, 0.05, 0.1, 0.4), ratios=(2.0,))
    assert len(ladders) == 3
    for ladder in ladders:
        assert ladder.relative[0] is None and ladder.relative[3] is None
        assert ladder.relative[2] == 1.0 and ladder.reference == 0.1
        assert len(ladder.reasons) == 2
    by_name = {ladder.mechanism: ladder.relative[1] for ladder in ladders}
    assert by_name["cue_delta_rule"] == pytest.approx(2.0, rel=0.01)
    assert by_name["cue_policy_gradient"] == pytest.approx(3.57, rel=0.01)
    with pytest.raises(ValueError, match="needs at least one alpha"):
        relative_ladders(())


@pytest.mark.slow
def test_recovery_is_rarely_wrong():
    # A small version of benchmarks/cue_recovery.py, at its hardest design.
    results = []
    for rule, rate in (("delta_rule", 0.02), ("normalized_critic", 0.1)):
        for seed in range(10):
            cells = [CueCell(a, r, rule, rate, 8) for a in (0.08, 0.02) for r in (1.4, 2.0)]
            runs = train_cue_agents(cells, range(4 * seed, 4 * seed + 4), updates=3000)
            arm = analyze_arm(runs)
            results.append(outcome(arm.clock_free, arm.truth))
    assert results.count("wrong") <= 1
    assert results.count("right") >= 12
