"""A bandit's updates one by one, for every rule: sampled, or following the expectation.

Arms that stay alike are one row: a state holds the good arm, then either every bad arm or one
that stands for all of them (`BanditCell.alike`), with the number of arms that each row is for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from empirics.bandit_cell import NORMALIZED, BanditCell, BanditRule, Critic, Optimizer
from empirics.binomial import LARGEST, binomial
from empirics.run_stream import draw, stream_of
from theory.curve import FloatArray, IntArray

DRAWS_AT_ONCE = 1_000_000
SETTINGS = (
    "learning_rate",
    "reward",
    "entropy_bonus",
    "critic_rate",
    "clip_range",
    "beta_1",
    "beta_2",
    "epsilon",
)


def group_of(cell: BanditCell) -> tuple[object, ...]:
    """Return what runs must share to be trained together."""
    size = 1 if cell.alike else cell.n_arms
    batch = 0 if cell.exact_gradient else cell.batch_size
    return cell.update_rule, cell.optimizer, cell.critic, cell.epochs, size, batch


def run_steps(
    jobs: Sequence[tuple[BanditCell, int]], t: IntArray, *, only_onsets: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Train runs that share their `group_of`.

    Parameters
    ----------
    jobs : sequence of (BanditCell, int)
        Settings and seed of each run.
    t : (n,) array
        Updates at which chances are recorded, the first of them 0.
    only_onsets : bool
        Whether runs end with their onset.

    Returns
    -------
    p_correct : (n_runs, n) array
        Zero where a run ended before.
    onsets : (n_runs,) array
        First update after which the chance is at least 1/2, infinite where it never is.
    """
    kept = np.zeros((len(jobs), t.size))
    onsets = np.full(len(jobs), np.inf)
    who = np.arange(len(jobs))
    agents = Agents([cell for cell, _ in jobs])
    streams = [stream_of(*job) for job in jobs]
    kept[:, 0] = agents.probabilities()[0]
    onsets[kept[:, 0] >= 0.5] = 0.0
    done, slot = 0, 1
    while done < t[-1] and who.size:
        if only_onsets and np.isfinite(onsets[who]).any():
            going = np.isinf(onsets[who])
            agents.keep(going)
            who = who[going]
            continue
        for u in agents.draws([streams[run] for run in who], int(t[-1]) - done):
            agents.update(u)
            done += 1
            p = agents.probabilities()[0]
            onsets[who[(p >= 0.5) & np.isinf(onsets[who])]] = done
            if done == t[slot]:
                kept[who, slot] = p
                slot += 1
    return kept, onsets


