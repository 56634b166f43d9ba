"""The effect of environment and reward features on forms: regressions beside mechanisms.

    python -m benchmarks.condition_regression [--seeds N]

Small agents are trained at all combinations of conditions. Of each run three numbers are read: its
onset, the width of its rise, and how far it is short of 1 at the end. Their logarithms are
regressed on conditions, and so is what a mechanism, integrated at the same conditions, says of the
same cells. The table is written to benchmarks/condition_regression.md.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from benchmarks.condition_ladders import Study, studies
from benchmarks.regression import Regression, regress
from theory.mechanism import Mechanism, NoOnset
from theory.mechanisms import MECHANISMS

FloatArray = NDArray[np.float64]
HERE = Path(__file__).parent
MEASURES = ("onset", "width", "shortfall")
CHECKPOINTS = 600
BEYOND = 10
"""How many times the length of a run the mean field is followed for the end of its rise."""

PAGE = """# The effect of environment and reward features on forms

`python -m benchmarks.condition_regression --seeds {seeds}`, {seconds:.0f} s. Every cell of a ladder
(all combinations of its conditions) is trained with {seeds} seeds. Of each run are read

- the **onset**: the update at which the lock opens with a chance of 1/2, or from which on the goal
  is preferred where it parts from the proxy;
- the **width**: from 10 % to 90 % of the way from the lowest level to 1;
- the **shortfall**, the plateau: how far the last level is from 1.

The logarithm of each cell's median is regressed by least squares on the conditions and all their
pairs, all centered; intervals are 95 %, over runs resampled within cells. Censored runs stand above
every number in the median; cells with more than a fifth of them are left out, of both regressions,
and named below. *Mechanism* is the same regression of what the mechanism says of the same cells:
the median of its law of the onset where it has one (`lock`), else its mean field, integrated.
Nothing is fitted to the agents. Where all values are right, one in twenty rows still fails. *Miss*
is the median over cells of |ln observed - ln mechanism|. Interactions have rows of their own where
they are told from 0 at 5 % shared among all pairs; the others are counted. *Main* and *pairs* count
how many of the level and the main effects, and of all pairs, have the mechanism's value in their
interval.

The ladders and lengths were chosen from what the mechanisms say, before any agent was trained,
except that of single episodes, which was added when the first two ladders and the delta rule had
been seen: in batches of eight a potential did nothing. One thing was seen afterwards and left as it
was: an onset is read as the middle of the update in which it falls, while `lock` foretells whole
updates, so that its onsets of a few updates are read half an update early; subtracting that half
from what it says brings the terms of its onset that fail into their intervals.

## Overview

| ladder | mechanism | measure | runs | censored | cells used | R² | miss | main | pairs |
|---|---|---|---|---|---|---|---|---|---|
{overview}

## Terms

| ladder | measure | term | observed | 95 % interval | mechanism | in it |
|---|---|---|---|---|---|---|
{rows}

## Censored runs

{unfinished}
"""


def rise_width(t: FloatArray, y: FloatArray) -> float:
    """Return the time from 10 % to 90 % of the way from the lowest level to 1.

    Infinite where 90 % is not reached; times between points are interpolated.
    """
    first = int(np.argmin(y))
    t, y = t[first:], np.maximum.accumulate(y[first:])
    levels = y[0] + np.array([0.1, 0.9]) * (1 - y[0])
    if y[-1] < levels[1]:
        return math.inf
    ends = np.searchsorted(y, levels)
    share = (levels - y[ends - 1]) / (y[ends] - y[ends - 1])
    return float(np.diff(t[ends - 1] + share * (t[ends] - t[ends - 1]))[0])


def measured(study: Study, seeds: int) -> dict[str, list[FloatArray]]:
    """Return what is read of every run, one array (seeds,) a cell."""
    found: dict[str, list[FloatArray]] = {name: [] for name in MEASURES}
    runs = study.train(study.cells, range(seeds), updates=study.updates, checkpoints=CHECKPOINTS)
    for first in range(0, len(runs), seeds):
        own = runs[first : first + seeds]
        curves = [run.curve(study.observable) for run in own]
        onsets = [(run.onset.lower + run.onset.upper) / 2 for run in own]
        found["onset"].append(np.array(onsets))
        found["width"].append(np.array([rise_width(c.t, c.y) for c in curves]))
        found["shortfall"].append(np.array([1 - c.y[-1] for c in curves]))
    return found


def foretold(study: Study) -> dict[str, FloatArray]:
    """Return the same of the mechanism at the conditions of every cell, (n_cells,)."""
    mechanism = MECHANISMS[study.mechanism]
    rows = [_foretold(mechanism, cell, study) for cell in study.cells]
    return dict(zip(MEASURES, np.array(rows).T, strict=True))


def _foretold(mechanism: Mechanism, cell: Any, study: Study) -> tuple[float, float, float]:
    given = cell.conditions(0)
    try:
        onset = _median_onset(mechanism, given)
    except NoOnset:
        return math.nan, math.nan, math.nan
    t = np.r_[0.0, np.geomspace(0.1, BEYOND * study.updates, 6000)]
    t = np.union1d(t, [study.updates])
    states, _ = mechanism.integrate(given, t)
    y = mechanism.observe(study.observable, states, mechanism.values(given))
    return onset, rise_width(t, y), 1 - float(y[np.searchsorted(t, study.updates)])


def _median_onset(mechanism: Mechanism, given: dict[str, Any]) -> float:
    """Return the median of the law of the onset, or where there is none the mean field's onset."""
    onset = mechanism.onset(given)
    if mechanism.onset_law is None:
        return onset
    values = mechanism.values(given)
    at = {name: np.array([[value]], dtype=float) for name, value in values.items()}
    log_t = math.log(onset) + np.linspace(-3, 3, 601)
    below = np.exp(mechanism.onset_law(log_t[None], at)[0][0])
    return float(np.exp(np.interp(0.5, below, log_t)))


