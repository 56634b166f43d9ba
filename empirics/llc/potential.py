"""What a learning coefficient is asked of: an energy, over parameters, on data of a size.

The posterior is exp(-nbeta · energy) times a Gaussian around a center. Particles are the last
axes of every array: a center has many chains, and each chain is a vector of parameters.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


@runtime_checkable
class Movable(Protocol):
    """What goes to another device: a tensor, a module, a potential, a table of tensors."""

    def to(self, device: Any, /) -> Any:
        """Return it on the device."""


@dataclass(frozen=True, eq=False)
class Potential(ABC):
    """An energy of parameters; abstract.

    Energies and gradients are asked for (C, K, d) parameters: K chains around each of C centers.

    Attributes
    ----------
    num_parameters : int
        d.
    num_samples : int or None
        n, the size of the data that the energy is a mean over; None where the energy has no data
        (a population loss, an exact regret), so that `nbeta` must be given.
    """

    num_parameters: int
    num_samples: int | None

    name: ClassVar[str]
    refusal: ClassVar[str] = ""
    """Why no learning coefficient may be read from this energy; empty where one may."""
    per_center: ClassVar[tuple[str, ...]] = ()
    """Fields whose first axis is the center's."""

    @abstractmethod
    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the energy, (C, K), of parameters (C, K, d).

        Parameters
        ----------
        w : (C, K, d) tensor
        rows : (C, K, B) integer tensor or None
            The rows of the data that each particle's energy is the mean over; None takes all.
        """

    @property
    def num_rows(self) -> int | None:
        """Rows of data a minibatch can be drawn from; None where the energy is always whole."""
        return None

    @property
    def refused_because(self) -> str:
        """Why it is refused: its own refusal, or that of an energy it is made of; else empty."""
        inner = (getattr(self, field.name) for field in fields(self))
        reasons = (value.refused_because for value in inner if isinstance(value, Potential))
        return self.refusal or next((reason for reason in reasons if reason), "")

    def energy_and_gradient(self, w: Tensor, rows: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the energy (C, K) and its gradient (C, K, d).

        The particles do not know one another, so the gradient of the sum holds each one's.

        Raises
        ------
        ValueError
            If the energy has no gradient.
        """
        with torch.enable_grad():
            at = w.detach().requires_grad_()
            energy = self.energy(at, rows)
            if not energy.requires_grad:
                raise ValueError(
                    f"{self.name} has no gradient; it must depend on the parameters through "
                    "differentiable torch operations."
                )
            (gradient,) = torch.autograd.grad(energy.sum(), at)
        return energy.detach(), gradient

    def hessian(self, centers: Tensor) -> Tensor:
        """Return the second derivatives (C, d, d) at the centers (C, d)."""

        def gradient(at: Tensor) -> Tensor:
            (slope,) = torch.autograd.grad(self.energy(at).sum(), at, create_graph=True)
            return slope

        with torch.enable_grad():
            at = centers.detach()[:, None, :].requires_grad_()
            slope = gradient(at)
            rows = [
                torch.autograd.grad(slope[..., i].sum(), at, retain_graph=True)[0]
                for i in range(self.num_parameters)
            ]
        hessian = torch.stack(rows, dim=-2)[:, 0]
        return (hessian + hessian.mT) / 2

    def doubts(self, centers: Tensor, final: Tensor) -> tuple[tuple[str, ...], ...]:
        """Say, for each center, why its draws' energies may not be what they stand for.

        Asked once the chains are drawn; most energies are what they are wherever they are asked.

        Parameters
        ----------
        centers : (C, d) tensor
        final : (C, K, d) tensor
            Where the chains ended.

        Returns
        -------
        doubts : tuple of C tuples of str
        """
        return ((),) * centers.shape[0]

    def chunk(self, start: int, stop: int) -> Self:
        """Return the potential of the centers from `start` to before `stop`."""
        return self._with_centers(
            lambda rows: rows[start:stop], lambda inner: inner.chunk(start, stop)
        )

    def repeat(self, times: int) -> Self:
        """Return the potential with every center `times` times in a row."""
        return self._with_centers(
            lambda rows: rows.repeat_interleave(times, dim=0), lambda inner: inner.repeat(times)
        )

    def _with_centers(
        self, rows: Callable[[Tensor], Tensor], inner: Callable[[Potential], Potential]
    ) -> Self:
        """Return the potential with other centers, in it and in the potentials it is made of."""
        changed: dict[str, Any] = {name: rows(getattr(self, name)) for name in self.per_center}
        for field in fields(self):
            if isinstance(value := getattr(self, field.name), Potential):
                changed[field.name] = inner(value)
        return replace(self, **changed)

    def to(self, device: str | torch.device) -> Self:
        """Return the potential with its data on another device; this one stays where it is."""
        moved: dict[str, Any] = {
            # A module would move itself, and with it what else is made of it.
            field.name: (copy.deepcopy(value) if isinstance(value, nn.Module) else value).to(device)
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), Movable)
        }
        return replace(self, **moved) if moved else self


def check_centers(potential: Potential, centers: NDArray[np.float64] | Tensor) -> Tensor:
    """Return the centers (C, d) as a tensor; a single one, (d,), becomes (1, d).

    Raises
    ------
    ValueError
        If a center has another number of parameters than the potential, or the potential is
        bound to another number of centers.
    """
    at = torch.as_tensor(centers)
    at = at[None] if at.ndim == 1 else at
    if at.ndim != 2 or at.shape[1] != potential.num_parameters:
        raise ValueError(
            f"{potential.name} is over {potential.num_parameters} parameters; the centers have "
            f"shape {tuple(at.shape)}. Give checkpoints of that architecture, one a row."
        )
    for name in potential.per_center:
        rows = getattr(potential, name).shape[0]
        if rows != at.shape[0]:
            raise ValueError(
                f"{name} of {potential.name} is for {rows} centers; there are {at.shape[0]}."
            )
    return at if at.is_floating_point() else at.double()
