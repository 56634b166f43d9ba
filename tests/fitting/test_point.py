"""Point fits: against closed forms, lmfit from many random starts, and coverage."""

import lmfit
import numpy as np
import pytest

from fitting.fit import FitStatus
from fitting.point import fit
from theory.curve import Curve
from theory.forms import FORMS
from theory.hypothesis import Hypothesis, default_hypothesis
from theory.noise import NOISES

T = np.linspace(1.0, 100.0, 60)


def curve(y: np.ndarray, t: np.ndarray = T) -> Curve:
    return Curve(observable="success", t=t, y=y)


def logistic_curve(seed: int, sd: float = 0.05) -> Curve:
    rng = np.random.default_rng(seed)
    form = FORMS["logistic"]
    theta = _theta("logistic", floor=0.1, gain=0.8, rate=0.15, midpoint=45.0)
    return curve(np.asarray(form(T, theta)) + sd * rng.standard_normal(T.size))


def _theta(form: str, **values: float) -> np.ndarray:
    return np.array([values[name] for name in FORMS[form].names])


def test_straight_line_is_ordinary_least_squares() -> None:
    rng = np.random.default_rng(0)
    data = curve(0.3 + 0.02 * T + 0.1 * rng.standard_normal(T.size))
    found = fit(default_hypothesis(FORMS["linear"], NOISES["white"], data), data)
    slope, floor = np.polyfit(T, data.y, 1)
    sse = np.sum((data.y - floor - slope * T) ** 2)
    sd = np.sqrt(sse / T.size)
    by_name = dict(zip(found.names, found.theta, strict=True))
    assert by_name["floor"] == pytest.approx(floor, rel=1e-8)
    assert by_name["slope"] == pytest.approx(slope, rel=1e-8)
    # The maximum is flat: sd is exact to the root of the tolerance on the log likelihood.
    assert by_name["sd_white"] == pytest.approx(sd, rel=1e-4)
    expected = -0.5 * T.size * (np.log(2 * np.pi * sse / T.size) + 1.0)
    assert found.log_likelihood == pytest.approx(expected, abs=1e-7)
    se = dict(zip(found.names, found.se, strict=True))
    design = np.column_stack([np.ones_like(T), T])
    exact = np.sqrt(np.diag(np.linalg.inv(design.T @ design))) * sd
    assert [se["floor"], se["slope"]] == pytest.approx(exact, rel=1e-4)
    # Fisher information of a Gaussian sd: 2 n / sd^2.
    assert se["sd_white"] == pytest.approx(sd / np.sqrt(2 * T.size), rel=1e-2)
    assert found.n_free == 3
    assert found.status is FitStatus.OK


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("exponential_approach", {"floor": 0.0, "gain": 1.0, "rate": 0.05}),
        ("logistic", {"floor": 0.1, "gain": 0.8, "rate": 0.2, "midpoint": 40.0}),
        ("gompertz", {"floor": 0.1, "gain": -0.8, "rate": 0.1, "midpoint": 30.0}),
    ],
)
def test_optimum_does_not_depend_on_luck(name: str, values: dict[str, float]) -> None:
    form = FORMS[name]
    if set(values) != set(form.names):
        pytest.skip(f"{name} has other parameters than this test knows")
    rng = np.random.default_rng(3)
    for _ in range(2):
        y = np.asarray(form(T, _theta(name, **values))) + 0.05 * rng.standard_normal(T.size)
        data = curve(y)
        hypothesis = default_hypothesis(form, NOISES["white"], data)
        found = fit(hypothesis, data)
        ours = _sse(hypothesis, data, found.theta)
        best = min(_from_random_start(hypothesis, data, rng) for _ in range(64))
        assert ours <= best * (1.0 + 1e-6)


def _sse(hypothesis: Hypothesis, data: Curve, theta: np.ndarray) -> float:
    form = hypothesis.form
    return float(np.sum((data.y - np.asarray(form(data.t, theta[: len(form.names)]))) ** 2))


def _from_random_start(hypothesis: Hypothesis, data: Curve, rng: np.random.Generator) -> float:
    form = hypothesis.form
    parameters = lmfit.Parameters()
    start = hypothesis.draw_prior(1, rng=rng)[0]
    for name, value in zip(form.names, start, strict=False):
        low, high = -np.inf, np.inf
        if name in form.nonlinear:
            low, high = (float(hypothesis.priors[name].ppf(u)) for u in (0.0, 1.0))
        parameters.add(name, float(value), True, low, high)

    def residuals(current: lmfit.Parameters) -> np.ndarray:
        with np.errstate(all="ignore"):
            y = np.asarray(form(data.t, np.array([current[n].value for n in form.names])))
        return np.nan_to_num(data.y - y, nan=1e6, posinf=1e6, neginf=-1e6)

    return float(lmfit.minimize(residuals, parameters, max_nfev=2000).chisqr)


