"""What random play earns where moves are certain: all that goal-directedness needs there."""

from __future__ import annotations

import numpy as np

from empirics.goal_directedness.episodes import Cumulant, Episodes, FloatArray


def random_play_cumulant(episodes: Episodes) -> Cumulant:
    """Return the soft values of deterministic problems that pay one feature, 1, once, at an end.

    The soft value of a start is then the log moment generating function of what random play
    earns from it, log E exp(weights · features), for which it is enough to know when random play
    meets each end. That is worked out once; `soft_cumulant` iterates anew for all weights.

    Raises
    ------
    ValueError
        If moves are uncertain, or something else is paid than 1 for getting to an end.
    """
    check_ends(episodes)
    level, state = np.nonzero(episodes.start > 0)
    share = episodes.start[level, state]
    met = meetings(episodes)[:, :, level, state]
    num_features = len(episodes.features)
    none = np.maximum(1 - met.sum(axis=(0, 1)), 0.0)
    paid = np.vstack(
        [
            np.kron(episodes.gamma ** np.arange(episodes.horizon)[:, None], np.eye(num_features)),
            np.zeros(num_features),
        ]
    )
    with np.errstate(divide="ignore"):
        log_chance = np.log(np.concatenate([met.reshape(-1, level.size), none[None]]).T)
    starts = np.zeros((len(episodes.start), level.size))
    starts[level, np.arange(level.size)] = share
    each = starts.sum(axis=0)

    def cumulant(weights: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        tilted = log_chance + paid @ weights
        top = tilted.max(axis=1, keepdims=True)
        chance = np.exp(tilted - top)
        total = chance.sum(axis=1, keepdims=True)
        chance /= total
        slope = chance @ paid
        second = (paid.T * (each @ chance)) @ paid
        curvature = second - (slope.T * each) @ slope
        return starts @ (top + np.log(total))[:, 0], starts @ slope, curvature / len(starts)

    return cumulant


def meetings(episodes: Episodes) -> FloatArray:
    """Return the chance that random play gets each payment at each step, (horizon, K, L, S)."""
    met = [episodes.features.mean(axis=-1)]
    for _ in range(episodes.horizon - 1):
        met.append(episodes.ahead(met[-1]).mean(axis=-1))
    return np.array(met)


def check_ends(episodes: Episodes) -> None:
    """Check that moves are certain and that 1 is paid for getting to an end, and nothing else."""
    if not np.array_equal(episodes.chance, np.eye(episodes.num_actions)):
        raise ValueError("moves must be certain: chance must be the identity; it is not.")
    pays = episodes.features.sum(axis=0) > 0
    states = np.arange(episodes.start.shape[1])[:, None]
    is_end = (episodes.next_state == states).all(axis=-1)
    arrives = episodes.ahead(is_end.astype(float)) > 0
    once = bool((np.isin(episodes.features, (0, 1)).all()) and episodes.features.sum(0).max() <= 1)
    if not once or bool((pays & (~arrives | is_end[..., None])).any()):
        raise ValueError("features must pay 1, once, for getting to an end; they pay otherwise.")
