"""The loss of a deep linear network y = W_L ... W_1 x, over all inputs or over data.

Half the squared error depends on data only through the least squares map and the second moment of
the inputs, so that neither it nor its gradient costs more with more rows:

    energy(w) = ½ tr (W - W*) Σ (W - W*)ᵀ + floor,   W = W_L ... W_1.

Over standard normal inputs without noise Σ = 1, and the energy is ½ ‖W - W*‖².
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, final

import torch
from torch import Tensor

from empirics.llc.potential import Potential


@final
@dataclass(frozen=True, eq=False)
class LinearNetworkPotential(Potential):
    """Half the squared error of a deep linear network. Built by `linear_network_potential`.

    The parameters are W_1, (H_1, H_0) row by row, to W_L, (H_L, H_{L-1}).

    Attributes
    ----------
    widths : tuple of int
        H_0 (inputs) to H_L (outputs).
    best : (H_L, H_0) tensor
        W*, the map of least loss.
    moment : (H_0, H_0) tensor or None
        Σ, the second moment of the inputs; None where it is 1.
    floor : float
        The loss of W*.
    """

    widths: tuple[int, ...]
    best: Tensor
    moment: Tensor | None = None
    floor: float = 0.0

    name: ClassVar[str] = "linear network loss"

    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the loss, (C, K), of parameters (C, K, d)."""
        products = self._products(self._layers(w))
        return self._loss(products[-1])[0].reshape(w.shape[:-1])

    def energy_and_gradient(self, w: Tensor, rows: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the loss (C, K) and its gradient (C, K, d), by the chain rule."""
        layers = self._layers(w)
        products = self._products(layers)
        energy, signal = self._loss(products[-1])
        slopes: list[Tensor] = []
        for layer, below in zip(layers[:0:-1], products[-2::-1], strict=True):
            slopes.append(torch.bmm(signal, below.mT).reshape(len(layer), -1))
            signal = torch.bmm(layer.mT, signal)
        slopes.append(signal.reshape(len(signal), -1))
        gradient = torch.cat(slopes[::-1], dim=-1)
        return energy.reshape(w.shape[:-1]), gradient.reshape(w.shape)

    def _layers(self, w: Tensor) -> list[Tensor]:
        """Return W_1 to W_L, (CK, H_l, H_{l-1}) each."""
        shapes = [(above, below) for below, above in pairwise(self.widths)]
        parts = torch.split(w.reshape(-1, w.shape[-1]), [x * y for x, y in shapes], dim=-1)
        return [part.view(-1, *shape) for part, shape in zip(parts, shapes, strict=True)]

    def _products(self, layers: list[Tensor]) -> list[Tensor]:
        """Return W_1, W_2 W_1, ..., W_L ... W_1."""
        products = layers[:1]
        for layer in layers[1:]:
            products.append(torch.bmm(layer, products[-1]))
        return products

    def _loss(self, product: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss (CK,) and its gradient (CK, H_L, H_0) in the product of the layers."""
        error = product - self.best
        signal = error if self.moment is None else error @ self.moment
        return (signal * error).sum((-2, -1)) / 2 + self.floor, signal


def linear_network_potential(
    widths: Sequence[int], best: Tensor, *, num_samples: int | None = None
) -> LinearNetworkPotential:
    """Return the loss over standard normal inputs, ½ ‖W_L ... W_1 - W*‖².

    Parameters
    ----------
    widths : sequence of int
        H_0 (inputs) to H_L (outputs).
    best : (H_L, H_0) tensor
        W*.
    num_samples : int, optional
        The n that a default `nbeta` is made of.

    Raises
    ------
    ValueError
        If there are less than two widths, one is below 1, or W* does not fit them.
    """
    sizes = _checked(widths)
    if best.shape != (sizes[-1], sizes[0]):
        raise ValueError(
            f"best must be ({sizes[-1]}, {sizes[0]}), outputs by inputs; its shape is "
            f"{tuple(best.shape)}."
        )
    return LinearNetworkPotential(_count(sizes), num_samples, sizes, best)


def linear_network_data_potential(
    widths: Sequence[int], inputs: Tensor, targets: Tensor
) -> LinearNetworkPotential:
    """Return half the mean squared error over rows of data.

    Parameters
    ----------
    widths : sequence of int
    inputs : (n, H_0) tensor
        Of full rank, so that the least squares map is one.
    targets : (n, H_L) tensor

    Raises
    ------
    ValueError
        If there are less than two widths, one is below 1, rows do not fit them or one another, or
        the inputs are not of full rank.
    """
    sizes, n = _checked(widths), int(inputs.shape[0])
    if inputs.shape != (n, sizes[0]) or targets.shape != (n, sizes[-1]):
        raise ValueError(
            f"inputs and targets must be (n, {sizes[0]}) and (n, {sizes[-1]}); their shapes are "
            f"{tuple(inputs.shape)} and {tuple(targets.shape)}."
        )
    rank = int(torch.linalg.matrix_rank(inputs)) if n else 0
    if rank < sizes[0]:
        raise ValueError(f"inputs must be of full rank, {sizes[0]}; theirs is {rank}.")
    best = torch.linalg.lstsq(inputs, targets).solution
    floor = float((targets - inputs @ best).square().sum()) / (2 * n)
    moment = inputs.mT @ inputs / n
    return LinearNetworkPotential(_count(sizes), n, sizes, best.mT.contiguous(), moment, floor)


def deepest_point(widths: Sequence[int], rank: int) -> Tensor:
    """Return the parameters (d,) of a map of some rank at which the network is most singular.

    Every layer is 1 on the first `rank` units and 0 elsewhere. All the other ways to make the same
    map come arbitrarily near, up to a change of basis of the hidden layers, since what is 0 may be
    scaled down; so no learning coefficient of that map is less than the one here.

    Raises
    ------
    ValueError
        If there are less than two widths, one is below 1, or the rank is none that they can have.
    """
    sizes = _checked(widths)
    if not 0 <= rank <= min(sizes):
        raise ValueError(f"rank must be from 0 to the smallest width, {min(sizes)}; it is {rank}.")
    layers = []
    for below, above in pairwise(sizes):
        layer = torch.zeros(above, below, dtype=torch.float64)
        layer.diagonal()[:rank] = 1.0
        layers.append(layer.flatten())
    return torch.cat(layers)


def _count(sizes: tuple[int, ...]) -> int:
    return sum(below * above for below, above in pairwise(sizes))


def _checked(widths: Sequence[int]) -> tuple[int, ...]:
    if len(widths) < 2 or min(widths) < 1:
        raise ValueError(f"widths must be two at least, each at least 1; they are {list(widths)}.")
    return tuple(widths)
