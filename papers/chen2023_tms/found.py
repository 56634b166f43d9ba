"""What an arm's runs come to: plateaus, coefficients on them, and LLC as a detector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, final

import numpy as np

from papers.chen2023_tms.plateaus import path_of, share_at_levels, transitions_of
from papers.chen2023_tms.runs import LadderRun
from papers.chen2023_tms.steps_in_curves import Score, score, steps_of
from theory.curve import Curve
from theory.learning_coefficients.k_gons import LEVEL_TOLERANCE, k_gons

WINDOW = 0.05
"""Share of a run's length that a detected step may lie off a transition's bracket."""
SETTLED = 5
"""Vertices from which a k-gon's coefficient is known."""


@final
@dataclass(frozen=True)
class ArmFound:
    """What the runs of one arm came to.

    Attributes
    ----------
    label : str
    share : float
        Of checkpoints within the tolerance of a k-gon's loss.
    paths : mapping of str to int
        How many runs went which way.
    llcs : mapping of str to (float, float, int)
        Median coefficient of all checkpoints on plateaus of a name, their spread (sd), and how
        many they are.
    transitions : tuple of (str, float)
        Every transition by name, and its time over the length of the run.
    by_llc, by_loss : Score
        Steps in each curve against the transitions.
    trusted : float
        Share of readings without doubts.
    """

    label: str
    share: float
    paths: dict[str, int]
    llcs: dict[str, tuple[float, float, int]]
    transitions: tuple[tuple[str, float], ...]
    by_llc: Score
    by_loss: Score
    trusted: float

    def content(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "label": self.label,
            "share_at_levels": self.share,
            "paths": self.paths,
            "llc_by_plateau": {k: list(v) for k, v in self.llcs.items()},
            "transitions": [list(each) for each in self.transitions],
            "llc_as_detector": vars(self.by_llc) | {"lags": list(self.by_llc.lags)},
            "loss_as_detector": vars(self.by_loss) | {"lags": list(self.by_loss.lags)},
            "trusted_readings": self.trusted,
        }


def found_in(runs: Sequence[LadderRun]) -> ArmFound:
    """Return what the runs of one arm came to."""
    cell = runs[0].trained.cell
    losses = np.concatenate([run.loss.y for run in runs])
    readings = [reading for run in runs for reading in run.readings]
    return ArmFound(
        cell.label,
        share_at_levels(losses, cell.num_features, LEVEL_TOLERANCE),
        dict(Counter(path_of(run.plateaus) for run in runs).most_common()),
        _llcs(runs),
        tuple(
            (f"{t.source} → {t.target}", (t.lower + t.upper) / 2 / _length(run))
            for run in runs
            for t in transitions_of(run.plateaus)
        ),
        _score(runs, [run.llc for run in runs]),
        _score(runs, [run.loss for run in runs]),
        float(np.mean([reading.is_trusted for reading in readings])),
    )


def _length(run: LadderRun) -> float:
    return float(run.loss.t[-1])


def _score(runs: Sequence[LadderRun], curves: Sequence[Curve]) -> Score:
    """Return the scores of all runs together, with lags over the length of the run."""
    found = [
        score(steps_of(curve), transitions_of(run.plateaus), WINDOW * _length(run))
        for run, curve in zip(runs, curves, strict=True)
    ]
    total: Score = reduce(add, found)
    lags = (lag / _length(run) for run, each in zip(runs, found, strict=True) for lag in each.lags)
    return Score(total.hits, total.missed, total.false_alarms, tuple(lags))


def _llcs(runs: Sequence[LadderRun]) -> dict[str, tuple[float, float, int]]:
    values: dict[str, list[float]] = {}
    for run in runs:
        for plateau in run.plateaus:
            inside = (run.llc.t >= plateau.first) & (run.llc.t <= plateau.last)
            values.setdefault(plateau.name, []).extend(run.llc.y[inside].tolist())
    order = {point.name: i for i, point in enumerate(k_gons(runs[0].trained.cell.num_features))}
    return {
        name: (float(np.median(y)), float(np.std(y)), len(y))
        for name, y in sorted(values.items(), key=lambda item: order[item[0]])
        if y
    }


def sentences(found: ArmFound, num_features: int) -> str:
    """Say what an arm's runs came to, in a paragraph."""
    known = {
        point.name: float(point.coefficient.value)
        for point in k_gons(num_features)
        if point.num_vertices >= SETTLED
    }
    llcs = "; ".join(
        f"{name}: {median:.1f}"
        + (f" (λ = {known[name]:g})" if name in known else "")
        + f", sd {sd:.1f} over {number} checkpoints"
        for name, (median, sd, number) in found.llcs.items()
    )
    paths = "; ".join(f"{path or 'none'}: {number}" for path, number in found.paths.items())
    times = ", ".join(f"{name} at {when:.2f}" for name, when in found.transitions)
    return (
        f"{found.label}: {100 * found.share:.0f} % of checkpoints lie within {LEVEL_TOLERANCE:g} "
        f"of a k-gon's loss. Paths (runs): {paths}. Transitions, in lengths of a run: "
        f"{times or 'none'}. Median llc on the plateaus: {llcs or 'none'}. As detectors of the "
        f"{len(found.transitions)} transitions, llc has {_said(found.by_llc)}, and loss has "
        f"{_said(found.by_loss)}. {100 * found.trusted:.0f} % of the readings are free of doubts."
    )


def _said(score: Score) -> str:
    lag = f", median lag {np.median(score.lags):+.3f}" if score.lags else ""
    return f"{score.hits} hits, {score.false_alarms} false alarms{lag}"
