"""A combination lock learned by REINFORCE: many seeds at once.

Each run draws from a stream of its own, so it does not depend on its company. Chances are read
off the policy, not sampled. Where only the open lock is rewarded, all steps are learned alike and
nothing moves between openings, so that runs go from one to the next (`empirics.reward_events`,
exact for batches of at most 512 episodes); otherwise update by update (`empirics.lock_steps`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from empirics.agent_run import AgentRun, record
from empirics.coerce import whole
from empirics.cue_competition import log_schedule
from empirics.lock_cell import LockCell
from empirics.lock_start import start_log_odds
from empirics.lock_steps import run_lock_steps
from empirics.reward_events import LARGEST_BATCH, Skills, run_events
from empirics.run_stream import stream_of
from theory.curve import Curve, FloatArray, IntArray

__all__ = ["LockCell", "lock_ladder", "lock_onsets", "train_locks"]

Jobs = Sequence[tuple[LockCell, int]]
Engine = Callable[..., tuple[FloatArray, FloatArray]]


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
        In the order of cells, then seeds. ``p_correct`` is the chance that an episode opens the
        lock, the product of the steps' chances; the onset is exactly when it reaches 1/2.

    Raises
    ------
    ValueError
        If a number is not whole or too small.
    """
    t = log_schedule(updates, checkpoints)
    jobs = [(cell, whole("seed", seed, 0)) for cell in cells for seed in seeds]
    p, onsets = _train(jobs, t)
    return tuple(
        record(*job, t, _measure(chances, steps), float(onset))
        for job, chances, onset in zip(jobs, p, onsets, strict=True)
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
    first, number = whole("seed", seed, 0), whole("n_seeds", n_seeds, 1)
    t = np.array([0, whole("updates", updates, 1)])
    return _train([(cell, first + k) for k in range(number)], t, only_onsets=True)[1]


def lock_ladder(cells: Sequence[LockCell], seeds: Sequence[int], updates: int) -> tuple[Curve, ...]:
    """Return ``p_correct`` of every cell and seed, in this order; see `train_locks`."""
    return tuple(run.curve("p_correct") for run in train_locks(cells, seeds, updates=updates))


def _measure(p: FloatArray, steps: bool) -> dict[str, FloatArray]:
    """Return chances (n,) by observable, from those of the steps (n, horizon)."""
    measured = {"p_correct": np.asarray(np.cumprod(p, axis=1)[:, -1], dtype=np.float64)}
    if steps:
        measured |= {f"p_step_{h}": p[:, h - 1] for h in range(1, p.shape[1] + 1)}
    return measured


def _train(
    jobs: Jobs, t: IntArray, only_onsets: bool = False
) -> tuple[list[FloatArray], FloatArray]:
    """Return chances (n, horizon) of each run at `t`, and onsets (n_runs,)."""
    p: list[FloatArray] = [np.empty(0)] * len(jobs)
    onsets = np.empty(len(jobs))
    groups: dict[tuple[Engine, int, int, int, bool], list[int]] = {}
    for index, (cell, _) in enumerate(jobs):
        quick = cell.waits and cell.batch_size <= LARGEST_BATCH
        engine = _from_opening_to_opening if quick else run_lock_steps
        alike = (cell.horizon, cell.n_arms, cell.batch_size, cell.exact_gradient)
        groups.setdefault((engine, *alike), []).append(index)
    for (engine, *_), members in groups.items():
        chances, onsets[members] = engine([jobs[i] for i in members], t, only_onsets=only_onsets)
        for index, each in zip(members, chances, strict=True):
            p[index] = each
    return p, onsets


def _from_opening_to_opening(
    jobs: Jobs, t: IntArray, *, only_onsets: bool
) -> tuple[FloatArray, FloatArray]:
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
    return np.repeat(p[..., None], one.horizon, axis=2), onsets
