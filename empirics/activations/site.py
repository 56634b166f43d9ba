"""Where in a network an activation lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from empirics.coerce import whole

Position = tuple[int, ...]


@final
@dataclass(frozen=True)
class Site:
    """A place among the activations of a network: a module's output, or a part of it.

    An output has rows on its first axis, channels on the next, and positions on the others
    (none for a dense layer).

    Attributes
    ----------
    module : str
        Name of the module, as in `named_modules`; the empty name is the network itself.
    tick : int or None
        Which call of the module within one forward pass, from 0; None is every one. The ticks
        of a weight-tied network are the calls of the module that it repeats.
    channels : sequence of int or None
        The channels; None is all of them.
    positions : sequence or None
        Positions, each one index an axis, as in ``[(4, 4), (4, 5)]``: (P, axes). Or so many for
        each row, (rows, P, axes). None is all of them.
    element : int or None
        Which element of an output that is a tuple, as of recurrent layers.
    channel_axis : int
        The axis of the channels, where it is not 1.

    Raises
    ------
    ValueError
        If an index is no whole number or negative, or is named twice.
    """

    module: str
    tick: int | None = None
    channels: Sequence[int] | None = None
    positions: Sequence[Position] | Sequence[Sequence[Position]] | None = None
    element: int | None = None
    channel_axis: int = 1

    def __post_init__(self) -> None:
        for name in ("tick", "element"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, whole(name, getattr(self, name), 0))
        object.__setattr__(self, "channel_axis", whole("channel_axis", self.channel_axis, 1))
        if self.channels is not None:
            channels = _indices("channels", self.channels, (1,))
            _check_distinct("channels", channels)
            object.__setattr__(self, "channels", tuple(channels.tolist()))
        if self.positions is not None:
            positions = _indices("positions", self.positions, (2, 3))
            _check_distinct("positions", positions)
            object.__setattr__(self, "positions", _tuples(positions.tolist()))

    def __str__(self) -> str:
        element = "" if self.element is None else f"[{self.element}]"
        tick = "" if self.tick is None else f" at tick {self.tick}"
        return f"{self.module!r}{element}{tick}"

    def read(self, output: Any) -> Tensor:
        """Return the part of a module's output that lies here.

        Parameters
        ----------
        output : Tensor or tuple of Tensor
            (rows, channels, ...).

        Returns
        -------
        (rows, channels) or (rows, channels, ...) Tensor
            With `positions`, (rows, channels, P). A view of the output where it is all of it.

        Raises
        ------
        ValueError
            If the output is no tensor, or has no such element, channel or position.
        """
        part = self._select(self._moved(output))
        if self.positions is not None:
            places = self._places(part)[:, None].expand(-1, part.shape[1], -1)
            part = part.flatten(2).gather(2, places)
        return part

    def write(self, output: Any, part: Tensor) -> Any:
        """Return the output with this part put in; what was given is left as it is."""
        before = self._moved(output)
        if self.positions is not None:
            chosen = self._select(before)
            places = self._places(before)[:, None].expand(-1, chosen.shape[1], -1)
            part = chosen.flatten(2).scatter(2, places, part).reshape(chosen.shape)
        if self.channels is not None:
            part = before.index_copy(1, self._channels(before), part)
        part = part if self.channel_axis == 1 else part.movedim(1, self.channel_axis)
        if self.element is None:
            return part
        elements = [*output[: self.element], part, *output[self.element + 1 :]]
        is_named = type(output) not in (tuple, list)
        return type(output)(*elements) if is_named else type(output)(elements)

    def _select(self, tensor: Tensor) -> Tensor:
        if self.channels is None:
            return tensor
        return tensor.index_select(1, self._channels(tensor))

    def _moved(self, output: Any) -> Tensor:
        """Return the tensor at this site with its channels on axis 1."""
        tensor = self._tensor(output)
        parts = self.channels is not None or self.positions is not None
        if tensor.ndim <= self.channel_axis and (parts or self.channel_axis != 1):
            raise ValueError(
                f"the output of {self} has the shape {tuple(tensor.shape)} and so no channels "
                f"on axis {self.channel_axis}."
            )
        return tensor if self.channel_axis == 1 else tensor.movedim(self.channel_axis, 1)

    def _tensor(self, output: Any) -> Tensor:
        if self.element is not None:
            if not isinstance(output, tuple | list):
                raise ValueError(f"the output of {self} is no tuple; leave `element` out.")
            if self.element >= len(output):
                raise ValueError(f"the output of {self} has only {len(output)} elements.")
            output = output[self.element]
        if isinstance(output, Tensor):
            return output
        kind = type(output).__name__
        hint = f"; name one of its {len(output)} by `element`" if isinstance(output, tuple) else ""
        raise ValueError(f"the output of {self} is a {kind}, not a tensor{hint}.")

    def _channels(self, tensor: Tensor) -> Tensor:
        channels = self.channels or ()
        if max(channels) >= tensor.shape[1]:
            raise ValueError(
                f"channel {max(channels)} is out of range; the output of {self} has "
                f"{tensor.shape[1]} channels, 0 to {tensor.shape[1] - 1}."
            )
        return torch.tensor(channels, device=tensor.device)

    def _places(self, tensor: Tensor) -> Tensor:
        """Return the flat index of each position, (rows, P)."""
        positions, rows, space = np.array(self.positions), tensor.shape[0], tensor.shape[2:]
        if positions.shape[-1] != len(space):
            raise ValueError(
                f"a position of {self} must be {len(space)} indices, since its output has "
                f"positions of the shape {tuple(space)}; it is {positions.shape[-1]} indices."
            )
        outside = positions[(positions >= np.array(space)).any(axis=-1)]
        if len(outside):
            raise ValueError(
                f"position {tuple(outside[0].tolist())} is out of range; the output of {self} "
                f"has positions of the shape {tuple(space)}."
            )
        if positions.ndim == 3 and len(positions) != rows:
            raise ValueError(
                f"positions were given for {len(positions)} rows; the output of {self} has {rows}."
            )
        flat = np.ravel_multi_index(tuple(np.moveaxis(positions, -1, 0)), tuple(space))
        return torch.from_numpy(flat).to(tensor.device).expand(rows, -1)


def _indices(name: str, values: ArrayLike, dimensions: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Return nested indices as an array."""
    try:
        array = np.array(values)
    except ValueError:  # rows of different lengths
        array = np.array([])
    if array.ndim not in dimensions or not array.size:
        shapes = {1: "numbers", 2: "indices, one an axis"}[dimensions[0]]
        raise ValueError(f"{name} must be a list of {shapes}, all equally long; got {values!r}.")
    if array.dtype.kind not in "iu" or array.min() < 0:
        raise ValueError(f"{name} must be whole numbers from 0; got {values!r}.")
    return array


def _check_distinct(name: str, array: np.ndarray[Any, Any]) -> None:
    """Check that no row names an index twice."""
    rows = array if array.ndim == 3 else array.reshape(1, len(array), -1)
    row = np.broadcast_to(np.arange(len(rows))[:, None, None], (*rows.shape[:2], 1))
    labeled = np.concatenate([row, rows], axis=2).reshape(-1, rows.shape[2] + 1)
    found, times = np.unique(labeled, axis=0, return_counts=True)
    if times.max() > 1:
        raise ValueError(
            f"{name} must be distinct; {found[times.argmax(), 1:].tolist()} is there twice."
        )


def _tuples(nested: Any) -> Any:
    return tuple(map(_tuples, nested)) if isinstance(nested, list) else nested
