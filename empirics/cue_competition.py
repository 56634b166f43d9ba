"""Agents whose goal and proxy compete as cues: vectorized over runs, one arm an update rule.

A level shows two cues that point to the rewarded one of two actions, the goal with salience 1
and the proxy with salience r; on a conflict level (probability alpha) the proxy points to the
other action. Agents may be pretrained without conflict levels. Levels are drawn fresh for every
update, and so are the actions. All levels of a kind look alike, so what is drawn are counts:
conflict levels, then rewarded actions of each kind.
Nothing here knows the mean-field theory of these agents.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from empirics.binomial import LARGEST, binomial, binomial_of
from empirics.coerce import whole
from empirics.cue_cell import CueCell, UpdateRule
from empirics.run_stream import settings_of
from theory.curve import Curve, FloatArray, IntArray, Origin, Progress
from theory.onset import Onset, lasting_onset

__all__ = [
    "CueCell",
    "CueRun",
    "UpdateRule",
    "cue_run_id",
    "log_schedule",
    "run_stream",
    "train_cue_agents",
]

DRAWS_AT_ONCE = 1_000_000
OBSERVABLES = ("p_goal", "p_proxy", "p_correct", "w_goal", "w_proxy")
"""Chance of the goal's and the proxy's action on conflict levels, of the rewarded action on
training levels (the mean reward where rewards are 0 and 1), and the two weights."""


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
    last, points = whole("updates", updates, 1), whole("checkpoints", n, 2)
    return np.unique(np.r_[0, np.round(np.geomspace(1, last, points))]).astype(np.int64)


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

    Raises
    ------
    ValueError
        If a number is not whole or too small, or there is no such observable.
    """
    unknown = sorted(set(observables) - set(OBSERVABLES))
    if unknown:
        choices = ", ".join(sorted(OBSERVABLES))
        raise ValueError(f"no observable {unknown[0]!r}; choose from {choices}.")
    t = log_schedule(updates, checkpoints)
    jobs = [(cell, whole("seed", seed, 0)) for cell in cells for seed in seeds]
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


def cue_run_id(cell: CueCell, seed: int, t: IntArray) -> str:
    """Return the hash (16 hexadecimal digits) of everything that decides a run's curves."""
    return hashlib.sha256(f"{_key(cell)} {seed} ".encode() + t.tobytes()).hexdigest()[:16]


@lru_cache(maxsize=1024)
def _key(cell: CueCell) -> str:
    return json.dumps(settings_of(cell), sort_keys=True)


def _train_alike(jobs: Sequence[tuple[CueCell, int]], t: IntArray) -> FloatArray:
    """Train runs that share rule and batch size; return weights (n_runs, n, 2) at `t`."""
    rule, batch = jobs[0][0].update_rule, jobs[0][0].batch_size
    streams = [run_stream(*job) for job in jobs]
    weights = np.array(
        [rng.normal(0.0, job[0].initial_sd, 2) for rng, job in zip(streams, jobs, strict=True)]
    ).T
    ratio, rate = (
        np.array([getattr(cell, name) for cell, _ in jobs])
        for name in ("salience_ratio", "learning_rate")
    )
    cues = np.stack([np.ones_like(ratio), ratio])
    pretrained = np.array([cell.pretrained_updates for cell, _ in jobs])
    kept = np.empty((t.size, 2, len(jobs)))
    kept[0] = weights
    done, slot = 0, 1
    while done < t[-1]:
        for drawn, u in _draws(jobs, streams, int(t[-1]) - done):
            conflicts = drawn * (done >= pretrained)
            weights = weights + rate * _update(rule, weights, batch, conflicts, u, cues)
            done += 1
            if done == t[slot]:
                kept[slot] = weights
                slot += 1
    return kept.transpose(2, 0, 1)


def _draws(
    jobs: Sequence[tuple[CueCell, int]], streams: Sequence[np.random.Generator], updates: int
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield, for some of the next updates, what each run draws from its own stream.

    First the conflict levels (blocks, n_runs) among those of each block of the batch, then
    uniform numbers (2, blocks, n_runs) for the actions on aligned and on conflict levels. How
    many updates are drawn at once decides nothing.
    """
    sizes = _blocks(jobs[0][0].batch_size)
    each = (3, sizes.size, len(jobs))
    chunk = min(updates, max(1, DRAWS_AT_ONCE // math.prod(each)))
    own = np.empty((len(jobs), chunk, 3, sizes.size))
    for run, rng in enumerate(streams):
        rng.random(out=own[run])
    u = np.ascontiguousarray(own.transpose(1, 2, 3, 0))
    alphas = np.array([cell.alpha for cell, _ in jobs])
    conflicts = np.empty((chunk, sizes.size, len(jobs)))
    for alpha in np.unique(alphas):
        runs = alphas == alpha
        for block, size in enumerate(sizes):
            conflicts[:, block, runs] = binomial_of(u[:, 0, block, runs], int(size), float(alpha))
    return zip(conflicts, u[:, 1:], strict=True)


def _blocks(batch: int) -> IntArray:
    """Return a batch cut into the fewest blocks, about equal, whose counts can be inverted."""
    blocks = -(-batch // LARGEST)
    return (batch + np.arange(blocks)) // blocks


def _update(
    rule: UpdateRule,
    weights: FloatArray,
    batch: int,
    conflicts: FloatArray,
    u: FloatArray,
    cues: FloatArray,
) -> FloatArray:
    """Return the mean (2, n_runs) of one batch's per-level updates, before the step size."""
    goal, proxy = weights * cues
    margin = np.stack([goal + proxy, goal - proxy])
    levels = np.stack([_blocks(batch)[:, None] - conflicts, conflicts])
    drawn = levels.sum(axis=1)
    if rule is UpdateRule.DELTA_RULE:  # whatever the actions were
        along_cues = drawn * (1.0 - margin)
    else:
        p = expit(margin)
        chances = np.broadcast_to(p[:, None], levels.shape)
        rewarded = binomial(u.ravel(), levels.ravel(), chances.ravel())
        solved = rewarded.reshape(levels.shape).sum(axis=1)
        along_cues = _policy_gradient(rule, p, solved, drawn - solved)
    aligned, conflict = along_cues / batch
    return np.stack([aligned + conflict, aligned - conflict]) * cues


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


def _record(
    cell: CueCell, seed: int, t: IntArray, weights: FloatArray, names: Sequence[str]
) -> CueRun:
    conditions = cell.conditions(seed)
    run_id = cue_run_id(cell, seed, t)
    run = f"{cell.label} seed={seed}"
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
        for name, y in _measure(cell, t, weights).items()
        if name in names
    )
    return CueRun(run, run_id, cell, seed, curves, lasting_onset(curves[0]))


def _measure(cell: CueCell, t: IntArray, weights: FloatArray) -> dict[str, FloatArray]:
    """Read the agent exactly: its choice probabilities, not samples of its choices."""
    goal, proxy = weights[:, 0], cell.salience_ratio * weights[:, 1]
    heat = cell.inverse_temperature if cell.update_rule is UpdateRule.DELTA_RULE else 1.0
    p_goal, p_aligned = expit(heat * (goal - proxy)), expit(heat * (goal + proxy))
    alphas = cell.alphas(t)
    return {
        "p_goal": p_goal,
        "p_proxy": 1.0 - p_goal,
        "p_correct": (1 - alphas) * p_aligned + alphas * p_goal,
        "w_goal": weights[:, 0],
        "w_proxy": weights[:, 1],
    }
