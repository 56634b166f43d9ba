"""How much a softmax must be sharpened or blunted to have a given mean entropy.

A policy that goes on sharpening flattens its own Fisher matrix, so that the coefficient of its
behavior falls for no other reason. With its logits brought to one mean entropy at every
checkpoint, what remains is how the logits stand to one another.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

WIDEST = 60.0
"""Largest |ln| of an inverse temperature that is sought."""
HALVINGS = 60


def inverse_temperatures(logits: Tensor, weights: Tensor, entropy: float) -> Tensor:
    """Return the factors (C,) with Σ weights · H(softmax(factor · logits)) = entropy.

    The entropy of a softmax only falls as its logits are multiplied by more, so there is at most
    one factor; it is found by bisection.

    Parameters
    ----------
    logits : (C, n, A) tensor
        Of C policies in n states.
    weights : (n,) tensor
        Of the states; they sum to 1.
    entropy : float
        In nats, between 0 and ln A.

    Raises
    ------
    ValueError
        If the entropy is out of its range, or a policy has it at no factor: its actions are alike
        in some states, or in all.
    """
    most = math.log(logits.shape[-1])
    if not 0 < entropy < most:
        raise ValueError(
            f"entropy must lie between 0 and ln {logits.shape[-1]} = {most:.4g}; it is {entropy}."
        )
    low, high = (torch.full_like(logits[:, 0, 0], end) for end in (-WIDEST, WIDEST))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        blunt = mean_entropy(logits * middle.exp()[:, None, None], weights) > entropy
        low, high = torch.where(blunt, middle, low), torch.where(blunt, high, middle)
    found = ((low + high) / 2).exp()
    reached = mean_entropy(logits * found[:, None, None], weights)
    off = (reached - entropy).abs() > 1e-6 * most
    if off.any():
        at = int(off.nonzero()[0])
        raise ValueError(
            f"center {at} has a mean entropy of {entropy:g} at no temperature; sharpened, it stays "
            f"at {float(reached[at]):g}, since in some states its best actions are alike."
        )
    return found


def mean_entropy(logits: Tensor, weights: Tensor) -> Tensor:
    """Return the mean entropy (C,) of softmax policies (C, n, A), in nats."""
    log_p = torch.log_softmax(logits, -1)
    return -(log_p.exp() * log_p).sum(-1) @ weights.to(log_p.dtype)
