"""How far behavior is from the checkpoint's: a potential with an exact zero at every checkpoint.

It asks how many directions of the parameters matter to behavior, and is blind to reward. Its
coefficient is never negative, wherever the checkpoint lies on the loss; where the policy is
regular it is half the rank of the Fisher matrix over the frozen states. At a finite nbeta it falls
as a softmax sharpens, whatever else is learned; with `entropy` every checkpoint's is as sharp.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from empirics.llc.potential import Potential, check_centers
from empirics.llc.potentials.action_law import ActionLaw, Categorical
from empirics.llc.potentials.freeze_states import FrozenStates
from empirics.llc.potentials.matched_entropy import inverse_temperatures
from empirics.llc.potentials.outputs import Outputs, rows_of, weighted_mean


@final
@dataclass(frozen=True, eq=False)
class BehaviorKL(Potential):
    """E_s KL(π_center(·|s), π_w(·|s)) over frozen states. Built by `behavior_kl`.

    Attributes
    ----------
    outputs : Outputs
        Of the policy, on the frozen states.
    law : ActionLaw
    weights : (n,) tensor
        Of the states.
    targets : (C, n, o) tensor
        The centers' own outputs, times the factors.
    factors : (C,) tensor
        What outputs are multiplied by before they are logits, 1 but where entropies are matched.
    """

    outputs: Outputs
    law: ActionLaw
    weights: Tensor
    targets: Tensor
    factors: Tensor

    name: ClassVar[str] = "behavior KL"
    per_center: ClassVar[tuple[str, ...]] = ("targets", "factors")

    @property
    def num_rows(self) -> int:
        """Frozen states."""
        return self.outputs.num_rows

    @property
    def is_mean_over_rows(self) -> bool:
        """It is, a state drawn counting by its weight."""
        return True

    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the mean divergence from the center's policy."""
        here = self.factors[:, None, None, None] * self.outputs(w, rows)
        apart = self.law.divergence(rows_of(self.targets, rows), here)
        return weighted_mean(apart, self.weights, rows)


def behavior_kl(
    outputs: Outputs,
    law: ActionLaw,
    frozen: FrozenStates,
    centers: Tensor,
    *,
    entropy: float | None = None,
) -> BehaviorKL:
    """Return the divergence of behavior from that of the centers.

    Parameters
    ----------
    outputs : Outputs
        Of the policy on the frozen states, in their order.
    law : ActionLaw
    frozen : FrozenStates
    centers : (C, d) tensor
        The checkpoints that the potential is for.
    entropy : float, optional
        Mean entropy over the frozen states, in nats, that one inverse temperature for each center
        gives its softmax; it is held while parameters move (`inverse_temperatures`).

    Raises
    ------
    ValueError
        If the outputs are for another number of states or parameters; if an entropy is asked of
        another law than `Categorical`, or a center cannot have it.
    """
    check_states(outputs, frozen)
    weights, targets = frozen.to_tensors(centers)[1], outputs.at_centers(centers)
    if entropy is None:
        factors = torch.ones_like(targets[:, 0, 0])
    elif isinstance(law, Categorical):
        factors = inverse_temperatures(targets, weights, entropy)
    else:
        raise ValueError(f"entropy is matched for Categorical actions only; the law is {law}.")
    potential = BehaviorKL(
        outputs.num_parameters,
        frozen.num_samples,
        outputs,
        law,
        weights,
        factors[:, None, None] * targets,
        factors,
    )
    check_centers(potential, centers)
    return potential


def check_states(outputs: Outputs, frozen: FrozenStates) -> None:
    """Raise a ValueError unless outputs are for as many states as are frozen."""
    if outputs.num_rows != len(frozen):
        raise ValueError(
            f"the outputs are for {outputs.num_rows} states, and {len(frozen)} are frozen "
            f"({frozen.source}); build the outputs on the frozen states."
        )
