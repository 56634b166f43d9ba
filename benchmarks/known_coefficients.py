"""Sampled learning coefficients of linear networks against the known ones.

    python -m benchmarks.known_coefficients

Reduced rank regressions and deep linear networks whose λ and multiplicity m are theorems (Aoyagi
and Watanabe 2005; Aoyagi 2024), at nbeta t = n/ln n and a localization of 1.

The center is the deepest true parameter: every layer is 1 on the first r units, 0 elsewhere. The
theorems are about the whole set of true parameters, whose λ is the least of the local ones, and
that least is taken here, because every other kind of true parameter comes arbitrarily near. Where
the set is smooth the local coefficient is half its codimension and m is 1; that is no less, and may
be more: 15/2 instead of 13/2 around an A of rank 3 and B = 0 in 5-3-5, r = 0. A localization of 1
reaches from there to the deeper points too, and would decide how much of them is seen.

What a perfect sampler returns is not λ but λ - (m - 1)/ln t + O(1/ln² t), less powers of 1/t. At
rank 0 with two layers it is known exactly (`theory.learning_coefficients.tempered_reduced_rank`),
so that the sampler and the asymptotics are judged apart. Two corrections are made, chosen before
anything was drawn: (m - 1)/ln t added, with the known m and no free number; and the intercept of

    llc(t) = λ - (m - 1)/ln t + c/ln² t

through the three sizes, weighted by their errors.

HMC draws from the posterior of the population loss ½|W - W*|². SGLD is run at the largest n as
published for deep linear networks of that size (Lau et al. 2025, as quoted in public benchmark
code: step size 5e-7, 10⁴ moves, the first nine tenths not used), on the exact gradient, corrected
for its step. On data of n rows with noise of variance 1 the center stays the true parameter, which
is not the minimum of that loss: a regular model then gives λ (1 - 1/ln n) on average.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import final

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from scipy.stats import spearmanr

from empirics.llc.chains import ChainPlan
from empirics.llc.estimate import estimate_llc
from empirics.llc.hmc import HMC
from empirics.llc.linear_network_potential import (
    LinearNetworkPotential,
    deepest_point,
    linear_network_data_potential,
    linear_network_potential,
)
from empirics.llc.reading import LLCReading
from empirics.llc.sgld import SGLD
from theory.learning_coefficients.coefficient import LearningCoefficient
from theory.learning_coefficients.deep_linear_network import deep_linear_network
from theory.learning_coefficients.tempered import canonical_nbeta
from theory.learning_coefficients.tempered_reduced_rank import tempered_reduced_rank

SEED = 1
SIZES = (1_000, 10_000, 100_000)
LOCALIZATION = 1.0
CLOSE = 0.05
STEP = 0.1
DEEP_STEPS = {(10,) * 4: 0.005, (5,) * 5: 0.005, (20, 8, 8, 20): 0.0015}
"""Squared leapfrog steps times nbeta, set by acceptance: of two layers, and of more."""
BURNINS = {1_000: 10, 10_000: 30, 100_000: 80}
"""By n: chains start at the deepest point, and leave it the later the larger n is. With 10 at the
largest n they read up to 5 % high, and Σ z² over the eight cells with an exact value was 35."""
DRAWS, DEEP_DRAWS = 20, 12
SGLD_STEP, SGLD_BURNIN, SGLD_DRAWS, SGLD_CHAINS = 5e-7, 9_000, 1_000, 16
DATA_SETS, DATA_CHAINS = 4, 16


@final
@dataclass(frozen=True)
class Cell:
    """A network and the rank of the true map."""

    widths: tuple[int, ...]
    rank: int

    def __str__(self) -> str:
        """Return the widths and the rank."""
        return f"{'-'.join(map(str, self.widths))}, r = {self.rank}"

    @property
    def known(self) -> LearningCoefficient:
        """Its λ and m."""
        return deep_linear_network(self.widths, self.rank)

    @property
    def is_deep(self) -> bool:
        """Whether it has more than two layers."""
        return len(self.widths) > 3

    def exact(self, n: int) -> float | None:
        """Return what a perfect sampler finds, where that is known."""
        if self.is_deep or self.rank:
            return None
        m, h, outputs = self.widths
        return tempered_reduced_rank(m, h, outputs, canonical_nbeta(n), LOCALIZATION).llc


CELLS = (
    *(Cell((5, 3, 5), r) for r in (0, 1, 2, 3)),
    Cell((4, 3, 8), 0),
    Cell((8, 3, 4), 0),
    Cell((3, 8, 4), 0),
    Cell((10, 2, 5), 1),
    *(Cell((3, 2, 3), r) for r in (0, 1, 2)),
    Cell((1, 1, 1), 0),
    *(Cell((2, 2, 2), r) for r in (0, 1)),
    *(Cell((10, 5, 5), r) for r in (0, 5)),
    *(Cell((10, 10, 10, 10), r) for r in (0, 5)),
    Cell((5, 5, 5, 5, 5), 2),
    Cell((20, 8, 8, 20), 4),
)
DATA_CELLS = tuple(Cell((5, 3, 5), r) for r in (0, 3))


@final
@dataclass(frozen=True)
class Row:
    """What was found in a cell at an n; `seconds` of processor time."""

    cell: Cell
    n: int
    reading: LLCReading
    seconds: float

    @property
    def llc(self) -> float:
        """The sampled value, NaN where there is none."""
        return math.nan if self.reading.llc is None else self.reading.llc

    @property
    def se(self) -> float:
        """Its standard error."""
        return math.nan if self.reading.llc_se is None else self.reading.llc_se

    @property
    def corrected(self) -> float:
        """The sampled value with (m - 1)/ln t added."""
        return self.llc + (self.cell.known.multiplicity - 1) / math.log(canonical_nbeta(self.n))


def true_map(cell: Cell) -> torch.Tensor:
    """Return W*, 1 on the first r diagonal entries."""
    best = torch.zeros(cell.widths[-1], cell.widths[0], dtype=torch.float64)
    best.diagonal()[: cell.rank] = 1
    return best


def data_of(cell: Cell, n: int, seed: int) -> LinearNetworkPotential:
    """Return the loss on n rows of data."""
    generator = torch.Generator().manual_seed(seed)
    inputs, noise = (
        torch.randn(n, width, generator=generator, dtype=torch.float64)
        for width in (cell.widths[0], cell.widths[-1])
    )
    return linear_network_data_potential(cell.widths, inputs, inputs @ true_map(cell).mT + noise)


def hamiltonian(cell: Cell, n: int) -> Row:
    """Draw from the posterior of the population loss."""
    potential = linear_network_potential(cell.widths, true_map(cell), num_samples=n)
    draws = DEEP_DRAWS if cell.is_deep else DRAWS
    # An effective 10,000/λ draws would have an error of 1 %; correlation leaves less.
    chains = max(24, math.ceil(10_000 / float(cell.known.value) / draws))
    return by_hmc(cell, n, potential, ChainPlan(None, LOCALIZATION, chains, draws, BURNINS[n]))


def on_data(cell: Cell, n: int, data_set: int) -> Row:
    """Draw from the posterior of the loss on data."""
    plan = ChainPlan(None, LOCALIZATION, DATA_CHAINS, DRAWS, BURNINS[n])
    return by_hmc(cell, n, data_of(cell, n, SEED + data_set), plan)


def by_hmc(cell: Cell, n: int, potential: LinearNetworkPotential, plan: ChainPlan) -> Row:
    """Draw by trajectories a quarter as long as the period of the flat directions."""
    step = DEEP_STEPS.get(cell.widths, STEP) / canonical_nbeta(n)
    sampler = HMC(step, math.ceil(math.pi / 2 / math.sqrt(LOCALIZATION * step)))
    began = time.process_time()
    at = deepest_point(cell.widths, cell.rank)
    [reading] = estimate_llc(potential, at, sampler, plan, seed=SEED)
    return Row(cell, n, reading, time.process_time() - began)


def langevin(cell: Cell, n: int) -> Row:
    """Draw by SGLD as published."""
    plan = ChainPlan(None, LOCALIZATION, SGLD_CHAINS, SGLD_DRAWS, SGLD_BURNIN)
    potential = linear_network_potential(cell.widths, true_map(cell), num_samples=n)
    at, began = deepest_point(cell.widths, cell.rank), time.process_time()
    [reading] = estimate_llc(
        potential, at, SGLD(SGLD_STEP), plan, seed=SEED, correct_step_size=True
    )
    return Row(cell, n, reading, time.process_time() - began)


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
        "What is measured, and at which center, is said in the script.",
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


def run_all(jobs: int) -> tuple[list[Row], list[Row], list[Row]]:
    """Return what HMC found, SGLD, and HMC on data."""
    with ProcessPoolExecutor(jobs, initializer=torch.set_num_threads, initargs=(1,)) as pool:

        def each(work: Callable[..., Row], plans: Iterable[tuple[object, ...]]) -> Iterator[Row]:
            return pool.map(work, *zip(*plans, strict=True))

        # All are handed over before the first is waited for.
        parts = (
            each(hamiltonian, [(cell, n) for cell in CELLS for n in SIZES]),
            each(langevin, [(cell, SIZES[-1]) for cell in CELLS]),
            each(on_data, [(c, n, s) for c in DATA_CELLS for n in SIZES for s in range(DATA_SETS)]),
        )
        exact, sampled, data = ([told(row) for row in part] for part in parts)
    return exact, sampled, data


def told(row: Row) -> Row:
    """Print a row, and return it."""
    print(row.cell, f"n = {row.n:,}: {row.llc:.3f} ± {row.se:.3f}", flush=True)
    return row


def main() -> None:
    """Run and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    args.out.write_text(page(*run_all(args.jobs)), encoding="utf-8")


if __name__ == "__main__":
    main()
