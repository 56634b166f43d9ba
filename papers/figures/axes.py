"""The axes of figures: few round places, written short."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from papers.wording import PROGRESS, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def progress_axis(axes: Axes, t: Any, progress: str, *, ticks: int = 5) -> None:
    """Label the progress axis; logarithmic where the points are spaced that way."""
    import numpy as np
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    t = np.asarray(t, dtype=np.float64)
    axes.set_xlabel(PROGRESS.get(progress, "training progress"))
    if is_log_spaced(t):
        first = float(t[t > 0][0])
        axes.set_xscale("symlog", linthresh=first, linscale=0.4)
        axes.xaxis.set_major_locator(FixedLocator(decades(first, float(t[-1]), ticks)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlim(float(t[0]), 1.05 * float(t[-1]))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(ticks))
        margin = 0.02 * float(np.ptp(t) or 1.0)
        axes.set_xlim(float(t[0]) - margin, float(t[-1]) + margin)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))


def decades(first: float, last: float, most: int) -> list[float]:
    """Return round places between two positive ones for `most` ticks or fewer.

    Powers of ten where there are two, else 1, 2 and 5 times powers of ten, else, in a range
    too narrow for those, evenly spaced round numbers.
    """
    import numpy as np

    low, high = int(np.ceil(np.log10(first) - 1e-9)), int(np.floor(np.log10(last) + 1e-9))
    step = max(1, -(-(high - low + 1) // most))
    inside = [10.0**power for power in range(high, low - 1, -step)][::-1]
    if len(inside) < 2:
        finer = [x * 10.0**p for p in range(low - 1, high + 1) for x in (1, 2, 5)]
        inside = [x for x in finer if first <= x <= last][-most:]
    return inside if len(inside) > 1 else (_round_places(first, last, most) or inside)


def _round_places(first: float, last: float, most: int) -> list[float]:
    from matplotlib.ticker import MaxNLocator

    places = MaxNLocator(most - 1, steps=[1, 2, 2.5, 5, 10]).tick_values(first, last)
    return [float(place) for place in places if first <= place <= last]


def value_axis(axes: Axes) -> None:
    """Write few and short numbers on the vertical axis."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))


def log_value_axis(axes: Axes, values: Sequence[float], *, ticks: int = 5) -> None:
    """Make the vertical axis logarithmic around positive values, labeled also below a decade."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    positive = [value for value in values if value > 0]
    low, high = (min(positive), max(positive)) if positive else (1.0, 10.0)
    room = 1.08 * (high / low) ** 0.05
    low, high = low / room, high * room
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(FixedLocator(decades(low, high, ticks)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.set_ylim(low, high)


def is_log_spaced(t: Any) -> bool:
    """Tell whether gaps grow so much along t that a logarithmic axis shows it better."""
    import numpy as np

    positive = np.asarray(t)[np.asarray(t) > 0]
    if positive.size < 6:
        return False
    gaps = np.diff(positive)
    half = gaps.size // 2
    return bool(np.median(gaps[half:]) > 5 * np.median(gaps[:half]))
