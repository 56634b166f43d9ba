"""A potential over some of the parameters, the others held at the center: weight refinement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from empirics.llc.potential import Potential, check_centers


@final
@dataclass(frozen=True, eq=False)
class Masked(Potential):
    """An energy over the parameters that a mask names. Built by `masked`.

    Attributes
    ----------
    whole : Potential
    free : (d,) integer tensor
        Where the free parameters stand among the whole ones.
    at : (C, D) tensor
        The whole centers, which the other parameters keep.
    """

    whole: Potential
    free: Tensor
    at: Tensor

    name: ClassVar[str] = "energy of some parameters"
    per_center: ClassVar[tuple[str, ...]] = ("at",)

    @property
    def num_rows(self) -> int | None:
        """Rows of data of the whole potential."""
        return self.whole.num_rows

    @property
    def is_mean_over_rows(self) -> bool:
        """Whether the whole energy is."""
        return self.whole.is_mean_over_rows

    def footprint(self, batch_size: int | None = None) -> int:
        """Return that of the whole potential."""
        return self.whole.footprint(batch_size)

    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the whole energy with the other parameters at their center."""
        return self.whole.energy(self._filled(w), rows)

    def energy_and_gradient(self, w: Tensor, rows: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the whole energy and the free part of its gradient, or of what stands for it."""
        energy, gradient = self.whole.energy_and_gradient(self._filled(w.detach()), rows)
        return energy, gradient.index_select(-1, self.free)

    def doubts(self, centers: Tensor, final: Tensor) -> tuple[tuple[str, ...], ...]:
        """Return the whole energy's doubts."""
        return self.whole.doubts(self.at, self._filled(final))

    def _filled(self, w: Tensor) -> Tensor:
        """Return whole parameters (C, K, D), those not free at their center."""
        every = self.at[:, None, :].expand(-1, w.shape[1], -1).to(w.dtype)
        return every.index_copy(-1, self.free, w)


def masked(potential: Potential, mask: Tensor, centers: Tensor) -> tuple[Masked, Tensor]:
    """Restrict a potential to some parameters, for a weight-refined LLC (Wang et al. 2024).

    Parameters
    ----------
    potential : Potential
    mask : (D,) boolean tensor
        The parameters that stay free.
    centers : (C, D) tensor

    Returns
    -------
    potential : Masked
    centers : (C, d) tensor
        The free parameters of the centers.

    Raises
    ------
    ValueError
        If the mask has another length than the parameters, or frees none.
    """
    at = check_centers(potential, centers)
    if mask.shape != (potential.num_parameters,) or mask.dtype != torch.bool:
        raise ValueError(
            f"a mask must be {potential.num_parameters} truth values, one a parameter; it has "
            f"shape {tuple(mask.shape)} and type {mask.dtype}."
        )
    free = mask.nonzero()[:, 0]
    if free.numel() == 0:
        raise ValueError("a mask must leave at least one parameter free; it leaves none.")
    return Masked(int(free.numel()), potential.num_samples, potential, free, at), at[:, free]