@pytest.mark.parametrize("name", sorted(FORMS))
def test_every_form_fits_better_than_a_constant(name: str) -> None:
    data = logistic_curve(5)
    found = fit(default_hypothesis(FORMS[name], NOISES["white"], data), data)
    flat = fit(default_hypothesis(FORMS["constant"], NOISES["white"], data), data)
    assert found.log_likelihood >= flat.log_likelihood - 1e-6
    assert np.all(np.isfinite(found.theta))


def test_lmfit_agrees_about_the_standard_errors() -> None:
    data = logistic_curve(1)
    found = fit(default_hypothesis(FORMS["logistic"], NOISES["white"], data), data)
    assert found.lmfit is not None
    # lmfit scales by the residual variance with n - p in the denominator of whitened residuals.
    p = len(FORMS["logistic"].names)
    factor = np.sqrt(T.size / (T.size - p))
    for i, name in enumerate(FORMS["logistic"].names):
        assert found.lmfit.params[name].stderr == pytest.approx(found.se[i] * factor, rel=1e-3)


def test_wander_is_told_from_white_noise() -> None:
    rng = np.random.default_rng(7)
    t = np.linspace(1.0, 300.0, 300)
    theta = _theta("logistic", floor=0.1, gain=0.8, rate=0.1, midpoint=120.0)
    clean = np.asarray(FORMS["logistic"](t, theta))
    noise = NOISES["ou_white"]
    truth = {"sd_wander": 0.05, "correlation_time": 15.0, "sd_white": 0.03}
    psi = np.array([truth[n] for n in noise.names])
    flat = curve(clean, t)
    data = curve(noise.simulate(clean, flat, psi, rng=rng), t)
    white = fit(default_hypothesis(FORMS["logistic"], NOISES["white"], data), data)
    both = fit(default_hypothesis(FORMS["logistic"], noise, data), data)
    # OU plus white contains white noise: two more parameters, and here far more likelihood.
    assert both.log_likelihood > white.log_likelihood + 20.0
    place = [both.names.index(n) for n in noise.names]
    assert np.all(np.abs(np.log(both.theta[place] / psi)) < 1.5)
    assert both.se[both.names.index("midpoint")] > white.se[white.names.index("midpoint")]


def test_intervals_cover_the_truth_at_their_rate() -> None:
    truth = {"floor": 0.1, "gain": 0.8, "rate": 0.15, "midpoint": 45.0}
    hits = []
    for seed in range(60):
        data = logistic_curve(100 + seed)
        found = fit(default_hypothesis(FORMS["logistic"], NOISES["white"], data), data)
        for name, value in truth.items():
            i = found.names.index(name)
            hits.append(found.lower[i] <= value <= found.upper[i])
            assert found.upper[i] - found.lower[i] < 6 * found.se[i]
    # 240 intervals at 95 %: 228 expected; within a curve they are correlated, sd below 8.
    assert 204 <= sum(hits) <= 239


def test_binomial_fit_matches_its_closed_form() -> None:
    rng = np.random.default_rng(0)
    trials = np.full(T.size, 40, dtype=np.int64)
    y = rng.binomial(40, 0.3, T.size) / 40
    data = Curve(observable="success", t=T, y=y, n_trials=trials)
    found = fit(default_hypothesis(FORMS["constant"], NOISES["binomial"], data), data)
    assert found.theta[0] == pytest.approx(y.mean(), rel=1e-5)
    exact = np.sqrt(y.mean() * (1 - y.mean()) / (40 * T.size))
    assert found.se[0] == pytest.approx(exact, rel=1e-2)


def test_too_few_points_is_a_status() -> None:
    data = curve(np.array([0.0, 1.0, 0.5, 0.7]), np.array([1.0, 2.0, 3.0, 4.0]))
    found = fit(default_hypothesis(FORMS["logistic"], NOISES["white"], data), data)
    assert found.status is FitStatus.TOO_FEW_POINTS
    assert np.all(np.isnan(found.theta))


def test_fits_are_equivariant() -> None:
    data = logistic_curve(2)
    moved = curve(5.0 - 300.0 * data.y, 1e4 * data.t)
    a, b = (
        fit(default_hypothesis(FORMS["logistic"], NOISES["white"], d), d) for d in (data, moved)
    )
    i = a.names.index("midpoint")
    assert b.theta[i] == pytest.approx(1e4 * a.theta[i], rel=1e-6)
    shift = data.n_obs * np.log(300.0)
    assert b.log_likelihood == pytest.approx(a.log_likelihood - shift, abs=1e-5)


@pytest.mark.parametrize("form", ["double_logistic", "signed_double_logistic"])
def test_stages_keep_their_order_and_their_intervals(form: str) -> None:
    """Where a second stage is not needed, the last descent may cross the order of the two."""
    for seed in range(6):
        data = logistic_curve(seed)
        found = fit(default_hypothesis(FORMS[form], NOISES["white"], data), data)
        first, second = (found.theta[found.names.index(f"midpoint_{k}")] for k in (1, 2))
        assert first <= second
        best = found.intervals.fit  # where the profiles met a likelier place, that
        assert best.log_likelihood >= found.log_likelihood
        for low, value, high in zip(found.lower, best.theta, found.upper, strict=True):
            assert not value < low and not value > high
