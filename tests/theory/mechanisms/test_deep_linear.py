import math

import numpy as np
import pytest
from scipy.special import polygamma

from theory.mechanism import NoOnset
from theory.mechanisms.deep_linear import DEEP_LINEAR, DEEPER_LINEAR


def law(t, **given):
    """Return P(onset <= t) of the deep linear mode."""
    values = {name: np.array([[v]]) for name, v in (DEEP_LINEAR.suggested() | given).items()}
    return np.exp(DEEP_LINEAR.onset_law(np.log(t)[None], values)[0][0])


def moments(rate=0.01, **given):
    """Return mean, standard deviation and skewness of the law, by quadrature over its quantiles."""
    t = np.linspace(1e-3, 40 / rate, 400_001)
    mass = np.diff(law(t, learning_rate=rate, **given))
    middle = (t[1:] + t[:-1]) / 2
    mean = np.sum(mass * middle)
    sd = math.sqrt(np.sum(mass * (middle - mean) ** 2))
    return mean, sd, np.sum(mass * (middle - mean) ** 3) / sd**3


def orthogonal(rng, n):
    return np.linalg.qr(rng.normal(size=(n, n)))[0]


def descended(layers, target, rate, updates):
    """Train a product of matrices on a target map with white inputs; yield the product."""
    for _ in range(updates):
        left = [np.eye(len(target))]
        for w in layers:
            left.append(w @ left[-1])
        right = [np.eye(len(target))]
        for w in reversed(layers):
            right.append(right[-1] @ w)
        yield left[-1]
        error = target - left[-1]
        layers = [
            w + rate * right[len(layers) - 1 - i].T @ error @ left[i].T
            for i, w in enumerate(layers)
        ]


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_modes_of_trained_matrices_follow_the_mechanism(depth):
    """Balanced layers aligned with the target; the error of descent against flow is O(rate)."""
    rng = np.random.default_rng(depth)
    values, scale, rate = np.array([2.0, 1.2, 0.7]), 0.35, 2e-3
    turns = [orthogonal(rng, 3) for _ in range(depth + 1)]
    layers = [turns[i + 1] @ turns[i].T * scale for i in range(depth)]
    target = turns[-1] @ np.diag(values) @ turns[0].T
    updates = 2500
    strengths = np.array(
        [np.diag(turns[-1].T @ w @ turns[0]) for w in descended(layers, target, rate, updates)]
    )
    t = np.arange(float(updates))
    mechanism = DEEP_LINEAR if depth == 2 else DEEPER_LINEAR
    for mode, value in enumerate(values):
        given = {"singular_value": value, "learning_rate": rate}
        if depth == 2:  # the mean of p·p is the balanced start
            given |= {"initial_scale": scale, "hidden_units": 2.0}
        else:
            given |= {"initial_scale": scale, "depth": depth}
        states, _ = mechanism.integrate(given, t)
        seen = mechanism.observe("strength", states, mechanism.values(given))
        # Descent and flow part by no more than an update does at the curvature of the optimum.
        curvature = depth * value ** (2 - 2 / depth)
        assert np.max(np.abs(seen - strengths[:, mode])) < rate * curvature


def test_random_starts_have_the_published_moments():
    """sd 1.111 and skewness 1.535 in units of 1/(rate · singular value): log of |normal|."""
    for scale in (1e-2, 1e-4):
        _, sd, skew = moments(initial_scale=scale)
        assert sd * 0.01 == pytest.approx(math.pi / math.sqrt(8), rel=2e-3)
        assert skew == pytest.approx(1.535, abs=0.01)
    for hidden in (2.0, 8.0):
        _, sd, _ = moments(initial_scale=1e-4, hidden_units=hidden)
        assert sd * 0.01 == pytest.approx(math.sqrt(polygamma(1, hidden / 2)) / 2, rel=2e-3)


@pytest.mark.parametrize("hidden", [1, 4])
def test_the_law_meets_gradient_descent_from_normal_weights(hidden):
    n, rate, scale, value = 4000, 2e-3, 0.03, 1.5
    rng = np.random.default_rng(5)
    a, b = rng.normal(0.0, scale, (2, hidden, n))
    onsets = np.full(n, np.inf)
    for update in range(6000):
        strength = np.sum(a * b, axis=0)
        onsets = np.where((strength >= value / 2) & np.isinf(onsets), update, onsets)
        step = rate * (value - strength)
        a, b = a + step * b, b + step * a
    given = {"learning_rate": rate, "initial_scale": scale, "singular_value": value}
    t = np.sort(onsets[np.isfinite(onsets)])
    below = law(t, hidden_units=float(hidden), **given)
    gap = np.max(np.abs(below - (np.arange(t.size) + 0.5) / n))
    # Kolmogorov's 0.1 % point, and a rate that descent takes too fast by half a step.
    assert gap < 1.95 / math.sqrt(n) + rate * value * 5
    reached = law(np.array([6000.0]), hidden_units=float(hidden), **given)[0]
    assert t.size / n == pytest.approx(reached, abs=4 * math.sqrt((1 - reached) / n) + 1e-3)


@pytest.mark.parametrize("depth", [3.0, 4.0, 5.0])
def test_the_plateau_is_a_power_of_the_start(depth):
    """The time is ∫dw/(w^(L-1) (s - w^L)): w0^(2-L)/(s (L-2)) and a constant of order one."""
    starts = np.array([1e-2, 3e-3])
    given = {"singular_value": 0.8, "learning_rate": 1.0, "depth": depth}
    onsets = [DEEPER_LINEAR.onset(given | {"initial_scale": s}) for s in starts]
    leading = starts ** (2 - depth) / (0.8 * (depth - 2))
    np.testing.assert_allclose(onsets, leading, rtol=3 * starts[0] ** (depth - 2))
    slope = math.log(onsets[1] / onsets[0]) / math.log(starts[1] / starts[0])
    exponent = next(i for i in DEEPER_LINEAR.implications if i.condition == "initial_scale")
    limit = float(exponent.exponent.subs({s: depth for s in exponent.exponent.free_symbols}))
    assert slope == pytest.approx(limit, abs=3 * starts[0] ** (depth - 2))
    stronger = DEEPER_LINEAR.onset(given | {"initial_scale": 1e-2, "singular_value": 1.6})
    assert onsets[0] / stronger == pytest.approx(2.0, rel=3 * starts[0] ** (depth - 2))


def test_strong_modes_come_first_and_large_starts_have_no_onset():
    given = {"learning_rate": 0.01, "initial_scale": 0.03, "hidden_units": 1.0}
    onsets = DEEP_LINEAR.onsets(given | {"singular_value": np.array([3.0, 2.0, 1.0])})
    start = 0.03**2 / 2
    exact = np.log(np.array([3.0, 2.0, 1.0]) / start - 1) / (0.02 * np.array([3.0, 2.0, 1.0]))
    np.testing.assert_allclose(onsets, exact, rtol=1e-5)
    with pytest.raises(NoOnset, match="from the start"):
        DEEP_LINEAR.onset(given | {"singular_value": 1.0, "initial_scale": 2.0})
    with pytest.raises(NoOnset, match="from the start"):
        DEEPER_LINEAR.onset(
            {"singular_value": 1.0, "learning_rate": 0.1, "initial_scale": 0.9, "depth": 3.0}
        )
