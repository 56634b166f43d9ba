import numpy as np
import pytest

from fitting.propose import propose
from fitting.trials.scatter import (
    PriorScatter,
    ResampledScatter,
    block_length,
    fitted_scatter,
    resampled_scatter,
)
from theory.curve import Curve
from theory.noise import AR1White, KnownSE, White

T = np.linspace(1.0, 10.0, 40)
TEMPLATE = Curve("y", T, np.linspace(0.0, 1.0, 40))


def test_blocks_are_as_long_as_the_memory_asks():
    rng = np.random.default_rng(0)
    n, rho = 20_000, 0.8
    psi = np.array([1.0, -1 / np.log(rho), 0.0])
    t = np.arange(1.0, n + 1)
    wander = AR1White().simulate(np.zeros(n), Curve("y", t, t), psi, rng=rng)
    # (6 rho^2 / (1 - rho^2)^2)^(1/3) n^(1/3) = 83.7; the lag-1 correlation is known to 0.01 or so.
    assert block_length(wander) == pytest.approx(83.7, rel=0.1)
    assert block_length(rng.standard_normal(n)) <= 3
    assert block_length(np.array([1.0, -1.0, 1.0])) == 1


def test_resampled_residuals_are_runs_of_the_real_ones():
    residuals = np.cumsum(np.ones(40)) - 20.5
    scatter = ResampledScatter(residuals)
    name, y = scatter(np.zeros(40), TEMPLATE, np.random.default_rng(1))
    assert name == "resampled residuals"
    assert set(np.round(y, 9)) <= set(np.round(residuals, 9))
    inside = np.diff(y) == 1.0
    assert inside.sum() >= 40 - -(-40 // block_length(residuals))


def test_noise_from_the_priors_has_their_sizes():
    rng = np.random.default_rng(2)
    sizes = [np.std(PriorScatter((White(),))(np.zeros(40), TEMPLATE, rng)[1]) for _ in range(400)]
    # ln(sd / R) is uniform on [ln 1e-4, 0]: the median is 1e-2 R, R = 0.95.
    below = np.mean(np.array(sizes) < 0.0095)
    assert abs(below - 0.5) < 4 * 0.5 / np.sqrt(400)


def test_a_noise_without_parameters_is_simulated():
    known = Curve("y", T, T, y_se=np.full(40, 0.1))
    name, y = PriorScatter((KnownSE(),))(np.zeros(40), known, np.random.default_rng(0))
    assert name == "known_se"
    assert 0.05 < np.std(y) < 0.2


def test_fitted_noise_is_that_of_the_curve():
    rng = np.random.default_rng(3)
    y = 1 / (1 + np.exp(-2 * (T - 5))) + 0.05 * rng.standard_normal(40)
    found = propose(Curve("y", T, y), forms=["constant", "logistic"], noises=["white"])
    scatter, blocks = fitted_scatter(found), resampled_scatter(found)
    assert scatter is not None and blocks is not None
    sds = np.array([psi[0] for psi in scatter.psi])
    # Posterior of the sd of 36 degrees of freedom: 0.05 (1 +- 1/sqrt(72)), four times that.
    assert abs(np.median(sds) - 0.05) < 4 * 0.05 / np.sqrt(72)
    assert abs(blocks.residuals.std() - 0.05) < 4 * 0.05 / np.sqrt(72)
    nothing = propose(Curve("y", T, np.ones(40)))
    assert fitted_scatter(nothing) is None
    assert resampled_scatter(nothing) is None
