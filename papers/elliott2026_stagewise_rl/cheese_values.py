"""A table of coefficients at three moments of training, with the quadratic's beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from papers.elliott2026_stagewise_rl.cheese_energies import ENERGIES, NBETA, Along
from papers.elliott2026_stagewise_rl.cheese_moves import before
from papers.elliott2026_stagewise_rl.cheese_quadratic import FINE

COLUMNS = (
    "energy",
    "alpha",
    "moment",
    "regret in the corner",
    "regret elsewhere",
    "llc, chains",
    f"quadratic at nbeta {NBETA:g}",
    f"quadratic at nbeta {FINE:g}",
)
Row = tuple[str | float | None, ...]
Floats = NDArray[np.float64]
Read = Mapping[str, tuple[tuple[Along, ...], tuple[Along, ...]]]
Quadratics = Mapping[str, tuple[tuple[Floats, ...], tuple[Floats, ...]]]


def value_rows(read: Read, quadratics: Quadratics) -> tuple[Row, ...]:
    """Return rows: every energy, both problems, and the first, the middle and the last moment.

    The middle is the last checkpoint before the regret elsewhere falls; the control has the same.
    """
    agents = [each.trained for each in next(iter(read.values()))[0]]
    starts = [start for each in agents if (start := before(each)) is not None]
    middle = int(np.median(starts)) if starts else len(agents[0].centers) // 2
    moments = {"first": 0, "corner learned": middle, "last": len(agents[0].centers) - 1}
    return tuple(
        _row(name, arm, quadratics[name][i] if name in quadratics else (), moment, at)
        for name in ENERGIES
        for i, arm in enumerate(read[name])
        for moment, at in moments.items()
    )


def _row(
    name: str, arm: Sequence[Along], quadratics: Sequence[Floats], moment: str, at: int
) -> Row:
    found = [each.readings[at].llc for each in arm]
    regrets = [
        np.mean([each.trained.run.curve(f"regret_{where}").y[at] for each in arm])
        for where in ("in_corner", "elsewhere")
    ]
    return (
        ENERGIES[name],
        float(arm[0].trained.run.conditions["alpha"]),  # type: ignore[arg-type]
        moment,
        *map(float, regrets),
        _spread([value for value in found if value is not None]),
        *(_spread([float(each[i, at]) for each in quadratics]) for i in range(2)),
    )


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "–"
    sd = f" ± {np.std(values, ddof=1):.2f}" if len(values) > 1 else ""
    return f"{np.mean(values):.2f}{sd}"
