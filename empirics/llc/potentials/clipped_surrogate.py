"""PPO's clipped surrogate, refused: beyond the clip it is flat, whatever happens to the return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from empirics.llc.potential import Potential, check_centers
from empirics.llc.potentials.action_law import ActionLaw
from empirics.llc.potentials.outputs import Outputs, rows_of


@final
@dataclass(frozen=True, eq=False)
class ClippedSurrogate(Potential):
    """-E min(ratio · A, clip(ratio) · A) over actions of the centers (Schulman et al. 2017, eq. 7).

    Built by `clipped_surrogate`.

    Attributes
    ----------
    outputs : Outputs
        Of the policy in the n states in which an action was taken.
    law : ActionLaw
    clip_coef : float
    actions, old_log_probability, advantages : (C, n, ...), (C, n), (C, n) tensors
    """

    outputs: Outputs
    law: ActionLaw
    clip_coef: float
    actions: Tensor
    old_log_probability: Tensor
    advantages: Tensor

    name: ClassVar[str] = "clipped surrogate"
    refusal: ClassVar[str] = (
        "outside the clip it is flat where the return is not, so that the localization alone "
        "would set the value; use a regret or the behavior KL."
    )
    per_center: ClassVar[tuple[str, ...]] = ("actions", "old_log_probability", "advantages")

    @property
    def num_rows(self) -> int:
        """Actions taken."""
        return self.outputs.num_rows

    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return minus the surrogate."""
        now = self.law.log_probability(self.outputs(w, rows), rows_of(self.actions, rows))
        ratio = torch.exp(now - rows_of(self.old_log_probability, rows))
        advantage = rows_of(self.advantages, rows)
        held = ratio.clamp(1 - self.clip_coef, 1 + self.clip_coef)
        return -torch.minimum(ratio * advantage, held * advantage).mean(-1)


def clipped_surrogate(
    outputs: Outputs,
    law: ActionLaw,
    actions: Tensor,
    advantages: Tensor,
    centers: Tensor,
    *,
    clip_coef: float = 0.2,
) -> ClippedSurrogate:
    """Return minus PPO's surrogate, the centers being the old policies.

    Parameters
    ----------
    outputs : Outputs
        In the n states, in the order of the actions.
    law : ActionLaw
    actions : (C, n) or (C, n, D) tensor
    advantages : (C, n) tensor
    centers : (C, d) tensor
    clip_coef : float

    Raises
    ------
    ValueError
        If clip_coef is not positive or shapes do not fit.
    """
    if not clip_coef > 0:
        raise ValueError(f"clip_coef must be positive; it is {clip_coef}.")
    old = law.log_probability(outputs.at_centers(centers), actions)
    if old.shape != advantages.shape:
        raise ValueError(
            f"advantages must be {tuple(old.shape)}, one an action; they are "
            f"{tuple(advantages.shape)}."
        )
    potential = ClippedSurrogate(
        outputs.num_parameters, outputs.num_rows, outputs, law, clip_coef, actions, old, advantages
    )
    check_centers(potential, centers)
    return potential
