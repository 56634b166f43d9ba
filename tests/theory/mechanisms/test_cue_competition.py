import math

import numpy as np
import pytest
import sympy
from scipy.stats import norm

from theory.curve import Schedule
from theory.forms import FORMS
from theory.mechanisms.cue_competition import (
    CUE_COMPETITION,
    DELTA_RULE,
    FLIP_DELTA,
    NORMALIZED_CRITIC,
    PEAK,
    POLICY_GRADIENT,
    RATIO,
    sampled_drift,
)
from theory.onset import lasting_onset


def setting(alpha, ratio, rate=1.0, batch=math.inf, **more):
    return {
        "alpha": alpha,
        "salience_ratio": ratio,
        "learning_rate": rate,
        "batch_size": batch,
        **more,
    }


def slope(mechanism, ratio, low, high, batch=math.inf):
    """Local exponent of the flip time in alpha."""
    flips = [mechanism.onset(setting(a, ratio, batch=batch), horizon=1e30) for a in (low, high)]
    return math.log(flips[1] / flips[0]) / math.log(high / low)


def law_of(mechanism):
    return next(i for i in mechanism.implications if i.condition == "alpha")


def test_delta_rule_flip_meets_the_published_number():
    # 117.5 by the two-rate formula, 117.6 by integration of the rule, at saliences 1/2 and 1,
    # unit step, alpha = 0.005. Halving both saliences is a step size of 1/4.
    given = setting(0.005, 2.0, rate=0.25)
    assert DELTA_RULE.onset(given) == pytest.approx(117.6, abs=0.05)
    symbols = {str(s): s for s in FLIP_DELTA.free_symbols}
    closed = FLIP_DELTA.subs(
        {symbols[n]: v for n, v in (given | {"clock": 1.0}).items() if n in symbols}
    )
    assert float(closed) == pytest.approx(117.5, abs=0.005)


def test_stated_ranges_of_validity_hold():
    symbols = {str(s): s for s in FLIP_DELTA.free_symbols}
    for alpha in (0.02, 0.005):
        for ratio in (1.5, 2.0, 3.0):
            at = {"alpha": alpha, "salience_ratio": ratio, "learning_rate": 1.0, "clock": 1.0}
            closed = float(FLIP_DELTA.subs({symbols[n]: v for n, v in at.items()}))
            assert closed == pytest.approx(DELTA_RULE.onset(setting(alpha, ratio)), rel=0.01)
    for ratio in (1.5, 2.0, 3.0):
        for low, high in ((0.01, 0.05), (0.04, 0.05)):
            assert slope(DELTA_RULE, ratio, low, high) == pytest.approx(-1.0, abs=0.02)
    for mechanism, local in ((POLICY_GRADIENT, (-1.7, -1.35)), (NORMALIZED_CRITIC, (-1.1, -0.8))):
        found = [slope(mechanism, 1.2, *pair) for pair in ((0.05, 0.1), (0.02, 0.05))]
        assert found == pytest.approx(local, abs=0.05)  # stated to one or two digits
    assert slope(POLICY_GRADIENT, 2.0, 1e-4, 1e-3) == pytest.approx(-2.5, rel=0.01)


def test_delta_rule_flip_meets_the_matrix_exponential():
    # dw/dt = b - M w with M the second moments of the cues.
    alpha, ratio = 0.03, 1.6
    moments = np.array([[1, (1 - 2 * alpha) * ratio], [(1 - 2 * alpha) * ratio, ratio**2]])
    target = np.array([1.0, (1 - 2 * alpha) * ratio])
    rates, vectors = np.linalg.eigh(moments)
    t = np.linspace(0.1, 60, 400)
    decay = 1 - np.exp(-rates * t[:, None])
    exact = (decay * (vectors.T @ np.linalg.solve(moments, target))) @ vectors.T
    states, onset = DELTA_RULE.integrate(setting(alpha, ratio), t)
    np.testing.assert_allclose(states, exact, atol=1e-6)
    margin = exact[:, 0] - ratio * exact[:, 1]
    after = np.flatnonzero(margin > 0)[0]
    assert t[after - 1] < onset <= t[after]


