"""Rows of predictions beside what trained agents did, and the page that holds them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitting.ladders.hypothesis import law_median
from theory.curve import Curve
from theory.mechanism import Mechanism
from theory.onset import lasting_onset

FloatArray = NDArray[np.float64]
RESAMPLES = 1000
SLOPE, SHARE = 0.05, 0.05
"""How far the median of sampled runs may be from a mean field: a slope, and a share of a number."""


@dataclass(frozen=True)
class Row:
    """One prediction and what came out."""

    test: str
    arm: str
    quantity: str
    predicted: float
    observed: float
    lower: float
    upper: float
    allowance: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether the prediction lies within the interval and its allowance."""
        return self.lower - self.allowance <= self.predicted <= self.upper + self.allowance


def median_onset(mechanism: Mechanism, conditions: Mapping[str, Any]) -> float:
    """Return the median onset that a mechanism implies: of its law, or of the mean field."""
    values = mechanism.values(conditions)
    if mechanism.onset_law is None:
        return mechanism.onset(conditions)
    at = {name: np.array([[value]], dtype=float) for name, value in values.items()}
    return law_median(mechanism.onset_law, at)


def middle(curve: Curve) -> float:
    """Return when a curve passes one half for good, to half the spacing of its points."""
    onset = lasting_onset(curve)
    return (onset.lower + onset.upper) / 2


def slope(x: Sequence[float], medians: FloatArray) -> FloatArray:
    """Return the slope of ln median on ln x, over the last axis."""
    logs = np.log(np.asarray(x, dtype=float))
    centered = logs - logs.mean()
    return np.asarray(np.log(medians) @ centered / (centered @ centered))


def resampled(
    samples: Sequence[FloatArray], statistic: Callable[[list[FloatArray]], Any], seed: int = 0
) -> tuple[float, float, float]:
    """Return a statistic of samples and its interval over resampled runs."""
    rng = np.random.default_rng(seed)
    found = [
        float(statistic([rng.choice(sample, sample.size) for sample in samples]))
        for _ in range(RESAMPLES)
    ]
    lower, upper = np.quantile(found, [0.025, 0.975])
    return float(statistic(list(samples))), float(lower), float(upper)


def ladder_slope(samples: Sequence[FloatArray], x: Sequence[float]) -> FloatArray:
    """Return the slope of ln median onset; half an update off for updates counted whole."""
    return slope(x, np.array([np.median(sample) - 0.5 for sample in samples]))


def resolution(samples: Sequence[FloatArray], x: Sequence[float]) -> float:
    """Return what a slope is uncertain by because onsets are whole updates: half of one an end."""
    shortest = min(float(np.median(sample)) for sample in samples)
    return 1.0 / (shortest * abs(float(np.log(x[0] / x[-1]))))


def write_page(
    path: Path, title: str, command: str, tests: Iterable[Iterator[Row]], said: str = ""
) -> None:
    """Run every test, print its rows as they come and write the table."""
    began = time.process_time()
    rows = []
    for test in tests:
        for row in test:
            print(row, row.holds, flush=True)
            rows.append(row)
    lines = [
        f"# {title}",
        "",
        f"`{command}`, {time.process_time() - began:.0f} s. Predictions"
        " are integrated at the conditions of the runs and fixed in the script; intervals are 95 % "
        "over resampled runs; a prediction holds that lies in the interval or as near to it as the "
        "allowance. Rows that fail stay.",
        "",
        *((said, "") if said else ()),
        "| test | arm | number | predicted | observed | 95 % interval | allowance | holds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.test} | {r.arm} | {r.quantity} | {r.predicted:.3f} | {r.observed:.3f} "
        f"| {r.lower:.3f} to {r.upper:.3f} | {r.allowance:.2g} | {'yes' if r.holds else '**no**'} |"
        for r in rows
    ]
    path.write_text("\n".join(lines) + "\n")
