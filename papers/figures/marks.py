"""Marks of figures that stay small in a page of many: one path for many points or bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def dots(axes: Axes, x: Any, y: Any, *, color: str, size: float, zorder: float = 3) -> None:
    """Draw points as one path of round-capped nothings, a tenth of the size of markers."""
    import numpy as np

    gap = np.full(len(x), np.nan)
    xs, ys = np.column_stack([x, x, gap]).ravel(), np.column_stack([y, y, gap]).ravel()
    axes.plot(xs, ys, color=color, lw=size, solid_capstyle="round", alpha=0.8, zorder=zorder)


def bars(axes: Axes, x: Any, lower: Any, upper: Any, *, color: str, width: float) -> None:
    """Draw vertical bars as one path."""
    import numpy as np

    gap = np.full(len(x), np.nan)
    xs = np.column_stack([x, x, gap]).ravel()
    ys = np.column_stack([np.broadcast_to(lower, len(x)), upper, gap]).ravel()
    axes.plot(xs, ys, color=color, lw=width, solid_capstyle="butt", alpha=0.6, zorder=2)
