"""The square root of an energy, refused: it has a kink where the energy has its minimum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from empirics.llc.potential import Potential


@final
@dataclass(frozen=True, eq=False)
class RootLoss(Potential):
    """sqrt(energy) of an energy that is never negative. Built by `root_loss`.

    Attributes
    ----------
    whole : Potential
    """

    whole: Potential

    name: ClassVar[str] = "square root of a loss"
    refusal: ClassVar[str] = (
        "a root is not analytic at the minimum and doubles the coefficient (|w| gives 1 where w² "
        "gives 1/2); use the loss itself."
    )

    @property
    def num_rows(self) -> int | None:
        """Rows of data of the loss."""
        return self.whole.num_rows

    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the root; at zero its slope is taken as zero."""
        energy = self.whole.energy(w, rows)
        inside = energy > 0
        return torch.where(inside, torch.where(inside, energy, 1.0).sqrt(), 0.0)


def root_loss(whole: Potential) -> RootLoss:
    """Return the square root of an energy."""
    return RootLoss(whole.num_parameters, whole.num_samples, whole)
