"""What the leading hypothesis leaves: standardized residuals and their autocorrelation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from papers.figures.axes import progress_axis, value_axis
from papers.figures.curve import HEIGHT, MOST_ROWS
from papers.figures.drawing import BLUE, FAINT, MUTED, Drawing, canvas, inline_svg
from papers.figures.marks import bars, dots
from papers.tables import Table
from papers.wording import name_of, plural, words

ALPHA = 0.01
"""Level of the test for autocorrelation."""


def residuals_drawing(
    curve: Mapping[str, Any], key: str, *, most_rows: int = MOST_ROWS
) -> Drawing | None:
    """Draw residuals over progress, and autocorrelation over lags; None where there are none."""
    residuals = curve.get("residuals")
    if not residuals:
        return None
    title = f"{name_of(curve)}: residuals and their autocorrelation"
    takeaway = takeaway_of(residuals)
    t, values = np.array(curve["t"]), np.array(residuals["values"])
    correlation = np.array(residuals["autocorrelation"])
    with canvas(HEIGHT + 0.3) as figure:
        above, below = figure.subplots(2, 1, height_ratios=(1.25, 1.0))
        figure.subplots_adjust(hspace=0.62)
        above.axhspan(-1.96, 1.96, color=FAINT, alpha=0.45, lw=0)
        above.axhline(0.0, color=MUTED, lw=0.6)
        size = 2.4 if t.size <= 80 else 1.6
        dots(above, t, values, color=BLUE, size=size)
        progress_axis(above, t, curve["progress"])
        above.set_ylabel("residual / sd")
        lags = np.arange(1, correlation.size + 1)
        edge = band(values.size)
        before = np.array((residuals.get("before") or {}).get("autocorrelation", ()))
        below.axhspan(-edge, edge, color=FAINT, alpha=0.45, lw=0)
        below.axhline(0.0, color=MUTED, lw=0.6)
        bars(below, lags, 0.0, correlation, color=BLUE, width=1.8)
        if before.size:
            dots(below, lags, before, color=MUTED, size=2.4)
        below.set_xlabel("lag (points)")
        below.set_ylabel("autocorrelation")
        both = np.concatenate((correlation, before))
        below.set_ylim(min(-0.5, both.min() - 0.1), max(0.5, both.max() + 0.1))
        below.set_xlim(0.2, lags[-1] + 0.8)
        below.xaxis.get_major_locator().set_params(integer=True)
        value_axis(above)
        value_axis(below)
        svg = inline_svg(figure, key, title, takeaway)
    return Drawing(title, takeaway, (svg,), (), tables_of(curve, most_rows))


def tables_of(curve: Mapping[str, Any], most_rows: int) -> tuple[Table, Table]:
    """Return the residuals, thinned where there are very many, and their autocorrelation."""
    residuals, t = curve["residuals"], curve["t"]
    step = -(-len(t) // most_rows)
    every = f", every {step}. point" if step > 1 else ""
    points = list(zip(t, residuals["values"], strict=True))[::step]
    before = (residuals.get("before") or {}).get("autocorrelation")
    columns = [residuals["autocorrelation"], *([before] if before else [])]
    names = ("autocorrelation", "before the noise model")[: len(columns)]
    return (
        Table(
            f"Standardized residuals of {name_of(curve)}{every}",
            ("t", "residual / sd"),
            tuple((float(time), float(value)) for time, value in points),
        ),
        Table(
            f"Autocorrelation of the residuals of {name_of(curve)}",
            ("lag", *names),
            tuple(
                (lag, *map(float, values))
                for lag, values in enumerate(zip(*columns, strict=True), start=1)
            ),
        ),
    )


def band(n: int) -> float:
    """Return the half-width within which 95 % of the autocorrelations of white noise lie."""
    return float(1.96 / np.sqrt(n))


def takeaway_of(residuals: Mapping[str, Any]) -> str:
    """Say what the noise model left behind: the share outside, the test, and lag 1."""
    values = np.array(residuals["values"])
    outside = float((np.abs(values) > 1.96).mean())
    of = f"{words(residuals['form'])} × {words(residuals['noise'])}"
    share = f"{100 * outside:.0f} % of the residuals of {of} lie beyond ±1.96 sd (5 % expected)"
    correlation, edge = residuals["autocorrelation"], band(values.size)
    beyond = sum(abs(value) > edge for value in correlation)
    first = float(correlation[0])
    where = "outside" if abs(first) > edge else "inside"
    lags = (
        f"the autocorrelation at lag 1 is {_signed(first)}, {where} the grey band of ±{edge:.2f}, "
        f"and {beyond} of the {plural(len(correlation), 'lag')} drawn lie outside"
    )
    test = residuals.get("ljung_box")
    if not test:
        return f"{share}; {lags}. Too few points for a test.{_before(residuals)}"
    p = test["p_value"]
    finds = "finds" if p < ALPHA else "does not find"
    value = "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
    return (
        f"{share}; {lags}. The Ljung–Box test over the first {plural(test['lags'], 'lag')} "
        f"{finds} autocorrelation at the level of {ALPHA:g} ({value}).{_before(residuals)}"
    )


def _before(residuals: Mapping[str, Any]) -> str:
    """Say how correlated the residuals were before the noise explained any of it."""
    before = residuals.get("before")
    if not before:
        return ""
    first = _signed(before["autocorrelation"][0])
    return f" Before the noise model, the autocorrelation at lag 1 is {first} (grey dots)."


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
