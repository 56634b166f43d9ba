"""A policy that can at most be undecided: a plateau on which the regret has no slope.

Stopping in the first state is worth just what going on is worth as long as the second state is
undecided, so that the regret does not depend on the first decision there.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from empirics.llc.potentials.outputs import NetworkOutputs
from empirics.tabular.mdp import TabularMDP

GAMMA = 0.9
CENTER = torch.zeros(1, 2, dtype=torch.float64)


class Undecided(nn.Module):
    """Logits (-u², 0) of the parameter of a state."""

    def __init__(self) -> None:
        super().__init__()
        self.u = nn.Parameter(torch.zeros(2, dtype=torch.float64))

    def forward(self, observations: Tensor) -> Tensor:
        """Map (n, 2) states to (n, 2) logits."""
        logit = -(observations @ self.u**2)
        return torch.stack([logit, torch.zeros_like(logit)], -1)


def plateau() -> tuple[TabularMDP, NetworkOutputs]:
    """Return the problem and the policy's logits; the plateau is at `CENTER`."""
    transition = torch.zeros(3, 2, 3)
    transition[0, 0, 1] = transition[0, 1, 2] = 1
    transition[1:, :, 2] = 1
    reward = torch.tensor([[0, GAMMA / 2], [1, 0], [0, 0]], dtype=torch.float64)
    mdp = TabularMDP(transition, reward, torch.tensor([1.0, 0, 0]), GAMMA)
    return mdp, NetworkOutputs(Undecided(), torch.eye(3, 2, dtype=torch.float64))


def by_quadrature(
    energy: Callable[[Tensor], Tensor], nbeta: float, localization: float, points: int = 241
) -> float:
    """Return nbeta · E[energy - energy(center)] of the localized posterior of two parameters."""
    axis = torch.linspace(-6, 6, points, dtype=torch.float64) / localization**0.5
    w = torch.cartesian_prod(axis, axis)
    excess = energy(w[None])[0] - energy(CENTER[None])[0, 0]
    weights = torch.softmax(-nbeta * excess - localization * (w**2).sum(-1) / 2, 0)
    return nbeta * float((weights * excess).sum())
