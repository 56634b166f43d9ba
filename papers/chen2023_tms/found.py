"""What an arm's runs come to: plateaus, coefficients on them, and curves as detectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from papers.chen2023_tms.plateaus import Transition, path_of, share_at_levels, transitions_of
from papers.chen2023_tms.runs import LadderRun
from papers.chen2023_tms.steps_in_curves import steps_of
from papers.llc_ladder.detector import Detection, DetectorScore, detect, score
from theory.curve import Curve
from theory.learning_coefficients.k_gons import LEVEL_TOLERANCE, k_gons

WINDOW = 0.05
"""Share of a run's length that a detected step may lie off a transition's bracket."""
SETTLED = 5
"""Vertices from which a k-gon's coefficient is known."""

ByName = Mapping[str, Callable[[LadderRun], Curve]]
DETECTORS: ByName = {"llc": lambda run: run.llc, "loss": lambda run: run.loss}


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
    detectors : tuple of DetectorScore
        Steps in each curve against the transitions, lags over the length of the run.
    trusted : float
        Share of readings without doubts.
    """

    label: str
    share: float
    paths: Mapping[str, int]
    llcs: Mapping[str, tuple[float, float, int]]
    transitions: tuple[tuple[str, float], ...]
    detectors: tuple[DetectorScore, ...]
    trusted: float


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
            for t in known_transitions(run)
        ),
        tuple(
            score(f"{name}, {cell.label}", [detection(run, curve_of(run)) for run in runs])
            for name, curve_of in DETECTORS.items()
        ),
        float(np.mean([reading.is_trusted for reading in readings])),
    )


def detection(run: LadderRun, curve: Curve) -> Detection:
    """Return what a curve's steps find of a run's transitions, in lengths of the run."""
    length, known = _length(run), known_transitions(run)
    return detect(
        [step / length for step in steps_of(curve)],
        [(t.lower + t.upper) / 2 / length for t in known],
        tolerance=[WINDOW + (t.upper - t.lower) / 2 / length for t in known] or WINDOW,
    )


def known_transitions(run: LadderRun) -> tuple[Transition, ...]:
    """Return the changes between plateaus, and the first from the start if it was one.

    A run starts at a polygon, so one whose first plateau has another number of vertices has come
    to it by a transition, also where the start itself was passed too fast to be a plateau.
    """
    cell = run.trained.cell
    vertices = {point.name: point.num_vertices for point in k_gons(cell.num_features)}
    reached = [
        Transition("start", each.name, 0.0, each.first)
        for each in run.plateaus[:1]
        if vertices[each.name] != cell.start_features
    ]
    return (*reached, *transitions_of(run.plateaus))


def _length(run: LadderRun) -> float:
    return float(run.loss.t[-1])


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


def known_coefficients(num_features: int) -> dict[str, float]:
    """Return the learning coefficient of every k-gon that has a known one, by name."""
    return {
        point.name: float(point.coefficient.value)
        for point in k_gons(num_features)
        if point.num_vertices >= SETTLED
    }
