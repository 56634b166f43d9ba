"""The referee of ladder evidence is itself held against scipy's laws, and against a grid."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import gammaincinv
from scipy.stats import expon, gamma, norm

from benchmarks.ladder_cases import cases, hits
from benchmarks.ladder_referee import SIZES, Likelihood
from fitting.ladders.evidence import ladder_evidence
from fitting.log_sum_exp import log_sum_exp

CASES = {case.name: case for case in cases()}


@pytest.mark.parametrize("name", CASES)
def test_slopes_are_differences(name):
    likelihood = Likelihood(CASES[name])
    z = 0.4 * np.random.default_rng(0).standard_normal(likelihood.dimension)
    steps = 1e-5 * np.eye(z.size)
    known = (likelihood(z + steps) - likelihood(z - steps)) / 2e-5
    np.testing.assert_allclose(likelihood.slopes(z), known, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_chances_are_those_of_scipy(name):
    case = CASES[name]
    likelihood = Likelihood(case)
    z = 0.4 * np.random.default_rng(1).standard_normal(likelihood.dimension)
    priors = case.hypothesis.unknowns
    at = {k: np.array([[float(p.transport(z[i]))]]) for i, (k, p) in enumerate(priors.items())}
    size = SIZES[0] * (SIZES[1] / SIZES[0]) ** norm.cdf(z[len(priors)])
    total = 0.0
    for i, rung in enumerate(case.rungs):
        median = math.exp(case.log_medians(at)[0, i] + size * z[len(priors) + 1 + i])
        if "spread" in at:
            shape = float(at["spread"][0, 0]) ** -2
            law = gamma(shape, scale=median / gammaincinv(shape, 0.5))
        else:
            law = expon(scale=median / math.log(2))
        for onset in rung.onsets:
            total += math.log(
                law.cdf(onset.upper) - law.cdf(onset.lower)
                if onset.lower < median
                else law.sf(onset.lower) - law.sf(onset.upper)
            )
    assert float(likelihood(z[None])[0]) == pytest.approx(total, rel=1e-9)


def test_importance_sampling_agrees_with_a_grid_of_one_rung():
    """Factor of the steps, size of the discrepancy and discrepancy, by the trapezoid rule."""
    whole = hits("one", known=False)
    hypothesis = replace(whole.hypothesis, laws=whole.hypothesis.laws[:1])
    case = replace(
        whole,
        hypothesis=hypothesis,
        rungs=whole.rungs[:1],
        log_medians=lambda at: whole.log_medians(at)[:, :1],
    )
    likelihood = Likelihood(case)
    axes = [np.arange(-6.0, 6.01, step) for step in (0.05, 0.5, 0.5)]
    z = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    logs = likelihood(z) + norm.logpdf(z).sum(axis=1) + math.log(0.05 * 0.5 * 0.5)
    found = ladder_evidence(hypothesis, case.rungs, rng=np.random.default_rng(0))
    assert found.log_evidence == pytest.approx(
        float(log_sum_exp(logs)), abs=4 * found.log_evidence_se
    )
