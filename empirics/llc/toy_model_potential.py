"""The loss of the toy model of superposition, over all inputs or over data.

f(x) = ReLU(WᵀW x + b) reconstructs x = μ e_i: one of c features at a time, with probability p_i,
at a strength μ uniform on [0, 1] (Chen et al. 2023). The loss is E‖x - f(x)‖².
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self, final

import numpy as np
import torch
from torch import Tensor

from empirics.llc.potential import Potential
from empirics.llc.toy_model_native import loss_and_gradient

SMALLEST = 1e-12
"""Below this a line is flat: it is positive over all of [0, 1] or nowhere, whatever its slope."""


@final
@dataclass(frozen=True, eq=False)
class ToyModelPotential(Potential):
    """The loss over all inputs, in closed form. Built by `toy_model_potential`.

    The parameters are W, (2, c) row by row, then b, (c,).

    Attributes
    ----------
    probability : (c,) or (C, c) tensor
        Of the features; each center its own, where there are two axes.
    """

    probability: Tensor

    name: ClassVar[str] = "toy model loss"

    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the loss, (C, K), of parameters (C, K, 3c).

        As a function of μ an output runs from low = ReLU(b_j) to high = ReLU(b_j + g_ij) over a
        length of [0, 1] on which it is positive; the integrals are polynomials in these three.
        """
        slope, bias = _lines(w)
        low, high = bias.relu(), (slope + bias).relu()
        both = low + high
        length = both / torch.maximum(slope.abs(), both).clamp(min=SMALLEST)
        square = length * (both**2 - low * high)
        product = length * (3 * high + length * (low - high))
        each = square.sum(-1) + 1 - product.diagonal(dim1=-2, dim2=-1)
        return (each * self._each_center(w)).sum(-1) / 3

    def energy_and_gradient(self, w: Tensor, rows: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the loss (C, K) and its gradient (C, K, 3c)."""
        if w.device.type != "cpu":
            return super().energy_and_gradient(w, rows)
        p = self._each_center(w).expand(*w.shape[:-1], -1).reshape(-1, w.shape[-1] // 3)
        return _compiled(w, p[:1] if self.probability.ndim == 1 else p, None)

    def chunk(self, start: int, stop: int) -> Self:
        """Return the potential of the centers from `start` to before `stop`."""
        return self if self.probability.ndim == 1 else self._with(self.probability[start:stop])

    def repeat(self, times: int) -> Self:
        """Return the potential with every center `times` times in a row."""
        p = self.probability
        return self if p.ndim == 1 else self._with(p.repeat_interleave(times, dim=0))

    def _with(self, probability: Tensor) -> Self:
        return replace(self, probability=probability)

    def _each_center(self, w: Tensor) -> Tensor:
        p = self.probability.to(w)
        if p.ndim == 2 and p.shape[0] != w.shape[0]:
            raise ValueError(f"probability is of {p.shape[0]} centers; there are {w.shape[0]}.")
        return p if p.ndim == 1 else p[:, None, :]


@final
@dataclass(frozen=True, eq=False)
class ToyModelDataPotential(Potential):
    """The mean loss over data. Built by `toy_model_data_potential`.

    The parameters are those of `ToyModelPotential`.

    Attributes
    ----------
    features : (n,) integer tensor
        Which feature every row has, ascending.
    strengths : (n,) tensor
        How strong it is, ascending within a feature.
    starts : (c + 1,) integer tensor
        Where each feature's rows begin.
    sums : (n + c, 3) tensor
        Running sums of the strengths' powers, over n.
    """

    features: Tensor
    strengths: Tensor
    starts: Tensor
    sums: Tensor

    name: ClassVar[str] = "toy model loss on data"

    @property
    def num_rows(self) -> int:
        """Rows of data, n."""
        return int(self.features.shape[0])

    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the mean loss, (C, K), of parameters (C, K, 3c)."""
        slope, bias = _lines(w)
        at = torch.arange(self.num_rows, device=w.device) if rows is None else rows
        feature, strength = self.features[at], self.strengths.to(w)[at]
        index = feature.expand(*w.shape[:-1], -1)[..., None].expand(-1, -1, -1, slope.shape[-1])
        output = (torch.gather(slope, -2, index) * strength[..., None] + bias).relu()
        own = torch.gather(output, -1, index[..., :1])[..., 0]
        return ((output**2).sum(-1) + strength**2 - 2 * strength * own).mean(-1)

    def energy_and_gradient(self, w: Tensor, rows: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the loss (C, K) and its gradient (C, K, 3c)."""
        if rows is not None or w.device.type != "cpu":
            return super().energy_and_gradient(w, rows)
        return _compiled(w, w.new_ones(1, w.shape[-1] // 3), self)


def _lines(w: Tensor) -> tuple[Tensor, Tensor]:
    """Return the slopes WᵀW, (C, K, c, c), and the biases, (C, K, 1, c)."""
    c = w.shape[-1] // 3
    plane = w[..., : 2 * c].reshape(*w.shape[:-1], 2, c)
    return plane.mT @ plane, w[..., None, 2 * c :]


def _compiled(
    w: Tensor, probability: Tensor, data: ToyModelDataPotential | None
) -> tuple[Tensor, Tensor]:
    """Return the loss and its gradient, (C, K) and (C, K, 3c), on the processor."""
    flat = w.detach().reshape(-1, w.shape[-1]).contiguous()
    energy, gradient = flat.new_empty(flat.shape[0]), torch.empty_like(flat)
    loss_and_gradient(
        flat.numpy(),
        probability.contiguous().numpy(),
        np.empty(0) if data is None else data.strengths.numpy(),
        np.empty(0, np.int64) if data is None else data.starts.numpy(),
        np.empty((0, 3)) if data is None else data.sums.numpy(),
        energy.numpy(),
        gradient.numpy(),
    )
    return energy.reshape(w.shape[:-1]), gradient.reshape(w.shape)


def toy_model_potential(
    num_features: int = 6, *, probability: Tensor | None = None, num_samples: int | None = None
) -> ToyModelPotential:
    """Return the population loss of the toy model.

    Parameters
    ----------
    num_features : int
        c.
    probability : (c,) or (C, c) tensor, optional
        Of the features; 1/c if not given.
    num_samples : int, optional
        The n that a default `nbeta` is made of.

    Raises
    ------
    ValueError
        If there is no feature, or the probability is none.
    """
    if num_features < 1:
        raise ValueError(f"num_features must be at least 1; it is {num_features}.")
    p = probability
    if p is None:
        p = torch.full((num_features,), 1 / num_features, dtype=torch.float64)
    if p.ndim not in (1, 2) or p.shape[-1] != num_features:
        raise ValueError(
            f"probability must be ({num_features},) or one such row a center; its shape is "
            f"{tuple(p.shape)}."
        )
    if bool((p < 0).any()) or not torch.allclose(p.sum(-1), p.new_ones(())):
        raise ValueError(
            f"probability must not be negative and must sum to 1; its sums are {p.sum(-1)}."
        )
    return ToyModelPotential(3 * num_features, num_samples, p)


def toy_model_data_potential(
    num_features: int, features: Tensor, strengths: Tensor
) -> ToyModelDataPotential:
    """Return the toy model's mean loss on data.

    Parameters
    ----------
    num_features : int
        c.
    features : (n,) integer tensor
        Which feature every row has, from 0.
    strengths : (n,) tensor
        How strong it is.

    Raises
    ------
    ValueError
        If rows disagree, there is none, or a feature does not exist.
    """
    n = features.shape[0]
    if n == 0 or features.shape != (n,) or strengths.shape != (n,):
        raise ValueError(
            "features and strengths must be one value a row of data each; their shapes are "
            f"{tuple(features.shape)} and {tuple(strengths.shape)}."
        )
    if int(features.min()) < 0 or int(features.max()) >= num_features:
        raise ValueError(f"features must lie in 0 to {num_features - 1}.")
    order = np.lexsort((strengths.numpy(), features.numpy()))
    which, strong = features[order].long(), strengths[order].double()
    starts = torch.searchsorted(which, torch.arange(num_features + 1))
    powers = torch.stack([strong**k for k in range(3)], dim=-1) / n
    sums = [
        torch.cat([powers.new_zeros(1, 3), powers[starts[i] : starts[i + 1]].cumsum(0)])
        for i in range(num_features)
    ]
    return ToyModelDataPotential(3 * num_features, n, which, strong, starts, torch.cat(sums))
