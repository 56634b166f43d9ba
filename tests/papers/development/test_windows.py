import math

import numpy as np
import pytest
from scipy.stats import binomtest, t

from empirics.probe import Reading
from empirics.run import Run
from papers.development.matched import LEAD, Observed, matched
from papers.development.over_seeds import OverSeeds
from papers.development.stability import stability
from papers.development.windows import Effect, EffectCurve, effect_curve

TIMES = (0, 100, 200, 300, 400, 500, 600)
LENGTH = 100
SE = 0.01


def made(seed, goal, *, name="run", **window):
    """A run whose p_goal is given at every checkpoint and whose p_proxy is .2."""

    def reading(value):
        return Reading(value, SE, n_levels=9, se_is_shared=True)

    readings = tuple(
        (t, {"p_goal": reading(value), "p_proxy": reading(0.2)})
        for t, value in zip(TIMES, goal, strict=True)
    )
    conditions = {"alpha": 0.2, "total_timesteps": 600, "seed": seed, **window}
    return Run(name, name, conditions, seed, (), readings=readings)


def control(seed):
    return made(seed, np.linspace(0.2, 0.8, 7) + 0.01 * seed, name=f"control {seed}")


def with_effect(seed, onset, effect, length=LENGTH):
    """The control, with an effect from the first checkpoint after the onset on."""
    goal = np.linspace(0.2, 0.8, 7) + 0.01 * seed + effect * (np.array(TIMES) > onset)
    window = {"window_start": onset, "window_length": length, "window_alpha": 0.0}
    return made(seed, goal, name=f"window at {onset}", **window, window_rewarded=True)


EFFECTS = {(0, 0): -0.30, (0, 1): -0.32, (0, 2): -0.28, (200, 0): -0.1, (200, 1): -0.08}
EFFECTS |= {(200, 2): -0.12}
RUNS = [control(seed) for seed in range(3)]
RUNS += [with_effect(seed, onset, effect) for (onset, seed), effect in EFFECTS.items()]


@pytest.mark.parametrize("span", [None, 100])
def test_the_effect_is_the_difference_to_the_control_of_the_same_seed(span):
    curve = effect_curve(RUNS, recovery=100, span=span)
    assert [effect.onset for effect in curve.effects] == [0, 200]
    for effect in curve.effects:
        expected = {seed: e for (onset, seed), e in EFFECTS.items() if onset == effect.onset}
        assert effect.difference.by_seed == pytest.approx(expected)
        assert effect.difference.mean == pytest.approx(np.mean(list(expected.values())))
        # the spread of -.30, -.32, -.28 and of -.10, -.08, -.12 is .02
        assert effect.difference.se_seeds == pytest.approx(0.02 / math.sqrt(3))
        assert effect.difference.se_levels == pytest.approx(4 * SE)
    assert curve.observable == "p_goal - p_proxy" and curve.length == LENGTH


def test_a_control_that_two_windows_share_drops_out_of_their_difference():
    shared = effect_curve(RUNS, recovery=100).effects
    apart = effect_curve(RUNS, recovery=100, span=100).effects
    for (late, early), times in ((shared, 2), (apart, 4)):
        gap = early.over(late)
        assert gap.by_seed == pytest.approx({0: 0.2, 1: 0.24, 2: 0.16})
        assert gap.se_levels == pytest.approx(2 * times * SE)


def test_only_checkpoints_after_the_recovery_count():
    fading = with_effect(0, 0, 0.0)
    goal = [x[1]["p_goal"].value for x in control(0).readings]
    goal[1] -= 0.3
    window = {k: v for k, v in fading.conditions.items() if k.startswith("window")}
    run = made(0, goal, name="fading", **window)
    late = effect_curve([control(0), run], recovery=100).effects[0].difference.mean
    early = effect_curve([control(0), run], recovery=0).effects[0].difference.mean
    assert late == pytest.approx(0) and early == pytest.approx(-0.3 / 6)


def test_the_status_tells_an_onset_that_matters_from_one_that_does_not():
    said = effect_curve(RUNS, recovery=100).status(smallest=0.0)
    # t (2 degrees of freedom) at .05: 4.3 x .04/sqrt(3) and 1.96 x .04 levels: .13 < .2
    assert "the onset MATTERS; at 0 it does more than at any other, by more than 0." in said
    assert "-0.300 ± 0.012 over seeds, ± 0.040 over levels at most at 0" in said
    assert "CANNOT TELL" in effect_curve(RUNS, recovery=100).status(smallest=0.1)
    assert "does NOT MATTER" in effect_curve(RUNS, recovery=100).status(smallest=0.4)
    one_seed = [run for run in RUNS if run.seed == 0]
    assert "CANNOT TELL" in effect_curve(one_seed, recovery=100).status(smallest=0.4)
    assert "(an effect is not certain)" in effect_curve(one_seed, recovery=100).status()


def test_the_interval_is_that_of_student_and_of_the_levels():
    number = OverSeeds({0: 1.0, 1: 3.0, 2: 2.0}, 0.5)
    half = math.hypot(t.ppf(0.975, 2) / math.sqrt(3), 1.959964 * 0.5)
    assert number.half_width(0.05) == pytest.approx(half)
    assert math.isinf(OverSeeds({0: 1.0}, 0.0).half_width(0.05))


