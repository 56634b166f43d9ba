"""The updates of an agent with several skills: episodes drawn one by one, or their expectation."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

import numpy as np
from scipy.special import expit, logit

from empirics.run_stream import draw_on, stream_of
from empirics.skill_cell import SkillCell, SkillRule
from empirics.stepping import Draws, train_stepping
from theory.curve import FloatArray, IntArray


def run_skill_steps(
    jobs: Sequence[tuple[SkillCell, int]], t: IntArray, *, only_onsets: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Train runs that share number of skills, batch size, and whether they sample.

    Parameters
    ----------
    jobs : sequence of (SkillCell, int)
        Settings and seed of each run.
    t : (n,) array
        Updates at which chances are recorded, the first of them 0.
    only_onsets : bool
        Whether training ends when every skill of every run had its onset.

    Returns
    -------
    p : (n_runs, n, n_skills + 1) array
        Chance of the right action on each level, and last the mean reward; zero where training
        ended before.
    onsets : (n_runs, n_skills + 1) array
        First update after which each of these is at least 1/2, or infinity.
    """
    agents = _Agents([cell for cell, _ in jobs])
    streams = [stream_of(*job) for job in jobs]
    return train_stepping(agents, streams, t, only_onsets=only_onsets)


class _Agents:
    """The runs of a group: logits (n_skills, n_runs) and settings of the same shape."""

    def __init__(self, cells: Sequence[SkillCell]) -> None:
        self.batch = 0 if cells[0].exact_gradient else cells[0].batch_size
        self.z = logit(np.stack([cell.starts for cell in cells], axis=1))
        self.shares = np.stack([cell.frequencies for cell in cells], axis=1)
        self.low = np.cumsum(self.shares, axis=0) - self.shares
        self.rate, self.cosine, self.behavior = (
            np.array([getattr(cell, name) for cell in cells])
            for name in ("learning_rate", "gradient_cosine", "behavior_probability")
        )
        self.on_policy = np.array([cell.on_policy for cell in cells])
        self.natural = np.array(
            [cell.update_rule is SkillRule.NATURAL_POLICY_GRADIENT for cell in cells]
        )

    def chances(self) -> FloatArray:
        """Return the chance of the right action on each level, and last their mean."""
        p = expit(self.z)
        return np.concatenate([p, np.cumsum(self.shares * p, axis=0)[-1:]])

    def draws(self, streams: Sequence[np.random.Generator]) -> Draws:
        """Yield what updates draw, each (batch_size, n_runs) or nothing."""
        return draw_on(streams, (self.batch,)) if self.batch else repeat(None)

    def update(self, u: FloatArray | None) -> None:
        """Make one step, from uniform numbers in [0, 1), one an episode, or the expectation."""
        p = expit(self.z)
        right = self.shares * np.where(self.on_policy, p, self.behavior)
        rewarded = right if u is None else self._drawn(u, right)
        # The score of the right action, over the Fisher information where it is natural; a chance
        # of 0 in floating point is never rewarded.
        score = np.where(self.natural, 1.0 / np.maximum(p, np.finfo(float).tiny), expit(-self.z))
        pull = rewarded * score
        # Sums by cumsum add in one order, however many runs there are.
        shared = np.cumsum(pull, axis=0)[-1]
        self.z = self.z + self.rate * (pull + self.cosine * (shared - pull))

    def _drawn(self, u: FloatArray, right: FloatArray) -> FloatArray:
        """Return the share of episodes (n_skills, n_runs) that show a level and are rewarded.

        One number an episode decides both: those that show a level fill an interval of the
        length of its frequency, those that are rewarded the beginning of it.
        """
        counts = [
            np.count_nonzero((u >= low) & (u < low + width), axis=0)
            for low, width in zip(self.low, right, strict=True)
        ]
        return np.array(counts) / self.batch
