"""Whether what a sampler follows is a gradient: a gradient's Jacobian is symmetric."""

from __future__ import annotations

import torch
from torch import Tensor

from empirics.llc.potential import Potential, check_centers


def curl(potential: Potential, centers: Tensor, *, spacing: float = 1e-5) -> Tensor:
    """Return the antisymmetric part (J - Jᵀ)/2 of the field's Jacobian, (C, d, d).

    The field is the second value of `energy_and_gradient`, whatever made it. Central differences,
    exact up to rounding for a linear field; zero, up to their error, for every energy's gradient.

    Parameters
    ----------
    potential : Potential
    centers : (C, d) or (d,) tensor
        Where to look; float64.
    spacing : float
        Half the distance of the differences.

    Raises
    ------
    ValueError
        If the centers do not fit the potential or spacing is not positive.
    """
    if not spacing > 0:
        raise ValueError(f"spacing must be positive; it is {spacing}.")
    at = check_centers(potential, centers)
    d = at.shape[1]
    offsets = spacing * torch.eye(d, dtype=at.dtype, device=at.device)
    particles = at[:, None, :] + torch.cat([offsets, -offsets])
    _, field = potential.energy_and_gradient(particles)
    # Row i is the change of the field along parameter i, so this is the Jacobian's transpose.
    transposed = (field[:, :d] - field[:, d:]) / (2 * spacing)
    return (transposed.mT - transposed) / 2
