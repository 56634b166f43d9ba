"""A bandit with one rewarded arm, learned by softmax policy gradients: many seeds at once.

Each run draws from a stream of its own, so it does not depend on its company. Chances are read
off the policy, not sampled. Plain policy gradients on batches of at most 512 episodes go from one
rewarded batch to the next (`empirics.reward_events`), all others update by update
(`empirics.bandit_steps`); both are exact. Nothing here knows the theory of these agents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from empirics.agent_run import AgentRun, record
from empirics.bandit_cell import BanditCell, BanditRule, Critic, Optimizer
from empirics.bandit_steps import group_of, run_steps
from empirics.coerce import whole
from empirics.cue_competition import log_schedule
from empirics.reward_events import LARGEST_BATCH, Skills, run_events
from empirics.run_stream import stream_of
from theory.curve import Curve, FloatArray, IntArray

__all__ = [
    "BanditCell",
    "BanditRule",
    "Critic",
    "Optimizer",
    "bandit_ladder",
    "bandit_onsets",
    "train_bandits",
]

Jobs = Sequence[tuple[BanditCell, int]]
Engine = Callable[..., tuple[FloatArray, FloatArray]]


def train_bandits(
    cells: Sequence[BanditCell], seeds: Sequence[int], *, updates: int, checkpoints: int = 80
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

    Returns
    -------
    tuple of AgentRun
        In the order of cells, then seeds. The curve is the chance of the rewarded arm; the onset
        is exact, not only known up to checkpoints.

    Raises
    ------
    ValueError
        If a number is not whole or too small.
    """
    t = log_schedule(updates, checkpoints)
    jobs = [(cell, whole("seed", seed, 0)) for cell in cells for seed in seeds]
    p, onsets = _train(jobs, t)
    return tuple(
        record(*job, t, {"p_correct": y}, float(onset))
        for job, y, onset in zip(jobs, p, onsets, strict=True)
    )


def bandit_onsets(cell: BanditCell, n_seeds: int, seed: int, updates: int) -> FloatArray:
    """Return the exact onsets of many runs, each ended by its onset.

    Parameters
    ----------
    cell : BanditCell
    n_seeds : int
        Number of runs.
    seed : int
        Seed of the first run; the others follow. The runs are those of `train_bandits`.
    updates : int
        Updates after which a run is censored.

    Returns
    -------
    (n_seeds,) array
        First update after which the chance of the rewarded arm is at least 1/2: 0 where it is
        so from the start, infinite where a run is censored.

    Raises
    ------
    ValueError
        If a number is not whole or too small.
    """
    first, number = whole("seed", seed, 0), whole("n_seeds", n_seeds, 1)
    t = np.array([0, whole("updates", updates, 1)])
    return _train([(cell, first + k) for k in range(number)], t, only_onsets=True)[1]


def bandit_ladder(
    cells: Sequence[BanditCell], seeds: Sequence[int], updates: int
) -> tuple[Curve, ...]:
    """Return the curves of every cell and seed, in this order; see `train_bandits`."""
    return tuple(run.curve("p_correct") for run in train_bandits(cells, seeds, updates=updates))


def _train(jobs: Jobs, t: IntArray, only_onsets: bool = False) -> tuple[FloatArray, FloatArray]:
    """Return chances (n_runs, n) at `t`, and onsets (n_runs,)."""
    p, onsets = np.empty((len(jobs), t.size)), np.empty(len(jobs))
    groups: dict[tuple[Engine, object], list[int]] = {}
    for index, (cell, _) in enumerate(jobs):
        quick = cell.waits and cell.batch_size <= LARGEST_BATCH
        key = (_from_reward_to_reward, cell.batch_size) if quick else (run_steps, group_of(cell))
        groups.setdefault(key, []).append(index)
    for (engine, _), members in groups.items():
        p[members], onsets[members] = engine(
            [jobs[index] for index in members], t, only_onsets=only_onsets
        )
    return p, onsets


def _from_reward_to_reward(
    jobs: Jobs, t: IntArray, *, only_onsets: bool
) -> tuple[FloatArray, FloatArray]:
    cells = [cell for cell, _ in jobs]
    p0, gain, arms = (
        np.array(values)
        for values in zip(
            *((c.initial_probability, c.learning_rate * c.reward, c.n_arms) for c in cells),
            strict=True,
        )
    )
    batch = cells[0].batch_size
    skills = Skills(
        log_odds=np.log(p0) - np.log1p(-p0),
        # The good arm's logit rises by gain (1 - p)/batch, those of the others fall together by
        # as much: their difference moves by K/(K - 1) times that.
        jump=gain * arms / (arms - 1) / batch,
        steps=1,
        batch_size=batch,
        streams=[stream_of(*job) for job in jobs],
    )
    return run_events(skills, t, only_onsets=only_onsets)
