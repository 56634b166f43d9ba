"""Batches of decision problems that end after a number of steps, and what policies earn in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

FloatArray = NDArray[np.float64]

ROUNDING = 1e-9
"""How far from 1 probabilities may sum."""

Cumulant = Callable[[FloatArray], tuple[FloatArray, FloatArray, FloatArray]]
"""Weights (K,) of the features to soft values (L,), their gradient (L, K) and mean Hessian (K, K).

A soft value is the log of how much likelier than random play the best policy for these weights
can be made; its gradient is what that policy earns of each feature.
"""


@final
@dataclass(frozen=True, eq=False)
class Episodes:
    """L decision problems of S states, A actions and B outcomes of an action, over a horizon.

    What an outcome at step t earns counts gamma^t; entropies are not discounted.

    Attributes
    ----------
    next_state : (L, S, B) integer array
        Where each outcome leads. A state whose outcomes lead back to it earning nothing is an end.
    chance : (A, B) or (L, S, A, B) array
        Probability of each outcome of each action; the identity for a deterministic world.
    features : (K, L, S, B) array
        What each outcome earns of each feature; utilities are weighted sums of features.
    start : (L, S) array
        Probability of the first state of each problem.
    horizon : int
    gamma : float
        At least 0, at most 1.

    Raises
    ------
    ValueError
        If shapes do not fit or a number is out of its range.
    """

    next_state: NDArray[np.int64]
    chance: FloatArray
    features: FloatArray
    start: FloatArray
    horizon: int
    gamma: float = 1.0

    def __post_init__(self) -> None:
        if self.features.ndim != 4 or self.features.shape[1:] != self.next_state.shape:
            raise ValueError(
                f"features must be (K, L, S, B) over next_state (L, S, B); their shapes are "
                f"{self.features.shape} and {self.next_state.shape}."
            )
        if not np.isfinite(self.features).all():
            raise ValueError("features must be finite; they are not everywhere.")
        if self.start.shape != self.next_state.shape[:2]:
            raise ValueError(
                f"start must have the shape {self.next_state.shape[:2]}; it has {self.start.shape}."
            )
        if self.chance.shape[-1] != self.next_state.shape[2]:
            raise ValueError(
                f"chance must end with {self.next_state.shape[2]} outcomes; its shape is "
                f"{self.chance.shape}."
            )
        if self.next_state.min() < 0 or self.next_state.max() >= self.next_state.shape[1]:
            raise ValueError("next_state must hold numbers of states; one is none.")
        for name in ("chance", "start"):
            rows = getattr(self, name)
            if not (rows >= 0).all() or np.abs(rows.sum(axis=-1) - 1).max() > ROUNDING:
                raise ValueError(f"{name} must be probabilities that sum to 1; it is not.")
        if self.horizon < 1 or not 0 <= self.gamma <= 1:
            raise ValueError(
                f"horizon must be at least 1 and gamma in [0, 1]; they are {self.horizon} and "
                f"{self.gamma}."
            )

    @property
    def num_actions(self) -> int:
        """A."""
        return int(self.chance.shape[-2])

    def slippery(self, slip: float) -> Episodes:
        """Return the problem with an outcome drawn at random with probability `slip`."""
        if not 0 <= slip <= 1:
            raise ValueError(f"slip must be a probability; it is {slip}.")
        return replace(self, chance=(1 - slip) * self.chance + slip / self.chance.shape[-1])

    def ahead(self, values: FloatArray) -> FloatArray:
        """Return (..., L, S) values of states as (..., L, S, B) values of outcomes."""
        num_levels, num_states = self.start.shape
        offset = np.arange(num_levels)[:, None, None] * num_states
        flat = values.reshape(*values.shape[:-2], num_levels * num_states)
        return np.asarray(flat[..., self.next_state + offset])

    def expected(self, outcomes: FloatArray) -> FloatArray:
        """Return (..., L, S, B) values of outcomes as (..., L, S, A) values of actions."""
        if self.chance.ndim == 2:
            return np.asarray(outcomes @ self.chance.T)
        return np.asarray(np.einsum("lsab,...lsb->...lsa", self.chance, outcomes))


def earned(episodes: Episodes, policy: FloatArray) -> FloatArray:
    """Return what policies earn of each feature on average, (L, K); see `earned_from`."""
    return np.asarray(np.einsum("ls,lsk->lk", episodes.start, earned_from(episodes, policy)))


def earned_from(episodes: Episodes, policy: FloatArray) -> FloatArray:
    """Return what policies earn of each feature from each first state, (L, S, K).

    Parameters
    ----------
    episodes : Episodes
    policy : (L, S, A) or (horizon, L, S, A) array
        Probabilities of the actions, the same at every step or for each.

    Raises
    ------
    ValueError
        If the policy has another shape.
    """
    shape = (*episodes.start.shape, episodes.num_actions)
    if policy.shape not in (shape, (episodes.horizon, *shape)):
        raise ValueError(
            f"policy must have the shape {shape}, or that for each of {episodes.horizon} steps; "
            f"it has {policy.shape}."
        )
    chain = _chain(episodes, policy) if policy.ndim == 3 else None
    value = np.zeros((*episodes.start.shape, len(episodes.features)))
    for t in reversed(range(episodes.horizon)):
        onward, gains = chain or _chain(episodes, policy[t])
        value = episodes.gamma**t * gains + onward @ value
    return value


def _chain(episodes: Episodes, policy: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return a policy's moves between states, (L, S, S), and what it earns in each, (L, S, K)."""
    outcome = (policy[..., None, :] @ episodes.chance)[..., 0, :]
    num_levels, num_states = episodes.start.shape
    onward = np.zeros((num_levels, num_states, num_states))
    each = np.arange(num_levels)[:, None, None], np.arange(num_states)[:, None]
    np.add.at(onward, (*each, episodes.next_state), outcome)
    return onward, np.einsum("lsb,klsb->lsk", outcome, episodes.features)


