"""The best policy of a tabular problem, with or without regularization, by policy iteration.

Regularized by -temperature · KL(policy, reference), the improvement step is
policy ∝ reference · exp(Q/temperature), and the iteration is Newton's on the soft Bellman equation
(Geist, Scherrer and Pietquin 2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from empirics.tabular.evaluation import (
    action_values,
    expected_return,
    policy_values,
    regularization,
)
from empirics.tabular.mdp import TabularMDP

MOST_ITERATIONS = 1000
ROUNDING = 1e-13


@final
@dataclass(frozen=True, eq=False)
class Optimum:
    """The best policy and what it is worth.

    Attributes
    ----------
    policy : (S, A) tensor
    values : (S,) tensor
    advantages : (S, A) tensor
        Q - V. Never positive without regularization; with it, temperature · ln(policy/reference).
    expected_return : float
        From the start distribution, regularization included.
    """

    policy: Tensor
    values: Tensor
    advantages: Tensor
    expected_return: float


def optimum(mdp: TabularMDP, temperature: float = 0.0, reference: Tensor | None = None) -> Optimum:
    """Return the best policy of a problem.

    Parameters
    ----------
    mdp : TabularMDP
    temperature : float
        Weight of the regularization; 0 for none.
    reference : (S, A) tensor, optional
        Positive weights that the policy is drawn to; uniform probabilities if not given.

    Raises
    ------
    ValueError
        If the temperature is negative, the reference does not fit, or the iteration does not end.
    """
    weights = check_reference(mdp, temperature, reference)
    policy = torch.full_like(mdp.reward, 1 / mdp.num_actions)
    values = _values(mdp, policy, temperature, weights)
    scale = float(mdp.reward.abs().max()) + temperature
    for _ in range(MOST_ITERATIONS):
        policy = _improved(policy, action_values(mdp, values), temperature, weights)
        before, values = values, _values(mdp, policy, temperature, weights)
        if bool((values - before).abs().max() <= ROUNDING * (scale + values.abs().max())):
            advantages = action_values(mdp, values) - values[:, None]
            total = float(expected_return(mdp, values))
            return Optimum(policy, values, advantages, total)
    raise ValueError(
        f"policy iteration did not end after {MOST_ITERATIONS} rounds at temperature "
        f"{temperature} and gamma {mdp.gamma}; use a smaller gamma."
    )


def check_reference(mdp: TabularMDP, temperature: float, reference: Tensor | None) -> Tensor:
    """Return the reference policy (S, A), uniform if none is given.

    Raises
    ------
    ValueError
        If the temperature is negative or the reference does not fit.
    """
    if not 0 <= temperature < float("inf"):
        raise ValueError(f"temperature must be finite and not negative; it is {temperature}.")
    if reference is None:
        return torch.full_like(mdp.reward, 1 / mdp.num_actions)
    given = reference.to(mdp.reward)
    if given.shape != mdp.reward.shape or not bool((given > 0).all()):
        raise ValueError(
            f"reference must be {tuple(mdp.reward.shape)} positive weights; its shape is "
            f"{tuple(given.shape)} and its least weight {float(given.min())}."
        )
    return given


def _values(mdp: TabularMDP, policy: Tensor, temperature: float, reference: Tensor) -> Tensor:
    if temperature == 0:
        return policy_values(mdp, policy)
    # A probability that underflows adds nothing: 0 · ln 0 = 0.
    tiny = torch.finfo(policy.dtype).tiny
    bonus = regularization(policy.clamp(min=tiny).log(), temperature, reference)
    return policy_values(mdp, policy, bonus)


def _improved(policy: Tensor, q: Tensor, temperature: float, reference: Tensor) -> Tensor:
    """Return the policy that is best for the next action; without regularization ties stay."""
    if temperature > 0:
        return torch.softmax(q / temperature + reference.log(), -1)
    best = q.max(-1).values
    current = (policy * q).sum(-1)
    stays = (policy.max(-1).values == 1) & (best - current <= ROUNDING * q.abs().max())
    greedy = torch.nn.functional.one_hot(q.argmax(-1), q.shape[-1]).to(q)
    return torch.where(stays[:, None], policy, greedy)
