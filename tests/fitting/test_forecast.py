"""Leave-future-out scores against closed forms and the naive forecast."""

import numpy as np
import pytest

from fitting.forecast import first_part, forecast
from fitting.point import fit
from theory.curve import Curve
from theory.forms import FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import NOISES

T = np.linspace(1.0, 100.0, 80)


def line(sd: float = 0.05) -> Curve:
    rng = np.random.default_rng(0)
    return Curve(observable="return", t=T, y=0.02 * T + sd * rng.standard_normal(T.size))


def test_plug_in_density_of_a_line_is_exact() -> None:
    data = line()
    hypothesis = default_hypothesis(FORMS["linear"], NOISES["white"], data)
    found = forecast(data, [hypothesis])
    train = first_part(data, found.n_train)
    point = fit(hypothesis, train)
    values = dict(zip(point.names, point.theta, strict=True))
    rest, t = data.y[found.n_train :], T[found.n_train :]
    residual = (rest - values["floor"] - values["slope"] * t) / values["sd_white"]
    exact = -0.5 * np.sum(residual**2 + np.log(2 * np.pi * values["sd_white"] ** 2))
    assert found.n_train + found.n_test == T.size
    assert found.elpd[0] == pytest.approx(exact, abs=1e-6)


def test_the_right_form_beats_the_naive_forecast_and_the_constant_does_not() -> None:
    data = line()
    names = ("linear", "constant")
    found = forecast(data, [default_hypothesis(FORMS[n], NOISES["white"], data) for n in names])
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
    both = [default_hypothesis(FORMS["constant"], NOISES[n], data) for n in ("ou_white", "white")]
    found = forecast(data, both)
    assert found.elpd[0] is not None
    assert found.elpd[1] is not None
    # Where wander is most of the noise, knowing the last state is worth much.
    assert found.elpd[0] > found.elpd[1] + 10.0


def test_too_few_points_have_a_reason() -> None:
    data = Curve(observable="return", t=T[:4], y=T[:4])
    found = forecast(data, [default_hypothesis(FORMS["linear"], NOISES["white"], data)])
    assert found.rmse_ratio is None
    assert found.elpd == (None,)
    assert "too few" in found.reason
    with pytest.raises(ValueError, match="first must lie between 0 and 1"):
        forecast(data, [], first=1.5)
