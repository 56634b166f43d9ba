import math

import numpy as np
import pytest
import sympy

from theory.mechanism import NoOnset
from theory.mechanisms.entropy_bonus import ENTROPY_BONUS, ONSET
from theory.mechanisms.softmax_policy_gradient import SOFTMAX_POLICY_GRADIENT


def setting(p0=0.01, bonus=0.1, rate=0.1, arms=10.0, batch=1.0, **more):
    return {
        "initial_probability": p0,
        "entropy_bonus": bonus,
        "learning_rate": rate,
        "n_arms": arms,
        "batch_size": batch,
        "reward": 1.0,
        "step_factor": 1.0,
        **more,
    }


def number(expression, given):
    return float(sympy.N(expression.subs({s: given[str(s)] for s in expression.free_symbols})))


def test_the_speed_is_the_gradient_of_reward_plus_entropy():
    """The sum over logits of the gradient, taken symbolically at unequal logits of two kinds."""
    good, bad = sympy.symbols("good bad")
    arms, bonus = 5, sympy.Rational(1, 5)
    logits = [good, *(sympy.Symbol(f"bad{i}") for i in range(arms - 1))]
    policy = [sympy.exp(x) / sum(map(sympy.exp, logits)) for x in logits]
    objective = policy[0] - bonus * sum(p * sympy.log(p) for p in policy)
    equal = {x: bad for x in logits[1:]}
    at = {good: sympy.Rational(3, 10), bad: sympy.Rational(-2, 10)}
    push = [sympy.N(sympy.diff(objective, x).subs(equal).subs(at)) for x in logits[:2]]
    p = float(policy[0].subs(equal).subs(at))
    velocity = ENTROPY_BONUS.velocity(
        np.array([p]), ENTROPY_BONUS.values(setting(bonus=0.2, rate=1.0, arms=5.0))
    )
    assert velocity[0] == pytest.approx(p * (1 - p) * float(push[0] - push[1]), rel=1e-12)


@pytest.mark.parametrize("bonus", [0.05, 0.2, 0.4])
def test_the_end_and_the_rate_of_its_approach(bonus):
    given = setting(bonus=bonus, rate=1.0)
    law = ENTROPY_BONUS.implications[0].where
    end, rate = number(law["fixed_point"], given), number(law["rate"], given)
    assert end == pytest.approx(1 / (1 + 9 * math.exp(-1 / bonus)), rel=1e-12)
    values = ENTROPY_BONUS.values(given)
    step = 1e-4 * (1 - end)
    slope = (
        ENTROPY_BONUS.velocity(np.array([end + step]), values)[0]
        - ENTROPY_BONUS.velocity(np.array([end - step]), values)[0]
    ) / (2 * step)
    assert slope == pytest.approx(-rate, rel=1e-6)  # central difference: relative error step²


@pytest.mark.parametrize("p0", [0.001, 0.05, 0.3])
@pytest.mark.parametrize("bonus", [0.05, 0.3])
def test_the_onset_has_its_closed_form(p0, bonus):
    given = setting(p0, bonus)
    # The solver keeps 1e-10 of p absolutely, 1e-7 of the smallest start.
    assert number(ONSET, given) == pytest.approx(ENTROPY_BONUS.onset(given), rel=1e-5)


def test_the_bonus_shortens_a_plateau_far_below_an_even_choice_and_lengthens_others():
    for p0, sign in ((1e-4, -1), (0.2, 1)):
        plain = SOFTMAX_POLICY_GRADIENT.onset(setting(p0))
        assert sign * (ENTROPY_BONUS.onset(setting(p0, 0.2)) - plain) > 0


def test_the_local_exponent_goes_to_minus_one_with_its_logarithm():
    for p0 in (1e-5, 1e-7):
        onsets = [ENTROPY_BONUS.onset(setting(p0 * f, 0.3), horizon=1e30) for f in (0.9, 1.1)]
        local = math.log(onsets[1] / onsets[0]) / math.log(1.1 / 0.9)
        push = 1 + 0.3 * math.log(1 / (9 * p0))
        # The next term of the expansion is of the order of its square.
        assert local == pytest.approx(-1 + 0.3 / push, abs=2 * (0.3 / push) ** 2)
        assert abs(local + 1) > 0.3 / push / 2


def test_a_fixed_point_below_the_level_is_refused():
    with pytest.raises(NoOnset, match="holds the policy below one half"):
        ENTROPY_BONUS.onset(setting(bonus=1 / math.log(9) + 1e-6))
    assert ENTROPY_BONUS.onset(setting(bonus=1 / math.log(9) - 1e-3)) < math.inf


def test_the_law_of_the_onset_is_that_of_sampled_rewards():
    p0, bonus, rate, batch, n = 0.2, 0.2, 0.01, 2, 4000
    given = setting(p0, bonus, rate, batch=float(batch))
    rng = np.random.default_rng(0)
    z, onset = np.full(n, math.log(p0 / (1 - p0))), np.full(n, np.inf)
    for update in range(1, 6000):
        p = 1 / (1 + np.exp(-z))
        hits = rng.binomial(batch, p) / batch
        push = hits * (1 - p) - bonus * p * (1 - p) * np.log(9 * p / (1 - p))
        z = z + 10 / 9 * rate * push
        onset[(z >= 0) & np.isinf(onset)] = update
        if np.all(np.isfinite(onset)):
            break
    jump = 10 / 9 * rate / batch
    quantiles = np.quantile(onset, [0.1, 0.5, 0.9])
    values = {name: np.array([[v]]) for name, v in given.items()}
    below = np.exp(ENTROPY_BONUS.onset_law(np.log(quantiles)[None], values)[0])[0]
    # Drift leaves out that a wait precedes its jump, h/2 of the mean; a normal density is < 0.4.
    shift = 0.4 * jump / 2 * np.mean(onset) / np.std(onset)
    assert below == pytest.approx([0.1, 0.5, 0.9], abs=4 * math.sqrt(0.25 / n) + shift)
    mean = ENTROPY_BONUS.onset(given)
    assert onset.mean() == pytest.approx(mean, rel=jump + 4 * onset.std() / mean / math.sqrt(n))
    # The standard deviation that the law implies, from its lower tail.
    t = np.linspace(1e-3, 3, 6001) * mean
    mass = np.diff(np.exp(ENTROPY_BONUS.onset_law(np.log(t)[None], values)[0])[0])
    middle = (t[1:] + t[:-1]) / 2
    sd = math.sqrt(np.sum(mass * middle**2) - np.sum(mass * middle) ** 2)
    assert onset.std() == pytest.approx(sd, rel=jump + 4 / math.sqrt(2 * n))
