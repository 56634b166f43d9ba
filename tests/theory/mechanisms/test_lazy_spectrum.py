import math

import numpy as np
import pytest
from scipy.special import gammainc

from theory.mechanisms.lazy_spectrum import LAZY_SPECTRUM, MODES


def loss(t, **given):
    given = {"learning_rate": 0.01} | given
    states, _ = LAZY_SPECTRUM.integrate(given, t)
    return LAZY_SPECTRUM.observe("loss", states, LAZY_SPECTRUM.values(given))


def test_descent_on_a_linear_model_follows_the_mechanism():
    """Random features turned so that their kernel has the spectrum; plain gradient descent."""
    rng = np.random.default_rng(1)
    rate, b, a = 2e-3, 1.2, 1.7
    ranks = np.arange(1.0, MODES + 1)
    turn = np.linalg.qr(rng.normal(size=(MODES, MODES)))[0]
    features = turn * ranks ** (-b / 2)  # kernel: turn diag(rank^-b) turnᵀ
    target = turn @ (rng.choice([-1.0, 1.0], MODES) * ranks ** (-a / 2))
    weights = np.zeros(MODES)
    losses = []
    for _ in range(3001):
        error = target - features @ weights
        losses.append(np.sum(error**2))
        weights = weights + rate * features.T @ error
    t = np.arange(3001.0)
    seen = loss(t, learning_rate=rate, eigenvalue_exponent=b, target_exponent=a)
    # Descent is flow with the rates -ln(1 - rate λ), at most rate/2 too fast, relatively.
    np.testing.assert_allclose(seen, np.array(losses) / losses[0], rtol=2 * rate)


@pytest.mark.parametrize(("a", "b"), [(1.5, 1.5), (2.0, 1.0), (1.3, 2.0)])
def test_the_loss_falls_as_the_stated_power(a, b):
    """Σ i^-a exp(-2x i^-b) is Γ((a - 1)/b)/b (2x)^-((a - 1)/b) once sums may be integrals."""
    law = next(i for i in LAZY_SPECTRUM.implications if "loss_exponent" in i.where)
    at = {"target_exponent": a, "eigenvalue_exponent": b}
    expression = law.where["loss_exponent"]
    stated = float(expression.subs({s: at[s.name] for s in expression.free_symbols}))
    assert stated == pytest.approx((a - 1) / b)
    age = np.array([8.0, 25.0, 80.0])
    leading = math.gamma(stated) / b * (2 * age) ** -stated
    # The modes that are not counted, as an integral from half a rank after the last.
    left = leading * gammainc(stated, 2 * age * (MODES + 0.5) ** -b)
    total = np.sum(np.arange(1.0, MODES + 1) ** -a)
    # Euler and Maclaurin: the error of the integral for the sum falls faster than any power of age.
    np.testing.assert_allclose(loss(age * 100, **at) * total + left, leading, rtol=1e-3)


def test_learning_never_speeds_up():
    """Signs of the differences of a completely monotone function alternate."""
    curve = loss(np.linspace(0.0, 5000.0, 400))
    for order in (1, 2, 3, 4):
        assert np.all((-1) ** order * np.diff(curve, order) > 0)


def test_the_onset_is_proportional_to_the_inverse_rate():
    rates = np.array([0.01, 0.03])
    onsets = LAZY_SPECTRUM.onsets({"learning_rate": rates})
    np.testing.assert_allclose(onsets * rates, onsets[0] * rates[0], rtol=1e-5)
    halves = [
        loss(np.array([0.0, o]), learning_rate=r)[1] for o, r in zip(onsets, rates, strict=True)
    ]
    np.testing.assert_allclose(halves, 0.5, atol=1e-5)
