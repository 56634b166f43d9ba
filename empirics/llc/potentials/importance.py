"""What importance weights are worth: the share of the actions that the weighted ones amount to."""

from __future__ import annotations

import torch
from torch import Tensor

LEAST_ESS = 0.2
"""Share of effective actions below which reweighting is refused."""


def importance_ess(log_ratio: Tensor) -> Tensor:
    """Return the effective share (Σ ratio)²/(N Σ ratio²) of N reweighted actions, (C, K).

    For normal policies of equal sd whose means lie df apart the share is exp(-‖df‖²/sd²) in
    expectation over many actions of one state.

    Parameters
    ----------
    log_ratio : (C, K, ...) tensor
        Of the actions, over all further axes.
    """
    flat = log_ratio.flatten(2)
    log_sum, log_squares = torch.logsumexp(flat, -1), torch.logsumexp(2 * flat, -1)
    return torch.exp(2 * log_sum - log_squares) / flat.shape[-1]


def importance_doubts(share: Tensor) -> tuple[tuple[str, ...], ...]:
    """Refuse, in a sentence a center, particles (C, K) whose weights are worth too little."""
    found: list[tuple[str, ...]] = []
    for each in share:
        worst, low = float(each.min()), int((~(each >= LEAST_ESS)).sum())
        said = (
            f"Refused: in {low} of {each.numel()} chains the importance weights are worth less "
            f"than {100 * LEAST_ESS:g} % of the actions ({100 * worst:.1f} % at worst); draw "
            "fresh actions, or raise nbeta or localization."
        )
        found.append((said,) if low else ())
    return tuple(found)
