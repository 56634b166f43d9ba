"""A square board on which stones in a row win, as sets of squares packed into integers.

Square i of size² is bit i; (row, column) is square row · size + column. A position is two such
sets, the stones of the one to move and those of the other one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.coerce import coerce_fields, whole

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Row and column steps along which stones count."""

LARGEST = 5
"""Squares a side: both sides' stones together are the bits of one integer."""


@final
@dataclass(frozen=True)
class Board:
    """A board of size × size squares, on which `length` stones in a row win.

    Raises
    ------
    ValueError
        If a number is not whole or out of its range.
    """

    size: int = 5
    length: int = 4

    def __post_init__(self) -> None:
        coerce_fields(self)
        if not 2 <= whole("length", self.length, 2) <= whole("size", self.size, 2) <= LARGEST:
            raise ValueError(
                f"a board has 2 to {LARGEST} squares a side, and rows no longer than that; size is "
                f"{self.size}, length {self.length}."
            )

    @property
    def area(self) -> int:
        """Number of squares."""
        return self.size**2

    @property
    def full(self) -> int:
        """All squares, packed."""
        return (1 << self.area) - 1

    @cached_property
    def lines(self) -> IntArray:
        """Every row of `length` squares, packed, (num_lines,)."""
        found = []
        for square in range(self.area):
            for down, right in DIRECTIONS:
                steps = np.arange(self.length)
                row, column = square // self.size + down * steps, square % self.size + right * steps
                if ((row < self.size) & (column >= 0) & (column < self.size)).all():
                    found.append(sum(1 << int(i) for i in row * self.size + column))
        return np.array(found, dtype=np.int64)

    def has_line(self, own: IntArray) -> BoolArray:
        """Return whether stones fill a line, (n,)."""
        return np.asarray(((own[:, None] & self.lines) == self.lines).any(axis=1))

    def completing(self, own: IntArray, other: IntArray) -> IntArray:
        """Return the empty squares on which a stone of `own` fills a line, packed, (n,)."""
        missing = self.lines & ~own[:, None]
        is_one = (missing & (missing - 1)) == 0
        is_free = (missing & other[:, None]) == 0
        return np.asarray(np.bitwise_or.reduce(np.where(is_one & is_free, missing, 0), axis=1))

    def pack(self, squares: BoolArray) -> IntArray:
        """Return sets of squares, (..., size²) bool, as integers, (...)."""
        return np.asarray(squares @ (1 << np.arange(self.area, dtype=np.int64)))

    def unpack(self, packed: IntArray) -> BoolArray:
        """Return integers, (...), as sets of squares, (..., size²) bool."""
        return (np.asarray(packed)[..., None] >> np.arange(self.area) & 1).astype(np.bool_)
