import math

import numpy as np
import pytest
from scipy.optimize import minimize

from theory.curve import Schedule
from theory.mechanism import NoOnset
from theory.mechanisms.grpo_map import GRPO_MAP


def setting(p0=0.01, weight=1.0, smoothing=1e-4):
    return {"initial_probability": p0, "kl_weight": weight, "smoothing": smoothing}


def path(given, n=100):
    return GRPO_MAP.integrate(given, np.arange(n + 1.0))[0][:, 0]


def test_an_update_maximizes_advantage_minus_divergence():
    """The objective over policies of four answers, one of them right, by numerical search."""
    reference, weight, p, smoothing = np.array([0.1, 0.5, 0.3, 0.1]), 1.7, 0.25, 0.01
    advantage = (np.array([1.0, 0, 0, 0]) - p) / math.sqrt(p * (1 - p) + smoothing)

    def loss(logits):
        policy = np.exp(logits - np.logaddexp.reduce(logits))
        return weight * policy @ np.log(policy / reference) - policy @ advantage

    best = minimize(loss, np.zeros(4), tol=1e-12).x
    policy = np.exp(best - np.logaddexp.reduce(best))
    values = GRPO_MAP.values(setting(0.1, weight, smoothing))
    mapped = GRPO_MAP.velocity(np.array([p]), values)[0]
    assert policy[0] == pytest.approx(mapped, abs=1e-5)  # the root of the search's precision


@pytest.mark.parametrize("p0", [0.01, 0.3, 0.7])
@pytest.mark.parametrize("weight", [0.3, 2.0, 10.0])
def test_all_that_follows_lies_above_the_reference(p0, weight):
    assert np.all(path(setting(p0, weight))[1:] > p0)


def test_a_weak_pull_settles_at_its_fixed_point():
    # At this weight the map is a contraction: |slope| = p (1 - p) |1 - 2 p| lift / (2 spread²).
    given = setting(0.05, 5.0)
    end = path(given)[-1]
    values = GRPO_MAP.values(given)
    assert GRPO_MAP.velocity(np.array([end]), values)[0] == pytest.approx(end, rel=1e-12)
    assert 0.05 < end < 0.5


def test_one_half_is_passed_at_the_first_update_or_never():
    rng = np.random.default_rng(0)
    first = 0
    for _ in range(60):
        p0, weight = rng.uniform(0.001, 0.499), math.exp(rng.uniform(-2, 4))
        given = setting(p0, weight, 10 ** rng.uniform(-6, -1))
        passes = np.flatnonzero(path(given)[1:] >= 0.5)
        if passes.size:
            first += 1
            assert passes[0] == 0
            assert GRPO_MAP.onset(given) == 1.0
        else:
            with pytest.raises(NoOnset, match="holds success below one half"):
                GRPO_MAP.onset(given)
    assert 10 < first < 50  # both cases are met


def test_many_settings_at_once_know_what_never_comes():
    weights = np.array([0.5, 1.0, 3.0, 30.0])
    onsets = GRPO_MAP.onsets({**setting(), "kl_weight": weights})
    # ln 99 = 4.6 against 1/(weight · 0.1).
    assert onsets.tolist() == [1.0, 1.0, math.inf, math.inf]


def test_a_map_stays_between_updates_and_heeds_schedules():
    given = setting(0.05, Schedule([0.0, 3.0, 4.0], [5.0, 5.0, 0.5]))
    states, onset = GRPO_MAP.integrate(given, np.array([0.0, 0.5, 1.0, 1.9, 4.9, 5.0]))
    seen = states[:, 0]
    assert seen[0] == seen[1] == 0.05
    assert seen[2] == seen[3] > 0.05
    assert seen[4] < 0.5 < seen[5]  # the update at 4 is the first with the small weight
    assert onset == 5.0
