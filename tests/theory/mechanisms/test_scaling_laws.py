import math

import numpy as np
import pytest
import sympy
from scipy.optimize import brentq, minimize_scalar

from theory.mechanisms.scaling_laws import (
    COMPUTE_SCALING,
    DISTANCE,
    OVEROPTIMIZATION,
    PEAK_DISTANCE,
    TRUE_REWARD,
    performance_at_entropy,
)


def observed(mechanism, observable, t, **given):
    given = mechanism.suggested() | given
    states, _ = mechanism.integrate(given, t)
    return mechanism.observe(observable, states, mechanism.values(given))


def test_performance_is_the_published_sigmoid_in_compute():
    updates = np.array([0.0, 5.0, 60.0, 400.0, 1e5])
    law = {"floor": 0.3, "ceiling": 0.61, "midpoint_compute": 900.0, "exponent": 1.7}
    seen = observed(COMPUTE_SCALING, "performance", updates, compute_per_update=12.0, **law)
    with np.errstate(divide="ignore"):
        published = 0.3 + (0.61 - 0.3) / (1 + (900.0 / (12.0 * updates)) ** 1.7)
    np.testing.assert_allclose(seen, published, rtol=1e-9)


def test_a_doubling_of_compute_multiplies_the_odds():
    share = observed(COMPUTE_SCALING, "share", np.array([0.0, 30.0, 60.0, 120.0]), exponent=1.4)[1:]
    odds = share / (1 - share)
    np.testing.assert_allclose(odds[1:] / odds[:-1], 2**1.4, rtol=1e-9)
    assert COMPUTE_SCALING.onset({"compute_per_update": 4.0}) == pytest.approx(25.0, rel=1e-6)


@pytest.mark.parametrize(("gain", "decline"), [(0.5, 0.2), (1.0, 0.5), (0.3, 0.3)])
def test_the_true_reward_peaks_where_it_is_said_to(gain, decline):
    named = {"first_gain": gain, "decline": decline}
    peak = float(PEAK_DISTANCE.subs({s: named[s.name] for s in PEAK_DISTANCE.free_symbols}))
    at = {s: named[s.name] for s in TRUE_REWARD.free_symbols if s.name in named}
    reward = sympy.lambdify(DISTANCE, TRUE_REWARD.subs(at))
    found = minimize_scalar(
        lambda d: -reward(d), bracket=(0.3 * peak, 1.2 * peak, 2 * peak), tol=1e-10
    )
    assert found.x == pytest.approx(peak, rel=1e-6)
    assert reward(peak) == pytest.approx(decline * peak)
    assert reward(math.e * peak) == pytest.approx(0.0, abs=1e-12 * math.e * peak)
    onset = OVEROPTIMIZATION.onset(named | {"distance_per_update": 0.02})
    half = brentq(lambda d: reward(d) - decline * peak / 2, 1e-9, peak)
    assert onset * 0.02 == pytest.approx(half, rel=1e-5)


def test_entropy_is_exchanged_for_performance():
    """73 % of the entropy bring 76 % of the gain (Cui et al.): from tenths of a nat."""

    def share(entropy):
        start, later, end = performance_at_entropy(np.array([1.0, 0.27, 0.0]) * entropy, 0.4, 0.9)
        return (later - start) / (end - start)

    assert performance_at_entropy(0.0, 0.4, 0.9) == pytest.approx(0.5)
    assert share(1e-6) == pytest.approx(0.73, abs=1e-5)
    assert 0.1 < brentq(lambda h: share(h) - 0.76, 0.01, 3.0) < 1.0
