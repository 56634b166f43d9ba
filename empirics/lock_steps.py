"""A lock's updates one by one: episodes drawn action by action, or their expectation."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from empirics.lock_cell import LockCell
from empirics.lock_start import start_log_odds
from empirics.run_stream import draw_on, stream_of
from empirics.stepping import Draws, train_stepping
from theory.curve import FloatArray, IntArray

BoolArray = NDArray[np.bool_]
FROM_THE_BEGINNING: IntArray = np.zeros(1, dtype=np.int64)
"""The first step that is played, counted from 0, where there is no curriculum."""

SETTINGS = (
    "learning_rate",
    "reward",
    "process_fraction",
    "gamma",
    "potential_shaping",
    "curriculum_threshold",
)


def run_lock_steps(
    jobs: Sequence[tuple[LockCell, int]], t: IntArray, *, only_onsets: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Train runs that share horizon, number of actions, batch size, and whether they sample.

    Parameters
    ----------
    jobs : sequence of (LockCell, int)
        Settings and seed of each run.
    t : (n,) array
        Updates at which chances are recorded, the first of them 0.
    only_onsets : bool
        Whether training ends when every run had its onset.

    Returns
    -------
    p : (n_runs, n, horizon) array
        Chance of the right action at each step; zero where training ended before.
    onsets : (n_runs,) array
        First update after which the product of the chances is at least 1/2, or infinity.
    """
    locks = _Locks([cell for cell, _ in jobs])
    streams = [stream_of(*job) for job in jobs]
    p, onsets = train_stepping(locks, streams, t, only_onsets=only_onsets)
    return p[..., :-1], onsets[:, -1]


class _Locks:
    """The runs of a group: logits (horizon, n_arms, n_runs), settings and starts (n_runs,)."""

    def __init__(self, cells: Sequence[LockCell]) -> None:
        self.cell, self.settings, self.logits = cells[0], _settings(cells), _start(cells)
        self.first = np.full(len(cells), cells[0].horizon - 1)
        self._move_back()

    def chances(self) -> FloatArray:
        """Return the chance of the right action at each step, and last of all of them."""
        right = _policy(self.logits)[:, 0]
        return np.concatenate([right, np.cumprod(right, axis=0)[-1:]])

    def draws(self, streams: Sequence[np.random.Generator]) -> Draws:
        """Yield what updates draw, each (batch_size, horizon, n_runs) or nothing."""
        if self.cell.exact_gradient:
            return repeat(None)
        return draw_on(streams, (self.cell.batch_size, self.cell.horizon))

    def update(self, u: FloatArray | None) -> None:
        """Make one step, from uniform numbers or the expectation."""
        policy = _policy(self.logits)
        if u is None:
            step = _expected(policy, self.settings, self.first)
        else:
            step = _sampled(policy, u, self.settings, self.first)
        self.logits = self.logits + self.settings["learning_rate"] * step
        self._move_back()

    def _move_back(self) -> None:
        """Start episodes earlier where those from the present start succeed often enough."""
        if not self.first.any():
            return
        right = _policy(self.logits)[:, 0]
        succeeds = np.flip(np.cumprod(np.flip(right, 0), axis=0), 0)
        runs = np.arange(self.first.size)
        threshold = self.settings["curriculum_threshold"]
        while (ready := (self.first > 0) & (succeeds[self.first, runs] >= threshold)).any():
            self.first = self.first - ready


def _settings(cells: Sequence[LockCell]) -> dict[str, FloatArray]:
    """Return settings as (n_runs,) arrays."""
    return {name: np.array([getattr(cell, name) for cell in cells]) for name in SETTINGS}


def _start(cells: Sequence[LockCell]) -> FloatArray:
    """Return logits (horizon, n_arms, n_runs), the right action's first."""
    logits = np.zeros((cells[0].horizon, cells[0].n_arms, len(cells)))
    logits[:, 0] = start_log_odds(cells) + np.log(cells[0].n_arms - 1)
    return logits


def _policy(logits: FloatArray) -> FloatArray:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / np.cumsum(odds, axis=1)[:, -1:])


def _worth(settings: dict[str, FloatArray], horizon: int, first: IntArray) -> FloatArray:
    """Return the discount of each step, (horizon, n_runs), from the first that is played on."""
    played: IntArray = np.maximum(np.arange(horizon)[:, None] - first, 0)
    return np.asarray(settings["gamma"] ** played)


def _parts(
    settings: dict[str, FloatArray], horizon: int, first: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return what each right action is worth, (horizon, n_runs), and what all of them are."""
    reward, fraction = settings["reward"], settings["process_fraction"]
    worth = _worth(settings, horizon, first)
    each: FloatArray = fraction * reward / horizon * worth
    return each, np.asarray((1 - fraction) * reward * worth[-1])


def _shaping(
    right: BoolArray, settings: dict[str, FloatArray], first: IntArray = FROM_THE_BEGINNING
) -> FloatArray:
    """Return the discounted γ Φ(s') - Φ(s) of each action, like right (batch, horizon, n_runs)."""
    horizon, gamma = right.shape[1], settings["gamma"]
    done = np.arange(1, horizon)[:, None] / horizon
    potential = np.zeros((right.shape[0], horizon + 1, right.shape[2]))
    potential[:, 1:-1] = np.logical_and.accumulate(right, axis=1)[:, :-1] * done
    potential *= settings["potential_shaping"] * settings["reward"]
    worth = _worth(settings, horizon, first)
    return np.asarray(worth * (gamma * potential[:, 1:] - potential[:, :-1]))


def _expected(
    policy: FloatArray, settings: dict[str, FloatArray], first: IntArray = FROM_THE_BEGINNING
) -> FloatArray:
    """Return the gradient of the expected discounted reward, (horizon, n_arms, n_runs).

    Steps before the first that is played are right, and not learned.
    """
    done = np.arange(len(policy))[:, None] < first
    right = np.where(done, 1.0, policy[:, 0])
    each, end = _parts(settings, len(policy), first)
    pull = each * right + end * np.cumprod(right, axis=0)[-1]
    pull = np.where(done, 0.0, pull)
    gradient = -policy * pull[:, None]
    gradient[:, 0] += pull
    return np.asarray(gradient)


def _sampled(
    policy: FloatArray,
    u: FloatArray,
    settings: dict[str, FloatArray],
    first: IntArray = FROM_THE_BEGINNING,
) -> FloatArray:
    """Return its estimate from a batch: score times all reward that follows."""
    batch, horizon = u.shape[:2]
    n_arms = policy.shape[1]
    edges = np.cumsum(policy, axis=1)
    actions = np.zeros(u.shape, dtype=np.int64)
    for arm in range(n_arms - 1):
        actions += u >= edges[:, arm]
    done = np.arange(horizon)[:, None] < first
    right = (actions == 0) | done
    each, end = _parts(settings, horizon, first)
    rewards = each * right
    rewards[:, -1] += end * right.all(axis=1)
    if settings["potential_shaping"].any():
        rewards += _shaping(right, settings, first)
    follows = np.where(done, 0.0, np.flip(np.cumsum(np.flip(rewards, 1), axis=1), 1))
    # Sums by cumsum add in one order, however many runs there are.
    pulls = [np.cumsum(follows * (actions == arm), axis=0)[-1] for arm in range(n_arms)]
    pull = np.stack(pulls, axis=1)
    return np.asarray((pull - policy * np.cumsum(pull, axis=1)[:, -1:]) / batch)
