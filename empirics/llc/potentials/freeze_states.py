"""States fixed once, so that an energy is one function: data made from interactions.

A learning coefficient belongs to one energy. A policy's own visits move with its parameters; a
frozen distribution does not. The choice of states is part of what is measured, so it is kept with
them. n, of which a default nbeta = n/ln n is made, is the number of states drawn; a distribution
known exactly has none, and nbeta must then be given. States of one trajectory are correlated, so
that n counts them all and nbeta is a scale of resolution, not an amount of evidence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from empirics.tabular.evaluation import occupancy
from empirics.tabular.mdp import TabularMDP
from empirics.tabular.rollouts import Rollouts

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class FrozenStates:
    """States with weights, and where they are from.

    Attributes
    ----------
    states : (n, ...) array
        Observations, or integers that name states of a tabular problem.
    weights : (n,) array
        Not negative, with sum 1.
    source : str
        How they were chosen, in words.
    num_samples : int or None
        The n of a default nbeta; None where the distribution is exact.

    Raises
    ------
    ValueError
        If there is no state, or the weights are no distribution over them.
    """

    states: NDArray[Any]
    weights: Floats
    source: str
    num_samples: int | None

    def __post_init__(self) -> None:
        states, weights = np.array(self.states), np.array(self.weights, dtype=np.float64)
        if states.ndim == 0 or weights.shape != states.shape[:1] or not weights.size:
            raise ValueError(
                f"there must be one weight a state; states have the shape {states.shape}, "
                f"weights {weights.shape}."
            )
        if not (weights >= 0).all() or abs(weights.sum() - 1) > 1e-9:
            raise ValueError(
                f"weights must be a distribution; their least is {weights.min()}, their sum "
                f"{weights.sum()}."
            )
        for name, array in (("states", states), ("weights", weights)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return int(self.states.shape[0])

    def distribution(self, num_states: int) -> Floats:
        """Return the weight of every state of a tabular problem, (S,).

        Raises
        ------
        ValueError
            If the states are not integers from 0 to S - 1.
        """
        states = self.states
        if states.ndim != 1 or states.dtype.kind != "i" or not 0 <= states.min() <= states.max():
            raise ValueError(f"states of {self.source} are no integers; these are observations.")
        if states.max() >= num_states:
            raise ValueError(
                f"state {states.max()} of {self.source} does not exist; there are {num_states}."
            )
        shares: Floats = np.bincount(states, self.weights, num_states).astype(np.float64)
        return shares

    def to_tensors(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return states and weights as tensors on the device of `like`, floats of its type."""
        states = torch.tensor(self.states, device=like.device)
        states = states.to(like.dtype) if states.is_floating_point() else states
        return states, torch.tensor(self.weights, device=like.device, dtype=like.dtype)


def on_policy_states(mdp: TabularMDP, policy: Tensor) -> FrozenStates:
    """Return all states, weighted by a policy's exact discounted visits."""
    visits = (1 - mdp.gamma) * occupancy(mdp, policy.detach().to(mdp.reward))
    return _exact(visits.cpu().numpy(), "the discounted visits of a policy")


def uniform_states(mdp: TabularMDP) -> FrozenStates:
    """Return all states with equal weights."""
    return _exact(np.full(mdp.num_states, 1 / mdp.num_states), "all states alike")


def reset_states(mdp: TabularMDP) -> FrozenStates:
    """Return all states, weighted by how often an episode starts there."""
    return _exact(mdp.start.cpu().numpy(), "the start of episodes")


def sampled_states(
    frozen: FrozenStates, num_samples: int, *, rng: np.random.Generator
) -> FrozenStates:
    """Return independent draws from a frozen distribution, with equal weights."""
    if num_samples < 1:
        raise ValueError(f"num_samples must be at least 1; it is {num_samples}.")
    drawn = rng.choice(len(frozen), size=num_samples, p=frozen.weights)
    source = f"{num_samples} draws from {frozen.source}"
    return FrozenStates(
        frozen.states[drawn], np.full(num_samples, 1 / num_samples), source, num_samples
    )


def rollout_states(sampled: Rollouts, *, discounted: bool = True) -> FrozenStates:
    """Return the states of sampled episodes.

    Parameters
    ----------
    sampled : Rollouts
    discounted : bool
        Whether the t-th step weighs gamma^t, as in the gradient of the discounted return; else
        all steps weigh alike, as in the data that PPO sees.
    """
    episodes, steps = sampled.states.shape
    decay = sampled.gamma ** np.arange(steps) if discounted else np.ones(steps)
    weights = np.tile(decay / (episodes * decay.sum()), episodes)
    kind = "discounted" if discounted else "all"
    source = f"{kind} steps of {episodes} episodes of {steps}"
    return FrozenStates(sampled.states.reshape(-1), weights, source, episodes * steps)


def mixed_states(parts: Sequence[FrozenStates], shares: Sequence[float]) -> FrozenStates:
    """Return a mixture of frozen distributions.

    Its n is the effective size 1/Σ weights² of the draws, rounded down; a mixture of exact
    distributions is exact.

    Raises
    ------
    ValueError
        If shares are no distribution over the parts, or some parts are drawn and some exact.
    """
    given = np.asarray(shares, dtype=np.float64)
    if given.shape != (len(parts),) or not (given >= 0).all() or abs(given.sum() - 1) > 1e-9:
        raise ValueError(f"shares must be {len(parts)} numbers with sum 1; they are {shares}.")
    exact = [part.num_samples is None for part in parts]
    if any(exact) and not all(exact):
        raise ValueError(
            "a mixture of drawn and exact states has no n; draw from the exact ones first "
            "(`sampled_states`)."
        )
    weights = np.concatenate([s * p.weights for s, p in zip(given, parts, strict=True)])
    source = " + ".join(f"{s:g} · ({p.source})" for s, p in zip(given, parts, strict=True))
    size = None if all(exact) else math.floor(1 / float((weights**2).sum()) + 1e-9)
    return FrozenStates(np.concatenate([p.states for p in parts]), weights, source, size)


def _exact(distribution: Floats, source: str) -> FrozenStates:
    # A solve leaves a rounding error in the sum, and may leave a state never visited at -1e-17.
    kept = np.clip(distribution, 0.0, None)
    return FrozenStates(np.arange(kept.size), kept / kept.sum(), source, None)
