"""How outputs of a policy become a distribution over actions."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor


@dataclass(frozen=True)
class ActionLaw(ABC):
    """A family of distributions over actions; abstract."""

    @abstractmethod
    def divergence(self, center: Tensor, other: Tensor) -> Tensor:
        """Return KL(center, other) of outputs (..., o), (...); never negative, 0 at equality."""

    @abstractmethod
    def log_probability(self, outputs: Tensor, actions: Tensor) -> Tensor:
        """Return the log probability (density) of actions, (...), under outputs (..., o)."""


@final
@dataclass(frozen=True)
class Categorical(ActionLaw):
    """A softmax over logits (..., A); actions are integers (...)."""

    def divergence(self, center: Tensor, other: Tensor) -> Tensor:
        """Return Σ p · (exp(x) - 1 - x), x the log ratio: small terms without cancellation."""
        log_p = torch.log_softmax(center, -1)
        p, x = log_p.exp(), torch.log_softmax(other, -1) - log_p
        near = x.clamp(max=1.0)
        # Far out exp(x) overflows where p underflows, so there p · exp(x) is taken whole.
        terms = torch.where(x < 1, p * (torch.expm1(near) - near), (log_p + x).exp() - p - p * x)
        return terms.sum(-1)

    def log_probability(self, outputs: Tensor, actions: Tensor) -> Tensor:
        """Return the log softmax at the action."""
        log_p = torch.log_softmax(outputs, -1)
        index = actions.expand(log_p.shape[:-1])[..., None]
        return log_p.gather(-1, index)[..., 0]


@final
@dataclass(frozen=True)
class Gaussian(ActionLaw):
    """Independent normal actions (..., D).

    Attributes
    ----------
    sd : float or None
        Of every action, the outputs being the D means; None where the outputs are D means and
        then D logs of standard deviations.
    """

    sd: float | None = None

    def __post_init__(self) -> None:
        if self.sd is not None and not 0 < self.sd < math.inf:
            raise ValueError(f"sd must be positive and finite; it is {self.sd}.")

    def divergence(self, center: Tensor, other: Tensor) -> Tensor:
        """Return Σ [u + (exp(-2u) - 1)/2 + (m - m0)²/(2 sd²)], u = ln(sd/sd0)."""
        mean_0, log_0 = self._split(center)
        mean, log_sd = self._split(other)
        u = log_sd - log_0
        spread = (torch.expm1(-2 * u) + 2 * u) / 2
        return (spread + (mean - mean_0) ** 2 * torch.exp(-2 * log_sd) / 2).sum(-1)

    def log_probability(self, outputs: Tensor, actions: Tensor) -> Tensor:
        """Return the log density."""
        mean, log_sd = self._split(outputs)
        z = (actions - mean) * torch.exp(-log_sd)
        return -(z**2 / 2 + log_sd + math.log(2 * math.pi) / 2).sum(-1)

    def _split(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        if self.sd is not None:
            return outputs, torch.full_like(outputs, math.log(self.sd))
        if outputs.shape[-1] % 2:
            raise ValueError(
                "outputs must be as many logs of sd as means; there are "
                f"{outputs.shape[-1]} outputs. Give `sd` where it is fixed."
            )
        mean, log_sd = outputs.chunk(2, -1)
        return mean, log_sd
