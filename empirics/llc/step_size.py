"""How much a finite step lifts the energy of unadjusted chains, in closed form.

In a direction of curvature P = nbeta·h + localization the chain w <- w - (ε/2) P w + sqrt(ε) ξ
has the variance 1/(P (1 - ε P/4)) instead of 1/P, so that nbeta·E[h w²/2] is 1/(1 - ε P/4) times
too high; from ε P = 4 on it diverges.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from empirics.llc.potential import Potential

PROBES, TURNS = 8, 12
"""Random directions of the trace, and turns of the power iteration."""
MINIBATCHES = 8
"""Whose gradients are compared at every draw."""


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


def estimated_bias(
    potential: Potential,
    centers: Tensor,
    *,
    nbeta: Tensor,
    localization: Tensor,
    step_size: Tensor,
    scales: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return `step_size_bias`, (C,), without a Hessian, and its standard error, (C,).

    For networks whose Hessian is too large. To first order the bias is step_size/8 · nbeta · the
    trace of the Hessian, which is found by random directions (Hutchinson 1989); what the steepest
    direction adds beyond the first order is found by power iteration, and that of the others, which
    is positive, is left out. Products with a direction are differences of gradients over
    sqrt(step_size), about as far as a chain moves. The noise of minibatches is not in it
    (`noise_bound`).

    Parameters
    ----------
    As those of `step_size_bias`.
    """
    lengths = torch.ones_like(centers) if scales is None else scales.to(centers).expand_as(centers)
    reach = step_size.sqrt()[:, None]

    def product(direction: Tensor) -> Tensor:
        moved = reach * lengths * direction
        both = torch.stack((centers + moved, centers - moved), dim=1)
        ahead, behind = potential.energy_and_gradient(both)[1].unbind(1)
        return lengths * (ahead - behind) / (2 * reach)

    rng, size = np.random.default_rng(0), centers.shape[1]
    signs = torch.as_tensor(rng.choice([-1.0, 1.0], (PROBES, size)) / size**0.5).to(centers)
    traces = torch.stack([size * (u * product(u.expand_as(centers))).sum(-1) for u in signs])
    first = step_size / 8 * nbeta * traces
    start = torch.as_tensor(rng.standard_normal(size)).to(centers).expand_as(centers)
    steepest = nbeta * _steepest(product, start).clamp(min=0.0)
    beyond = _lift(steepest, localization, step_size) - step_size / 8 * steepest
    return first.mean(0) + beyond, first.std(0) / PROBES**0.5


def noise_bound(
    potential: Potential,
    draws: Tensor,
    *,
    nbeta: Tensor,
    step_size: Tensor,
    batch_size: int,
    scales: Tensor | None = None,
) -> Tensor:
    """Return at most how much the noise of minibatches lifts the LLC of plain SGLD, (C,).

    A noise of covariance N in the force adds step_size/4 · N to the covariance of a move, and so
    at most step_size/8 · tr N to the coefficient, to first order; less where the localization, not
    the energy, holds a direction. N is that of minibatches at draws of the chains.

    Parameters
    ----------
    potential : Potential
    draws : (C, K, d) tensor
        One of each chain.
    nbeta, step_size : (C,) tensors
    batch_size : int
    scales : (d,) or (C, d) tensor, optional
    """
    count, chains, size = draws.shape
    lengths = draws.new_ones(count, size) if scales is None else scales.to(draws)
    rows = potential.num_rows
    if rows is None:
        return torch.zeros_like(nbeta)
    rng = np.random.default_rng(0)
    gradients = []
    for _ in range(MINIBATCHES):
        drawn = torch.as_tensor(rng.integers(rows, size=(chains, batch_size)), device=draws.device)
        at = drawn.expand(count, -1, -1)
        gradients.append(potential.energy_and_gradient(draws, at)[1])
    variance = (lengths[..., None, :] * torch.stack(gradients)).var(0).sum(-1).mean(-1)
    return step_size / 8 * nbeta**2 * variance


def _steepest(product: Callable[[Tensor], Tensor], direction: Tensor) -> Tensor:
    """Return the largest curvature, from below, by power iteration from a direction (C, d)."""
    curvature = direction.new_zeros(direction.shape[0])
    for _ in range(TURNS):
        direction = direction / direction.norm(dim=-1, keepdim=True).clamp(min=1e-30)
        turned = product(direction)
        curvature, direction = (direction * turned).sum(-1), turned
    return curvature


def _lift(pull: Tensor, localization: Tensor, step_size: Tensor) -> Tensor:
    """Return what a finite step adds to each direction's half of pull/(pull + localization)."""
    stiffness = pull + localization
    x = step_size * stiffness / 4
    return torch.where(x < 1, pull / (2 * stiffness) * x / (1 - x), torch.inf)
