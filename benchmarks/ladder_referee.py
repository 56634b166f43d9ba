"""The evidence of a ladder by NUTS and bridge sampling, every discrepancy a parameter."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import gammainc, gammaincc, gammaincinv, ndtr

from benchmarks.ladder_cases import Case
from fitting.fit import FitStatus
from fitting.sampling.bridge import bridge
from fitting.sampling.compiler import prefer_numba
from fitting.sampling.nuts import draw

FloatArray = NDArray[np.float64]
SIZES = (0.01, 0.1)
"""Bounds of the size of a rung's discrepancy, log-uniform."""
CHAINS, DRAWS, TUNE = 4, 600, 300
LOOKED = 4000
SMALLEST = 1e-290
STEP = 1e-4
ROOT_2PI = math.sqrt(2 * math.pi)


@dataclass(frozen=True)
class Referee:
    """A log evidence, its standard error, and what was said of the chains."""

    log_evidence: float
    se: float
    status: FitStatus


@final
class Likelihood:
    """The log likelihood of a ladder at deviates, and its slopes.

    Deviates are standard normal before the runs: those of the unknowns, then that of ln of the
    size of discrepancies, then each rung's discrepancy over that size.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.n = len(case.hypothesis.unknowns)
        brackets = [[(o.lower, o.upper) for o in rung.onsets] for rung in case.rungs]
        self.lower, self.upper = np.moveaxis(np.array(brackets), -1, 0)  # (n_rungs, n_runs)
        self.dimension = self.n + 1 + len(case.rungs)

    def __call__(self, z: FloatArray) -> FloatArray:
        """Return the log likelihood of points (B, d), (B,)."""
        return np.asarray(self.rungs(z, self.shifts(z)).sum(axis=1))

    def shifts(self, z: FloatArray) -> FloatArray:
        """Return the discrepancies, (B, n_rungs)."""
        size = SIZES[0] * (SIZES[1] / SIZES[0]) ** ndtr(z[:, self.n])
        return np.asarray(size[:, None] * z[:, self.n + 1 :])

    def rungs(self, z: FloatArray, shifts: FloatArray) -> FloatArray:
        """Return the log likelihood of each rung, (B, n_rungs)."""
        priors = self.case.hypothesis.unknowns.items()
        at = {name: prior.transport(z[:, k])[:, None] for k, (name, prior) in enumerate(priors)}
        unit = np.exp(-shifts - self.case.log_medians(at))[:, :, None]
        if "spread" in at:
            shape = at["spread"][:, :, None] ** -2
            unit = unit * gammaincinv(shape, 0.5)
        else:
            shape = np.ones((len(z), 1, 1))
            unit = unit * math.log(2)
        low, high = unit * self.lower, unit * self.upper
        chance = gammainc(shape, high) - gammainc(shape, low)
        # Where much lies below, the chance is the difference of what lies above.
        late = low > shape
        upper = [np.broadcast_to(part, late.shape)[late] for part in (shape, low, high)]
        chance[late] = gammaincc(upper[0], upper[1]) - gammaincc(upper[0], upper[2])
        return np.asarray(np.log(np.maximum(chance, SMALLEST)).sum(axis=2))

    def slopes(self, z: FloatArray) -> FloatArray:
        """Return the slopes (d,) at a point (d,), by central differences in each part."""
        steps = STEP * np.eye(self.n + 1, z.size)
        steps[-1] = 0.0  # the last of them moves all discrepancies at once
        points = np.concatenate([z + steps, z - steps])
        shifts = np.tile(self.shifts(z[None]), (len(points), 1))
        shifts[self.n] += STEP
        shifts[-1] -= STEP
        terms = self.rungs(points, shifts)
        by_part = (terms[: self.n + 1] - terms[self.n + 1 :]) / (2 * STEP)
        by_shift = by_part[-1]
        size = SIZES[0] * (SIZES[1] / SIZES[0]) ** ndtr(z[self.n])
        widening = math.log(SIZES[1] / SIZES[0]) * math.exp(-(z[self.n] ** 2) / 2) / ROOT_2PI
        of_size = float(by_shift @ shifts[0]) * widening
        return np.concatenate([by_part[:-1].sum(axis=1), [of_size], by_shift * size])


def by_bridge(case: Case, *, rng: np.random.Generator) -> Referee:
    """Draw chains, and bridge."""
    prefer_numba()
    import pymc as pm
    import pytensor.tensor as pt

    likelihood = Likelihood(case)
    d = likelihood.dimension

    def density(z: FloatArray) -> FloatArray:
        return likelihood(z) - 0.5 * ((z**2).sum(axis=1) + d * math.log(2 * math.pi))

    center, factor = _mode(likelihood, rng)
    starts = [{"x": x} for x in rng.standard_normal((CHAINS, d))]
    with pm.Model() as model:
        # Coordinates in which the posterior is about standard normal: fewer steps a trajectory.
        x = pm.Flat("x", shape=d)
        z = pm.Deterministic("z", center + pt.dot(factor, x))
        pm.Potential("prior", -0.5 * (z**2).sum())
        pm.Potential("likelihood", _operation(likelihood)(z))
    chains = draw(
        model, ["z"], rng=rng, draws=DRAWS, tune=TUNE, chains=CHAINS, target_accept=0.85,
        starts=starts,
    )  # fmt: skip
    found = bridge(chains.values["z"].reshape(CHAINS, DRAWS, d), density, rng=rng)
    return Referee(found.log_evidence, found.se, chains.status)


def _mode(likelihood: Likelihood, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return the mode from the best of prior draws, and a factor of the covariance there."""
    places = rng.standard_normal((LOOKED, likelihood.dimension))
    found = minimize(
        lambda z: float(z @ z / 2 - likelihood(z[None])[0]),
        places[np.argmax(likelihood(places))],
        jac=lambda z: z - likelihood.slopes(z),
        method="BFGS",
    ).x
    steps = 1e-3 * np.eye(found.size)
    rows = [likelihood.slopes(found - s) - likelihood.slopes(found + s) for s in steps]
    curvature = np.eye(found.size) + np.array(rows) / 2e-3
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    return found, vectors / np.sqrt(np.maximum(values, 0.3))


def _operation(likelihood: Likelihood) -> Any:
    """Return the likelihood for PyTensor."""
    import pytensor.tensor as pt
    from pytensor.graph.basic import Apply
    from pytensor.graph.op import Op

    class Slopes(Op):  # type: ignore[misc]
        def make_node(self, z: Any) -> Apply:
            return Apply(self, [z], [z.type()])

        def perform(self, node: Apply, inputs: Any, outputs: Any) -> None:
            outputs[0][0] = likelihood.slopes(inputs[0])

    class Value(Op):  # type: ignore[misc]
        def make_node(self, z: Any) -> Apply:
            return Apply(self, [pt.as_tensor_variable(z)], [pt.dscalar()])

        def perform(self, node: Apply, inputs: Any, outputs: Any) -> None:
            outputs[0][0] = np.asarray(likelihood(inputs[0][None])[0])

        def L_op(self, inputs: Any, outputs: Any, gradients: Any) -> list[Any]:  # noqa: N802
            return [gradients[0] * Slopes()(inputs[0])]

    return Value()
