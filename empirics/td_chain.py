"""Values of a chain learned by temporal differences: many seeds at once.

Each run draws from streams of its own, so it does not depend on its company. Walks along the
chain are random in their rewards alone; drawn transitions also in which states they are.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import final

import numpy as np

from empirics.agent_run import AgentRun
from empirics.agent_training import Engine, Jobs, Measured, agent_onsets, follow, train_agents
from empirics.run_stream import draw_on, stream_of
from empirics.td_chain_cell import TDChainCell
from theory.curve import FloatArray, IntArray

__all__ = ["TDChainCell", "td_chain_onsets", "train_td_chains"]


def train_td_chains(
    cells: Sequence[TDChainCell], seeds: Sequence[int], *, updates: int, checkpoints: int = 80
) -> tuple[AgentRun, ...]:
    """Train one table of values a cell and seed.

    Parameters
    ----------
    cells, seeds : sequences
        Every cell is run with every seed.
    updates : int
        Length of a run; a walk takes `n_states` of them.
    checkpoints : int
        Number of log-spaced updates at which curves are recorded (fewer where they coincide).

    Returns
    -------
    tuple of AgentRun
        In the order of cells, then seeds. Curves: ``value`` of the state watched, ``share`` of
        its true value gamma^distance, and ``value_error``, the root of the mean squared error
        over all states, which are visited alike. The onset is exactly when the share first
        reaches 1/2.

    Raises
    ------
    ValueError
        If a number is not whole or too small.
    """
    return train_agents(
        cells,
        seeds,
        _engine_of,
        updates=updates,
        checkpoints=checkpoints,
        supports=dict.fromkeys(("value", "share", "value_error")),
    )


def td_chain_onsets(cell: TDChainCell, n_seeds: int, seed: int, updates: int) -> FloatArray:
    """Return the exact onsets of many runs, trained no further than needed.

    Parameters
    ----------
    cell : TDChainCell
    n_seeds : int
        Number of runs.
    seed : int
        Seed of the first run; the others follow. The runs are those of `train_td_chains`.
    updates : int
        Updates after which a run is censored.

    Returns
    -------
    (n_seeds,) array
        First update after which the state watched has half its true value, infinite where a run
        is censored.

    Raises
    ------
    ValueError
        If a number is not whole or too small.
    """
    return agent_onsets(cell, n_seeds, seed, updates, _engine_of)


def _engine_of(cell: TDChainCell) -> tuple[Engine, Hashable]:
    if cell.on_policy:
        return _walk, (cell.n_states, cell.gae_lambda > 0)
    return _replay, (cell.n_states, cell.batch_size)


def _walk(jobs: Jobs, t: IntArray, *, only_onsets: bool = False) -> tuple[Measured, FloatArray]:
    table = _Table(jobs)
    return follow(table, _walks(table, jobs), t, only_onsets=only_onsets)


def _replay(jobs: Jobs, t: IntArray, *, only_onsets: bool = False) -> tuple[Measured, FloatArray]:
    table = _Table(jobs)
    return follow(table, _replays(table, jobs), t, only_onsets=only_onsets)


@final
class _Table:
    """Values (n_states, n_runs), that of the rewarded state first, and settings (n_runs,)."""

    def __init__(self, jobs: Jobs) -> None:
        cells: list[TDChainCell] = [cell for cell, _ in jobs]
        self.n_states = cells[0].n_states
        self.rate = np.array([cell.learning_rate for cell in cells])
        self.gamma = np.array([cell.gamma for cell in cells])
        self.reward_sd = np.array([cell.reward_sd for cell in cells])
        self.batch = np.array([float(cell.batch_size) for cell in cells])
        self.decay = np.array([cell.gamma * cell.gae_lambda for cell in cells])
        self.true: FloatArray = self.gamma ** np.arange(self.n_states)[:, None]
        self.values: FloatArray = np.zeros_like(self.true)
        self.watched = (np.array([cell.distance for cell in cells]), np.arange(len(cells)))

    def started(self) -> FloatArray:
        """Return the share of its true value that the state watched has, (n_runs,)."""
        return np.asarray(self.values[self.watched] / self.true[self.watched])

    def measure(self) -> Measured:
        """Return value, share and error, (n_runs,) each."""
        # A sum by cumsum adds in one order, however many runs there are.
        square = np.cumsum((self.values - self.true) ** 2, axis=0)[-1] / self.n_states
        return {
            "value": self.values[self.watched],
            "share": self.started(),
            "value_error": np.sqrt(square),
        }


def _walks(table: _Table, jobs: Jobs) -> Iterator[None]:
    """Walk the chain, a transition an update."""
    # The mean of a batch of normal rewards is normal.
    scatter = table.reward_sd / np.sqrt(table.batch)
    noise = draw_on([stream_of(*job) for job in jobs], (), normal=True)
    noisy, traced = np.any(scatter > 0), np.any(table.decay > 0)
    values, traces = table.values, np.zeros_like(table.values)
    while True:
        for d in reversed(range(table.n_states)):
            if d:
                target = table.gamma * values[d - 1]
            else:
                target = 1.0 + (scatter * next(noise) if noisy else 0.0)
            move = table.rate * (target - values[d])
            if traced:
                traces *= table.decay
                traces[d] = 1.0
                values += move * traces
            else:
                values[d] += move
            yield
        traces[:] = 0.0


def _replays(table: _Table, jobs: Jobs) -> Iterator[None]:
    """Learn from batches of transitions drawn one by one."""
    streams = [stream_of(*job).spawn(2) for job in jobs]
    batch, shape = int(table.batch[0]), table.values.shape
    noise = draw_on([other for _, other in streams], (), normal=True)
    noisy, columns = np.any(table.reward_sd > 0), np.arange(len(jobs))
    target = np.ones(shape)
    for u in draw_on([one for one, _ in streams], (batch,)):
        where = (u * table.n_states).astype(np.intp) * len(jobs) + columns
        visits = np.bincount(where.ravel(), minlength=table.values.size).reshape(shape)
        target[1:] = table.gamma * table.values[:-1]
        change = visits * (target - table.values)
        if noisy:
            change[0] += table.reward_sd * np.sqrt(visits[0]) * next(noise)
        table.values += table.rate / batch * change
        yield
