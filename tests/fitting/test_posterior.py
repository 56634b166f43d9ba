"""NUTS against importance sampling, and its reproducibility."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest

from fitting.evidence import log_evidence
from fitting.fit import FitStatus
from fitting.point import fit
from fitting.sampling.posterior import _from_unit, _likelihood, _parameters, _start, sample
from theory.curve import Curve
from theory.forms import FORMS
from theory.hypothesis import Hypothesis, default_hypothesis
from theory.noise import NOISES, Noise
from theory.prior import LogUniform, Prior, TimeLocation, Uniform

T = np.linspace(1.0, 60.0, 40)
TRUTH = {
    "sd_white": 0.05,
    "sd_wander": 0.06,
    "correlation_time": 6.0,
    "window": 7.0,
    "freedom": 3.0,
    "sd_low": 0.02,
    "sd_high": 0.1,
    "overdispersion": 0.1,
}


def sigmoid(noise: str, truth: Mapping[str, float] = TRUTH) -> tuple[Curve, Hypothesis]:
    rng = np.random.default_rng(4)
    clean = 0.5 * (1.0 + np.tanh(0.1 * (T - 30.0)))
    psi = np.array([truth[name] for name in NOISES[noise].names])
    counted = noise in ("binomial", "beta_binomial")
    trials = np.full(T.size, 50) if counted else None
    known = np.full(T.size, 0.04) if noise == "known_se" else None
    flat = Curve("success", T, np.round(50 * clean) / 50 if counted else clean, n_trials=trials)
    y = NOISES[noise].simulate(clean, replace(flat, y_se=known), psi, rng=rng)
    data = Curve(observable="success", t=T, y=y, y_se=known, n_trials=trials)
    return data, default_hypothesis(FORMS["logistic"], NOISES[noise], data)


@pytest.mark.parametrize(
    "prior",
    [
        Uniform(2.0, 3.0),
        LogUniform(0.1, 10.0),
        TimeLocation((1.0, 2.0, 5.0, 6.0)),
    ],
)
def test_graphs_of_priors_are_their_quantiles(prior: Prior) -> None:
    u = np.array([0.01, 0.05, 0.1, 0.3, 0.5, 0.77, 0.9, 0.95, 0.99])
    assert _from_unit(prior, pt.as_tensor_variable(u)).eval() == pytest.approx(prior.ppf(u))


@pytest.mark.parametrize("with_se", [False, True])
@pytest.mark.parametrize("noise", sorted(NOISES))
def test_graphs_of_noises_are_their_likelihoods(noise: str, with_se: bool) -> None:
    data, hypothesis = sigmoid(noise)
    if with_se:
        data = replace(data, y_se=np.linspace(0.01, 0.1, T.size))
    theta = {"floor": 0.1, "gain": 0.8, "rate": 0.2, "midpoint": 28.0} | TRUTH
    values = np.array([theta[name] for name in hypothesis.names])
    parameters = {n: pt.constant(theta[n], dtype="float64") for n in hypothesis.names}
    with pm.Model() as model:
        _likelihood(hypothesis, data, parameters)
    got = float(model.observedlogp.eval())
    if data.n_trials is not None:
        got += np.log(data.n_trials).sum()  # PyMC gives the mass of the counts
    want = hypothesis.log_likelihood(values[None], data)[0]
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-8)


def test_a_noise_without_a_graph_is_named() -> None:
    @dataclass(frozen=True)
    class Pink(Noise):
        name: ClassVar[str] = "pink"
        parameters = ()
        gaussian = True
        _whiten = _log_likelihood = _simulate = None

    data, hypothesis = sigmoid("white")
    priors = {name: hypothesis.priors[name] for name in hypothesis.form.names}
    pink = replace(hypothesis, noise=Pink(), priors=priors)
    with pm.Model(), pytest.raises(ValueError, match="no graph for pink noise; choose from .*ou_w"):
        _likelihood(pink, data, dict.fromkeys(hypothesis.form.names, pt.constant(0.5)))


def test_chains_start_where_the_likelihood_is_largest() -> None:
    """Ordered places are sampled as conditional order statistics, and must be started as such."""
    t = np.linspace(1.0, 100.0, 60)
    steps = [1 / (1 + np.exp(-0.5 * (t - place))) for place in (25.0, 70.0)]
    noise = 0.02 * np.random.default_rng(2).standard_normal(t.size)
    data = Curve(observable="success", t=t, y=0.4 * steps[0] + 0.6 * steps[1] + noise)
    hypothesis = default_hypothesis(FORMS["double_logistic"], NOISES["white"], data)
    start = _start(hypothesis, data)
    with pm.Model() as model:
        _parameters(hypothesis)
    found = fit(hypothesis, data)
    at = {model[name]: value for name, value in start.items() if "midpoint" in name}
    names = ("midpoint_1", "midpoint_2")
    started = pt.stack([model[f"value_{name}"] for name in names]).eval(at)
    want = [found.theta[found.names.index(name)] for name in names]
    np.testing.assert_allclose(started, want, rtol=1e-6)


@pytest.mark.slow
def test_draws_are_reproducible_and_short_runs_say_so() -> None:
    data, hypothesis = sigmoid("white")
    short = {"draws": 20, "tune": 20, "chains": 2}
    a = sample(hypothesis, data, rng=np.random.default_rng(1), **short)
    b = sample(hypothesis, data, rng=np.random.default_rng(1), **short)
    c = sample(hypothesis, data, rng=np.random.default_rng(2), **short)
    assert np.array_equal(a.draws, b.draws)
    assert not np.array_equal(a.draws, c.draws)
    assert a.status is FitStatus.NOT_MIXED
    assert a.log_evidence is None
    assert a.draws.shape == (40, len(hypothesis.names))


@pytest.mark.slow
@pytest.mark.parametrize("noise", ["white", "student_t", "mean_linked"])
def test_nuts_and_importance_sampling_agree(noise: str) -> None:
    """Not under ou_white: where the white part may be wander of short memory, chains do not mix.

    Four chains of 500 draws had an effective size of 47 after 3 minutes. That importance sampling
    has the tail right is tested against independent draws (test_evidence.py, slow).
    """
    data, hypothesis = sigmoid(noise)
    nuts = sample(hypothesis, data, rng=np.random.default_rng(0), draws=500, tune=500)
    quick = log_evidence(hypothesis, data, rng=np.random.default_rng(0))
    assert nuts.status in (FitStatus.OK, FitStatus.NOT_MIXED)
    assert nuts.ess > 200
    # Compared in deviates, where every parameter is of order one; importance draws are 1000 of an
    # effective few hundred at least.
    a, b = hypothesis.standard(nuts.draws), hypothesis.standard(quick.draws)
    error = np.sqrt(a.var(axis=0) / nuts.ess + b.var(axis=0) / min(quick.ess, 1000.0))
    assert np.all(np.abs(a.mean(axis=0) - b.mean(axis=0)) < 4.0 * error)
    assert np.all(np.abs(np.log(a.std(axis=0) / b.std(axis=0))) < 0.25)
