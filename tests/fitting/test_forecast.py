"""Leave-future-out scores against closed forms and the naive forecast."""

import numpy as np
import pytest
from scipy.special import logsumexp

from fitting.forecast import Forecast, first_part, forecast
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


def test_the_density_of_the_rest_of_a_line_is_that_of_quadrature() -> None:
    data = line()
    found = ahead(data, ("linear", "white"))
    assert found.n_train + found.n_test == T.size
    train = first_part(data, found.n_train)
    hypothesis = default_hypothesis(FORMS["linear"], NOISES["white"], train)
    prior = hypothesis.priors["sd_white"]
    sds = np.geomspace(float(prior.ppf(1e-9)), float(prior.ppf(1 - 1e-9)), 2001)
    whole, past = (
        logsumexp([dense(hypothesis, data, n, sd) for sd in sds]) for n in (T.size, found.n_train)
    )
    # The density of the rest varies by half a nat over the posterior of sd; 200 draws average it.
    assert found.elpd[0] == pytest.approx(whole - past, abs=4 * 0.5 / np.sqrt(200))


def dense(hypothesis: Hypothesis, data: Curve, n: int, sd: float) -> float:
    """Log density of the first n points at a given noise, floor and slope integrated."""
    ((_, center, floor_sd),) = hypothesis.priors["floor"].gaussians
    columns = np.stack((np.ones(n), T[:n]))
    parts = []
    for weight, _, slope_sd in hypothesis.priors["slope"].gaussians:
        scaled = columns * np.array([floor_sd, slope_sd])[:, None] / sd
        inner = np.eye(2) + scaled @ scaled.T
        residual = (data.y[:n] - center) / sd
        along = scaled @ residual
        square = residual @ residual - along @ np.linalg.solve(inner, along)
        log_det = np.linalg.slogdet(inner)[1] + n * np.log(2 * np.pi * sd**2)
        parts.append(np.log(weight) - 0.5 * (square + log_det))
    return float(np.logaddexp(*parts))


def test_nothing_of_the_rest_is_known() -> None:
    data = line()
    other = Curve(observable="return", t=T, y=np.where(T > T[59], 7.0 - data.y, data.y))
    pairs = (("linear", "white"), ("logistic", "ou_white"))
    one, two = ahead(data, *pairs), ahead(other, *pairs)
    assert one.mean is not None and two.mean is not None
    np.testing.assert_array_equal(one.mean, two.mean)
    np.testing.assert_array_equal(one.lower, two.lower)


def test_the_interval_holds_nine_points_in_ten() -> None:
    """Under wander, over curves: 40 of them, 25 dependent points each."""
    rng, noise = np.random.default_rng(2), NOISES["ou_white"]
    t = np.linspace(1.0, 100.0, 100)
    inside = []
    for _ in range(40):
        flat = Curve(observable="return", t=t, y=t)
        psi = np.array([0.3, 10.0, 0.1])
        y = 0.01 * t + noise.simulate(0.0 * t, flat, psi, rng=rng)
        found = ahead(Curve(observable="return", t=t, y=y), ("linear", "ou_white"))
        inside.append(found.coverage)
    # A curve's share of points inside has an sd of about 0.15 under such wander.
    assert np.mean(inside) == pytest.approx(0.9, abs=3 * 0.15 / np.sqrt(40))


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
    assert all(value is None or value > -1e5 for value in found.elpd)


def test_the_right_form_beats_the_naive_forecast() -> None:
    found = ahead(line(), ("linear", "white"), ("constant", "white"))
    assert found.average_ratio is not None and found.rmse_ratio is not None
    assert found.average_ratio < 0.3
    # Half the naive forecast is in ours, and half of its error.
    assert found.rmse_ratio == pytest.approx(0.5, abs=0.5 * found.average_ratio)
    assert found.best_ratio == pytest.approx(found.average_ratio, rel=0.01)
    # The first part speaks against the constant so loudly that it is not asked.
    assert found.elpd[0] is not None and found.elpd[1] is None
    assert found.why_not[0] == "" and "8 nats behind" in found.why_not[1]


def test_wandering_noise_is_scored_given_the_past() -> None:
    rng = np.random.default_rng(1)
    noise = NOISES["ou_white"]
    truth = {"sd_wander": 0.3, "correlation_time": 40.0, "sd_white": 0.01}
    psi = np.array([truth[name] for name in noise.names])
    flat = Curve(observable="return", t=T, y=np.linspace(0.0, 1.0, T.size))
    data = Curve(observable="return", t=T, y=noise.simulate(0.0 * T, flat, psi, rng=rng))
    wandering = ahead(data, ("constant", "ou_white")).elpd[0]
    white = ahead(data, ("constant", "white")).elpd[0]
    assert wandering is not None and white is not None
    # Where wander is most of the noise, knowing the last state is worth much.
    assert wandering > white + 10.0


def test_too_few_points_have_a_reason() -> None:
    data = Curve(observable="return", t=T[:4], y=T[:4])
    found = ahead(data, ("linear", "white"))
    assert found.rmse_ratio is None
    assert found.elpd == (None,)
    assert "too few" in found.reason
    with pytest.raises(ValueError, match="first must lie between 0 and 1"):
        forecast(data, [], rng=np.random.default_rng(0), first=1.5)
