import math

import numpy as np
import pytest
import sympy

from theory.mechanism import NoOnset
from theory.mechanisms.lock import LOCK
from theory.mechanisms.softmax_policy_gradient import SOFTMAX_POLICY_GRADIENT


def setting(p0=0.2, horizon=4.0, gamma=1.0, rate=0.1, arms=10.0, batch=1.0):
    return {
        "initial_probability": p0,
        "horizon": horizon,
        "gamma": gamma,
        "learning_rate": rate,
        "n_arms": arms,
        "batch_size": batch,
        "reward": 1.0,
        "step_factor": 1.0,
    }


def law(name, given):
    at = {name: sympy.Integer(int(v)) if name == "horizon" else v for name, v in given.items()}
    expression = LOCK.implications[1].where[name]
    expression = expression.subs({s: at[str(s)] for s in expression.free_symbols})
    return float(expression.doit())


def test_the_speed_is_the_gradient_of_the_discounted_return():
    """All logits of three steps with three arms, differentiated at equal probabilities."""
    logits = sympy.symbols("x0:9")
    steps = [logits[i : i + 3] for i in (0, 3, 6)]
    policy = [sympy.exp(step[0]) / sum(map(sympy.exp, step)) for step in steps]
    discounted = sympy.Rational(9, 10) ** 2 * policy[0] * policy[1] * policy[2]
    at = {x: sympy.Rational(7, 10) if i % 3 == 0 else 0 for i, x in enumerate(logits)}
    push = [sympy.N(sympy.diff(discounted, x).subs(at)) for x in steps[1]]
    moved = sum(
        float(sympy.diff(policy[1], x).subs(at)) * float(g)
        for x, g in zip(steps[1], push, strict=True)
    )
    given = setting(horizon=3.0, gamma=0.9, rate=1.0, arms=3.0)
    velocity = LOCK.velocity(np.array([float(policy[1].subs(at))]), LOCK.values(given))
    assert velocity[0] == pytest.approx(moved, rel=1e-12)


@pytest.mark.parametrize("horizon", [1, 2, 6])
@pytest.mark.parametrize("p0", [0.05, 0.3])
def test_the_onset_has_its_closed_form(p0, horizon):
    given = setting(p0, float(horizon), 0.95)
    onset = LOCK.onset(given, horizon=1e30)
    # The solver keeps 1e-8 of p and 1e-10 absolutely, which the plateau multiplies by horizon + 1.
    assert law("onset", given) == pytest.approx(onset, rel=1e-5)


def test_the_ratio_to_its_limit_is_the_published_one():
    given = setting(0.1, 6.0)
    assert LOCK.onset(given) / law("escape", given) == pytest.approx(1.30, abs=0.005)
    assert law("escape", given) == pytest.approx(0.9 * 0.1**-6 / 6 / 0.1, rel=1e-12)
    given = setting(1e-4, 6.0)
    # The next term of the expansion is 12/5 p0.
    assert law("onset", given) / law("escape", given) == pytest.approx(1 + 2.4e-4, abs=1e-6)


def test_local_exponents_and_the_ladder_of_horizons():
    for horizon in (2.0, 5.0):
        onsets = [law("onset", setting(p0, horizon)) for p0 in (1e-5, 2e-5)]
        local = math.log(onsets[1] / onsets[0]) / math.log(2)
        assert local == pytest.approx(-horizon, abs=1e-4)  # 2 H/(H - 1) p0
    discounted = [LOCK.onset(setting(gamma=d)) for d in (0.8, 1.0)]
    assert discounted[0] / discounted[1] == pytest.approx(0.8**-3, rel=1e-6)
    longer = law("onset", setting(1e-4, 5.0, 0.9)) / law("onset", setting(1e-4, 4.0, 0.9))
    assert longer == pytest.approx(4 / 5 / (0.9 * 1e-4), rel=1e-3)


def test_a_lock_of_one_step_is_the_policy_gradient():
    given = setting(horizon=1.0)
    log_t = np.log(np.array([[20.0, 60.0, 200.0]]))
    values = {name: np.array([[v]]) for name, v in given.items()}
    assert LOCK.onset(given) == pytest.approx(SOFTMAX_POLICY_GRADIENT.onset(given), rel=1e-6)
    np.testing.assert_allclose(
        LOCK.onset_law(log_t, values), SOFTMAX_POLICY_GRADIENT.onset_law(log_t, values)
    )


def test_long_chains_join_short_ones():
    """At a small step the chain is too long to be summed; drift takes over."""
    given = setting(0.4, 2.0, rate=2e-4)
    values = {name: np.array([[v]]) for name, v in given.items()}
    below, above = np.exp(LOCK.onset_law(np.log(LOCK.onset(given)) + np.zeros((1, 1)), values))
    # The mean of a nearly normal law: one half, up to its skewness (a few coefficients of
    # variation, each sqrt(h) here).
    assert below[0, 0] == pytest.approx(0.5, abs=math.sqrt(2e-4 * 10 / 9))
    assert above[0, 0] == pytest.approx(1 - below[0, 0])


@pytest.mark.parametrize("p0", [0.12, 1e-3])
def test_onsets_are_those_of_reinforce(p0):
    """Every episode walks the chain with a policy of five arms at each of three steps."""
    horizon, gamma, rate, arms, n = 3, 0.9, 0.4, 5, 20_000
    rng = np.random.default_rng(0)
    logits = np.zeros((n, arms))
    logits[:, 0] = math.log(p0 / (1 - p0) * (arms - 1))
    onset = np.zeros(n)
    going = np.full(n, True)
    while going.any():
        weights = np.exp(logits[going])
        policy = weights / weights.sum(axis=1, keepdims=True)
        success = policy[:, 0] ** horizon
        done = success >= 0.5
        # Failed episodes change nothing, so only their number is drawn.
        onset[going] += np.where(done, 0, rng.geometric(success))
        score = -policy
        score[:, 0] += 1
        logits[going] += rate * gamma ** (horizon - 1) * score
        going[np.flatnonzero(going)[done]] = False
    given = setting(p0, float(horizon), gamma, rate, float(arms))
    values = {name: np.array([[v]]) for name, v in given.items()}
    quantiles = np.quantile(onset, [0.05, 0.25, 0.5, 0.75, 0.95])
    below = np.exp(LOCK.onset_law(np.log(quantiles)[None], values)[0])[0]
    error = 4 * math.sqrt(0.25 / n)
    assert below == pytest.approx([0.05, 0.25, 0.5, 0.75, 0.95], abs=error)
    if p0 == 1e-3:
        # The relative error of a squared coefficient of variation is below 2/sqrt(n).
        cv2 = np.var(onset) / np.mean(onset) ** 2
        jump = rate * gamma ** (horizon - 1) * arms / (arms - 1)
        assert cv2 == pytest.approx(math.tanh(horizon * jump / 2), rel=4 * 2 / math.sqrt(n))


def test_a_lock_that_opens_from_the_start_has_no_onset():
    with pytest.raises(NoOnset, match="half of all tries succeed from the start"):
        LOCK.onset(setting(0.9, 4.0))
    assert LOCK.onset(setting(0.8, 4.0)) > 0
