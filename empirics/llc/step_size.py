"""How much a finite step lifts the energy of unadjusted chains, in closed form.

In a direction of curvature P = nbeta·h + localization the chain w <- w - (ε/2) P w + sqrt(ε) ξ
has the variance 1/(P (1 - ε P/4)) instead of 1/P, so that nbeta·E[h w²/2] is 1/(1 - ε P/4) times
too high; from ε P = 4 on it diverges.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from empirics.llc.potential import Potential

TURNS = 12
"""Of the power iteration."""


def step_size_bias(
    potential: Potential,
    centers: Tensor,
    *,
    nbeta: Tensor,
    localization: Tensor,
    step_size: Tensor,
    scales: Tensor | None = None,
) -> Tensor:
    """Return by how much a step size lifts the LLC of plain SGLD on the whole data, (C,).

    Exact where the energy is quadratic; elsewhere it counts the curvature at the center, and flat
    directions add nothing.

    Parameters
    ----------
    potential : Potential
    centers : (C, d) tensor
    nbeta, localization, step_size : (C,) tensors
    scales : (d,) or (C, d) tensor, optional

    Returns
    -------
    bias : (C,) tensor
        Infinite where a direction is so steep that the chain diverges.
    """
    hessian = potential.hessian(centers)
    if scales is not None:
        hessian = hessian * scales[..., :, None] * scales[..., None, :]
    pull = nbeta[:, None] * torch.linalg.eigvalsh(hessian).clamp(min=0.0)
    return _lift(pull, localization[:, None], step_size[:, None]).sum(-1)


def steepest_lift(
    potential: Potential,
    centers: Tensor,
    *,
    nbeta: Tensor,
    localization: Tensor,
    step_size: Tensor,
    scales: Tensor | None = None,
) -> Tensor:
    """Return at least how much a step size lifts the LLC of plain SGLD, (C,).

    The share of one direction in `step_size_bias`, that of the steepest curvature as power
    iteration finds it from below; for networks whose Hessian is too large. Its products with a
    direction are differences of gradients over sqrt(step_size), about as far as a chain moves.

    Parameters
    ----------
    As those of `step_size_bias`.
    """
    lengths = torch.ones_like(centers) if scales is None else scales.to(centers).expand_as(centers)
    start = np.random.default_rng(0).standard_normal(centers.shape[1])
    direction = torch.as_tensor(start).to(centers).expand_as(centers)
    reach = step_size.sqrt()[:, None]
    curvature = torch.zeros_like(nbeta)
    for _ in range(TURNS):
        direction = direction / direction.norm(dim=-1, keepdim=True).clamp(min=1e-30)
        moved = reach * lengths * direction
        both = torch.stack((centers + moved, centers - moved), dim=1)
        ahead, behind = potential.energy_and_gradient(both)[1].unbind(1)
        product = lengths * (ahead - behind) / (2 * reach)
        curvature = (direction * product).sum(-1)
        direction = product
    return _lift(nbeta * curvature.clamp(min=0.0), localization, step_size)


def _lift(pull: Tensor, localization: Tensor, step_size: Tensor) -> Tensor:
    """Return what a finite step adds to each direction's half of pull/(pull + localization)."""
    stiffness = pull + localization
    x = step_size * stiffness / 4
    return torch.where(x < 1, pull / (2 * stiffness) * x / (1 - x), torch.inf)
