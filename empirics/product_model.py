"""A product of weights fitted to few samples, by gradient descent or by Langevin sampling.

Many seeds at once; each run draws its samples and its noise from a stream of its own, so it does
not depend on its company. Descent and sampling share the loss, the data and the step size, so that
what sets them apart is whether noise is added.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import final

import numpy as np

from empirics.agent_run import AgentRun
from empirics.agent_training import Engine, Jobs, Measured, agent_onsets, follow, train_agents
from empirics.product_cell import ProductCell
from empirics.run_stream import draw_on, stream_of
from theory.curve import FloatArray, IntArray

__all__ = ["ProductCell", "product_onsets", "train_products"]


def train_products(
    cells: Sequence[ProductCell], seeds: Sequence[int], *, updates: int, checkpoints: int = 80
) -> tuple[AgentRun, ...]:
    """Train one chain of weights a cell and seed.

    Parameters
    ----------
    cells, seeds : sequences
        Every cell is run with every seed.
    updates : int
        Length of a run; updates before it are not counted.
    checkpoints : int
        Number of log-spaced updates at which curves are recorded (fewer where they coincide).

    Returns
    -------
    tuple of AgentRun
        In the order of cells, then seeds. Curves: ``strength``, the product of the weights;
        ``share`` of the singular value; and ``loss``, that of fresh samples above the least. The
        onset is exactly when the share first reaches 1/2.

    Raises
    ------
    ValueError
        If a number is not whole or too small, or training diverges.
    """
    return train_agents(
        cells,
        seeds,
        _engine_of,
        updates=updates,
        checkpoints=checkpoints,
        supports=dict.fromkeys(("strength", "share", "loss")),
    )


def product_onsets(cell: ProductCell, n_seeds: int, seed: int, updates: int) -> FloatArray:
    """Return the exact onsets of many runs, trained no further than needed.

    Parameters
    ----------
    cell : ProductCell
    n_seeds : int
        Number of runs.
    seed : int
        Seed of the first run; the others follow. The runs are those of `train_products`.
    updates : int
        Updates after which a run is censored.

    Returns
    -------
    (n_seeds,) array
        First update after which the product is half the singular value, infinite where a run is
        censored.

    Raises
    ------
    ValueError
        If a number is not whole or too small, or training diverges.
    """
    return agent_onsets(cell, n_seeds, seed, updates, _engine_of)


def _engine_of(cell: ProductCell) -> tuple[Engine, Hashable]:
    alike = cell.depth, cell.update_rule, cell.batch_size, cell.pretrained_updates
    return _train, (*alike, cell.samples if cell.batch_size else None)


def _train(jobs: Jobs, t: IntArray, *, only_onsets: bool = False) -> tuple[Measured, FloatArray]:
    chains = _Chains(jobs)
    return follow(chains, chains.updates(), t, only_onsets=only_onsets)


@final
class _Chains:
    """Chains of weights (depth, n_runs) and their data."""

    def __init__(self, jobs: Jobs) -> None:
        cells: list[ProductCell] = [cell for cell, _ in jobs]
        self.cell = cells[0]
        self.rate = np.array([cell.learning_rate for cell in cells])
        self.target = np.array([cell.singular_value for cell in cells])
        heat = np.array([cell.noise_sd**2 / cell.samples for cell in cells])
        self.noise = np.sqrt(2 * self.rate * heat)
        self.decay = heat * [0.0 if c.prior_sd is None else c.prior_sd**-2 for c in cells]
        self.streams = [stream_of(*job) for job in jobs]
        drawn = [sampled(cell, rng) for cell, rng in zip(cells, self.streams, strict=True)]
        self.data = [z[: cell.samples] for cell, z in zip(cells, drawn, strict=True)]
        self.means = np.array([z.mean() for z in self.data])
        self.weights = np.tile([cell.initial_scale for cell in cells], (self.cell.depth, 1))
        before = np.array([z.mean() for z in drawn])
        for _ in range(self.cell.pretrained_updates):
            self.weights -= self.rate * gradients(self.weights, before)

    def updates(self) -> Iterator[None]:
        """Descend, or sample."""
        shape = (self.cell.depth,)
        noises = draw_on(self.streams, shape, normal=True)
        batches = self._batches()
        while True:
            step = gradients(self.weights, next(batches)) + self.decay * self.weights
            self.weights -= self.rate * step
            if self.cell.update_rule == "langevin":
                self.weights += self.noise * next(noises)
            yield

    def _batches(self) -> Iterator[FloatArray]:
        """Yield the mean z of each run's batch, (n_runs,)."""
        if self.cell.batch_size is None:
            while True:
                yield self.means
        data = np.stack(self.data)
        streams = [rng.spawn(1)[0] for rng in self.streams]
        for uniform in draw_on(streams, (self.cell.batch_size,)):
            which = (uniform * self.cell.samples).astype(np.intp)
            yield np.take_along_axis(data.T, which, axis=0).mean(axis=0)

    def started(self) -> FloatArray:
        """Return the share of the singular value, (n_runs,)."""
        return np.asarray(self.weights.prod(axis=0) / self.target)

    def measure(self) -> Measured:
        """Return strength, share and loss, (n_runs,) each."""
        strength = self.weights.prod(axis=0)
        return {
            "strength": strength,
            "share": strength / self.target,
            "loss": (strength - self.target) ** 2 / 2,
        }


def sampled(cell: ProductCell, rng: np.random.Generator) -> FloatArray:
    """Return z = x y of every sample that a run ever sees, those of the run itself first."""
    number = max(cell.samples, cell.pretrained_samples)
    return cell.singular_value + cell.noise_sd * rng.standard_normal(number)


def gradients(weights: FloatArray, mean: FloatArray) -> FloatArray:
    """Return the gradient of half the squared distance of the product from the mean z.

    Parameters
    ----------
    weights : (depth, n_runs) array
    mean : (n_runs,) array

    Returns
    -------
    (depth, n_runs) array
    """
    ones = np.ones((1, weights.shape[1]))
    before = np.cumprod(np.concatenate([ones, weights[:-1]]), axis=0)
    after = np.cumprod(np.concatenate([ones, weights[:0:-1]]), axis=0)[::-1]
    return np.asarray((before[-1] * weights[-1] - mean) * before * after)
