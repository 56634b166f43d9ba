"""Aggregate runs: robust scores, comparisons of groups, curves over runs and onsets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from fitting.aggregates.bootstrap import RESAMPLES, Measured, check_resamples
from fitting.aggregates.doubts import different_tasks, few_runs, without_spread
from fitting.aggregates.efficiency import Efficiency, efficiency
from fitting.aggregates.improvement import Improvement, improvement
from fitting.aggregates.likeness import Likeness, likeness
from fitting.aggregates.measures import measures
from fitting.aggregates.onset_distribution import (
    OnsetDistribution,
    halfway_level,
    onset_distribution,
    onsets_of,
)
from fitting.aggregates.profile import Profile, profile
from fitting.aggregates.scores import (
    Scores,
    check_share,
    groups_by,
    normalized,
    score_of,
    score_words,
)
from theory.curve import Curve, FloatArray

THRESHOLDS = 101
ALL = "all runs"
"""The name of the only group where no condition makes groups."""


@final
@dataclass(frozen=True, eq=False)
class Group:
    """The aggregates of one group of runs.

    Attributes
    ----------
    name : str
    runs : tuple of (task, run)
        In the order of the rows of `efficiency.runs`.
    scores : Scores
    measures : tuple of Measured
    profile : Profile
    efficiency : Efficiency or None
        None where runs have no progress in common; a doubt says so.
    likenesses : tuple of Likeness
        One a task.
    onsets : tuple of (task, level, OnsetDistribution)
    doubts : tuple of str
    """

    name: str
    runs: tuple[tuple[str, str], ...]
    scores: Scores
    measures: tuple[Measured, ...]
    profile: Profile
    efficiency: Efficiency | None
    likenesses: tuple[Likeness, ...]
    onsets: tuple[tuple[str, float, OnsetDistribution], ...]
    doubts: tuple[str, ...]

    @property
    def differ(self) -> bool:
        """Whether the mean curve of some task is none of its runs."""
        return any(one.differ is True for one in self.likenesses)


@final
@dataclass(frozen=True, eq=False)
class Aggregates:
    """Aggregates over the runs of one observable.

    Attributes
    ----------
    observable, unit, progress : str
    by, task : str
        Conditions that make the groups and the tasks; empty where none was named.
    score : str
        What the score of a run is, in words.
    groups : tuple of Group
    improvements : tuple of Improvement
        Every two groups, the later over the earlier.
    doubts : tuple of str
    """

    observable: str
    unit: str
    progress: str
    by: str
    task: str
    score: str
    groups: tuple[Group, ...]
    improvements: tuple[Improvement, ...]
    doubts: tuple[str, ...]


def aggregate(
    curves: Sequence[Curve],
    *,
    by: str | None = None,
    task: str | None = None,
    observable: str | None = None,
    at: float | None = None,
    last: float | None = None,
    references: Mapping[str, tuple[float, float]] | None = None,
    target: float | None = None,
    level: float | None = None,
    n_resamples: int = RESAMPLES,
    seed: int = 0,
) -> Aggregates:
    """Aggregate runs by group: scores with intervals, profiles, curves, onsets, comparisons.

    Parameters
    ----------
    curves : sequence of Curve
        One a run.
    by, task : str, optional
        Conditions whose values make the groups and the tasks.
    observable : str, optional
        Which one, where there are several.
    at, last : float, optional
        Scores are read at this progress, or over this last share of it; by default at the end.
    references : mapping of str to (low, high), optional
        For every task the scores that become 0 and 1 (those of a random and of a good player, say);
        under the name "" for all tasks.
    target : float, optional
        What the optimality gap is measured from; 1 where there are references.
    level : float, optional
        What a run must pass for its onset; by default halfway between the medians of first and
        last values over all runs of a task.
    n_resamples : int
    seed : int

    Raises
    ------
    ValueError
        For what cannot be aggregated, in one sentence.
    """
    check_resamples(n_resamples)
    if last is not None:
        check_share(last)
    chosen = _checked(_of_one_observable(curves, observable))
    score = score_words(at, last)
    by_task = {
        name: _in_units_of(own, name, references) for name, own in groups_by(chosen, task).items()
    }
    levels = {n: halfway_level(own) if level is None else level for n, own in by_task.items()}
    named = _by_group(by_task, by)
    scores = {
        name: Scores(
            tuple(tasks),
            tuple(np.array([score_of(c, at=at, last=last) for c in own]) for own in tasks.values()),
        )
        for name, tasks in named.items()
    }
    thresholds = _thresholds(list(scores.values()))
    target = 1.0 if target is None and references else target
    # Each result has its own stream: it does not depend on which others are computed.
    streams = np.random.SeedSequence(seed)
    groups = tuple(
        _group(name, tasks, scores[name], thresholds, target, levels, n_resamples, stream)
        for (name, tasks), stream in zip(named.items(), streams.spawn(len(named)), strict=True)
    )
    names = list(named)
    pairs = [(b, a) for i, a in enumerate(names) for b in names[i + 1 :]]
    improvements = tuple(
        improvement(
            a, b, scores[a], scores[b], n_resamples=n_resamples, rng=np.random.default_rng(stream)
        )
        for (a, b), stream in zip(pairs, streams.spawn(len(pairs)), strict=True)
    )
    first = chosen[0]
    return Aggregates(
        first.observable,
        "" if references else first.unit,
        str(first.progress),
        by or "",
        task or "",
        score,
        groups,
        improvements,
        (
            *different_tasks(scores, list(by_task), referred=references is not None),
            *without_spread(improvements),
        ),
    )


def _of_one_observable(curves: Sequence[Curve], observable: str | None) -> list[Curve]:
    known = sorted({curve.observable for curve in curves})
    if not known:
        raise ValueError("there is no run to aggregate.")
    if observable is None and len(known) > 1:
        raise ValueError(
            f"runs are aggregated in one observable, and there are {len(known)}; choose one of "
            f"{', '.join(known)}."
        )
    chosen = [curve for curve in curves if observable in (None, curve.observable)]
    if not chosen:
        raise ValueError(f"no curve of {observable!r}; the observables are {', '.join(known)}.")
    return chosen


def _checked(curves: list[Curve]) -> list[Curve]:
    """Check that runs are measured alike."""
    for what in ("unit", "progress"):
        found = sorted({str(getattr(curve, what)) for curve in curves})
        if len(found) > 1:
            raise ValueError(f"runs must share their {what}; got {', '.join(map(repr, found))}.")
    return curves


def _in_units_of(
    curves: Sequence[Curve], task: str, references: Mapping[str, tuple[float, float]] | None
) -> list[Curve]:
    """Return the runs of a task in units of its reference scores, where there are any."""
    if not references:
        return list(curves)
    known = references.get(task, references.get(""))
    if known is None:
        raise ValueError(
            f"there are no reference scores for {task!r}; there are for "
            f"{', '.join(sorted(references))}."
        )
    return [normalized(curve, *known) for curve in curves]


def _by_group(
    by_task: Mapping[str, list[Curve]], by: str | None
) -> dict[str, dict[str, list[Curve]]]:
    """Return the runs of every group by task."""
    order = groups_by([curve for own in by_task.values() for curve in own], by)
    found: dict[str, dict[str, list[Curve]]] = {name: {} for name in order}
    for task, own in by_task.items():
        for name, runs in groups_by(own, by).items():
            found[name][task] = runs
    return {name or ALL: tasks for name, tasks in found.items()}


def _thresholds(scores: Sequence[Scores]) -> FloatArray:
    """Return evenly spaced scores from the lowest to the highest, the same for every group."""
    values = np.concatenate([values for one in scores for values in one.values])
    return np.linspace(float(values.min()), float(values.max()), THRESHOLDS)


def _group(
    name: str,
    tasks: Mapping[str, list[Curve]],
    scores: Scores,
    thresholds: FloatArray,
    target: float | None,
    levels: Mapping[str, float],
    n_resamples: int,
    stream: np.random.SeedSequence,
) -> Group:
    rngs = [np.random.default_rng(one) for one in stream.spawn(3)]
    onsets, doubts = [], []
    for task, own in tasks.items():
        found, left_out = onsets_of(own, levels[task])
        if left_out:
            doubts.append(
                f"Observed at progress 0 only, and hence without an onset: {', '.join(left_out)}."
            )
        if found:
            onsets.append((task, levels[task], onset_distribution(found)))
    try:
        along = efficiency(tasks, n_resamples=n_resamples, rng=rngs[2])
    except ValueError as error:
        along, why_not = None, str(error)
        doubts.append(f"There is no curve over runs: {why_not}")
    likenesses = tuple(likeness(own, task) for task, own in tasks.items())
    doubts += few_runs(scores)
    return Group(
        name,
        tuple((task, c.run or c.run_id) for task, own in tasks.items() for c in own),
        scores,
        measures(scores, target=target, n_resamples=n_resamples, rng=rngs[0]),
        profile(scores, thresholds, n_resamples=n_resamples, rng=rngs[1]),
        along,
        likenesses,
        tuple(onsets),
        tuple(doubts),
    )
