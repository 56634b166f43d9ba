"""Chains of known densities."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import multivariate_normal

from fitting.sampling.hamiltonian import walk
from fitting.sampling.nuts import diagnostics

Array = NDArray[np.float64]


def test_chains_have_the_moments_of_a_gaussian_whose_scale_was_guessed_badly() -> None:
    mean, covariance = np.array([3.0, -1.0]), np.array([[1e-4, 5e-3], [5e-3, 1.0]])
    law = multivariate_normal(mean, covariance)
    rng = np.random.default_rng(0)
    found = walk(law.logpdf, np.tile(mean, (4, 1)), 0.1 * np.eye(2), rng=rng, draws=500, tune=200)
    u = (found.z - mean) / np.sqrt(np.diag(covariance))
    rhat, ess = diagnostics([u, u**2])
    assert rhat < 1.01
    assert np.all(np.abs(u.mean(axis=(0, 1))) < 4 / np.sqrt(ess))
    assert np.all(np.abs((u**2).mean(axis=(0, 1)) - 1) < 4 * np.sqrt(2 / ess))
    correlation = np.mean(u[..., 0] * u[..., 1])
    assert abs(correlation - 0.5) < 4 * np.sqrt((1 + 0.25) / ess)
    assert found.divergent == 0.0


def test_lobes_that_chains_found_are_shared_by_their_mass() -> None:
    """Two Gaussians ten deviations apart, with 1 : 3 of the mass; chains start half and half."""

    def lobes(z: Array) -> Array:
        near, far = ((z[:, 0] + 2) / 0.2) ** 2, (z[:, 0] / 0.2) ** 2
        return np.logaddexp(-0.5 * near, np.log(3) - 0.5 * far)

    starts = np.repeat([[-2.0], [0.0]], 4, axis=0)
    rng = np.random.default_rng(1)
    found = walk(lobes, starts, np.array([[0.2]]), rng=rng, draws=500, tune=200)
    inside = (found.z[..., 0] < -1).astype(float)
    rhat, ess = diagnostics([found.z, inside[..., None]])
    assert rhat < 1.01
    assert abs(inside.mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / ess)


def test_chains_stay_where_the_density_is_positive() -> None:
    """A half Gaussian: mean sqrt(2 / pi)."""

    def half(z: Array) -> Array:
        return np.where(z[:, 0] > 0, -0.5 * z[:, 0] ** 2, -np.inf)

    rng = np.random.default_rng(2)
    found = walk(half, np.ones((4, 1)), np.eye(1), rng=rng, draws=500, tune=200)
    assert found.z.min() > 0
    ess = diagnostics([found.z])[1]
    error = np.sqrt((1 - 2 / np.pi) / ess)
    assert abs(found.z.mean() - np.sqrt(2 / np.pi)) < 4 * error
