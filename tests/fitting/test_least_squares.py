"""The engine of many least-squares fits: its algebra, its optimum, its independence of company."""

from __future__ import annotations

import numpy as np
import pytest

from fitting.fit import FitStatus
from fitting.optimum.projection import project
from fitting.point import fit, fit_many
from theory.curve import Curve
from theory.forms import FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import NOISES

T = np.linspace(1.0, 100.0, 60)
WHITE, KNOWN = NOISES["white"], NOISES["known_se"]
LINEAR = sorted(name for name, form in FORMS.items() if form.linear and form.nonlinear)


def rows(name: str, number: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw curves (number, n), weights, and values of the form's nonlinear parameters."""
    rng = np.random.default_rng(seed)
    flat = Curve("y", T, T / T[-1])
    hypothesis = default_hypothesis(FORMS[name], WHITE, flat)
    nonlinear = hypothesis.transport(
        rng.uniform(-1, 1, (number, len(FORMS[name].nonlinear))), FORMS[name].nonlinear
    )
    y = 1 / (1 + np.exp(-(T - 40) / 9)) + 0.05 * rng.standard_normal((number, T.size))
    return y, rng.uniform(0.5, 2.0, y.shape), nonlinear


@pytest.mark.parametrize("name", LINEAR)
def test_linear_parameters_are_those_of_least_squares(name: str) -> None:
    form = FORMS[name]
    y, weight, nonlinear = rows(name, 4)
    found = project(form, T, y, weight, np.arange(4), nonlinear)
    for c in range(4):
        design = form.design(T, nonlinear[c]) * weight[c, :, None]
        want, *_ = np.linalg.lstsq(design, weight[c] * y[c], rcond=None)
        rest = weight[c] * y[c] - design @ want
        # A column that is hardly its own fixes no coefficient; the residual is fixed always.
        assert found.square[c] == pytest.approx(float(rest @ rest), rel=1e-9)
        mine = weight[c] * y[c] - design @ found.linear[c]
        assert float(mine @ mine) == pytest.approx(float(rest @ rest), rel=1e-9)


@pytest.mark.parametrize("name", LINEAR)
def test_the_descent_is_minus_half_the_gradient(name: str) -> None:
    form = FORMS[name]
    if form.breakpoints:
        pytest.skip("the sum of squares has kinks")
    y, weight, nonlinear = rows(name, 1, seed=1)

    def square(values: np.ndarray) -> float:
        one = np.zeros(1, dtype=np.intp)
        return float(project(form, T, y, weight, one, values[None]).square[0])

    found = project(form, T, y, weight, np.zeros(1, dtype=np.intp), nonlinear)
    for k in range(len(form.nonlinear)):
        step = 1e-5 * abs(nonlinear[0, k])
        ends = np.tile(nonlinear[0], (4, 1))
        ends[:, k] += step * np.array([-2.0, -1.0, 1.0, 2.0])
        far, near = square(ends[3]) - square(ends[0]), square(ends[2]) - square(ends[1])
        want = (8 * near - far) / (12 * step)
        rounding = 1e-13 * found.square[0] / step
        assert -2 * found.descent[0, k] == pytest.approx(want, rel=1e-5, abs=10 * rounding)
        assert found.curvature[0, k, k] >= 0


def noisy(seed: int, t: np.ndarray = T, y_se: np.ndarray | None = None) -> Curve:
    rng = np.random.default_rng(seed)
    middle, width = rng.uniform(20, 80), rng.uniform(2, 15)
    y = 0.2 + rng.uniform(-2, 2) / (1 + np.exp(-(t - middle) / width))
    return Curve("y", t, y + 0.05 * rng.standard_normal(t.size), y_se=y_se)


def test_a_fit_does_not_depend_on_its_company() -> None:
    other = np.geomspace(1.0, 50.0, 30)
    curves = [noisy(s) for s in range(6)] + [noisy(s, other) for s in range(3)]
    curves += [noisy(9, y_se=np.full(T.size, 0.05)), noisy(10, y_se=np.full(T.size, 0.05))]
    pairs = [
        (default_hypothesis(FORMS[name], KNOWN if c.y_se is not None else WHITE, c), c)
        for name in ("constant", "logistic", "hill")
        for c in curves
    ]
    hypotheses, each = zip(*pairs, strict=True)
    together = fit_many(hypotheses, each)
    threads = fit_many(hypotheses, each, workers=2)
    assert [one.hypothesis.name for one in together] == [h.name for h in hypotheses]
    for one, threaded, (hypothesis, curve) in zip(together, threads, pairs, strict=True):
        alone = fit(hypothesis, curve)
        assert one.curve is curve
        assert np.array_equal(one.theta, threaded.theta)
        assert one.log_likelihood == pytest.approx(alone.log_likelihood, abs=1e-9)
        want = hypothesis.log_likelihood(one.theta[None], curve)[0]
        assert one.log_likelihood == pytest.approx(want, abs=1e-8)


def test_a_curve_that_cannot_be_fitted_is_nothing_to_the_others() -> None:
    short = noisy(1, T[:3])
    good = noisy(2)
    hypotheses = [default_hypothesis(FORMS["logistic"], WHITE, c) for c in (short, good)]
    few, found = fit_many(hypotheses, (short, good))
    assert few.status is FitStatus.TOO_FEW_POINTS
    assert np.array_equal(found.theta, fit(hypotheses[1], good).theta)


def test_every_curve_needs_a_hypothesis() -> None:
    with pytest.raises(ValueError, match="there are 0 hypotheses and 1 curves"):
        fit_many((), (noisy(1),))


@pytest.mark.parametrize(("scale", "offset"), [(1e-12, 0.0), (1.0, 1e9), (-1e6, 3.0)])
def test_units_do_not_matter(scale: float, offset: float) -> None:
    plain = noisy(3)
    moved = Curve("y", T, scale * plain.y + offset)
    forms = [FORMS[name] for name in ("logistic", "exponential_approach", "hill")]
    for form in forms:
        here, there = (fit(default_hypothesis(form, WHITE, c), c) for c in (plain, moved))
        # The descent ends 1e-13 of the sum of squares above its least: n * 1e-13 in chi square.
        # An offset of 1e9 rounds y to 1e-7, a 500,000th of its noise.
        close = 2 * np.sqrt(T.size * 1e-13) + (1e-5 if abs(offset) > 1e3 else 0.0)
        for name in (*form.nonlinear, "gain"):
            i = here.names.index(name)
            unit = scale if name == "gain" else 1.0
            assert there.theta[i] / unit == pytest.approx(here.theta[i], abs=close * here.se[i])


def test_a_curve_without_noise_is_found_and_said_to_have_none() -> None:
    form = FORMS["logistic"]
    theta = {"floor": 0.1, "gain": 0.8, "rate": 0.2, "midpoint": 40.0}
    curve = Curve("y", T, form(T, np.array([theta[name] for name in form.names])))
    found = fit(default_hypothesis(form, WHITE, curve), curve)
    for name, value in theta.items():
        assert found.theta[found.names.index(name)] == pytest.approx(value, rel=1e-9)
    assert found.status is FitStatus.AT_BOUND
    assert np.isfinite(found.log_likelihood)


def test_lmfit_reports_from_the_optimum() -> None:
    curve = noisy(4)
    found = fit(default_hypothesis(FORMS["logistic"], WHITE, curve), curve)
    assert found.lmfit is found.lmfit
    for name in FORMS["logistic"].names:
        value = found.theta[found.names.index(name)]
        assert found.lmfit.params[name].value == pytest.approx(value, rel=1e-6)
    assert "[[Variables]]" in found.report()
