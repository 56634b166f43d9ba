"""What is done to an activation: edits as values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from empirics.activations.site import Site
from empirics.coerce import number

Value = Tensor | ArrayLike
"""A number; or one number a channel; or (channels, ...), for all rows; or that with the
rows before it, one value a row. An axis of length 1 stands for all."""


@dataclass(frozen=True, eq=False)
class Edit(ABC):
    """A change of the activations at one site."""

    site: Site

    @abstractmethod
    def apply(self, part: Tensor) -> Tensor:
        """Return what stands in place of `part` (rows, channels, ...), a new tensor."""


@final
@dataclass(frozen=True, eq=False)
class Replace(Edit):
    """Put a value there, such as what the network computed on other inputs.

    Attributes
    ----------
    site : Site
    value : Value

    Raises
    ------
    ValueError
        If the value has numbers that are not finite.
    """

    value: Value

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", _tensor("value", self.value))

    def apply(self, part: Tensor) -> Tensor:
        """Return the value, one for each place of `part`."""
        return _fitted(self, self.value, part).expand_as(part).clone()


@final
@dataclass(frozen=True, eq=False)
class Add(Edit):
    """Add a vector, `coefficient` times.

    Attributes
    ----------
    site : Site
    vector : Value
    coefficient : float

    Raises
    ------
    ValueError
        If there are numbers that are not finite.
    """

    vector: Value
    coefficient: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "vector", _tensor("vector", self.vector))
        object.__setattr__(self, "coefficient", number("coefficient", self.coefficient))

    def apply(self, part: Tensor) -> Tensor:
        """Return `part` + `coefficient` · `vector`."""
        return part + self.coefficient * _fitted(self, self.vector, part)


@final
@dataclass(frozen=True, eq=False)
class Scale(Edit):
    """Multiply; by 0 the activations are ablated.

    Attributes
    ----------
    site : Site
    factor : Value

    Raises
    ------
    ValueError
        If there are numbers that are not finite.
    """

    factor: Value

    def __post_init__(self) -> None:
        object.__setattr__(self, "factor", _tensor("factor", self.factor))

    def apply(self, part: Tensor) -> Tensor:
        """Return `factor` · `part`."""
        return part * _fitted(self, self.factor, part)


def _tensor(name: str, value: Value) -> Tensor:
    """Return a copy of the value, which keeps its gradient."""
    exact = None if isinstance(value, Tensor) else torch.float64
    tensor = torch.as_tensor(value, dtype=exact).clone()
    if not torch.isfinite(tensor).all():
        raise ValueError(f"{name} must be finite numbers; some are not.")
    return tensor


def _fitted(edit: Edit, value: Value, part: Tensor) -> Tensor:
    """Return the value with axes that broadcast against `part`, in its type and place."""
    tensor = torch.as_tensor(value).to(part)
    if tensor.ndim == part.ndim - 1:
        tensor = tensor[None]
    elif tensor.ndim == 1 < part.ndim:
        tensor = tensor.reshape(1, -1, *[1] * (part.ndim - 2))
    fits = tensor.ndim in (0, part.ndim) and all(
        n in (1, m) for n, m in zip(tensor.shape, part.shape[-tensor.ndim :], strict=False)
    )
    if not fits:
        given = tuple(torch.as_tensor(value).shape)
        raise ValueError(
            f"{type(edit).__name__} at {edit.site} needs a number, one a channel, the shape "
            f"{tuple(part.shape[1:])} for all rows, or {tuple(part.shape)}; got {given}."
        )
    return tensor
