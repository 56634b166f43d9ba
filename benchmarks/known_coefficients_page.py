"""The page of `benchmarks.known_coefficients`: what was sampled beside what is known."""

from __future__ import annotations

import math
from itertools import groupby

import numpy as np
from scipy.stats import spearmanr

from benchmarks.linear_networks import CELLS, DATA_SETS, SEED, SGLD_CHAINS, SIZES, Cell, Row
from empirics.llc.reading import LLCReading
from theory.learning_coefficients.tempered import canonical_nbeta

CLOSE = 0.05
"""Relative error within which a coefficient counts as found."""


def fitted(rows: list[Row]) -> tuple[float, float]:
    """Return the intercept of llc + (m - 1)/ln t over 1/ln² t, and its error."""
    log_t = np.log([canonical_nbeta(row.n) for row in rows])
    design = np.stack([np.ones_like(log_t), log_t**-2], axis=1)
    weight = 1 / np.array([row.se for row in rows])
    covariance = np.linalg.inv((design * weight[:, None] ** 2).T @ design)
    values = covariance @ design.T @ (weight**2 * [row.corrected for row in rows])
    return float(values[0]), math.sqrt(covariance[0, 0])


def error(value: float, cell: Cell) -> float:
    """Return the relative error against λ."""
    return value / float(cell.known.value) - 1


def doubts(reading: LLCReading) -> str:
    """Return what speaks against a reading, in short."""
    names = {
        "disagree": "R-hat",
        "independent": "few",
        "virial": "virial",
        "step is long": "step",
    }
    found = [short for long, short in names.items() if any(long in d for d in reading.doubts)]
    other = len(reading.doubts) - len(found)
    return ", ".join([*found, *([f"{other} more"] if other > 0 else [])]) or "–"


