"""A decision problem as tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

ROUNDING = 1e-6
"""How far from 1 probabilities may sum; tables may have been kept in single precision."""


@final
@dataclass(frozen=True, eq=False)
class TabularMDP:
    """A discounted Markov decision process with S states and A actions, without an end.

    An episode ends by an absorbing state without reward.

    Attributes
    ----------
    transition : (S, A, S) float64 tensor
        Probability of the next state.
    reward : (S, A) float64 tensor
        Expected reward of an action.
    start : (S,) float64 tensor
        Probability of the first state.
    gamma : float
        Discount, at least 0 and below 1.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, or a probability is none.
    """

    transition: Tensor
    reward: Tensor
    start: Tensor
    gamma: float

    def __post_init__(self) -> None:
        for name in ("transition", "reward", "start"):
            given = torch.as_tensor(getattr(self, name))
            object.__setattr__(self, name, given.detach().to(torch.float64).clone())
        if self.reward.ndim != 2:
            raise ValueError(f"reward must be (S, A); its shape is {tuple(self.reward.shape)}.")
        states, actions = self.reward.shape
        for name, shape in (("transition", (states, actions, states)), ("start", (states,))):
            self._check_probabilities(name, shape)
        if not bool(torch.isfinite(self.reward).all()):
            raise ValueError("reward must be finite; it is not everywhere.")
        if not 0 <= self.gamma < 1:
            raise ValueError(f"gamma must be at least 0 and below 1; it is {self.gamma}.")

    def _check_probabilities(self, name: str, shape: tuple[int, ...]) -> None:
        rows = getattr(self, name)
        if rows.shape != shape:
            raise ValueError(f"{name} must have the shape {shape}; it has {tuple(rows.shape)}.")
        if not bool((rows >= 0).all()) or float((rows.sum(-1) - 1).abs().max()) > ROUNDING:
            raise ValueError(f"{name} must be probabilities that sum to 1; it is not.")

    @property
    def num_states(self) -> int:
        """S."""
        return int(self.reward.shape[0])

    @property
    def num_actions(self) -> int:
        """A."""
        return int(self.reward.shape[1])

    def rewarded(self, scale: float = 1.0, shift: float = 0.0) -> TabularMDP:
        """Return the problem with rewards scale · r + shift.

        Raises
        ------
        ValueError
            If the scale is not positive, so that another policy is best.
        """
        if not scale > 0:
            raise ValueError(f"scale must be positive; it is {scale}.")
        return replace(self, reward=scale * self.reward + shift)

    def shaped(self, potential: Tensor) -> TabularMDP:
        """Return the problem with rewards shaped by a potential Φ of states, (S,).

        r(s, a) + gamma · E[Φ(s')] - Φ(s) leaves the differences of returns between policies as
        they are (Ng, Harada and Russell 1999).
        """
        after = self.gamma * self.transition @ potential.to(self.transition)
        return replace(self, reward=self.reward + after - potential.to(after)[:, None])

    def to(self, device: str | torch.device) -> TabularMDP:
        """Return the problem with its tables on another device."""
        return TabularMDP(
            self.transition.to(device), self.reward.to(device), self.start.to(device), self.gamma
        )
