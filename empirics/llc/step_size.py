"""How much a finite step lifts the energy of unadjusted chains, in closed form.

In a direction of curvature P = nbeta·h + localization the chain w <- w - (ε/2) P w + sqrt(ε) ξ
has the variance 1/(P (1 - ε P/4)) instead of 1/P, so that nbeta·E[h w²/2] is 1/(1 - ε P/4) times
too high; from ε P = 4 on it diverges.
"""

from __future__ import annotations

import torch
from torch import Tensor

from empirics.llc.potential import Potential


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
    stiffness = pull + localization[:, None]
    x = step_size[:, None] * stiffness / 4
    lifted = pull / (2 * stiffness) * x / (1 - x)
    return torch.where(x < 1, lifted, torch.inf).sum(-1)
