"""Leave-future-out scores against closed forms and the naive forecast."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from fitting.forecast import Forecast, first_part, forecast
from fitting.modes import find_modes
from fitting.target import Target
from theory.curve import Curve
from theory.forms import FORMS
from theory.hypothesis import Hypothesis, default_hypothesis
from theory.noise import NOISES

T = np.linspace(1.0, 100.0, 80)


def line(sd: float = 0.05) -> Curve:
    rng = np.random.default_rng(0)
    return Curve(observable="return", t=T, y=0.02 * T + sd * rng.standard_normal(T.size))


def ahead(data: Curve, *pairs: tuple[str, str]) -> Forecast:
    hypotheses = [default_hypothesis(FORMS[f], NOISES[n], data) for f, n in pairs]
    return forecast(data, hypotheses, rng=np.random.default_rng(0))


def test_the_density_of_the_rest_of_a_line_is_that_of_a_dense_gaussian() -> None:
    data = line()
    found = ahead(data, ("linear", "white"))
    train = first_part(data, found.n_train)
    hypothesis = default_hypothesis(FORMS["linear"], NOISES["white"], data)
    (mode,) = find_modes(Target(hypothesis, train))
    sd = float(hypothesis.transport(mode.center[None], ("sd_white",))[0, 0])
    whole, past = (dense(hypothesis, data, n, sd) for n in (T.size, found.n_train))
    assert found.n_train + found.n_test == T.size
    assert found.elpd[0] == pytest.approx(whole - past, abs=1e-8)


def dense(hypothesis: Hypothesis, data: Curve, n: int, sd: float) -> float:
    """Log density of the first n points at a given noise, floor and slope integrated."""
    ((_, center, floor_sd),) = hypothesis.priors["floor"].gaussians
    parts = []
    for weight, _, slope_sd in hypothesis.priors["slope"].gaussians:
        covariance = floor_sd**2 + slope_sd**2 * np.outer(T[:n], T[:n]) + sd**2 * np.eye(n)
        normal = multivariate_normal(np.full(n, center), covariance)
        parts.append(np.log(weight) + normal.logpdf(data.y[:n]))
    return float(np.logaddexp(*parts))


def test_a_stage_that_nobody_could_foresee_is_no_catastrophe() -> None:
    """Maximum likelihood on the first part sent this forecast to 1e10 times the naive error."""
    rng = np.random.default_rng(0)
    steps = [1 / (1 + np.exp(-rate * (T - place))) for place, rate in ((30.0, 0.4), (88.0, 0.6))]
    data = Curve("return", T, 0.5 * steps[0] + 0.5 * steps[1] + 0.02 * rng.standard_normal(T.size))
    found = ahead(
        data, *((f, "white") for f in ("logistic", "double_logistic", "broken_power_law"))
    )
    assert found.rmse_ratio is not None
    assert found.rmse_ratio < 2.0
    assert all(value is not None and value > -1e5 for value in found.elpd)


def test_the_right_form_beats_the_naive_forecast_and_the_constant_does_not() -> None:
    data = line()
    found = ahead(data, ("linear", "white"), ("constant", "white"))
    assert found.rmse_ratio is not None
    assert found.rmse_ratio < 0.3
    assert found.elpd[0] is not None
    assert found.elpd[1] is not None
    assert found.elpd[0] > found.elpd[1]
    assert found.rmse[1] is not None
    assert found.baseline_rmse is not None
    assert found.rmse[1] > found.baseline_rmse


def test_wandering_noise_is_scored_given_the_past() -> None:
    rng = np.random.default_rng(1)
    noise = NOISES["ou_white"]
    truth = {"sd_wander": 0.3, "correlation_time": 40.0, "sd_white": 0.01}
    psi = np.array([truth[name] for name in noise.names])
    flat = Curve(observable="return", t=T, y=np.linspace(0.0, 1.0, T.size))
    data = Curve(observable="return", t=T, y=noise.simulate(0.0 * T, flat, psi, rng=rng))
    found = ahead(data, ("constant", "ou_white"), ("constant", "white"))
    assert found.elpd[0] is not None
    assert found.elpd[1] is not None
    # Where wander is most of the noise, knowing the last state is worth much.
    assert found.elpd[0] > found.elpd[1] + 10.0


def test_too_few_points_have_a_reason() -> None:
    data = Curve(observable="return", t=T[:4], y=T[:4])
    found = ahead(data, ("linear", "white"))
    assert found.rmse_ratio is None
    assert found.elpd == (None,)
    assert "too few" in found.reason
    with pytest.raises(ValueError, match="first must lie between 0 and 1"):
        forecast(data, [], rng=np.random.default_rng(0), first=1.5)
