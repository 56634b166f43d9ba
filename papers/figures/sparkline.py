"""A curve the size of a word, for the overview table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from papers.figures.axes import is_log_spaced

WIDTH, HEIGHT, POINTS = 96, 22, 60


def sparkline(curve: Mapping[str, Any]) -> str:
    """Return a small SVG of the points, decorative: the row says the same in words."""
    t, y = np.array(curve["t"], dtype=np.float64), np.array(curve["y"], dtype=np.float64)
    if is_log_spaced(t):
        t = np.log(t + t[t > 0][0])
    step = -(-t.size // POINTS)
    x = _stretched(t[::step], 2.0, WIDTH - 2.0)
    height = _stretched(y[::step], HEIGHT - 3.0, 3.0)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, height, strict=True))
    return (
        f'<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'aria-hidden="true" focusable="false"><polyline points="{points}"/></svg>'
    )


def _stretched(values: Any, first: float, last: float) -> Any:
    spread = float(np.ptp(values))
    if spread == 0:
        return np.full(values.size, (first + last) / 2)
    return first + (values - values.min()) / spread * (last - first)