def test_equal_saliences_give_a_proxy_bump():
    bump = next(i for i in DELTA_RULE.implications if i.form == "bump")
    symbols = {str(s): s for e in bump.where.values() for s in e.free_symbols}
    values = {"alpha": 0.1, "learning_rate": 0.02, "clock": 1.0}
    at = {symbols[name]: value for name, value in values.items()}
    theta = [float(bump.where[name].subs(at)) for name in FORMS["bump"].names]
    t = np.linspace(0.0, 800.0, 200)
    states, _ = DELTA_RULE.integrate(setting(0.1, 1.0, 0.02), t)
    np.testing.assert_allclose(FORMS["bump"](t, np.array(theta)), states[:, 1], atol=1e-6)
    peak = float(PEAK.subs(at))
    assert peak == pytest.approx(math.log(9) / (2 * 0.02 * 0.8))
    assert t[np.argmax(states[:, 1])] == pytest.approx(peak, abs=t[1])


@pytest.mark.parametrize(
    ("mechanism", "range_"),
    [(POLICY_GRADIENT, (-2.0, -1.75)), (NORMALIZED_CRITIC, (-1.11, -1.0))],
    ids=lambda value: getattr(value, "name", ""),
)
def test_local_exponents_at_reachable_alpha(mechanism, range_):
    # Measured on simulated learners at ratio 2, alpha = 0.2 to 0.02: -1.8 to -2.0, -1.0 to -1.1.
    assert range_[0] <= slope(mechanism, 2.0, 0.02, 0.2) <= range_[1]
    for low, high in ((0.1, 0.2), (0.05, 0.1), (0.02, 0.05)):
        assert range_[0] - 0.05 <= slope(mechanism, 2.0, low, high) <= range_[1] + 0.02


@pytest.mark.parametrize("ratio", [1.5, 2.0])
@pytest.mark.parametrize("mechanism", CUE_COMPETITION.values(), ids=lambda m: m.name)
def test_asymptotic_exponents(mechanism, ratio):
    limit = float(sympy.sympify(law_of(mechanism).exponent).subs({RATIO: ratio}))
    # At ratio 1.5 the approach is slow: relative corrections fall as alpha^(5/8).
    assert slope(mechanism, ratio, 1e-8, 1e-7) == pytest.approx(limit, abs=2e-3)


def test_the_exact_critic_halves_the_exponent():
    for ratio in (1.5, 2.0):
        plain, normalized = (
            slope(m, ratio, 1e-8, 1e-7) for m in (POLICY_GRADIENT, NORMALIZED_CRITIC)
        )
        assert normalized == pytest.approx(plain / 2, abs=2e-3)


def test_the_exponent_depends_on_the_batch():
    # Surprises rarer than one a batch: the root mean square no longer makes up for them,
    # and the limit is the plain policy gradient's.
    assert slope(NORMALIZED_CRITIC, 2.0, 1e-5, 1e-4, batch=16) == pytest.approx(-2.5, abs=0.02)
    assert slope(NORMALIZED_CRITIC, 2.0, 0.01, 0.02, batch=64) < -1.6
    assert slope(NORMALIZED_CRITIC, 2.0, 0.01, 0.02) > -1.2


def test_normalization_changes_the_clock_and_not_the_orbit():
    given = setting(0.05, 1.7)
    orbits = []
    for mechanism in (POLICY_GRADIENT, NORMALIZED_CRITIC):
        states, _ = mechanism.integrate(given, np.geomspace(1e-2, 2e3, 4000))
        orbits.append(states[np.argsort(states[:, 1] - states[:, 0])])
    # Compare proxy weight as a function of the goal weight, where both orbits passed.
    plain, normalized = (o[np.argsort(o[:, 0])] for o in orbits)
    goal = np.linspace(0.1, min(plain[-1, 0], normalized[-1, 0]), 50)
    np.testing.assert_allclose(np.interp(goal, *plain.T), np.interp(goal, *normalized.T), atol=2e-3)