class Agents:
    """The runs of a group: logits (rows, n_runs), and what their critics and optimizers hold."""

    def __init__(self, cells: Sequence[BanditCell]) -> None:
        self.cell = cells[0]
        rows = 2 if self.cell.alike else self.cell.n_arms
        n_arms = np.array([float(cell.n_arms) for cell in cells])
        self.number = np.ones((rows, len(cells)))
        if self.cell.alike:
            self.number[1] = n_arms - 1
        self.settings = {
            name: np.array([getattr(cell, name) for cell in cells]) for name in SETTINGS
        }
        p = np.array([cell.initial_probability for cell in cells])
        self.logits = np.zeros((rows, len(cells)))
        self.logits[0] = np.log(p) - np.log1p(-p) + np.log(n_arms - 1)
        self.value = np.zeros(len(cells))
        self.moments = np.zeros((2, rows, len(cells)))
        self.steps = 0

    def keep(self, going: NDArray[np.bool_]) -> None:
        """Keep the runs that still go on."""
        self.settings = {name: values[going] for name, values in self.settings.items()}
        self.number, self.logits = self.number[:, going], self.logits[:, going]
        self.value, self.moments = self.value[going], self.moments[:, :, going]

    def probabilities(self) -> FloatArray:
        """Return the chance of one arm of each row, (rows, n_runs)."""
        odds = np.exp(self.logits - self.logits.max(axis=0))
        return np.asarray(odds / over_arms(self.number * odds))

    def draws(
        self, streams: Sequence[np.random.Generator], updates: int
    ) -> Iterator[FloatArray | None]:
        """Yield what the runs draw for each of the next updates; nothing for an expectation."""
        if self.cell.exact_gradient:
            yield from [None] * min(updates, 100)
            return
        each = (_blocks(self.cell.batch_size).size, len(self.logits) - 1)
        at_once = DRAWS_AT_ONCE // (each[0] * each[1] * len(streams))
        yield from draw(streams, (max(1, min(updates, 100, at_once)), *each))

    def update(self, u: FloatArray | None) -> None:
        """Make one update, from uniform numbers (blocks, rows - 1, n_runs)."""
        before = self.probabilities()
        shares = before if u is None else self._shares(u, before)
        advantages = self._advantages(shares, before[0])
        for _ in range(self.cell.epochs):
            now = self.probabilities()
            weights = shares * advantages
            if self.cell.update_rule is BanditRule.CLIPPED_POLICY_GRADIENT:
                weights = weights * self._cut(now, before, advantages)
            self._step(self._direction(weights, now))

    def _shares(self, u: FloatArray, p: FloatArray) -> FloatArray:
        """Return how often one arm of each row was drawn, over the batch size."""
        batch = self.cell.batch_size
        chances = self.number * p
        left = np.flip(np.cumsum(np.flip(chances, 0), axis=0), 0)
        counts = np.empty_like(p)
        untried = np.repeat(_blocks(batch)[:, None].astype(float), p.shape[1], axis=1)
        for row in range(len(p) - 1):
            # Where nothing is left by rounding, nothing is untried either.
            chance = np.minimum(chances[row] / np.maximum(left[row], 1e-300), 1.0)
            each = np.broadcast_to(chance, untried.shape)
            drawn = binomial(u[:, row].ravel(), untried.ravel(), each.ravel())
            drawn = drawn.reshape(untried.shape)
            counts[row], untried = np.cumsum(drawn, axis=0)[-1], untried - drawn
        counts[-1] = np.cumsum(untried, axis=0)[-1]
        return np.asarray(counts / self.number / batch)

    def _advantages(self, shares: FloatArray, p: FloatArray) -> FloatArray:
        """Return the advantage of an arm of each row, (rows, n_runs)."""
        reward = self.settings["reward"]
        rewards = np.zeros_like(shares)
        rewards[0] = reward
        if self.cell.update_rule in NORMALIZED:
            spread = np.sqrt(shares[0] * (1 - shares[0]))
            fair = np.where(spread > 0, spread, 1.0)
            return np.where(spread > 0, (rewards / reward - shares[0]) / fair, 0.0)
        if self.cell.critic is Critic.EXACT:
            return np.asarray(rewards - reward * p)
        if self.cell.critic is Critic.LEARNED:
            value = self.value
            self.value = value + self.settings["critic_rate"] * (reward * shares[0] - value)
            return np.asarray(rewards - value)
        return rewards

    def _cut(self, now: FloatArray, before: FloatArray, advantages: FloatArray) -> FloatArray:
        """Return the ratio of probabilities, 0 where the clipped surrogate is flat."""
        ratio, clip = now / np.maximum(before, 1e-300), self.settings["clip_range"]
        flat = np.where(advantages > 0, ratio > 1 + clip, ratio < 1 - clip)
        return np.where(flat, 0.0, ratio)

    def _direction(self, weights: FloatArray, p: FloatArray) -> FloatArray:
        """Return what the logits of a row follow, up to a constant shared by all arms."""
        bonus = self.settings["entropy_bonus"]
        log_p = np.log(np.maximum(p, 1e-300))
        surprise = log_p - over_arms(self.number * p * log_p)
        if self.cell.update_rule is BanditRule.NATURAL_POLICY_GRADIENT:
            # The inverse Fisher matrix divides a gradient that sums to 0 by the probabilities.
            return np.asarray(weights / np.maximum(p, 1e-300) - bonus * surprise)
        return np.asarray(weights - p * over_arms(self.number * weights) - bonus * p * surprise)

    def _step(self, direction: FloatArray) -> None:
        rate = self.settings["learning_rate"]
        if self.cell.optimizer is Optimizer.ADAM:
            self.steps += 1
            beta_1, beta_2 = self.settings["beta_1"], self.settings["beta_2"]
            mean, square = self.moments
            mean += (1 - beta_1) * (direction - mean)
            square += (1 - beta_2) * (direction**2 - square)
            root = np.sqrt(square / (1 - beta_2**self.steps)) + self.settings["epsilon"]
            direction = mean / (1 - beta_1**self.steps) / root
        self.logits = self.logits + rate * direction


def over_arms(values: FloatArray) -> FloatArray:
    """Return the sum over rows, added in one order however many runs there are."""
    return np.asarray(np.cumsum(values, axis=0)[-1])


def _blocks(batch: int) -> IntArray:
    """Return a batch cut into the fewest blocks, about equal, whose counts can be inverted."""
    blocks = -(-batch // LARGEST)
    return (batch + np.arange(blocks)) // blocks
