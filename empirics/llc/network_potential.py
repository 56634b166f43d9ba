"""The loss of a network on data: any `nn.Module`, all particles in one program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, final

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from empirics.llc.potential import Potential

Loss = Callable[..., Tensor]


@final
@dataclass(frozen=True, eq=False)
class NetworkPotential(Potential):
    """The mean over rows of data of a loss of a network's output. Built by `network_potential`.

    Attributes
    ----------
    network : torch.nn.Module
        Its parameters' values do not matter, their shapes and order do.
    loss : callable
        Maps the network's output for (B, ...) inputs, and the targets, to (B,) losses.
    inputs : (n, ...) tensor
    targets : (n, ...) tensor or None
    weights : (n,) tensor or None
        Weight of each row, with mean 1; a subset of the data has zeros (a data-refined LLC).
    """

    network: nn.Module
    loss: Loss
    inputs: Tensor
    targets: Tensor | None = None
    weights: Tensor | None = None

    name: ClassVar[str] = "network loss"

    @property
    def num_rows(self) -> int:
        """Rows of data."""
        return int(self.inputs.shape[0])

    @property
    def is_mean_over_rows(self) -> bool:
        """It is."""
        return True

    def footprint(self, batch_size: int | None = None) -> int:
        """Return the parameters, and the inputs as a measure of what the layers hold."""
        rows = self.num_rows if batch_size is None else batch_size
        return self.num_parameters + rows * (self.inputs.numel() // self.num_rows)

    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the mean loss of each particle."""
        flat = w.reshape(-1, w.shape[-1])
        data: list[Any] = [self.inputs, self.targets, self.weights]
        if rows is None:
            losses = vmap(self._mean_loss, (0, None, None, None))(flat, *data)
        else:
            at = rows.reshape(flat.shape[0], -1)
            drawn: list[Any] = [None if each is None else _rows(each, at) for each in data]
            axes = tuple(None if each is None else 0 for each in drawn)
            losses = vmap(self._mean_loss, (0, *axes))(flat, *drawn)
        return losses.reshape(w.shape[:-1])

    def _mean_loss(
        self, w: Tensor, inputs: Tensor, targets: Tensor | None, weights: Tensor | None
    ) -> Tensor:
        output = functional_call(self.network, unflatten(self.network, w), (inputs,))
        losses = self.loss(output) if targets is None else self.loss(output, targets)
        return (losses if weights is None else weights * losses).mean()


def _rows(data: Tensor, at: Tensor) -> Tensor:
    """Return data[at]; this way of asking copies whole rows."""
    return data.index_select(0, at.reshape(-1)).reshape(*at.shape, *data.shape[1:])


def network_potential(
    network: nn.Module,
    loss: Loss,
    inputs: Tensor,
    targets: Tensor | None = None,
    *,
    subset: Tensor | None = None,
    num_samples: int | None = None,
) -> NetworkPotential:
    """Return the potential of a network's mean loss on data.

    Parameters
    ----------
    network : torch.nn.Module
        Without state that a forward pass changes.
    loss : callable
        Maps (output, targets), or (output,) without targets, to one loss a row, (n,).
    inputs, targets : (n, ...) tensors
    subset : (n,) boolean tensor, optional
        Rows that count, for a data-refined LLC.
    num_samples : int, optional
        The n that a default `nbeta` is made of; the number of rows that count if not given.

    Raises
    ------
    ValueError
        If rows disagree, the subset is empty, or the loss is not one value a row.
    """
    n = int(inputs.shape[0])
    for name, rows in (("targets", targets), ("subset", subset)):
        if rows is not None and rows.shape[0] != n:
            raise ValueError(f"inputs have {n} rows; {name} has {rows.shape[0]}.")
    if n == 0 or (subset is not None and not bool(subset.any())):
        raise ValueError("a potential needs at least one row of data; it has none.")
    with torch.no_grad():
        output = network(inputs)
        losses = loss(output) if targets is None else loss(output, targets)
    if losses.shape != (n,):
        raise ValueError(
            f"loss must return one value a row, ({n},); it returned {tuple(losses.shape)}."
        )
    kept = n if subset is None else int(subset.sum())
    weights = None if subset is None else subset.to(inputs.dtype) * (n / kept)
    return NetworkPotential(
        num_parameters=sum(p.numel() for p in network.parameters()),
        num_samples=kept if num_samples is None else num_samples,
        network=network,
        loss=loss,
        inputs=inputs,
        targets=targets,
        weights=weights,
    )


def flatten(network: nn.Module) -> Tensor:
    """Return a network's parameters as one vector (d,), in the order of `parameters()`."""
    return torch.cat([p.detach().reshape(-1) for p in network.parameters()])


def unflatten(network: nn.Module, w: Tensor) -> dict[str, Tensor]:
    """Return a vector (d,) as the network's parameters by name."""
    shaped: dict[str, Any] = {}
    start = 0
    for name, parameter in network.named_parameters():
        stop = start + parameter.numel()
        shaped[name] = w[start:stop].reshape(parameter.shape)
        start = stop
    return shaped
