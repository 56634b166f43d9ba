"""Leaving points out: against closed forms, against ArviZ, and where it is not valid."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from fitting.evidence import log_evidence
from fitting.fit import FitStatus, PosteriorFit
from fitting.loo import MOST_DRAWS, loo, smoothed
from theory.curve import Curve
from theory.forms import FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import NOISES
from theory.prior import Normal

Array = NDArray[np.float64]


def line(spike: float = 0.0) -> Curve:
    rng = np.random.default_rng(5)
    t = np.sort(rng.uniform(0.1, 8, 40))
    y = 0.3 * t + 0.4 * rng.standard_normal(40)
    y[20] += spike
    return Curve("x", t, y, y_se=rng.uniform(0.3, 0.5, 40), n_trials=None)


def posterior(noise: str = "known_se", spike: float = 0.0) -> tuple[PosteriorFit, Curve]:
    curve = line(spike)
    hypothesis = default_hypothesis(FORMS["linear"], NOISES[noise], curve)
    priors = dict(hypothesis.priors) | {"floor": Normal(0.0, 1.0), "slope": Normal(0.0, 0.5)}
    fit = log_evidence(replace(hypothesis, priors=priors), curve, rng=np.random.default_rng(0))
    return fit, curve


def exactly(curve: Curve) -> Array:
    """Log predictive density of every point of a line, by refitting in closed form."""
    design = FORMS["linear"].design(curve.t)
    assert curve.y_se is not None
    found = np.empty(curve.n_obs)
    for i in range(curve.n_obs):
        rest = np.arange(curve.n_obs) != i
        weighed = design[rest] / curve.y_se[rest, None] ** 2
        covariance = np.linalg.inv(design[rest].T @ weighed + np.diag([1.0, 4.0]))
        mean = covariance @ weighed.T @ curve.y[rest]
        variance = design[i] @ covariance @ design[i] + curve.y_se[i] ** 2
        found[i] = norm(design[i] @ mean, np.sqrt(variance)).logpdf(curve.y[i])
    return found


def test_a_line_agrees_with_the_closed_form() -> None:
    fit, curve = posterior()
    found, want = loo(fit, curve), exactly(curve)
    assert found.elpd is not None and found.reason == ""
    # A point's error is the spread of its likelihoods over the square root of the draws.
    each = fit.hypothesis.pointwise(fit.draws, curve).std(axis=0) / np.sqrt(MOST_DRAWS)
    error = float(each.sum())  # the same draws serve all points
    assert abs(found.elpd - want.sum()) < 4 * error
    assert error < 0.5
    alone, _ = smoothed(fit.hypothesis.pointwise(fit.draws, curve))
    # All draws here. Weights of a point left out are less even than those of the draws: twice
    # the error.
    assert np.all(np.abs(alone - want) < 4 * 2 * each)


@pytest.mark.parametrize("size", [400, 1000])
def test_it_is_what_arviz_computes(size: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import arviz

    rng = np.random.default_rng(1)
    tails = rng.standard_t(4, size=(size, 1)) * np.linspace(0.1, 1.5, 30)
    values = -0.5 * (tails + 0.3 * rng.standard_normal((size, 30))) ** 2
    elpd, pareto_k = smoothed(values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = arviz.from_dict(
            posterior={"x": np.zeros((1, size))}, log_likelihood={"y": values[None]}
        )
        want = arviz.loo(data, pointwise=True, reff=1.0)
    np.testing.assert_allclose(elpd, want.loo_i.values, rtol=1e-6)
    np.testing.assert_allclose(pareto_k, want.pareto_k.values, rtol=1e-6, atol=1e-9)


def test_a_point_that_alone_decides_is_counted() -> None:
    """A point 50 standard errors off: its likelihood varies by e^10 among the draws."""
    found = loo(*posterior(spike=20.0))
    assert found.elpd is None
    assert "1 point has a Pareto k above 0.7" in found.reason
    assert int(found.pareto_k.argmax()) == 20
    values = np.zeros((1000, 3))
    values[:, 1] = np.log(np.random.default_rng(3).random(1000) ** 1.5)  # weights of tail index 1.5
    _, pareto_k = smoothed(values)
    assert pareto_k[1] > 0.7
    assert np.all(pareto_k[[0, 2]] == -np.inf)


def test_no_number_without_its_conditions() -> None:
    fit, curve = posterior("ou_white")
    assert loo(fit, curve).elpd is None
    assert "autocorrelated" in loo(fit, curve).reason
    well, curve = posterior()
    gone = replace(well, draws=np.empty((0, len(well.names))))
    assert "no posterior draws" in loo(gone, curve).reason
    poor = replace(well, status=FitStatus.FEW_EFFECTIVE_DRAWS)
    assert loo(poor, curve).elpd is None and loo(poor, curve).reason
