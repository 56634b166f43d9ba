"""What policies are worth and where they go, exactly, for many policies at once.

Policies are (..., S, A) tensors; every function is differentiable in them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from empirics.tabular.mdp import TabularMDP


def policy_values(mdp: TabularMDP, policy: Tensor, bonus: Tensor | None = None) -> Tensor:
    """Return the discounted return from every state, (..., S), by one linear solve.

    Parameters
    ----------
    mdp : TabularMDP
    policy : (..., S, A) tensor
        Probabilities of the actions.
    bonus : (..., S) tensor, optional
        What every visit of a state adds to the reward.
    """
    reward = (policy * mdp.reward).sum(-1)
    reward = reward if bonus is None else reward + bonus
    solved: Tensor = torch.linalg.solve(_resolvent(mdp, policy), reward[..., None])
    return solved[..., 0]


def action_values(mdp: TabularMDP, values: Tensor) -> Tensor:
    """Return r(s, a) + gamma · E[V(s')], (..., S, A), of values (..., S)."""
    return mdp.reward + mdp.gamma * torch.einsum("sat,...t->...sa", mdp.transition, values)


def occupancy(mdp: TabularMDP, policy: Tensor) -> Tensor:
    """Return the discounted visits of every state, (..., S), which sum to 1/(1 - gamma)."""
    start = mdp.start.expand(*policy.shape[:-2], -1)
    solved: Tensor = torch.linalg.solve(_resolvent(mdp, policy).mT, start[..., None])
    return solved[..., 0]


def expected_return(mdp: TabularMDP, values: Tensor) -> Tensor:
    """Return the values of the first state on average, (...)."""
    return values @ mdp.start


def regularization(log_policy: Tensor, temperature: float, reference: Tensor) -> Tensor:
    """Return -temperature · KL(policy, reference) in every state, (..., S).

    Parameters
    ----------
    log_policy : (..., S, A) tensor
    temperature : float
    reference : (S, A) tensor
        Positive weights. Probabilities make it a KL; ones make it an entropy bonus, which differs
        by a constant from the KL to uniform actions.
    """
    ratio = log_policy - reference.log()
    return -temperature * (log_policy.exp() * ratio).sum(-1)


def _resolvent(mdp: TabularMDP, policy: Tensor) -> Tensor:
    moves = torch.einsum("...sa,sat->...st", policy, mdp.transition)
    return torch.eye(mdp.num_states, dtype=moves.dtype, device=moves.device) - mdp.gamma * moves