@pytest.mark.parametrize("weights", [(0.0, 0.0), (1.2, 1.5), (3.0, 2.0), (6.0, 4.0)])
@pytest.mark.parametrize("batch", [4, 64])
def test_sampled_drift_meets_simulation(weights, batch):
    values = setting(0.1, 2.0, 1.0, batch) | {"clock": 1.0}
    rng = np.random.default_rng(7)
    n = 40_000
    margins = weights[0] + np.array([2.0, -2.0]) * weights[1]
    p = 1 / (1 + np.exp(-margins))
    conflict = rng.random((n, batch)) < 0.1
    solved = rng.random((n, batch)) < np.where(conflict, p[1], p[0])
    level_p = np.where(conflict, p[1], p[0])
    advantage = solved - level_p
    score = advantage * advantage / np.sqrt(np.mean(advantage**2, axis=1, keepdims=True))
    cues = np.stack([np.ones(conflict.shape), np.where(conflict, -2.0, 2.0)])
    updates = np.mean(score * cues, axis=2)
    error = updates.std(axis=1) / math.sqrt(n)
    drift = sampled_drift(np.array(weights), values)
    assert np.all(np.abs(updates.mean(axis=1) - drift) < 4 * error + 1e-6 * np.abs(drift))


def test_a_large_batch_follows_the_symbolic_dynamics():
    state, values = np.array([1.0, 0.7]), setting(0.1, 1.5) | {"clock": 1.0}
    mean_field = sampled_drift(state, values)
    symbols = {str(s): s for e in NORMALIZED_CRITIC.dynamics for s in e.free_symbols}
    at = {symbols[name]: value for name, value in values.items() if name in symbols}
    at |= dict(zip(NORMALIZED_CRITIC.state, state, strict=True))
    symbolic = [float(e.subs(at)) for e in NORMALIZED_CRITIC.dynamics]
    np.testing.assert_allclose(mean_field, symbolic, rtol=1e-12)
    large = sampled_drift(state, values | {"batch_size": 1e5})
    np.testing.assert_allclose(large, symbolic, rtol=1e-4)


@pytest.mark.parametrize(
    ("mechanism", "rate"),
    [(DELTA_RULE, 0.01), (POLICY_GRADIENT, 0.25), (NORMALIZED_CRITIC, 0.05)],
    ids=lambda value: getattr(value, "name", ""),
)
def test_integrated_flips_are_the_medians_of_sampled_ones(mechanism, rate):
    t = np.arange(0.0, 1001.0)
    for alpha, ratio in ((0.05, 2.0), (0.04, 1.2)):
        given = setting(alpha, ratio, rate, 64.0)
        curves = mechanism.simulate({}, given, t, rng=np.random.default_rng(3), n_runs=200)
        onsets = [lasting_onset(c) for c in curves if c.observable == "p_goal"]
        flips = np.array([onset.upper for onset in onsets])
        predicted = mechanism.onset(given)
        # 99.9 % interval of a median of 200, and 5 % for the mean field.
        low, high = np.sort(flips)[[int(100 - norm.isf(5e-4) * 7.07), 123]]
        assert 0.95 * low <= predicted <= 1.05 * high
        assert np.std(np.log(flips)) < 0.35


def test_sampling_is_reproducible_and_checks_its_input():
    given = setting(0.05, 2.0, 0.05, 16.0)
    draws = [
        DELTA_RULE.simulate({}, given, [0, 5, 50], rng=np.random.default_rng(2), n_runs=2)
        for _ in range(2)
    ]
    assert [c.digest for c in draws[0]] == [c.digest for c in draws[1]]
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="whole updates; it holds 0.5"):
        DELTA_RULE.simulate({}, given, [0, 0.5], rng=rng)
    with pytest.raises(ValueError, match="batch_size must be a finite whole number"):
        POLICY_GRADIENT.simulate({}, given | {"batch_size": 2.5}, [0, 5], rng=rng)


def test_a_proxy_phase_that_a_schedule_ends_has_a_flip():
    """At alpha = 0.45 nothing prefers the proxy; once alpha has fallen to 0.02 all is as usual."""
    falling = Schedule([0.0, 10.0, 11.0, 1e6], [0.45, 0.45, 0.02, 0.02])
    given = setting(0.02, 2.0, rate=0.25) | {"alpha": falling}
    assert POLICY_GRADIENT.broken(given) == ()
    states, onset = POLICY_GRADIENT.integrate(given, np.array([0.0, 200.0, 2000.0]))
    margin = states[:, 0] - 2.0 * states[:, 1]
    assert margin[1] < 0 < margin[2]
    assert POLICY_GRADIENT.onset(given) == pytest.approx(onset, rel=1e-4)
    assert 200.0 < onset < 2000.0


def test_without_a_salient_proxy_there_is_no_flip():
    for mechanism in CUE_COMPETITION.values():
        with pytest.raises(ValueError, match="the proxy is never preferred unless"):
            mechanism.onset(setting(0.2, 1.2))
