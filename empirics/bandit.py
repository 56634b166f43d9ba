"""A bandit with one rewarded arm, learned by softmax policy gradients: many seeds at once.

Each run draws from a stream of its own, so it does not depend on its company. Chances are read
off the policy, not sampled. Plain policy gradients on batches of at most 512 episodes go from one
rewarded batch to the next (`empirics.reward_events`), all others update by update
(`empirics.bandit_steps`); both are exact. Nothing here knows the theory of these agents.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from empirics.agent_run import AgentRun
from empirics.agent_training import Engine, Jobs, Measured, agent_onsets, train_agents
from empirics.bandit_cell import BanditCell, BanditRule, Critic, Optimizer
from empirics.bandit_steps import group_of, run_steps
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
    return train_agents(cells, seeds, _engine_of, updates=updates, checkpoints=checkpoints)


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
    return agent_onsets(cell, n_seeds, seed, updates, _engine_of)


def bandit_ladder(
    cells: Sequence[BanditCell], seeds: Sequence[int], updates: int
) -> tuple[Curve, ...]:
    """Return the curves of every cell and seed, in this order; see `train_bandits`."""
    return tuple(run.curve("p_correct") for run in train_bandits(cells, seeds, updates=updates))


def _engine_of(cell: BanditCell) -> tuple[Engine, Hashable]:
    if cell.waits and cell.batch_size <= LARGEST_BATCH:
        return _from_reward_to_reward, cell.batch_size
    return _update_by_update, group_of(cell)


def _update_by_update(
    jobs: Jobs, t: IntArray, *, only_onsets: bool = False
) -> tuple[Measured, FloatArray]:
    p, onsets = run_steps(jobs, t, only_onsets=only_onsets)
    return {"p_correct": p}, onsets


def _from_reward_to_reward(
    jobs: Jobs, t: IntArray, *, only_onsets: bool = False
) -> tuple[Measured, FloatArray]:
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
    p, onsets = run_events(skills, t, only_onsets=only_onsets)
    return {"p_correct": p}, onsets
