"""From symbolic expressions to numbers: compiled once, evaluated in blocks of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from theory.stable import NUMPY

FloatArray = NDArray[np.float64]
Numeric = Callable[..., Any]

BLOCK = 2**15
"""Numbers computed at a time: temporary arrays then stay in the processor's cache."""


def compiled(
    time: sympy.Symbol, symbols: Iterable[sympy.Symbol], expressions: list[sympy.Expr]
) -> Numeric:
    """Return the numpy function of (time, *symbols) for a list of expressions."""
    function: Numeric = sympy.lambdify(
        (time, *symbols), expressions, modules=[NUMPY, "numpy"], cse=True
    )
    return function


def in_blocks(function: Numeric, t: FloatArray, rows: FloatArray, n_parts: int) -> FloatArray:
    """Evaluate all parts at times (n,) for rows of parameters (B, p): shape (n_parts, B, n)."""
    parts = np.empty((n_parts, len(rows), t.size))
    size = max(1, BLOCK // max(1, t.size))
    # Overflow to inf inside exp(-exp(x)) is the right limit, not an error.
    with np.errstate(all="ignore"):
        for start in range(0, len(rows), size):
            block = slice(start, start + size)
            columns = [rows[block, i, None] for i in range(rows.shape[1])]
            for i, part in enumerate(function(t, *columns)):
                parts[i, block] = part
    return parts
