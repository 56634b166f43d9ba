"""A combination lock learned by REINFORCE: many seeds at once.

Each run draws from a stream of its own, so it does not depend on its company. Chances are read
off the policy, not sampled. Where only the open lock is rewarded and there is no curriculum, all
steps are learned alike and nothing moves between openings, so that runs go from one to the next
(`empirics.reward_events`, exact for batches of at most 512 episodes); otherwise update by update
(`empirics.lock_steps`).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from empirics.agent_run import AgentRun
from empirics.agent_training import Engine, Jobs, Measured, agent_onsets, train_agents
from empirics.lock_cell import LockCell
from empirics.lock_start import start_log_odds
from empirics.lock_steps import run_lock_steps
from empirics.reward_events import LARGEST_BATCH, Skills, run_events
from empirics.run_stream import stream_of
from theory.curve import Curve, FloatArray, IntArray

__all__ = ["LockCell", "lock_ladder", "lock_onsets", "train_locks"]


def train_locks(
    cells: Sequence[LockCell],
    seeds: Sequence[int],
    *,
    updates: int,
    checkpoints: int = 80,
    steps: bool = False,
) -> tuple[AgentRun, ...]:
    """Train one agent a cell and seed, and record ``p_correct``.

    Parameters
    ----------
    cells, seeds : sequences
        Every cell is run with every seed.
    updates : int
        Length of a run.
    checkpoints : int
        Number of log-spaced updates at which curves are recorded (fewer where they coincide).
    steps : bool
        Whether to record also ``p_step_1``, …, the chance of the right action at each step.

    Returns
    -------
    tuple of AgentRun
        In the order of cells, then seeds. ``p_correct`` is the chance that an episode from the
        first step on opens the lock, the product of all steps' chances, also while a curriculum
        starts its episodes later; the onset is exactly when it reaches 1/2.

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
        observables=None if steps else ("p_correct",),
    )


def lock_onsets(cell: LockCell, n_seeds: int, seed: int, updates: int) -> FloatArray:
    """Return the exact onsets of many runs, trained no further than needed.

    Parameters
    ----------
    cell : LockCell
    n_seeds : int
        Number of runs.
    seed : int
        Seed of the first run; the others follow. The runs are those of `train_locks`.
    updates : int
        Updates after which a run is censored.

    Returns
    -------
    (n_seeds,) array
        First update after which the lock opens with a chance of at least 1/2: 0 where it does
        from the start, infinite where a run is censored.

    Raises
    ------
    ValueError
        If a number is not whole or too small.
    """
    return agent_onsets(cell, n_seeds, seed, updates, _engine_of)


def lock_ladder(cells: Sequence[LockCell], seeds: Sequence[int], updates: int) -> tuple[Curve, ...]:
    """Return ``p_correct`` of every cell and seed, in this order; see `train_locks`."""
    return tuple(run.curve("p_correct") for run in train_locks(cells, seeds, updates=updates))


def _engine_of(cell: LockCell) -> tuple[Engine, Hashable]:
    quick = cell.waits and cell.batch_size <= LARGEST_BATCH
    alike = (cell.horizon, cell.n_arms, cell.batch_size, cell.exact_gradient)
    return (_from_opening_to_opening if quick else _update_by_update), alike


def _measure(p: FloatArray) -> Measured:
    """Return chances (n_runs, n) by observable, from those of the steps (n_runs, n, horizon)."""
    steps = {f"p_step_{h + 1}": p[..., h] for h in range(p.shape[-1])}
    opens = np.asarray(np.cumprod(p, axis=-1)[..., -1], dtype=np.float64)
    return {"p_correct": opens, **steps}


def _update_by_update(
    jobs: Jobs, t: IntArray, *, only_onsets: bool = False
) -> tuple[Measured, FloatArray]:
    p, onsets = run_lock_steps(jobs, t, only_onsets=only_onsets)
    return _measure(p), onsets


def _from_opening_to_opening(
    jobs: Jobs, t: IntArray, *, only_onsets: bool = False
) -> tuple[Measured, FloatArray]:
    cells = [cell for cell, _ in jobs]
    one = cells[0]
    gain = np.array(
        [c.learning_rate * c.reward * c.gamma ** (c.horizon - 1) / c.batch_size for c in cells]
    )
    skills = Skills(
        log_odds=start_log_odds(cells),
        jump=gain * one.n_arms / (one.n_arms - 1),
        steps=one.horizon,
        batch_size=one.batch_size,
        streams=[stream_of(*job) for job in jobs],
    )
    p, onsets = run_events(skills, t, only_onsets=only_onsets)
    return _measure(np.repeat(p[..., None], one.horizon, axis=2)), onsets
