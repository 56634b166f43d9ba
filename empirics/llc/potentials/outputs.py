"""What a policy or a critic says in every state of a table, as a function of its parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, vmap

from empirics.llc.network_potential import unflatten


class Outputs(nn.Module, ABC):
    """Outputs on a table of n states, for particles; abstract.

    Parameters
    ----------
    num_parameters : int
        d.
    num_rows : int
        n.
    """

    def __init__(self, num_parameters: int, num_rows: int) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.num_rows = num_rows

    @abstractmethod
    def forward(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the outputs (C, K, n, o) of parameters (C, K, d).

        Parameters
        ----------
        w : (C, K, d) tensor
        rows : (C, K, B) integer tensor, optional
            States of each particle; the outputs are then (C, K, B, o).
        """

    def at_centers(self, centers: Tensor) -> Tensor:
        """Return the outputs (C, n, o) of centers (C, d), without gradient.

        Raises
        ------
        ValueError
            If the outputs are not one vector a state.
        """
        with torch.no_grad():
            found: Tensor = self(centers[:, None, :])
        if found.ndim != 4 or found.shape[2] != self.num_rows:
            raise ValueError(
                f"outputs must be one vector a state, (n, o) with n = {self.num_rows}; for a "
                f"center they are {tuple(found.shape[2:])}."
            )
        return found[:, 0]


@final
class LinearOutputs(Outputs):
    """Outputs linear in the parameters: features (n, o, d) times w.

    Parameters
    ----------
    features : (n, o, d) tensor
    """

    features: Tensor

    def __init__(self, features: Tensor) -> None:
        if features.ndim != 3:
            raise ValueError(f"features must be (n, o, d); they are {tuple(features.shape)}.")
        super().__init__(features.shape[2], features.shape[0])
        self.register_buffer("features", features.detach().clone())

    def on(self, states: NDArray[np.int64]) -> LinearOutputs:
        """Return the outputs in some of the states, (n,) integers, repeats allowed."""
        return LinearOutputs(self.features[torch.tensor(states, device=self.features.device)])

    def forward(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return features times parameters."""
        features = self.features.to(w.dtype)
        if rows is None:
            return torch.einsum("...d,nod->...no", w, features)
        return torch.einsum("...d,...bod->...bo", w, features[rows])


def tabular_outputs(num_states: int, num_outputs: int) -> LinearOutputs:
    """Return a table: one parameter a state and output, state by state."""
    size = num_states * num_outputs
    return LinearOutputs(torch.eye(size, dtype=torch.float64).reshape(num_states, num_outputs, -1))


@final
class NetworkOutputs(Outputs):
    """Outputs of a network on a table of observations.

    Parameters
    ----------
    network : torch.nn.Module
        Maps (B, ...) observations to (B, o) outputs, each row on its own.
    observations : (n, ...) tensor
    """

    observations: Tensor

    def __init__(self, network: nn.Module, observations: Tensor) -> None:
        super().__init__(sum(p.numel() for p in network.parameters()), observations.shape[0])
        self.network = network
        self.register_buffer("observations", observations.detach().clone())

    def forward(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the network's outputs with each particle's parameters."""
        flat = w.reshape(-1, w.shape[-1])
        if rows is None:
            found = vmap(self._called, (0, None))(flat, self.observations)
        else:
            drawn = self.observations[rows.reshape(flat.shape[0], -1)]
            found = vmap(self._called, (0, 0))(flat, drawn)
        return found.reshape(*w.shape[:-1], *found.shape[1:])

    def _called(self, w: Tensor, observations: Tensor) -> Tensor:
        found: Tensor = functional_call(self.network, unflatten(self.network, w), (observations,))
        return found


def rows_of(values: Tensor, rows: Tensor | None) -> Tensor:
    """Return what belongs to each center, (C, n, ...), for its particles.

    (C, 1, n, ...) without rows, (C, K, B, ...) on rows (C, K, B).
    """
    if rows is None:
        return values[:, None]
    center = torch.arange(values.shape[0], device=rows.device)[:, None, None]
    return values[center, rows]


def weighted_mean(values: Tensor, weights: Tensor, rows: Tensor | None) -> Tensor:
    """Return Σ weights · values over the last axis, or its unbiased estimate on rows.

    Parameters
    ----------
    values : (C, K, n) or (C, K, B) tensor
    weights : (n,) tensor
        They sum to 1.
    rows : (C, K, B) integer tensor or None
    """
    if rows is None:
        return (values * weights.to(values.dtype)).sum(-1)
    return (values * (weights.shape[0] * weights[rows]).to(values.dtype)).mean(-1)
