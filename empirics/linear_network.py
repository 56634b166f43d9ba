"""Deep linear networks that learn a linear map by gradient descent: many seeds at once.

Each run draws its initial weights from a stream of its own, so it does not depend on its company;
descent itself is deterministic, on the loss over all inputs.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import final

import numpy as np

from empirics.agent_run import AgentRun
from empirics.agent_training import Engine, Jobs, Measured, agent_onsets, follow, train_agents
from empirics.linear_network_cell import LinearNetworkCell
from empirics.run_stream import stream_of
from theory.curve import FloatArray, IntArray

__all__ = ["LinearNetworkCell", "linear_network_onsets", "train_linear_networks"]


def train_linear_networks(
    cells: Sequence[LinearNetworkCell], seeds: Sequence[int], *, updates: int, checkpoints: int = 80
) -> tuple[AgentRun, ...]:
    """Train one network a cell and seed.

    Parameters
    ----------
    cells, seeds : sequences
        Every cell is run with every seed.
    updates : int
        Length of a run.
    checkpoints : int
        Number of log-spaced updates at which curves are recorded (fewer where they coincide).

    Returns
    -------
    tuple of AgentRun
        In the order of cells, then seeds. Curves: ``strength`` of the mode watched in the product
        of the layers, ``share`` of its singular value; ``share_2``, … of the other modes; and
        ``loss``, half the mean squared error. The onset is exactly when the watched mode's share
        first reaches 1/2.

    Raises
    ------
    ValueError
        If a number is not whole or too small, or training diverges.
    """
    others = [f"share_{k + 1}" for k in range(1, max((cell.n_modes for cell in cells), default=1))]
    return train_agents(
        cells,
        seeds,
        _engine_of,
        updates=updates,
        checkpoints=checkpoints,
        supports=dict.fromkeys(("strength", "share", "loss", *others)),
    )


def linear_network_onsets(
    cell: LinearNetworkCell, n_seeds: int, seed: int, updates: int
) -> FloatArray:
    """Return the exact onsets of many runs, trained no further than needed.

    Parameters
    ----------
    cell : LinearNetworkCell
    n_seeds : int
        Number of runs.
    seed : int
        Seed of the first run; the others follow. The runs are those of `train_linear_networks`.
    updates : int
        Updates after which a run is censored.

    Returns
    -------
    (n_seeds,) array
        First update after which the watched mode has half its singular value, infinite where a
        run is censored.

    Raises
    ------
    ValueError
        If a number is not whole or too small, or training diverges.
    """
    return agent_onsets(cell, n_seeds, seed, updates, _engine_of)


def _engine_of(cell: LinearNetworkCell) -> tuple[Engine, Hashable]:
    return _descend, (cell.depth, cell.width, cell.n_modes)


def _descend(jobs: Jobs, t: IntArray, *, only_onsets: bool = False) -> tuple[Measured, FloatArray]:
    networks = _Networks(jobs)
    return follow(networks, networks.updates(), t, only_onsets=only_onsets)


@final
class _Networks:
    """Layers, each (n_runs, outputs, inputs), and the maps they learn."""

    def __init__(self, jobs: Jobs) -> None:
        cells: list[LinearNetworkCell] = [cell for cell, _ in jobs]
        self.rate = np.array([cell.learning_rate for cell in cells])[:, None, None]
        self.targets = np.array([cell.singular_values for cell in cells])
        self.map = self.targets[:, :, None] * np.eye(cells[0].n_modes)
        each = [initial_layers(*job) for job in jobs]
        self.layers = [np.stack(layer) for layer in zip(*each, strict=True)]

    def updates(self) -> Iterator[None]:
        """Descend."""
        while True:
            for layer, gradient in zip(self.layers, gradients(self.layers, self.map), strict=True):
                layer -= self.rate * gradient
            yield

    def product(self) -> FloatArray:
        """Return what the networks do, (n_runs, n_modes, n_modes)."""
        return _products(self.layers)[-1]

    def started(self) -> FloatArray:
        """Return the share of its singular value that the watched mode has, (n_runs,)."""
        return np.asarray(self.product()[:, 0, 0] / self.targets[:, 0])

    def measure(self) -> Measured:
        """Return strength, shares and loss, (n_runs,) each."""
        product = self.product()
        strengths = np.diagonal(product, axis1=1, axis2=2)
        shares = strengths / self.targets
        others = {f"share_{k + 1}": shares[:, k] for k in range(1, shares.shape[1])}
        square = np.cumsum(((product - self.map) ** 2).reshape(len(product), -1), axis=1)[:, -1]
        return {
            "share": shares[:, 0],
            "strength": strengths[:, 0].copy(),
            **others,
            "loss": square / 2,
        }


def initial_layers(cell: LinearNetworkCell, seed: int) -> list[FloatArray]:
    """Return the weights before training, the layer of the inputs first."""
    widths = [cell.n_modes, *[cell.width] * (cell.depth - 1), cell.n_modes]
    shapes = list(zip(widths[1:], widths[:-1], strict=True))
    if cell.balanced:
        return [cell.initial_scale * np.eye(*shape) for shape in shapes]
    rng = stream_of(cell, seed)
    return [cell.initial_scale * rng.standard_normal(shape) for shape in shapes]


def gradients(layers: Sequence[FloatArray], target: FloatArray) -> list[FloatArray]:
    """Return the gradient of half the squared distance of the layers' product from a map.

    Parameters
    ----------
    layers : sequence of (n_runs, outputs, inputs) arrays
        That of the inputs first.
    target : (n_runs, outputs of the last, inputs of the first) array
    """
    products = _products(layers)
    error = products[-1] - target
    found = []
    for index in range(len(layers) - 1, -1, -1):
        found.append(error @ products[index - 1].swapaxes(1, 2) if index else error)
        error = layers[index].swapaxes(1, 2) @ error
    return found[::-1]


def _products(layers: Sequence[FloatArray]) -> list[FloatArray]:
    """Return the product of the first layer, of the first two, …, of all."""
    found = [layers[0]]
    for layer in layers[1:]:
        found.append(layer @ found[-1])
    return found
