"""Chains of known distributions, and what is said of chains that failed."""

import logging

import numpy as np
import pymc as pm

from fitting.fit import FitStatus
from fitting.sampling.nuts import draw


def test_chains_have_the_moments_of_their_distribution() -> None:
    with pm.Model() as model:
        x = pm.Normal("x", np.array([3.0, -1.0]), np.array([0.5, 2.0]))
        pm.Deterministic("y", x[0] * 2.0)
    level = logging.getLogger("pymc").level
    settings = {"draws": 400, "tune": 300, "chains": 2, "target_accept": 0.8}
    found = draw(model, ("x", "y"), rng=np.random.default_rng(0), **settings)
    assert found.values["x"].shape == (800, 2)
    np.testing.assert_array_equal(found.values["y"], 2.0 * found.values["x"][:, 0])
    error = 4.0 / np.sqrt(found.ess)
    assert np.all(
        np.abs(found.values["x"].mean(axis=0) - [3.0, -1.0]) < error * np.array([0.5, 2.0])
    )
    np.testing.assert_allclose(found.values["x"].std(axis=0), [0.5, 2.0], rtol=error)
    assert found.divergent == 0.0
    assert found.status is FitStatus.OK
    assert logging.getLogger("pymc").level == level
    again = draw(model, ("x", "y"), rng=np.random.default_rng(0), **settings)
    assert np.array_equal(found.values["x"], again.values["x"])


def test_chains_in_different_modes_have_not_mixed() -> None:
    with pm.Model() as model:
        # Standard normals at -40 and at 40, half and half; a mixture takes seconds to compile.
        x = pm.Flat("x")
        pm.Potential("wells", -0.5 * (abs(x) - 40.0) ** 2)
    starts = [{"x": -40.0}, {"x": 40.0}]
    rng = np.random.default_rng(0)
    found = draw(
        model, ("x",), rng=rng, draws=100, tune=100, chains=2, target_accept=0.8, starts=starts
    )
    assert found.status is FitStatus.NOT_MIXED
    assert found.rhat > 1.5
    first, second = found.values["x"].reshape(2, 100)
    assert first.max() < 0.0 < second.min()


def test_a_start_without_density_is_not_sampled() -> None:
    with pm.Model() as model:
        x = pm.Normal("x")
        pm.Potential("nowhere", pm.math.switch(pm.math.gt(x, 1e3), 0.0, -np.inf))
    rng = np.random.default_rng(0)
    found = draw(model, ("x",), rng=rng, draws=10, tune=10, chains=2, target_accept=0.8)
    assert found.status is FitStatus.NOT_SAMPLED
    assert not found.values
    assert found.ess == 0.0
    assert np.isnan(found.rhat)


def test_a_cliff_makes_trajectories_diverge() -> None:
    with pm.Model() as model:
        x = pm.Normal("x")
        pm.Potential("cliff", pm.math.switch(pm.math.gt(x, 0.5), -1e5, 0.0))
    rng = np.random.default_rng(0)
    found = draw(
        model, ("x",), rng=rng, draws=500, tune=300, chains=2, target_accept=0.8, starts={"x": -1.0}
    )
    assert found.values["x"].max() < 0.5
    assert found.divergent > 0.01
    assert found.status in (FitStatus.DIVERGED, FitStatus.NOT_MIXED)
