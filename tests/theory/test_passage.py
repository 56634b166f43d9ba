"""First passages of many settings at once, against closed forms."""

import numpy as np
import pytest

from theory.passage import first_passage


def test_exponential_growth_passes_on_time():
    rate = np.geomspace(1e-6, 1e3, 40)
    found = first_passage(
        lambda t, x, which: rate[which] * x,
        lambda t, x, which: x[0] - 1.0,
        np.full((1, 40), 1e-4),
    )
    np.testing.assert_allclose(found, np.log(1e4) / rate, rtol=1e-5)


def test_a_turn_is_passed_only_upward():
    # x = cos t starts above one half, falls below it, and passes upward at t = 2π - π/3.
    def velocity(t, x, which):
        return np.stack([-x[1], x[0]])

    found = first_passage(velocity, lambda t, x, which: x[0] - 0.5, np.array([[1.0], [0.0]]))
    assert found[0] == pytest.approx(2 * np.pi - np.pi / 3, rel=1e-5)


def test_what_never_passes_and_what_breaks_down_is_nan_or_infinite():
    def velocity(t, x, which):
        return np.where(which == 0, 1.0 - 2 * x, x**2)

    found = first_passage(velocity, lambda t, x, which: x[0] - 0.9, np.array([[0.1, -1.0, 0.5]]))
    assert np.isnan(found[0])  # settles at one half, where explicit steps stay short
    assert np.isinf(found[1])  # creeps to 0, with ever longer steps
    assert found[2] == pytest.approx(1 / 0.5 - 1 / 0.9, rel=1e-5)
    broken = first_passage(
        lambda t, x, which: np.full_like(x, np.nan), lambda t, x, which: x[0] - 1, np.zeros((1, 2))
    )
    assert np.isnan(broken).all()


def test_time_may_enter():
    # dx/dt = 2 t: x = t².
    found = first_passage(
        lambda t, x, which: np.broadcast_to(2 * t, x.shape),
        lambda t, x, which: x[0] - np.array([1.0, 9.0, 1e6])[which],
        np.zeros((1, 3)),
    )
    np.testing.assert_allclose(found, [1.0, 3.0, 1e3], rtol=1e-5)
