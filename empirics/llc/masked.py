"""A potential over some of the parameters, the others held at the center: weight refinement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self, final

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

    def footprint(self, batch_size: int | None = None) -> int:
        """Return that of the whole potential."""
        return self.whole.footprint(batch_size)

    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the whole energy with the other parameters at their center."""
        every = self.at[:, None, :].expand(-1, w.shape[1], -1).to(w.dtype)
        return self.whole.energy(every.index_copy(-1, self.free, w), rows)

    def chunk(self, start: int, stop: int) -> Self:
        """Return the potential of some centers."""
        part = super().chunk(start, stop)
        return _with_whole(part, self.whole.chunk(start, stop))

    def repeat(self, times: int) -> Self:
        """Return the potential with every center `times` times in a row."""
        return _with_whole(super().repeat(times), self.whole.repeat(times))


def _with_whole(potential: Masked, whole: Potential) -> Masked:
    return Masked(
        potential.num_parameters, potential.num_samples, whole, potential.free, potential.at
    )


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
