"""A sweep over the settings of chains: readings, and the window in which they agree."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from papers.figures.axes import decades, value_axis
from papers.figures.drawing import INK, MUTED, SERIES, Drawing, canvas, inline_svg
from papers.figures.key import Key, dot_key, line_key, triangle_key
from papers.figures.marks import bars, dots
from papers.tables import Table

if TYPE_CHECKING:
    from empirics.llc.calibration import Calibration, Cell

HEIGHT, PANEL = 2.3, 3.0
FLAT, DIVERGED = "flat", "diverged"
TRUSTED = ("flat", "trusted", "imprecise")


def calibration_drawing(calibration: Calibration, key: str, *, checkpoint: int = 0) -> Drawing:
    """Draw the readings of one checkpoint, one panel an nbeta.

    Against localization, one line a step size; a sweep of step sizes alone against them.

    Parameters
    ----------
    calibration : Calibration
    key : str
        Prefix of identifiers.
    checkpoint : int
    """
    title, takeaway = "Readings over the settings of the chains", calibration.sentence
    highest = _highest(calibration, checkpoint)
    panels = []
    for i, nbeta in enumerate(calibration.nbetas):
        inside = [cell for cell in calibration.cells if cell.setting.nbeta == nbeta]
        said = f"nbeta = {nbeta:.4g}"
        name = f"{key}-{i + 1}" if len(calibration.nbetas) > 1 else key
        with canvas(HEIGHT, width=PANEL, top=0.26) as figure:
            axes = figure.add_subplot()
            across = _across(calibration)
            for j, line in enumerate(_lines(calibration, inside)):
                _line(axes, line, across, checkpoint, SERIES[j % len(SERIES)], highest)
            _log_axis(axes, across, getattr(calibration, f"{across}s"))
            value_axis(axes)
            axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]), top=1.05 * highest)
            axes.set_ylabel("llc")
            axes.set_title(said, loc="left")
            panels.append(inline_svg(figure, name, f"{title}: {said}", takeaway))
    table = calibration_table(calibration)
    return Drawing(title, takeaway, tuple(panels), _keys(calibration), (table,))


def calibration_table(calibration: Calibration) -> Table:
    """Return every reading of a sweep, with what speaks against it."""
    rows = tuple(
        (
            cell.setting.step_size,
            cell.setting.localization,
            cell.setting.nbeta,
            i + 1,
            reading.llc,
            reading.llc_se,
            reading.virial,
            reading.ess,
            str(cell.state),
            reading.doubts[0] if reading.doubts else "",
        )
        for cell in calibration.cells
        for i, reading in enumerate(cell.readings)
    )
    columns = ("step_size", "localization", "nbeta", "checkpoint", "llc", "se", "virial", "ess")
    return Table("Readings of the sweep", (*columns, "state", "first doubt"), rows, digits=3)


def _across(calibration: Calibration) -> str:
    """Return the setting on the axis: the step size where it alone is swept."""
    alone = len(calibration.localizations) == 1 and len(calibration.step_sizes) > 1
    return "step_size" if alone else "localization"


def _lines(calibration: Calibration, cells: list[Cell]) -> list[list[Cell]]:
    """Return the cells of each line."""
    if _across(calibration) == "step_size":
        return [cells]
    return [
        [cell for cell in cells if cell.setting.step_size == step_size]
        for step_size in calibration.step_sizes
    ]


def _keys(calibration: Calibration) -> tuple[Key, ...]:
    named = (
        [f"step_size {step_size:.3g}" for step_size in calibration.step_sizes]
        if _across(calibration) == "localization"
        else [f"localization {calibration.localizations[0]:.3g}"]
    )
    lines = [line_key(name, *SERIES[i % len(SERIES)][:2]) for i, name in enumerate(named)]
    marks = [triangle_key("doubted, or not drawn to its height", MUTED)]
    if calibration.flat:
        marks.insert(0, dot_key("in the flat window", INK))
    return (*lines, *marks)


def _highest(calibration: Calibration, checkpoint: int) -> float:
    """Return the top of the axis: what can be trusted, and a little of what cannot."""
    good = [
        reading.llc + 2 * (reading.llc_se or 0.0)
        for cell in calibration.cells
        for reading in (cell.readings[checkpoint],)
        if reading.llc is not None and cell.state in TRUSTED
    ]
    every = [
        cell.readings[checkpoint].llc or 0.0 for cell in calibration.cells if cell.state != DIVERGED
    ]
    return 1.5 * max(good) if good else max([*every, 1e-9])


def _line(
    axes: Any,
    cells: list[Cell],
    across: str,
    checkpoint: int,
    series: tuple[str, Any, str],
    highest: float,
) -> None:
    """Draw the readings of one line; what diverged leaves a gap."""
    color, style, _ = series
    x = [getattr(cell.setting, across) for cell in cells]
    y, se, doubted, flat = [], [], [], []
    for place, cell in zip(x, cells, strict=True):
        reading = cell.readings[checkpoint]
        gone = reading.llc is None or cell.state == DIVERGED
        value = math.nan if gone or reading.llc is None else min(reading.llc, highest)
        y.append(value)
        se.append(reading.llc_se if reading.llc_se is not None and not gone else math.nan)
        if cell.state not in TRUSTED and not gone:
            doubted.append((place, value))
        if cell.state == FLAT:
            flat.append((place, value))
    axes.plot(x, y, color=color, ls=style, lw=1.0)
    lower, upper = ([v + s * e for v, e in zip(y, se, strict=True)] for s in (-1, 1))
    bars(axes, x, lower, [min(v, highest) for v in upper], color=color, width=1.6)
    if doubted:
        axes.plot(*zip(*doubted, strict=True), "^", mfc="none", mec=color, ms=4.0, mew=0.9)
    if flat:
        dots(axes, *zip(*flat, strict=True), color=INK, size=4.5)


def _log_axis(axes: Any, name: str, values: tuple[float, ...]) -> None:
    """Make a setting's axis logarithmic, and linear from 0 to the first positive value."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    positive = [value for value in values if value > 0]
    if len(positive) > 1:
        axes.set_xscale("symlog", linthresh=positive[0], linscale=0.4)
        at = decades(positive[0], positive[-1], 5)
        axes.xaxis.set_major_locator(FixedLocator(([0.0] if 0.0 in values else []) + at))
        axes.xaxis.set_minor_locator(NullLocator())
        first = 0.0 if 0.0 in values else 0.85 * positive[0]
        axes.set_xlim(first, 1.2 * positive[-1])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel(name)
