"""Several skills on shared parameters, learned by REINFORCE: many seeds at once.

Each run draws from a stream of its own, so it does not depend on its company. Chances are read
off the policy, not sampled; every update is made (`empirics.skill_steps`). Nothing here knows the
theory of these agents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from empirics.agent_run import AgentRun, record
from empirics.coerce import whole
from empirics.cue_competition import log_schedule
from empirics.skill_cell import OneSkill, SkillCell, SkillRule
from empirics.skill_steps import run_skill_steps
from theory.curve import FloatArray, IntArray

__all__ = ["OneSkill", "SkillCell", "SkillRule", "skill_onsets", "train_skills"]

Jobs = Sequence[tuple[SkillCell, int]]


def train_skills(
    cells: Sequence[SkillCell],
    seeds: Sequence[int],
    *,
    updates: int,
    checkpoints: int = 80,
    each: bool = False,
) -> tuple[AgentRun, ...]:
    """Train one agent a cell and seed, and record what it can do.

    Parameters
    ----------
    cells, seeds : sequences
        Every cell is run with every seed.
    updates : int
        Length of a run.
    checkpoints : int
        Number of log-spaced updates at which curves are recorded (fewer where they coincide).
    each : bool
        Whether each skill of an agent is a run of its own instead, with ``p_skill`` and its own
        frequency and start among the conditions: a ladder of skills.

    Returns
    -------
    tuple of AgentRun
        In the order of cells, then seeds, then skills. The curves of an agent are ``p_correct``,
        the mean reward over levels; ``p_composed``, the chance to do all skills right in a row,
        which is never trained; and ``p_skill_1``, … the chance to do each. Onsets are exact: that
        of an agent is its mean reward's.

    Raises
    ------
    ValueError
        If a number is not whole or too small.
    """
    t = log_schedule(updates, checkpoints)
    jobs = [(cell, whole("seed", seed, 0)) for cell in cells for seed in seeds]
    p, onsets = _train(jobs, t)
    recorded = _skills if each else _agent
    return tuple(
        run
        for job, chances, when in zip(jobs, p, onsets, strict=True)
        for run in recorded(*job, t, chances, when)
    )


def skill_onsets(cell: SkillCell, n_seeds: int, seed: int, updates: int) -> FloatArray:
    """Return the exact onsets of the skills of many runs, trained no further than needed.

    Parameters
    ----------
    cell : SkillCell
    n_seeds : int
        Number of runs.
    seed : int
        Seed of the first run; the others follow. The runs are those of `train_skills`.
    updates : int
        Updates after which a run is censored.

    Returns
    -------
    (n_seeds, n_skills) array
        First update after which the chance to do a skill is at least 1/2: 0 where it is so from
        the start, infinite where a run is censored.

    Raises
    ------
    ValueError
        If a number is not whole or too small.
    """
    first, number = whole("seed", seed, 0), whole("n_seeds", n_seeds, 1)
    t = np.array([0, whole("updates", updates, 1)])
    _, onsets = _train([(cell, first + k) for k in range(number)], t, only_onsets=True)
    return np.array([when[:-1] for when in onsets])


def _agent(
    cell: SkillCell, seed: int, t: IntArray, chances: FloatArray, onsets: FloatArray
) -> Iterator[AgentRun]:
    """Yield the run of an agent, from chances (n, n_skills + 1), the last of them the mean."""
    skills = chances[:, :-1]
    composed = np.asarray(np.cumprod(skills, axis=1)[:, -1], dtype=np.float64)
    measured = {"p_correct": chances[:, -1], "p_composed": composed}
    measured |= {f"p_skill_{k + 1}": skills[:, k] for k in range(cell.n_skills)}
    yield record(cell, seed, t, measured, float(onsets[-1]))


def _skills(
    cell: SkillCell, seed: int, t: IntArray, chances: FloatArray, onsets: FloatArray
) -> Iterator[AgentRun]:
    """Yield one run a skill."""
    for k in range(cell.n_skills):
        one = OneSkill(cell, k + 1)
        yield record(one, seed, t, {"p_skill": chances[:, k]}, float(onsets[k]))


def _train(
    jobs: Jobs, t: IntArray, only_onsets: bool = False
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Return chances (n, n_skills + 1) of each run at `t`, and onsets (n_skills + 1,)."""
    p: list[FloatArray] = [np.empty(0)] * len(jobs)
    onsets: list[FloatArray] = [np.empty(0)] * len(jobs)
    groups: dict[tuple[int, int, bool], list[int]] = {}
    for index, (cell, _) in enumerate(jobs):
        alike = (cell.n_skills, cell.batch_size, cell.exact_gradient)
        groups.setdefault(alike, []).append(index)
    for members in groups.values():
        found = run_skill_steps([jobs[i] for i in members], t, only_onsets=only_onsets)
        for index, chances, when in zip(members, *found, strict=True):
            p[index], onsets[index] = chances, when
    return p, onsets
