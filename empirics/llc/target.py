"""The localized posterior that chains draw from, one for every center."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from empirics.llc.potential import Potential


@final
@dataclass(frozen=True, eq=False)
class Target:
    """exp(-U), U = nbeta · energy + localization/2 · ‖(w - center)/scales‖².

    Attributes
    ----------
    potential : Potential
    centers : (C, 1, d) tensor
    nbeta, localization : (C, 1, 1) tensors
    scales : (C, 1, d) or (1, 1, 1) tensor
        Unit of length of every parameter: a reparametrization w -> a·w that multiplies the
        scales too leaves every draw where it was.
    """

    potential: Potential
    centers: Tensor
    nbeta: Tensor
    localization: Tensor
    scales: Tensor

    def at(self, w: Tensor, rows: Tensor | None = None) -> Point:
        """Evaluate the energy and its gradient, and that of U, at particles (C, K, d)."""
        return self.point(w, *self.potential.energy_and_gradient(w, rows))

    def point(self, w: Tensor, energy: Tensor, gradient: Tensor) -> Point:
        """Return particles of known energy and gradient, with that of U."""
        pull = self.localization / self.scales**2 * (w - self.centers)
        return Point(w, energy, gradient, torch.addcmul(pull, self.nbeta, gradient))

    def log_ratio(self, before: Point, after: Point) -> Tensor:
        """Return how much -U is higher after than before, (C, K)."""
        middle = (before.w + after.w) / 2 - self.centers
        pull = (self.localization / self.scales**2 * middle * (after.w - before.w)).sum(-1)
        return self.nbeta[..., 0] * (before.energy - after.energy) - pull

    def square_distance(self, w: Tensor) -> Tensor:
        """Return ‖(w - center)/scales‖², (C, K)."""
        return ((w - self.centers) / self.scales).square().sum(-1)

    def virial(self, point: Point) -> Tensor:
        """Return (w - center) · ∇U, (C, K), whose mean is d in equilibrium."""
        return ((point.w - self.centers) * point.force).sum(-1)


@final
@dataclass(frozen=True, eq=False)
class Point:
    """Where particles are, and what is known there.

    Attributes
    ----------
    w : (C, K, d) tensor
    energy : (C, K) tensor
    gradient, force : (C, K, d) tensors
        Of the energy, and of U.
    """

    w: Tensor
    energy: Tensor
    gradient: Tensor
    force: Tensor
