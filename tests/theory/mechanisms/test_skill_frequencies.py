import math

import numpy as np
import pytest
import sympy

from theory.mechanism import NoOnset
from theory.mechanisms.skill_frequencies import SKILL_FREQUENCIES


def setting(frequency=0.1, start=0.01, target=1.0):
    return {
        "skill_frequency": frequency,
        "initial_strength": start,
        "target_strength": target,
        "learning_rate": 0.1,
    }


def test_small_gradient_steps_on_two_factors_follow_the_mean_field():
    """Descent on frequency (S - a b)²/2 as it stands; first order in the step size."""
    frequency, target, start, rate = 0.3, 1.7, 0.05, 1e-3
    a = b = math.sqrt(start)
    given = {**setting(frequency, start, target), "learning_rate": rate}
    t = np.arange(0.0, 20_001.0, 4000.0)
    found = []
    for update in range(int(t[-1]) + 1):
        if update in t:
            found.append(a * b)
        miss = frequency * (target - a * b)
        a, b = a + rate * miss * b, b + rate * miss * a
    states, _ = SKILL_FREQUENCIES.integrate(given, t)
    # A step is rate · frequency · target of an e-fold; the curve's slope per e-fold is < S.
    np.testing.assert_allclose(states[:, 0], found, atol=10 * rate * frequency * target**2)


def test_the_onset_is_inverse_to_the_frequency():
    onsets = SKILL_FREQUENCIES.onsets(
        {**setting(target=0.8), "skill_frequency": np.array([0.5, 0.05, 0.005])}
    )
    exact = math.log(0.8 / 0.01 - 1) / (2 * 0.1 * 0.8 * np.array([0.5, 0.05, 0.005]))
    np.testing.assert_allclose(onsets, exact, rtol=1e-5)


@pytest.mark.parametrize(("a", "simulated"), [(0.5, -0.337), (1.0, -0.500)])
def test_the_loss_over_many_skills_is_a_power_law(a, simulated):
    # By gradient descent on many skills -0.337 and -0.500 were found, where theory says -1/3, -1/2.
    n, start, t = 100_000, 0.1, np.array([500.0, 5000.0])
    solution = SKILL_FREQUENCIES.implications[0].solution["strength"]
    names = "skill_frequency t initial_strength target_strength learning_rate step_factor".split()
    symbols = {str(s): s for s in solution.free_symbols}
    strength = sympy.lambdify([symbols[name] for name in names], solution, "numpy")
    frequency = np.arange(1.0, n + 1) ** -(a + 1)
    learned = strength(frequency, t[:, None], start, 1.0, 0.5, 1.0)
    # Of the ranks above n nothing is learned yet; their sum is an integral.
    unmet = (1 - start) ** 2 / 2 * (n + 0.5) ** -a / a
    loss = np.sum(frequency * (1 - learned) ** 2, axis=1) / 2 + unmet
    local = math.log(loss[1] / loss[0]) / math.log(t[1] / t[0])
    # Of t^(1/(a + 1)) skills that are learned, half a rank is what a sum differs by.
    tolerance = 0.5 / t[0] ** (1 / (a + 1))
    assert local == pytest.approx(-a / (a + 1), abs=tolerance)
    assert local == pytest.approx(simulated, abs=tolerance)


def test_a_skill_that_is_there_from_the_start_has_no_onset():
    with pytest.raises(NoOnset, match="above half of target_strength"):
        SKILL_FREQUENCIES.onset(setting(start=0.6))
