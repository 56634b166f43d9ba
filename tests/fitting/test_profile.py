"""Profile-likelihood intervals: against closed forms, and against likelihoods written out here."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq, minimize
from scipy.stats import chi2

from fitting.fit import FitStatus, PointFit
from fitting.optimum.coordinates import coordinates
from fitting.optimum.intervals import intervals
from fitting.optimum.least_squares_profile import least_squares_crossings
from fitting.optimum.profile import TOLERANCE
from fitting.optimum.projection import Held, project
from fitting.point import fit, fit_many
from theory.curve import Curve
from theory.forms import FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import NOISES

T = np.linspace(1.0, 100.0, 60)
LIMIT = float(chi2.ppf(0.95, 1))
# The root of the deviance is met to TOLERANCE, so the deviance itself to this.
CLOSE = 2 * np.sqrt(LIMIT) * TOLERANCE + TOLERANCE**2
LOGISTIC = {"floor": 0.1, "gain": 0.8, "rate": 0.15, "midpoint": 45.0}


def curve_of(form: str, sd: float, seed: int = 0, **values: float) -> Curve:
    theta = np.array([values[name] for name in FORMS[form].names])
    rng = np.random.default_rng(seed)
    return Curve("y", T, np.asarray(FORMS[form](T, theta)) + sd * rng.standard_normal(T.size))


def fitted(form: str, noise: str, curve: Curve) -> PointFit:
    return fit(default_hypothesis(FORMS[form], NOISES[noise], curve), curve)


def ends(found: PointFit, name: str) -> tuple[float, float]:
    i = found.names.index(name)
    return float(found.lower[i]), float(found.upper[i])


def line_covariance() -> np.ndarray:
    """Covariance of floor and slope of a straight line, in variances of the noise."""
    design = np.column_stack([np.ones_like(T), T])
    return np.linalg.inv(design.T @ design)


def test_known_noise_on_a_straight_line_gives_the_normal_interval() -> None:
    rng = np.random.default_rng(0)
    y = 0.3 + 0.02 * T + 0.1 * rng.standard_normal(T.size)
    found = fitted("linear", "known_se", Curve("y", T, y, y_se=np.full(T.size, 0.1)))
    slope, floor = np.polyfit(T, y, 1)
    half = np.sqrt(LIMIT * np.diag(line_covariance())) * 0.1
    for name, center, reach in zip(("floor", "slope"), (floor, slope), half, strict=True):
        lower, upper = ends(found, name)
        assert lower == pytest.approx(center - reach, abs=TOLERANCE * reach)
        assert upper == pytest.approx(center + reach, abs=TOLERANCE * reach)
    assert found.intervals.doubts == ()


def test_white_noise_on_a_straight_line_gives_the_closed_form() -> None:
    """With sd free the deviance is n ln(1 + d^2 / (v SSE)), v the variance for noise of sd 1."""
    rng = np.random.default_rng(1)
    y = 0.3 + 0.02 * T + 0.1 * rng.standard_normal(T.size)
    found = fitted("linear", "white", Curve("y", T, y))
    slope, floor = np.polyfit(T, y, 1)
    square = float(np.square(y - floor - slope * T).sum())
    half = np.sqrt(np.diag(line_covariance()) * square * np.expm1(LIMIT / T.size))
    for name, center, reach in zip(("floor", "slope"), (floor, slope), half, strict=True):
        lower, upper = ends(found, name)
        assert lower == pytest.approx(center - reach, abs=TOLERANCE * reach)
        assert upper == pytest.approx(center + reach, abs=TOLERANCE * reach)

    def excess(sd: float) -> float:
        best = np.sqrt(square / T.size)
        return 2 * T.size * np.log(sd / best) + square / sd**2 - T.size - LIMIT

    best = np.sqrt(square / T.size)
    want = brentq(excess, 0.3 * best, best), brentq(excess, best, 3 * best)
    # The fit's own sd has the last digits of a sum of squares that is 1e-13 above its least.
    assert ends(found, "sd_white") == pytest.approx(want, rel=1e-9)


def test_a_count_has_the_interval_of_its_likelihood() -> None:
    trials = np.full(T.size, 4, dtype=np.int64)
    hits = np.random.default_rng(0).binomial(4, 0.05, T.size)
    curve = Curve("y", T, hits / 4, n_trials=trials)
    k, n = int(hits.sum()), int(trials.sum())

    def excess(p: float) -> float:
        log_ratio = k * np.log(p * n / k) + (n - k) * np.log((1 - p) / (1 - k / n))
        return -2 * log_ratio - LIMIT

    found = fitted("constant", "binomial", curve)
    want = brentq(excess, 1e-6, k / n), brentq(excess, k / n, 0.5)
    # Tolerance: in standard errors, of which the interval has about four.
    assert ends(found, "floor") == pytest.approx(want, abs=10 * TOLERANCE * (want[1] - want[0]))


@pytest.mark.parametrize("name", ["floor", "gain", "rate", "midpoint"])
def test_the_deviance_at_an_end_is_the_limit(name: str) -> None:
    curve = curve_of("logistic", 0.08, **LOGISTIC)
    found = fitted("logistic", "white", curve)
    form = FORMS["logistic"]
    held = form.names.index(name)
    others = [i for i in range(4) if i != held]

    def square(value: float) -> float:
        def own(x: np.ndarray) -> float:
            theta = found.theta[:4].copy()
            theta[others], theta[held] = found.theta[others] + x * found.se[others], value
            return float(np.square(curve.y - form(T, theta)).sum())

        options = {"xatol": 1e-7, "fatol": 1e-12, "maxiter": 4000}
        x = np.zeros(3)
        for _ in range(2):
            x = minimize(own, x, method="Nelder-Mead", options=options).x
        return own(x)

    least = square(float(found.theta[held]))
    for end in ends(found, name):
        assert T.size * np.log(square(end) / least) == pytest.approx(LIMIT, abs=CLOSE)
        halfway = 0.5 * (end + found.theta[held])
        assert T.size * np.log(square(halfway) / least) < LIMIT


def dense_log_likelihood(theta: np.ndarray, curve: Curve) -> float:
    """Log likelihood of a logistic under Ornstein-Uhlenbeck wander plus white noise."""
    sd, time, white = theta[4:]
    covariance = sd**2 * np.exp(-np.abs(T[:, None] - T) / time) + white**2 * np.eye(T.size)
    rest = curve.y - FORMS["logistic"](T, theta[:4])
    _, log_det = np.linalg.slogdet(2 * np.pi * covariance)
    return float(-0.5 * (rest @ np.linalg.solve(covariance, rest) + log_det))


@pytest.mark.parametrize("name", ["gain", "midpoint", "sd_wander"])
def test_correlated_noise_against_a_dense_likelihood(name: str) -> None:
    noise = NOISES["ou_white"]
    theta = np.array([LOGISTIC[n] for n in FORMS["logistic"].names])
    clean = np.asarray(FORMS["logistic"](T, theta))
    rng = np.random.default_rng(5)
    psi = np.array([0.08, 12.0, 0.03])
    curve = Curve("y", T, noise.simulate(clean, Curve("y", T, clean), psi, rng=rng))
    found = fitted("logistic", "ou_white", curve)
    assert found.status is FitStatus.OK
    held = found.names.index(name)
    others = [i for i in range(7) if i != held]
    # Coordinates: standard errors, of the logarithm where a parameter is positive.
    positive = np.array([n not in ("floor", "gain", "midpoint") for n in found.names])

    def at(x: np.ndarray, value: float) -> np.ndarray:
        theta = found.theta.copy()
        grown = theta * np.exp(np.clip(x * found.se / theta, -5, 5))
        theta = np.where(positive, grown, theta + x * found.se)
        theta[held] = value
        return theta

    def lowest(value: float) -> float:
        def own(x: np.ndarray) -> float:
            full = np.zeros(7)
            full[others] = x
            return -dense_log_likelihood(at(full, value), curve)

        x = minimize(own, np.zeros(6), method="BFGS", options={"gtol": 1e-5}).x
        return own(minimize(own, x, method="Nelder-Mead", options={"fatol": 1e-7}).x)

    least = lowest(float(found.theta[held]))
    for end in ends(found, name):
        assert 2 * (lowest(end) - least) == pytest.approx(LIMIT, abs=3 * CLOSE)


@pytest.mark.parametrize("noise", ["white", "ou_white"])
def test_intervals_move_with_the_units(noise: str) -> None:
    plain = curve_of("logistic", 0.05, seed=2, **LOGISTIC)
    moved = Curve("y", 1e4 * T, 5.0 - 300.0 * plain.y)
    here, there = (fitted("logistic", noise, curve) for curve in (plain, moved))
    units = {"midpoint": 1e4, "rate": 1e-4, "gain": -300.0}
    for name, unit in units.items():
        low, high = np.sort(np.array(ends(there, name)) / unit)
        # Each end is met to TOLERANCE standard errors, of either side of an uneven interval.
        close = 2 * TOLERANCE * (high - low)
        assert ends(here, name) == pytest.approx((low, high), abs=close)


def test_a_plateau_out_of_sight_has_no_upper_limit() -> None:
    curve = curve_of("logistic", 0.01, **(LOGISTIC | {"midpoint": 130.0, "rate": 0.08}))
    found = fitted("logistic", "white", curve)
    for name in ("gain", "midpoint"):
        lower, upper = ends(found, name)
        assert np.isfinite(lower) and np.isnan(upper)
        assert f"The data set no upper limit to {name}." in found.intervals.doubts
    assert np.all(np.isfinite(ends(found, "floor")))
    missing = np.isnan(np.concatenate([found.lower, found.upper])).sum()
    assert missing == len(found.intervals.doubts) == 2


def test_a_likelier_place_on_the_way_is_reported() -> None:
    found = fitted("logistic", "white", curve_of("logistic", 0.05, **LOGISTIC))
    theta = found.theta.copy()
    theta[found.names.index("midpoint")] += 1.5 * found.se[found.names.index("midpoint")]
    stale = replace(found, theta=theta, log_likelihood=found.log_likelihood - 1.1)
    asked = stale.intervals
    assert asked.fit.log_likelihood == pytest.approx(found.log_likelihood, abs=1e-8)
    assert asked.doubts[0].startswith("The search for limits met parameters 1.1 nats likelier")
    for ours, theirs in ((asked.lower, found.lower), (asked.upper, found.upper)):
        assert ours == pytest.approx(theirs, abs=4 * TOLERANCE * float(found.se.max()))


def test_a_side_takes_few_profile_points() -> None:
    """A secant on a line that is nearly straight: two points, and one for each bend of it."""
    fits = [
        fitted("logistic", "white", curve_of("logistic", 0.05, s, **LOGISTIC)) for s in range(5)
    ]
    places, crossed = least_squares_crossings(fits)
    assert np.all(np.isfinite(crossed.value))
    assert crossed.points <= 6 * len(places.names)


def test_company_does_not_matter() -> None:
    curves = [curve_of("logistic", 0.05, seed, **LOGISTIC) for seed in range(5)]
    hypotheses = [default_hypothesis(FORMS["logistic"], NOISES["white"], c) for c in curves]
    fits = [*fit_many(hypotheses, curves), fitted("linear", "white", curves[0])]
    for one, together in zip(fits, intervals(fits), strict=True):
        assert together.fit is one
        np.testing.assert_array_equal(together.lower, one.lower)
        np.testing.assert_array_equal(together.upper, one.upper)


def test_a_curve_without_noise_has_intervals_or_says_why() -> None:
    found = fitted("logistic", "white", curve_of("logistic", 0.0, **LOGISTIC))
    for name, value in LOGISTIC.items():
        lower, upper = ends(found, name)
        # The sd ends at 1e-4 of the range of y, which is the width that is left.
        assert lower < value < upper
        assert upper - lower < 1e-3 * value
    assert found.intervals.doubts == ("The data set no lower limit to sd_white.",)


def test_what_could_not_be_fitted_has_no_interval() -> None:
    short = Curve("y", T[:3], np.array([0.0, 1.0, 0.5]))
    found = fitted("logistic", "white", short)
    assert np.all(np.isnan(found.lower)) and np.all(np.isnan(found.upper))
    assert found.intervals.doubts == () and found.unfixed == ()


@pytest.mark.parametrize("noise", ["white", "known_se", "ou_white", "student_t", "mean_linked"])
def test_every_noise_has_intervals_around_its_optimum(noise: str) -> None:
    curve = curve_of("hill", 0.05, floor=0.1, gain=0.8, midpoint=30.0, exponent=3.0)
    if noise == "known_se":
        curve = Curve("y", T, curve.y, y_se=np.full(T.size, 0.05))
    found = fitted("hill", noise, curve)
    best = found.intervals.fit.theta
    for low, value, high in zip(found.lower, best, found.upper, strict=True):
        assert not value < low and not value > high
    for name in ("floor", "gain", "midpoint", "exponent"):
        assert np.all(np.isfinite(ends(found, name)))


def test_fits_with_their_intervals_can_be_pickled() -> None:
    found = fitted("logistic", "white", curve_of("logistic", 0.05, **LOGISTIC))
    before = found.upper
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.upper, before)
    with pytest.raises(ValueError, match="read-only"):
        found.upper[0] = 1.0


def test_a_held_column_is_not_solved_for() -> None:
    form = FORMS["logistic_with_drift"]
    curve = curve_of("logistic", 0.05, **LOGISTIC)
    nonlinear = np.tile([0.1, 40.0], (3, 1))
    weight = np.random.default_rng(0).uniform(0.5, 2.0, (1, T.size))
    value = np.array([0.4, -0.2, 0.01])
    owner = np.zeros(3, dtype=np.intp)
    held = Held(np.arange(3), value)
    found = project(form, T, curve.y[None], weight, owner, nonlinear, held)
    design = form.design(T, nonlinear[0]) * weight[0, :, None]
    for j in range(3):
        rest = weight[0] * curve.y - value[j] * design[:, j]
        others = [k for k in range(3) if k != j]
        want, square, *_ = np.linalg.lstsq(design[:, others], rest, rcond=None)
        assert found.linear[j, j] == value[j]
        np.testing.assert_allclose(found.linear[j, others], want, rtol=1e-9)
        assert found.square[j] == pytest.approx(float(square[0]), rel=1e-9)


def test_places_that_are_still_stay_and_order_holds() -> None:
    curve = curve_of("logistic", 0.05, **LOGISTIC)
    form = FORMS["triple_logistic"]
    hypothesis = default_hypothesis(form, NOISES["white"], curve)
    space = coordinates(hypothesis, curve, form.nonlinear)
    (columns,) = (list(group) for group in space.ordered)
    rng = np.random.default_rng(0)
    x = rng.uniform(0.1, 0.9, (200, len(form.nonlinear)))
    still = np.arange(x.shape[1]) == rng.choice(columns, 200)[:, None]
    inside = space.inside(x, still)
    np.testing.assert_array_equal(inside[still], x[still])
    assert np.all(np.diff(inside[:, columns], axis=1) >= 0)