def tell(study: Study, seeds: int) -> tuple[list[str], list[str], list[str]]:
    """Train and regress a study; return rows of the overview, rows of terms, and who is left out.

    A term that is an interaction has a row where it is told from 0; of the others it is counted
    how many hold.
    """
    runs, said = measured(study, seeds), foretold(study)
    overview, rows, unfinished = [], [], []
    for measure in MEASURES:
        found = regress(study.covariates, runs[measure], said[measure], study.updates)
        shown = [term for term in found.terms if term.screened or not term.is_pair]
        silent = [term for term in found.terms if term.is_pair and not term.screened]
        rows += [
            f"| {study.name} | ln {measure} | {term.name} | {term.observed:.3f} "
            f"| {term.lower:.3f} to {term.upper:.3f} | {term.predicted:.3f} "
            f"| {'yes' if term.holds else '**no**'} |"
            for term in shown
        ]
        if silent:
            rows.append(
                f"| {study.name} | ln {measure} | pairs not told from 0: {len(silent)} "
                f"| | | | {sum(term.holds for term in silent)} of {len(silent)} |"
            )
        overview.append(_overview(study, measure, runs[measure], found))
        unfinished += _unfinished(study, measure, runs[measure], found)
    return overview, rows, unfinished


def _overview(study: Study, measure: str, runs: Sequence[FloatArray], found: Regression) -> str:
    censored = sum(int(np.isinf(values).sum()) for values in runs)
    mains = [term for term in found.terms if not term.is_pair]
    pairs = [term for term in found.terms if term.is_pair]
    return (
        f"| {study.name} | `{study.mechanism}` | {measure} | {sum(v.size for v in runs)} "
        f"| {censored} | {found.used.sum()} of {found.used.size} | {found.r_squared:.3f} "
        f"| {found.miss:.3f} | {sum(t.holds for t in mains)} of {len(mains)} "
        f"| {sum(t.holds for t in pairs)} of {len(pairs)} |"
    )


def _unfinished(
    study: Study, measure: str, runs: Sequence[FloatArray], found: Regression
) -> list[str]:
    """Return a line for each cell with censored runs, and for each that is left out."""
    lines = []
    for cell, values, used in zip(study.cells, runs, found.used, strict=True):
        seeds = np.flatnonzero(np.isinf(values))
        if seeds.size or not used:
            named = ", ".join(str(seed) for seed in seeds) or "none"
            lines.append(
                f"- {study.name}, {measure}, {cell.label}: {seeds.size} of {values.size} runs "
                f"censored (seeds {named}){'' if used else '; **left out**'}"
            )
    return lines


def main() -> None:
    """Run every study and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    args = parser.parse_args()
    began = time.process_time()
    overview, rows, unfinished = [], [], []
    for study in studies():
        parts = tell(study, args.seeds)
        print(*parts[0], *parts[1], *parts[2], sep="\n", flush=True)
        overview += parts[0]
        rows += parts[1]
        unfinished += parts[2]
    page = PAGE.format(
        seeds=args.seeds,
        seconds=time.process_time() - began,
        overview="\n".join(overview),
        rows="\n".join(rows),
        unfinished="\n".join(unfinished) or "No run was censored.",
    )
    (HERE / "condition_regression.md").write_text(page)


if __name__ == "__main__":
    main()
