"""The exact regret of softmax policies in a tabular problem.

Concentration of a posterior over policies that weighs them by regret is governed by the geometry
of the regret (Elliott et al. 2026). A softmax policy reaches a deterministic optimum only at
infinity, so without regularization no parameters are a minimum; a temperature makes the optimum
finite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from empirics.llc.potential import Potential
from empirics.llc.potentials.outputs import Outputs
from empirics.tabular.evaluation import expected_return, policy_values, regularization
from empirics.tabular.mdp import TabularMDP
from empirics.tabular.optimum import check_reference, optimum


@final
@dataclass(frozen=True, eq=False)
class TabularRegret(Potential):
    """J* - J(w), J the discounted return, by one linear solve a particle.

    With a temperature, J is less temperature · KL(policy, reference) at every step, and J* its
    best. Built by `tabular_regret`.

    Attributes
    ----------
    mdp : TabularMDP
    logits : Outputs
        (S, A) logits of the policy.
    temperature : float
    reference : (S, A) tensor
    best : float
        J*.
    """

    mdp: TabularMDP
    logits: Outputs
    temperature: float
    reference: Tensor
    best: float

    name: ClassVar[str] = "tabular regret"

    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the regret of each particle; solved in the type of the problem's tables."""
        log_policy = log_policies(self.logits, w)
        bonus = None
        if self.temperature > 0:
            bonus = regularization(log_policy, self.temperature, self.reference)
        values = policy_values(self.mdp, log_policy.exp(), bonus)
        return (self.best - expected_return(self.mdp, values)).to(w.dtype)


def log_policies(logits: Outputs, w: Tensor) -> Tensor:
    """Return log probabilities (C, K, S, A) in float64: a regret is a small difference."""
    return torch.log_softmax(logits(w).to(torch.float64), -1)


def tabular_regret(
    mdp: TabularMDP,
    logits: Outputs,
    *,
    temperature: float = 0.0,
    reference: Tensor | None = None,
) -> TabularRegret:
    """Return the exact regret over a policy's parameters.

    Parameters
    ----------
    mdp : TabularMDP
    logits : Outputs
        On the problem's states in their order: a table, features, or a network on observations.
    temperature : float
    reference : (S, A) tensor, optional
        What the policy is drawn to; uniform if not given (then the regret is also that of an
        entropy bonus).

    Raises
    ------
    ValueError
        If the logits are not (S, A), or the regularization does not fit.
    """
    check_logits(mdp, logits)
    weights = check_reference(mdp, temperature, reference)
    best = optimum(mdp, temperature, weights).expected_return
    return TabularRegret(logits.num_parameters, None, mdp, logits, temperature, weights, best)


def check_logits(mdp: TabularMDP, logits: Outputs) -> None:
    """Raise a ValueError unless logits are one an action in every state."""
    zeros = mdp.reward.new_zeros(1, logits.num_parameters)
    if isinstance(first := next(logits.parameters(), None), Tensor):
        zeros = zeros.to(first)
    shape = tuple(logits.at_centers(zeros).shape[1:])
    if shape != tuple(mdp.reward.shape):
        raise ValueError(f"logits must be {tuple(mdp.reward.shape)}, (S, A); they are {shape}.")
