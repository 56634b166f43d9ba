"""Agents whose goal and proxy compete as cues: vectorized over runs, one arm an update rule.

A level shows two cues that point to the rewarded one of two actions, the goal with salience 1
and the proxy with salience r; on a conflict level (probability alpha) the proxy points to the
other action. Levels are drawn fresh for every update, and so are the actions. Nothing here
knows the mean-field theory of these agents.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from theory.curve import Condition, Curve, FloatArray, IntArray, Origin, Progress
from theory.onset import Onset, lasting_onset

DRAWS_AT_ONCE = 4_000_000
OBSERVABLES = ("p_goal", "p_proxy", "episodic_return", "w_goal", "w_proxy")


class UpdateRule(StrEnum):
    """How an agent learns."""

    DELTA_RULE = "delta_rule"
    POLICY_GRADIENT = "policy_gradient"
    NORMALIZED_CRITIC = "normalized_critic"


@final
@dataclass(frozen=True)
class CueCell:
    """One cell of the experiment: a task and a learner.

    Attributes
    ----------
    alpha : float
        Probability of a conflict level, in (0, 1).
    salience_ratio : float
        Salience of the proxy over that of the goal, positive.
    update_rule : UpdateRule
        Delta rule on action values (rewards ±1), or a softmax policy gradient (rewards 0, 1)
        without baseline, or with the exact critic and advantages over their batch rms.
    learning_rate : float
        Step size, 1/update.
    batch_size : int
        Levels in an update.
    initial_sd : float
        Standard deviation of the two initial weights.
    inverse_temperature : float
        Softmax of the delta rule's action values into choices.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    alpha: float
    salience_ratio: float
    update_rule: UpdateRule
    learning_rate: float
    batch_size: int = 64
    initial_sd: float = 0.01
    inverse_temperature: float = 5.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "update_rule", UpdateRule(self.update_rule))
        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha must lie between 0 and 1; it is {self.alpha}.")
        if self.batch_size < 1 or self.batch_size % 1:
            raise ValueError(f"batch_size must be a whole number; it is {self.batch_size}.")
        for name in ("salience_ratio", "learning_rate", "inverse_temperature"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive; it is {getattr(self, name)}.")
        if self.initial_sd < 0:
            raise ValueError(f"initial_sd must not be negative; it is {self.initial_sd}.")

    def conditions(self, seed: int) -> dict[str, Condition]:
        """Return the ledger of everything that shapes a run of this cell."""
        critic = self.update_rule is UpdateRule.NORMALIZED_CRITIC
        return {
            **asdict(self),
            "update_rule": str(self.update_rule),
            "critic": "exact" if critic else "none",
            "normalized_advantages": critic,
            "seed": seed,
        }


@final
@dataclass(frozen=True)
class CueRun:
    """What one agent left behind.

    Attributes
    ----------
    run, run_id : str
        Label, and hash of the conditions.
    cell : CueCell
    seed : int
    curves : tuple of Curve
        One an observable.
    onset : Onset
        Interval of updates in which behavior on conflict levels turned to the goal for good.
    """

    run: str
    run_id: str
    cell: CueCell
    seed: int
    curves: tuple[Curve, ...]
    onset: Onset

    def curve(self, observable: str) -> Curve:
        """Return the curve of one observable."""
        return next(curve for curve in self.curves if curve.observable == observable)


def log_schedule(updates: int, n: int = 80) -> IntArray:
    """Return 0 and about `n` log-spaced numbers of updates, the last of them `updates`."""
    if updates < 1:
        raise ValueError(f"updates must be at least 1; it is {updates}.")
    return np.unique(np.r_[0, np.round(np.geomspace(1, updates, n))]).astype(np.int64)


def train_cue_agents(
    cells: Sequence[CueCell],
    seeds: Sequence[int],
    *,
    updates: int,
    checkpoints: int = 80,
    observables: Sequence[str] = OBSERVABLES,
) -> tuple[CueRun, ...]:
    """Train one agent a cell and seed and record its curves.

    Each run draws from its own random stream, so it does not depend on its company.

    Parameters
    ----------
    cells, seeds : sequences
        Every cell is run with every seed.
    updates : int
        Length of a run.
    checkpoints : int
        Number of log-spaced updates at which curves are recorded (fewer where they coincide).
    observables : sequence of str
        Which of `OBSERVABLES` become curves; ``"p_goal"`` always does.

    Returns
    -------
    tuple of CueRun
        In the order of cells, then seeds.
    """
    unknown = sorted(set(observables) - set(OBSERVABLES))
    if unknown:
        choices = ", ".join(sorted(OBSERVABLES))
        raise ValueError(f"no observable {unknown[0]!r}; choose from {choices}.")
    t = log_schedule(updates, checkpoints)
    jobs = [(cell, int(seed)) for cell in cells for seed in seeds]
    weights = np.empty((len(jobs), t.size, 2))
    groups: dict[tuple[UpdateRule, int], list[int]] = {}
    for index, (cell, _) in enumerate(jobs):
        groups.setdefault((cell.update_rule, cell.batch_size), []).append(index)
    for members in groups.values():
        weights[members] = _train_alike([jobs[index] for index in members], t)
    names = [name for name in OBSERVABLES if name in observables or name == "p_goal"]
    return tuple(_record(*job, t, w, names) for job, w in zip(jobs, weights, strict=True))


def run_stream(cell: CueCell, seed: int) -> np.random.Generator:
    """Return the random stream of a run, fixed by its cell and seed alone."""
    words = np.frombuffer(hashlib.sha256(_key(cell).encode()).digest()[:16], dtype=np.uint32)
    return np.random.default_rng([seed, *words.tolist()])


def _key(cell: CueCell) -> str:
    return json.dumps(asdict(cell), sort_keys=True)


def _train_alike(jobs: Sequence[tuple[CueCell, int]], t: IntArray) -> FloatArray:
    """Train runs that share rule and batch size; return weights (n_runs, n, 2) at `t`."""
    rule, batch = jobs[0][0].update_rule, jobs[0][0].batch_size
    streams = [run_stream(*job) for job in jobs]
    weights = np.array(
        [rng.normal(0.0, job[0].initial_sd, 2) for rng, job in zip(streams, jobs, strict=True)]
    )
    alpha, ratio, rate = (
        np.array([getattr(cell, name) for cell, _ in jobs])
        for name in ("alpha", "salience_ratio", "learning_rate")
    )
    cues = np.stack([np.ones_like(ratio), ratio], axis=1)
    kept = np.empty((len(jobs), t.size, 2))
    kept[:, t == 0] = weights[:, None]
    chunk = max(1, DRAWS_AT_ONCE // (len(jobs) * batch))
    draws = np.empty((chunk, len(jobs), batch))
    done, slot = 0, 1
    while done < t[-1]:
        for index, rng in enumerate(streams):
            draws[:, index] = rng.random((chunk, batch))
        for levels in draws[: int(t[-1]) - done]:
            weights = weights + rate[:, None] * _update(rule, weights, levels, alpha, cues)
            done += 1
            if done == t[slot]:
                kept[:, slot] = weights
                slot += 1
    return kept


def _update(
    rule: UpdateRule, weights: FloatArray, levels: FloatArray, alpha: FloatArray, cues: FloatArray
) -> FloatArray:
    """Return the mean of one batch's per-level updates, before the step size.

    `levels` (n_runs, batch) are uniform draws. A draw below alpha is a conflict level, and
    its place within its kind's range is a uniform draw for the action: it is the rewarded
    one with probability p. Levels of one kind look alike, so they are counted.
    """
    batch = levels.shape[1]
    goal, proxy = (weights * cues).T
    margin = np.stack([goal + proxy, goal - proxy])
    conflicts = _count(levels < alpha[:, None])
    drawn = np.stack([batch - conflicts, conflicts])
    if rule is UpdateRule.DELTA_RULE:
        along_cues = drawn * (1.0 - margin)
    else:
        p = 1.0 / (1.0 + np.exp(-margin))
        rewarded = _count(levels < (alpha + (1 - alpha) * p[0])[:, None]) - conflicts
        solved = np.stack([rewarded, _count(levels < (alpha * p[1])[:, None])])
        along_cues = _policy_gradient(rule, p, solved, drawn - solved)
    aligned, conflict = along_cues / batch
    return np.stack([aligned + conflict, aligned - conflict], axis=1) * cues


def _policy_gradient(
    rule: UpdateRule, p: FloatArray, solved: NDArray[Any], failed: NDArray[Any]
) -> FloatArray:
    """Return the sum over levels of advantage times score, along the cues of each kind.

    The score of the rewarded action is (1 - p) along the cues, of the other action -p.
    """
    if rule is UpdateRule.POLICY_GRADIENT:
        return np.asarray(solved * (1.0 - p))
    advantage_solved, advantage_failed = 1.0 - p, -p
    squares = solved * advantage_solved**2 + failed * advantage_failed**2
    rms = np.sqrt(squares.sum(axis=0) / (solved + failed).sum(axis=0))
    gradient = solved * advantage_solved * (1.0 - p) + failed * advantage_failed * -p
    return np.asarray(gradient / np.maximum(rms, 1e-12))


def _count(flags: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.asarray(flags.sum(axis=1, dtype=np.float64))


def _record(
    cell: CueCell, seed: int, t: IntArray, weights: FloatArray, names: Sequence[str]
) -> CueRun:
    conditions = cell.conditions(seed)
    run_id = hashlib.sha256(f"{_key(cell)} {seed} {t[-1]}".encode()).hexdigest()[:16]
    run = f"{cell.update_rule} alpha={cell.alpha} ratio={cell.salience_ratio} seed={seed}"
    curves = tuple(
        Curve(
            name,
            t.astype(np.float64),
            y,
            progress=Progress.UPDATES,
            run=run,
            run_id=run_id,
            conditions=conditions,
            origin=Origin.MEASURED,
            support=None if name.startswith("w_") else (0.0, 1.0),
        )
        for name, y in _measure(cell, weights).items()
        if name in names
    )
    return CueRun(run, run_id, cell, seed, curves, lasting_onset(curves[0]))


def _measure(cell: CueCell, weights: FloatArray) -> dict[str, FloatArray]:
    """Read the agent exactly: its choice probabilities, not samples of its choices."""
    goal, proxy = weights[:, 0], cell.salience_ratio * weights[:, 1]
    heat = cell.inverse_temperature if cell.update_rule is UpdateRule.DELTA_RULE else 1.0
    p_goal = 1.0 / (1.0 + np.exp(-heat * (goal - proxy)))
    p_aligned = 1.0 / (1.0 + np.exp(-heat * (goal + proxy)))
    return {
        "p_goal": p_goal,
        "p_proxy": 1.0 - p_goal,
        "episodic_return": (1 - cell.alpha) * p_aligned + cell.alpha * p_goal,
        "w_goal": weights[:, 0],
        "w_proxy": weights[:, 1],
    }
