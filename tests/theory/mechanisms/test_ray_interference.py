import math

import numpy as np
import pytest

from theory.mechanism import NoOnset
from theory.mechanisms.ray_interference import COSINE, RAY_INTERFERENCE


def setting(cosine, first=0.2, second=0.1):
    return {
        "gradient_cosine": cosine,
        "initial_first": first,
        "initial_second": second,
        "learning_rate": 1.0,
        "skill_frequency": 1.0,
    }


def seen(observable, given, t):
    states, _ = RAY_INTERFERENCE.integrate(given, t)
    return RAY_INTERFERENCE.observe(observable, states, RAY_INTERFERENCE.values(given))


def first_onset(given):
    t = np.linspace(0.0, 50.0, 5001)
    return t[np.argmax(seen("p_first", given, t) >= 0.5)]


def lowest(cosine):
    return seen("p_second", setting(cosine), np.linspace(0.0, 100.0, 2001)).min()


def test_the_dip_has_its_published_depth():
    # A simulation of the same equations found a dip from 0.10 to 0.024, stated to two digits.
    assert lowest(-0.6) == pytest.approx(0.024, abs=5e-4)


def test_there_is_a_dip_only_where_the_first_skill_outweighs_the_second():
    edge = -(0.1 * 0.9) / (0.2 * 0.8)
    for cosine, falls in ((edge - 0.02, True), (edge + 0.02, False)):
        values = RAY_INTERFERENCE.values(setting(cosine))
        velocity = RAY_INTERFERENCE.velocity(np.log([0.2 / 0.8, 0.1 / 0.9]), values)
        assert bool(velocity[1] < 0) is falls
    assert lowest(0.0) == pytest.approx(0.1, rel=1e-12)


def test_the_second_skill_waits_for_the_first():
    # Simulated: 2 times as late without interference, 15 times at -0.6, stuck at -0.9.
    ratios = [RAY_INTERFERENCE.onset(setting(c)) / first_onset(setting(c)) for c in (0.0, -0.6)]
    assert ratios == pytest.approx([2.0, 16.0], abs=0.5)  # stated to whole numbers
    assert RAY_INTERFERENCE.onset(setting(-0.9), horizon=1e7) == math.inf


@pytest.mark.parametrize("cosine", [-0.5, -0.25, 0.0, 0.5])
def test_the_exponent_is_that_of_a_fading_rival(cosine):
    onsets = RAY_INTERFERENCE.onsets(
        {**setting(cosine), "initial_second": np.array([1e-6, 2e-6])}, horizon=1e30
    )
    law = RAY_INTERFERENCE.implications[-1]
    limit = float(law.exponent.subs({COSINE: cosine}))
    # Relative corrections are logarithms over t (first skill's delay) and over t^(1 + cosine).
    left_out = 4 * math.log(onsets[0]) / min(onsets[1], onsets[1] ** (1 + cosine))
    assert math.log(onsets[1] / onsets[0]) / math.log(2) == pytest.approx(limit, abs=left_out)


def test_linear_logits_with_that_cosine_follow_the_dynamics():
    """Gradient ascent on J_1 + J_2 by finite differences, in three shared parameters."""
    cosine, x, nudge = -0.4, np.array([0.3, -0.8, 0.5]), 1e-5
    skills = np.array([[1.0, 0.0, 0.0], [cosine, math.sqrt(1 - cosine**2), 0.0]])

    def success(x):
        return 1 / (1 + np.exp(-skills @ x))

    gradient = [
        np.sum(success(x + nudge * e) - success(x - nudge * e)) / (2 * nudge) for e in np.eye(3)
    ]
    velocity = RAY_INTERFERENCE.velocity(skills @ x, RAY_INTERFERENCE.values(setting(cosine)))
    np.testing.assert_allclose(velocity, skills @ gradient, rtol=1e-8)


def test_opposite_gradients_leave_the_second_skill_unlearned():
    with pytest.raises(NoOnset, match="only the better skill is learned"):
        RAY_INTERFERENCE.onset(setting(-1.0))
    assert RAY_INTERFERENCE.onset(setting(-1.0, 0.1, 0.2)) < math.inf
