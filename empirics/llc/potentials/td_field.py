"""The semi-gradient of temporal differences, refused: it is the gradient of nothing.

A target made of the critic itself is held while the critic moves. The field that learning follows,
-Σ_s d(s) δ(s) ∇V(s), has in general a curl (`curl`), so that no energy and no posterior belong to
it. For V = Φ w it is A w - b with A = Φᵀ D (1 - gamma P) Φ and b = Φᵀ D r.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from empirics.llc.potential import Potential
from empirics.llc.potentials.outputs import Outputs
from empirics.tabular.mdp import TabularMDP


@final
@dataclass(frozen=True, eq=False)
class TDField(Potential):
    """Σ_s d(s) δ(s)²/2 with the semi-gradient in place of its gradient. Built by `td_field`.

    Attributes
    ----------
    values : Outputs
        Of the critic, one value a state.
    reward : (S,) tensor
        Of the policy judged.
    successors : (S, S) tensor
        gamma · P of that policy.
    weights : (S,) tensor
        d.
    """

    values: Outputs
    reward: Tensor
    successors: Tensor
    weights: Tensor

    name: ClassVar[str] = "temporal differences"
    refusal: ClassVar[str] = (
        "the semi-gradient with bootstrapped targets is not the gradient of any energy; freeze "
        "the targets (value regression)."
    )

    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return half the mean squared temporal difference (the Bellman residual)."""
        values = self.values(w)[..., 0]
        return self._half_square(values, values)

    def energy_and_gradient(self, w: Tensor, rows: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the energy, and the semi-gradient: the target held."""
        with torch.enable_grad():
            at = w.detach().requires_grad_()
            values = self.values(at)[..., 0]
            energy = self._half_square(values, values.detach())
            (field,) = torch.autograd.grad(energy.sum(), at)
        return energy.detach(), field

    def _half_square(self, values: Tensor, bootstrap: Tensor) -> Tensor:
        successors = self.successors.to(values.dtype)
        delta = self.reward.to(values.dtype) + bootstrap @ successors.mT - values
        return (self.weights.to(values.dtype) * delta**2).sum(-1) / 2


def td_field(mdp: TabularMDP, policy: Tensor, values: Outputs, weights: Tensor) -> TDField:
    """Return the field of expected temporal-difference learning of a policy's values.

    Parameters
    ----------
    mdp : TabularMDP
    policy : (S, A) tensor
    values : Outputs
        (S, 1) values.
    weights : (S,) tensor
        How often each state is updated.
    """
    probabilities = policy.detach().to(mdp.reward)
    moves = torch.einsum("sa,sat->st", probabilities, mdp.transition)
    reward = (probabilities * mdp.reward).sum(-1)
    return TDField(
        values.num_parameters, None, values, reward, mdp.gamma * moves, weights.to(reward)
    )
