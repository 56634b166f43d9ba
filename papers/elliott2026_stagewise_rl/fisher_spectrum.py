"""The curvature of a policy's behavior, exactly: eigenvalues of its Fisher matrix."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.func import jacrev

from empirics.llc.potentials.freeze_states import FrozenStates
from empirics.llc.potentials.matched_entropy import inverse_temperatures
from empirics.llc.potentials.outputs import Outputs


def fisher_spectrum(
    outputs: Outputs, frozen: FrozenStates, center: Tensor, *, entropy: float | None = None
) -> Tensor:
    """Return the eigenvalues that need not be zero, (n · A,), of the behavior KL's Hessian.

    With F = R Rᵀ the Fisher matrix of each state's softmax and J the slopes of its logits, the
    Hessian Jᵀ F J over d parameters has the eigenvalues of Rᵀ J Jᵀ R, which is as large as there
    are logits.

    Parameters
    ----------
    outputs : Outputs
        Logits in the frozen states.
    frozen : FrozenStates
    center : (d,) tensor
    entropy : float, optional
        Mean entropy to which the softmax is brought, as by `behavior_kl`.
    """

    def logits(w: Tensor) -> Tensor:
        at: Tensor = outputs(w[None, None])[0, 0]
        return at

    slopes, found = jacrev(logits)(center), logits(center)
    weights = frozen.to_tensors(center)[1]
    if entropy is not None:
        factor = inverse_temperatures(found[None], weights, entropy)
        slopes, found = factor * slopes, factor * found
    p = torch.softmax(found, -1)
    # diag(p) - p pᵀ = R Rᵀ with R = diag(√p) - p √pᵀ.
    root = torch.diag_embed(p.sqrt()) - p[:, :, None] * p.sqrt()[:, None, :]
    seen = torch.einsum("sab,sad,s->sbd", root, slopes, weights.sqrt()).flatten(0, 1)
    spectrum: Tensor = torch.linalg.eigvalsh(seen @ seen.T).clamp(min=0)
    return spectrum


def effective_llc(spectrum: Tensor, nbeta: float, localization: float) -> float:
    """Return ½ Σ nbeta·h/(nbeta·h + localization)."""
    pull = nbeta * spectrum
    return float((pull / (pull + localization)).sum()) / 2
