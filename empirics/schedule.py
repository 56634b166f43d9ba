"""When checkpoints are taken: log-spaced, and every so often."""

from __future__ import annotations

import numpy as np

from empirics.algorithm import AbstractAlgorithm
from empirics.coerce import whole


def log_schedule(
    algorithm: AbstractAlgorithm, num_checkpoints: int, *, every: int | None = None
) -> tuple[int, ...]:
    """Return 0 and log-spaced environment steps, each the end of another update.

    Early on updates are coarser than log spacing; there every update is taken, and the
    spacing of the rest is what makes the number come out.

    Parameters
    ----------
    algorithm : AbstractAlgorithm
    num_checkpoints : int
        How many are log-spaced, 0 and the end of training included.
    every : int or None
        Additional checkpoints every so many environment steps, each at the end of the update
        that reaches it.

    Raises
    ------
    ValueError
        If there are not so many updates, or `every` is not positive.
    """
    number = whole("num_checkpoints", num_checkpoints)
    most = algorithm.num_updates + 1
    if not 3 <= number <= most:
        raise ValueError(
            f"num_checkpoints must lie between 3 and num_updates + 1 = {most}; it is "
            f"{num_checkpoints}."
        )
    updates: set[int] = set()
    points = number - 1
    while len(updates) < number - 1:
        updates = set(np.geomspace(1, algorithm.num_updates, points).round().astype(int).tolist())
        points += 1
    surplus = len(updates) - (number - 1)
    kept = sorted(updates)[surplus:] if surplus else sorted(updates)
    return tuple(
        update * algorithm.batch_size for update in sorted({0, *kept, *_even(algorithm, every)})
    )


def _even(algorithm: AbstractAlgorithm, every: int | None) -> list[int]:
    """Return the updates that reach the multiples of `every` environment steps."""
    if every is None:
        return []
    interval = whole("every", every, 1)
    end = algorithm.num_updates * algorithm.batch_size
    return [-(-moment // algorithm.batch_size) for moment in range(interval, end, interval)]
