"""A potential on a region alone: outside, its energy is infinite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Self, final

import torch
from torch import Tensor

from empirics.llc.potential import Potential

Region = Callable[[Tensor], Tensor]


@final
@dataclass(frozen=True, eq=False)
class Confined(Potential):
    """The energy of another potential within a region. Built by `confined`.

    For chains with rejection, MALA and HMC, which then draw from the posterior given the region,
    exactly: a move that ends outside is never taken. Each center's region should hold the center.

    Attributes
    ----------
    whole : Potential
    region : callable
        Maps parameters (C, K, d) to truth values (C, K).
    """

    whole: Potential
    region: Region

    name: ClassVar[str] = "energy within a region"

    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the energy, infinite outside the region."""
        return torch.where(self.region(w), self.whole.energy(w, rows), torch.inf)

    def energy_and_gradient(self, w: Tensor, rows: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the energy, infinite outside the region, and the gradient it has without one."""
        energy, gradient = self.whole.energy_and_gradient(w, rows)
        return torch.where(self.region(w), energy, torch.inf), gradient

    def hessian(self, centers: Tensor) -> Tensor:
        """Return the second derivatives that the energy has without a region."""
        return self.whole.hessian(centers)

    def chunk(self, start: int, stop: int) -> Self:
        """Return the potential of some centers."""
        return replace(self, whole=self.whole.chunk(start, stop))

    def repeat(self, times: int) -> Self:
        """Return the potential with every center `times` times in a row."""
        return replace(self, whole=self.whole.repeat(times))


def confined(potential: Potential, region: Region) -> Confined:
    """Return a potential on a region alone.

    Parameters
    ----------
    potential : Potential
    region : callable
        Maps parameters (C, K, d) to truth values (C, K).
    """
    return Confined(potential.num_parameters, potential.num_samples, potential, region)