def main_table(rows: list[Row]) -> list[str]:
    """Return what HMC found, as Markdown."""
    lines = [
        "| network | λ (m) | d/2 | n | exact | llc ± se | off exact, se | error | + (m-1)/ln t | "
        "acceptance | virial/d | R-hat | doubts |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        known, exact, reading = row.cell.known, row.cell.exact(row.n), row.reading
        away = "" if exact is None else f"{(row.llc - exact) / row.se:+.1f}"
        lines.append(
            f"| {row.cell} | {float(known.value):g} ({known.multiplicity}) | "
            f"{reading.num_parameters / 2:g} | {row.n:,} | "
            f"{'' if exact is None else f'{exact:.3f}'} | {row.llc:.3f} ± {row.se:.3f} | {away} | "
            f"{percent(error(row.llc, row.cell))} | {percent(error(row.corrected, row.cell))} | "
            f"{reading.acceptance or math.nan:.2f} | {reading.virial or math.nan:.3f} | "
            f"{reading.rhat or math.nan:.3f} | {doubts(reading)} |"
        )
    return lines


def percent(share: float) -> str:
    """Return a share in percent, with its sign."""
    return f"{100 * share:+.1f} %"


def fit_table(by_cell: dict[Cell, list[Row]]) -> list[str]:
    """Return the intercepts through the three sizes."""
    lines = ["| network | λ | fitted ± se | error | of the exact values |", "|---|---|---|---|---|"]
    for cell, rows in by_cell.items():
        value, se = fitted(rows)
        lines.append(
            f"| {cell} | {float(cell.known.value):g} | {value:.3f} ± {se:.3f} | "
            f"{percent(error(value, cell))} | {exact_fit(cell)} |"
        )
    return lines


def exact_fit(cell: Cell) -> str:
    """Return the error of the same fit through the exact values, all weighted alike."""
    x = [math.log(canonical_nbeta(n)) for n in SIZES]
    values = [cell.exact(n) for n in SIZES]
    if None in values:
        return ""
    less = cell.known.multiplicity - 1
    y = [(v or 0.0) + less / log_t for v, log_t in zip(values, x, strict=True)]
    return percent(error(float(np.polyfit([log_t**-2 for log_t in x], y, 1)[1]), cell))


def langevin_table(rows: list[Row], exact: dict[Cell, Row]) -> list[str]:
    """Return what SGLD found beside HMC."""
    lines = [
        "| network | λ | HMC | SGLD ± se | correction | error | off HMC | acceptance | virial/d | "
        "distance | doubts |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        reading, true = row.reading, exact[row.cell]
        lines.append(
            f"| {row.cell} | {float(row.cell.known.value):g} | {true.llc:.3f} | {row.llc:.3f} ± "
            f"{row.se:.3f} | {reading.step_size_bias or 0.0:.3f} | "
            f"{percent(error(row.llc, row.cell))} | {percent(row.llc / true.llc - 1)} | "
            f"{reading.acceptance or math.nan:.2f} | {reading.virial or math.nan:.3f} | "
            f"{reading.distance or math.nan:.2f} of {math.sqrt(reading.num_parameters):.1f} | "
            f"{doubts(reading)} |"
        )
    return lines


def data_table(rows: list[Row], exact: dict[tuple[Cell, int], Row]) -> list[str]:
    """Return what was found on data, the mean over data sets."""
    lines = [
        f"| network | n | λ | λ (1 - 1/ln n) | population | on data ± se of {DATA_SETS} sets | "
        "from set to set | draws below the center |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (cell, n), group in groupby(rows, lambda row: (row.cell, row.n)):
        sets = list(group)
        values, known = np.array([row.llc for row in sets]), float(cell.known.value)
        below = np.mean([row.reading.below_center for row in sets])
        spread = values.std(ddof=1)
        lines.append(
            f"| {cell} | {n:,} | {known:g} | {known * (1 - 1 / math.log(n)):.2f} | "
            f"{exact[cell, n].llc:.2f} | {values.mean():.2f} ± {spread / math.sqrt(len(sets)):.2f} "
            f"| {spread:.2f} | {100 * below:.1f} % |"
        )
    return lines


def ranks(rows: list[Row]) -> list[str]:
    """Return the rank correlations with λ within widths, and over all."""
    lines, right = [], 0
    groups = [(w, list(g)) for w, g in groupby(rows, lambda row: row.cell.widths)]
    groups = [(widths, group) for widths, group in groups if len(group) > 1]
    for widths, group in groups:
        rho = correlation(group)
        right += math.isclose(rho, 1)
        lines.append(f"{'-'.join(map(str, widths))} ({len(group)} ranks): {rho:.3f}")
    return [
        f"- Rank correlation with λ at n = {rows[0].n:,} is 1 within {right} of {len(groups)} "
        f"widths ({'; '.join(lines)}); over all {len(rows)} cells, where λ has ties, it is "
        f"{correlation(rows):.3f}.",
    ]


def correlation(rows: list[Row]) -> float:
    """Return Spearman's rank correlation of the sampled values with λ."""
    known = [float(row.cell.known.value) for row in rows]
    return float(spearmanr(known, [row.llc for row in rows]).statistic)


def summary(rows: list[Row], by_cell: dict[Cell, list[Row]], sampled: list[Row]) -> list[str]:
    """Return what the tables come to, counted."""
    last = [row for row in rows if row.n == SIZES[-1]]
    judged = [(row, exact) for row in rows if (exact := row.cell.exact(row.n)) is not None]
    met = sum(abs(row.llc - exact) <= 3 * row.se for row, exact in judged)
    precise = sum(row.se <= 0.02 * exact for row, exact in judged)
    fits = {cell: error(fitted(group)[0], cell) for cell, group in by_cell.items()}
    return [
        f"- HMC lies within 3 se of the exact value in {met} of {len(judged)} cells, the se being "
        f"at most 2 % of it in {precise}.",
        *ranks(last),
        within("- Raw, ", {row.cell: error(row.llc, row.cell) for row in last}),
        within("- With (m - 1)/ln t, ", {r.cell: error(r.corrected, r.cell) for r in last}),
        within("- Fitted through the three sizes, ", fits),
        f"- The exact values themselves: {exact_errors()}.",
        within("- SGLD, ", {row.cell: error(row.llc, row.cell) for row in sampled}),
        f"- {sum(row.reading.is_trusted for row in sampled)} of {len(sampled)} readings of SGLD "
        "have no doubts.",
    ]


def within(start: str, errors: dict[Cell, float]) -> str:
    """Return how many errors are small, and which are not."""
    off = {cell: e for cell, e in errors.items() if not abs(e) <= CLOSE}
    names = "; ".join(f"{cell}: {percent(e)}" for cell, e in off.items())
    return (
        f"{start}{len(errors) - len(off)} of {len(errors)} cells lie within {100 * CLOSE:g} % of "
        f"λ at n = {SIZES[-1]:,}" + (f"; not {names}." if off else ".")
    )


def exact_errors() -> str:
    """Return how far from λ a perfect sampler is at the largest n."""
    known = {cell: exact for cell in CELLS if (exact := cell.exact(SIZES[-1])) is not None}
    return "; ".join(f"{cell}: {percent(error(e, cell))}" for cell, e in known.items())


def page(rows: list[Row], sampled: list[Row], data: list[Row]) -> str:
    """Return the page."""
    by_cell = {cell: [row for row in rows if row.cell == cell] for cell in CELLS}
    exact = {(row.cell, row.n): row for row in rows}
    seconds = sum(row.seconds for row in (*rows, *sampled, *data))
    parts = [
        "# Known learning coefficients of linear networks",
        "",
        f"`python -m benchmarks.known_coefficients`, seed {SEED}, {seconds:.0f} processor seconds. "
        "What is measured, and at which center, is said in the script. A first run, whose chains "
        "burned in for 10 moves at every n, read up to 5 % high at the largest; now they do for 80 "
        "there.",
        "",
        *summary(rows, by_cell, sampled),
        "",
        "## HMC on the population loss",
        "",
        *main_table(rows),
        "",
        "## The intercept through the three sizes",
        "",
        *fit_table(by_cell),
        "",
        f"## SGLD at n = {SIZES[-1]:,}, {SGLD_CHAINS} chains",
        "",
        "The correction knows the curvature at the center alone. The distance is that of the draws "
        "from the center, of the square root of d, which the localization allows where nothing "
        "bends.",
        "",
        *langevin_table(sampled, {cell: exact[cell, SIZES[-1]] for cell in CELLS}),
        "",
        "## HMC on data",
        "",
        *data_table(data, exact),
        "",
    ]
    return "\n".join(parts)
