"""Regret with the states' visits and the advantages frozen: linear in the policy of each state.

By the performance difference lemma (Kakade and Langford 2002) the regret is
Σ_s d_w(s) Σ_a π_w(a|s) · (-A*(s, a)), d_w the visits of π_w itself. Frozen visits put d_ref in its
place. At a global optimum both are sums of the same terms, none negative, and bounded positive
reweighting leaves the learning coefficient as it is; where the policy cannot be optimal the terms
do not vanish together, and the two may differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, final

import torch
from torch import Tensor

from empirics.llc.potential import Potential, check_centers
from empirics.llc.potentials.freeze_states import FrozenStates
from empirics.llc.potentials.outputs import Outputs
from empirics.llc.potentials.tabular_regret import check_logits, log_policies
from empirics.tabular.evaluation import action_values, occupancy, policy_values, regularization
from empirics.tabular.mdp import TabularMDP
from empirics.tabular.optimum import check_reference, optimum

Judge = Literal["optimum", "checkpoint"]


@final
@dataclass(frozen=True, eq=False)
class FrozenRegret(Potential):
    """Σ_s d(s) [temperature · KL(π_w, reference) - Σ_a π_w A](s). Built by `frozen_regret`.

    Attributes
    ----------
    logits : Outputs
    visits : (C, S) tensor
        d, with sum 1/(1 - gamma), of each center.
    advantages : (C, S, A) tensor
    temperature : float
    reference : (S, A) tensor
    """

    logits: Outputs
    visits: Tensor
    advantages: Tensor
    temperature: float
    reference: Tensor

    name: ClassVar[str] = "frozen regret"
    per_center: ClassVar[tuple[str, ...]] = ("visits", "advantages")

    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the surrogate of each particle."""
        log_policy = log_policies(self.logits, w)
        lost = -(log_policy.exp() * self.advantages[:, None]).sum(-1)
        if self.temperature > 0:
            lost = lost - regularization(log_policy, self.temperature, self.reference)
        return (self.visits[:, None] * lost).sum(-1).to(w.dtype)


def frozen_regret(
    mdp: TabularMDP,
    logits: Outputs,
    centers: Tensor,
    *,
    frozen: FrozenStates | None = None,
    judge: Judge = "optimum",
    temperature: float = 0.0,
    reference: Tensor | None = None,
) -> FrozenRegret:
    """Return the regret with frozen visits and advantages.

    Parameters
    ----------
    mdp : TabularMDP
    logits : Outputs
    centers : (C, d) tensor
    frozen : FrozenStates, optional
        States of the problem; each center's own discounted visits if not given.
    judge : "optimum" or "checkpoint"
        Whose advantages: of the best policy (never negative, zero for it alone), or of the
        center's own policy (zero at the center; its gradient there is the regret's).
    temperature, reference
        As in `tabular_regret`.

    Raises
    ------
    ValueError
        If the logits, the centers or the states do not fit the problem.
    """
    check_logits(mdp, logits)
    weights = check_reference(mdp, temperature, reference)
    with torch.no_grad():
        log_policy = log_policies(logits, centers[:, None, :])[:, 0]
        if frozen is None:
            visits = occupancy(mdp, log_policy.exp())
        else:
            shares = torch.tensor(frozen.distribution(mdp.num_states)).to(mdp.reward)
            visits = (shares / (1 - mdp.gamma)).expand(centers.shape[0], -1)
        advantages = _advantages(mdp, log_policy, judge, temperature, weights)
    potential = FrozenRegret(
        logits.num_parameters,
        None if frozen is None else frozen.num_samples,
        logits,
        visits,
        advantages,
        temperature,
        weights,
    )
    check_centers(potential, centers)
    return potential


def _advantages(
    mdp: TabularMDP, log_policy: Tensor, judge: Judge, temperature: float, reference: Tensor
) -> Tensor:
    """Return Q - V of each center's judge, (C, S, A)."""
    if judge == "optimum":
        best = optimum(mdp, temperature, reference).advantages
        return best.expand(log_policy.shape)
    if judge != "checkpoint":
        raise ValueError(f'judge must be "optimum" or "checkpoint"; it is {judge!r}.')
    bonus = None
    if temperature > 0:
        bonus = regularization(log_policy, temperature, reference)
    values = policy_values(mdp, log_policy.exp(), bonus)
    return action_values(mdp, values) - values[..., None]
