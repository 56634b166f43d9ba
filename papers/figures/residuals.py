"""What the best form leaves: standardized residuals and their autocorrelation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from papers.figures.curve import HEIGHT, name_of
from papers.figures.drawing import (
    BLUE,
    FAINT,
    MUTED,
    Drawing,
    bars,
    canvas,
    dots,
    inline_svg,
    progress_axis,
    value_axis,
)
from papers.tables import Table


def residuals_drawing(curve: Mapping[str, Any], key: str) -> Drawing | None:
    """Draw residuals over progress, and autocorrelation over lags; None where there are none."""
    residuals = curve.get("residuals")
    if not residuals:
        return None
    title = f"{name_of(curve)}: residuals and their autocorrelation"
    takeaway = takeaway_of(residuals)
    t, values = np.array(curve["t"]), np.array(residuals["values"])
    correlation = np.array(residuals["autocorrelation"])
    with canvas(HEIGHT) as figure:
        above, below = figure.subplots(2, 1, height_ratios=(1.25, 1.0))
        figure.subplots_adjust(hspace=0.62)
        above.axhspan(-1.96, 1.96, color=FAINT, alpha=0.45, lw=0)
        above.axhline(0.0, color=MUTED, lw=0.6)
        size = 2.4 if t.size <= 80 else 1.6
        dots(above, t, values, color=BLUE, size=size)
        progress_axis(above, t, curve["progress"])
        above.set_ylabel("residual / sd")
        lags = np.arange(1, correlation.size + 1)
        edge = 1.96 / np.sqrt(values.size)
        below.axhspan(-edge, edge, color=FAINT, alpha=0.45, lw=0)
        below.axhline(0.0, color=MUTED, lw=0.6)
        bars(below, lags, 0.0, correlation, color=BLUE, width=1.8)
        below.set_xlabel("lag (points)")
        below.set_ylabel("autocorrelation")
        below.set_ylim(min(-0.5, correlation.min() - 0.1), max(0.5, correlation.max() + 0.1))
        below.set_xlim(0.2, lags[-1] + 0.8)
        below.xaxis.get_major_locator().set_params(integer=True)
        value_axis(above)
        value_axis(below)
        svg = inline_svg(figure, key, title, takeaway)
    rows = tuple((int(lag), float(value)) for lag, value in zip(lags, correlation, strict=True))
    table = Table(f"Autocorrelation of the residuals of {name_of(curve)}", ("lag", "value"), rows)
    return Drawing(title, takeaway, svg, table)


def takeaway_of(residuals: Mapping[str, Any]) -> str:
    """Say whether the noise model left structure behind."""
    values = np.array(residuals["values"])
    outside = float((np.abs(values) > 1.96).mean())
    share = f"{100 * outside:.0f} % of the residuals lie beyond ±1.96 sd (5 % expected)"
    test = residuals.get("ljung_box")
    if not test:
        return f"{share}; too few points to test for autocorrelation."
    p = test["p_value"]
    left = "autocorrelation is left" if p < 0.01 else "no autocorrelation is left to see"
    value = "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
    return f"{share}; {left} (Ljung–Box, {test['lags']} lags, {value})."