def soft_cumulant(episodes: Episodes) -> Cumulant:
    """Return the soft values of a problem as a function of the weights of its features.

    By soft value iteration, with uniform actions as reference: Q = weights · features + E V' and
    V = log mean exp Q, with first and second derivatives carried along. V is convex in the
    weights, since log mean exp is convex and increasing.
    """
    gains = episodes.expected(episodes.features)
    k = len(gains)

    def cumulant(weights: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        found = np.zeros((1 + k + k * k, *episodes.start.shape))
        for t in reversed(range(episodes.horizon)):
            q = episodes.expected(episodes.ahead(found))
            q[0] += episodes.gamma**t * np.tensordot(weights, gains, axes=1)
            q[1 : 1 + k] += episodes.gamma**t * gains
            found = _backed_up(q, k)
        levels = (found * episodes.start).sum(axis=-1)
        return levels[0], levels[1 : 1 + k].T, levels[1 + k :].mean(axis=1).reshape(k, k)

    return cumulant


def soft_policy(episodes: Episodes, weights: FloatArray) -> FloatArray:
    """Return the maximum entropy policy for weights of the features, (horizon, L, S, A)."""
    gains = np.tensordot(weights, episodes.expected(episodes.features), axes=1)
    value, steps = np.zeros(episodes.start.shape), []
    for t in reversed(range(episodes.horizon)):
        q = episodes.gamma**t * gains + episodes.expected(episodes.ahead(value))
        value = logsumexp(q, axis=-1)
        steps.append(np.exp(q - value[..., None]))
    return np.array(steps[::-1])


def _backed_up(q: FloatArray, k: int) -> FloatArray:
    """Return soft values with derivatives, (1 + k + k², L, S), of actions' (..., A)."""
    top = q[0].max(axis=-1, keepdims=True)
    policy = np.exp(q[0] - top)
    policy /= policy.sum(axis=-1, keepdims=True)
    found = np.einsum("clsa,lsa->cls", q, policy)
    found[0] = top[..., 0] + np.log(np.exp(q[0] - top).mean(axis=-1))
    slope = q[1 : 1 + k] - found[1 : 1 + k, ..., None]
    spread = np.einsum("klsa,mlsa,lsa->kmls", slope, slope, policy)
    found[1 + k :] += spread.reshape(k * k, *found.shape[1:])
    return np.asarray(found)
