"""A critic's squared error against frozen targets.

Targets made of the critic itself would move with it; the field of temporal differences is then no
gradient (`td_field`). Frozen once, at returns or at a checkpoint's own bootstrapped values, they
make the critic's learning a regression, which has a learning coefficient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor

from empirics.llc.potential import Potential, check_centers
from empirics.llc.potentials.behavior_kl import check_states
from empirics.llc.potentials.freeze_states import FrozenStates
from empirics.llc.potentials.outputs import Outputs, rows_of, weighted_mean


@final
@dataclass(frozen=True, eq=False)
class ValueRegression(Potential):
    """E_s (V_w(s) - target(s))² over frozen states. Built by `value_regression`.

    Attributes
    ----------
    outputs : Outputs
        Of the critic, one value a state.
    weights : (n,) tensor
    targets : (C, n) tensor
        Of each center.
    """

    outputs: Outputs
    weights: Tensor
    targets: Tensor

    name: ClassVar[str] = "value regression"
    per_center: ClassVar[tuple[str, ...]] = ("targets",)

    @property
    def num_rows(self) -> int:
        """Frozen states."""
        return self.outputs.num_rows

    @property
    def is_mean_over_rows(self) -> bool:
        """It is, a state drawn counting by its weight."""
        return True

    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the mean squared error."""
        off = self.outputs(w, rows)[..., 0] - rows_of(self.targets, rows)
        return weighted_mean(off**2, self.weights, rows)


def value_regression(
    outputs: Outputs, frozen: FrozenStates, targets: Tensor, centers: Tensor
) -> ValueRegression:
    """Return the squared error of a critic against targets.

    Parameters
    ----------
    outputs : Outputs
        Of the critic on the frozen states, in their order; one value a state.
    frozen : FrozenStates
    targets : (n,) or (C, n) tensor
        The same for all centers, or each center's own.
    centers : (C, d) tensor

    Raises
    ------
    ValueError
        If shapes do not fit.
    """
    check_states(outputs, frozen)
    found = outputs.at_centers(centers)
    if found.shape[-1] != 1:
        raise ValueError(f"a critic gives one value a state; this gives {found.shape[-1]}.")
    if targets.shape not in (found.shape[1:2], found.shape[:2]):
        raise ValueError(
            f"targets must be {tuple(found.shape[1:2])} or {tuple(found.shape[:2])}; they are "
            f"{tuple(targets.shape)}."
        )
    potential = ValueRegression(
        outputs.num_parameters,
        frozen.num_samples,
        outputs,
        frozen.to_tensors(centers)[1],
        targets.detach().to(found).expand(found.shape[:2]),
    )
    check_centers(potential, centers)
    return potential