@pytest.mark.parametrize(("n_seeds", "n_onsets"), [(2, 3), (8, 4)])
def test_onsets_that_do_not_matter_are_said_to_matter_in_at_most_five_per_cent(n_seeds, n_onsets):
    """Gaussian effects of seeds, alike at every onset, without errors of levels."""
    rng = np.random.default_rng(4)
    tries, found = 200, 0
    for _ in range(tries):
        effects = tuple(
            Effect(
                float(onset),
                OverSeeds(dict(enumerate(rng.normal(-0.3, 0.05, n_seeds))), 0.0),
                OverSeeds(dict.fromkeys(range(n_seeds), 0.0), 0.0),
            )
            for onset in range(n_onsets)
        )
        found += "MATTERS" in EffectCurve("x", 1.0, "at the end", effects).status(smallest=0.0)
    # a rate of 5 % or less is not refuted
    assert binomtest(found, tries, 0.05, alternative="greater").pvalue > 1e-3


def test_an_onset_that_matters_is_found():
    rng = np.random.default_rng(4)
    effects = tuple(
        Effect(
            float(onset),
            OverSeeds(dict(enumerate(rng.normal(mean, 0.03, 8))), 0.01),
            OverSeeds(dict.fromkeys(range(8), 0.0), 0.01),
        )
        for onset, mean in enumerate((-0.1, -0.5, -0.1))
    )
    assert "at 1 it does more" in EffectCurve("x", 1.0, "at the end", effects).status()


def test_runs_that_are_no_matched_pairs_are_refused():
    with pytest.raises(ValueError, match="'window at 0' has no control: a run that differs"):
        matched([control(1), with_effect(0, 0, 0.1)])
    goal = [0.5] * 7
    other = made(0, goal, name="other", window_start=200, window_length=LENGTH)
    with pytest.raises(ValueError, match="'other' and its control differ before the window opens"):
        matched([control(0), other])
    longer = with_effect(1, 0, 0.1, length=200)
    with pytest.raises(ValueError, match="the windows also differ in window_length"):
        effect_curve([*RUNS, longer], recovery=0)
    with pytest.raises(ValueError, match="no run has a window"):
        effect_curve([control(0)], recovery=0)
    with pytest.raises(ValueError, match="2 runs of one kind have 1 different seeds"):
        effect_curve([control(0), *[with_effect(0, 0, e) for e in (0.1, 0.2)]], recovery=0)
    with pytest.raises(ValueError, match="has no checkpoint between 1000 and 600 env_steps"):
        effect_curve(RUNS, recovery=700)
    with pytest.raises(ValueError, match="that reads llc"):
        effect_curve(RUNS, Observed({"llc": 1.0}), recovery=0)


def changed_for_good(strengths):
    """Lead .4 at the change; the given lead after it with other levels, .3 without."""
    runs = []
    for seed, strength in enumerate(strengths):
        before = [0.2, 0.4, 0.6]
        runs.append(made(seed, [*before, *[0.5] * 4], name="control"))
        window = {"window_start": 200, "window_length": 10**6, "window_alpha": 0.0}
        runs.append(made(seed, [*before, *[0.2 + strength] * 4], name="changed", **window))
    return runs


def test_stability_is_the_share_that_is_left():
    found = stability(changed_for_good((0.1, 0.12, 0.08)), recovery=100)
    assert found.before.mean == pytest.approx(0.4)
    assert found.after_training.value == pytest.approx(0.3 / 0.4)
    assert found.after_change.value == pytest.approx(0.1 / 0.4)
    assert found.against_control.value == pytest.approx(0.1 / 0.3)
    # the seeds' misses spread by .02, and .02 + .25 x .02 of levels
    half = math.hypot(t.ppf(0.975, 2) * 0.02 / math.sqrt(3), 1.959964 * 0.025) / 0.4
    assert found.after_change.excess == pytest.approx(half)
    assert "after the change NOT KEPT (0.25 ± 0.17" in found.status
    assert "after continued training CANNOT TELL (0.75 ± 0.17" in found.status
    absent = stability(changed_for_good((0.1, 0.12, 0.08)), recovery=100, absent=0.4)
    assert "it is not certain that there was anything" in absent.status
    lead = Observed({"p_goal": 1.0})
    assert stability(changed_for_good((0.1, 0.1)), lead, recovery=100).before.mean == 0.6


def test_a_change_that_ends_is_refused():
    runs = [control(0), with_effect(0, 200, 0.1)]
    with pytest.raises(ValueError, match="the window closes at 300 env_steps, before"):
        stability(runs, recovery=0)


def test_a_weighted_sum_is_named_and_has_its_largest_error():
    assert LEAD.name == "p_goal - p_proxy"
    half = Observed({"a": -0.5, "b": 2.0})
    assert half.name == "- 0.5 a + 2 b"
    assert half.at({"a": Reading(1.0, 0.1), "b": Reading(2.0, 0.0)}) == (3.5, 0.05)
    assert half.at({"a": Reading(1.0, 0.1), "b": Reading(2.0)}) == (3.5, math.inf)
