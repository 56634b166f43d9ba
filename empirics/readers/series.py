"""Runs as trackers log them: every observable has its own steps; and the curves that they make.

1. Which value counts: where t goes back, a run was resumed from an earlier state, and the rows
   written before with that t or a later one were overtaken; they are left out.
2. NaN is what libraries log for "nothing to report"; such rows are left out. An infinite value
   rejects its curve, and no other.
3. Rows at one t are merged into their mean; where most are (episodes that end together), they are
   merged before they are stored.

All of it is counted and said (`empirics.logged` says the rest).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from empirics.curve_set import CurveSet, Rejected, gathered
from empirics.header import Header
from empirics.logged import Logged, logged
from empirics.notes import counted, listed, tally
from empirics.provenance import versions_of
from empirics.readers.aliases import observables_of, settings_of
from empirics.readers.cells import Setting
from empirics.readers.names import PROGRESS, no_such
from empirics.run_record import RunRecord
from theory.curve import Progress

Floats = NDArray[np.float64]

WORDS = {
    "overtaken": "left out: the run was resumed from an earlier t, and wrote that stretch anew",
    "nan": "left out: t or the value is NaN",
    "together": "at one t, where most rows are, merged into the mean at that t",
    "elsewhere": "left out: logged without that progress axis",
}
"""What is done to rows, and counted."""


@final
@dataclass(frozen=True, eq=False)
class Series:
    """What was logged under one key.

    Attributes
    ----------
    key : str
        As the library calls it.
    axes : mapping of str to (n,) array
        Progress, by the name of what it counts; the first is the one unless the user names
        another. Rows stand in the order of writing.
    y : (n,) array
    beside : mapping of str to (n,) array
        ``y_se`` and ``n_trials`` where known.
    """

    key: str
    axes: Mapping[str, Floats]
    y: Floats
    beside: Mapping[str, Floats] = field(default_factory=dict)


@final
@dataclass(frozen=True, eq=False)
class LoggedRun:
    """One run as a tracker logged it.

    Attributes
    ----------
    label, source, sha256 : str
        The run's name, the files it was read from, and the hash of their contents.
    series : tuple of Series
    settings : mapping
        What shaped the run, under the library's names.
    units : mapping of str to Progress
        What the axes count, where their names do not say it.
    notes : tuple of str
        What reading left out.
    tracker_id : str
        What the tracker calls the run, where several files can be parts of one.
    """

    label: str
    source: str
    sha256: str
    series: tuple[Series, ...]
    settings: Mapping[str, Setting] = field(default_factory=dict)
    units: Mapping[str, Progress] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    tracker_id: str = ""


@final
@dataclass(frozen=True)
class Wanted:
    """What the user asked for: an axis, observables by key or alias, the unit of the axis."""

    t: str | None = None
    y: tuple[str, ...] = ()
    progress: Progress | None = None


def curves_of(runs: Sequence[LoggedRun], wanted: Wanted) -> CurveSet:
    """Return the curves of runs.

    Raises
    ------
    ValueError
        If no run has such an axis or observable, or a run has no axis at all.
    """
    _check_known(runs, wanted)
    items: list[Logged | Rejected] = []
    records: list[RunRecord] = []
    counts = {why: Counter[str]() for why in WORDS}
    renamed: dict[str, str] = {}
    versions = versions_of(("ontogeny", "polars"))
    for run in runs:
        names = observables_of(series.key for series in run.series)
        axes = _axes(run)
        if not axes:
            raise ValueError(
                f"{run.source} has no progress axis with a number wherever something was measured; "
                "a cell of it may be damaged: mend it, or leave out that row."
            )
        header = _header(run, wanted.t or axes[0], wanted)
        asked = [series for series in run.series if _is_asked(series, names, wanted)]
        found = [_curve(header, series, names[series.key], counts) for series in asked]
        items += [each for each in found if each is not None]
        renamed |= {series.key: names[series.key] for series in asked}
        if any(isinstance(each, Logged) for each in found):
            records.append(_record(run, header, names, versions))
    return gathered(items, [*_notes_of(runs), *_parted(runs), *_said(counts, renamed)], records)


def digest_of(contents: Iterable[bytes]) -> str:
    """Return the sha256 of the contents of the files of a run, in their order."""
    hashes = [hashlib.sha256(content).hexdigest() for content in contents]
    if len(hashes) == 1:
        return hashes[0]
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def conditions_of(settings: Mapping[str, Setting]) -> dict[str, bool | int | float | str]:
    """Return settings under the field's names; what says nothing is left out."""
    names = settings_of(settings)
    return {names[name]: value for name, value in settings.items() if value is not None and name}


def _axes(run: LoggedRun) -> list[str]:
    return list(dict.fromkeys(name for series in run.series for name in series.axes))


def _check_known(runs: Sequence[LoggedRun], wanted: Wanted) -> None:
    """Check that an axis or observables that the user named are there."""
    place = listed((run.source for run in runs), 1)
    axes = {name for run in runs for name in _axes(run)}
    if wanted.t is not None and wanted.t not in axes:
        raise ValueError(no_such("progress axis", wanted.t, place, axes))
    keys: set[str] = set()
    for run in runs:
        names = observables_of(series.key for series in run.series)
        keys |= {*names, *names.values()}
    for name in wanted.y:
        if name not in keys:
            raise ValueError(no_such("observable", name, place, keys))


def _is_asked(series: Series, names: Mapping[str, str], wanted: Wanted) -> bool:
    return not wanted.y or series.key in wanted.y or names[series.key] in wanted.y


def _header(run: LoggedRun, axis: str, wanted: Wanted) -> Header:
    content = json.dumps([run.sha256, run.label, {"t": axis}], sort_keys=True)
    unit = run.units.get(axis, PROGRESS.get(axis.lower(), Progress.UNSPECIFIED))
    return {
        "run_id": hashlib.sha256(content.encode()).hexdigest()[:16],
        "observable": axis,
        "progress": str(wanted.progress or unit),
        "run": run.label,
        "unit": "",
        "window": None,
        "origin": "logged",
        "support": None,
        "conditions": conditions_of(run.settings),
    }


def _curve(
    header: Header, series: Series, observable: str, counts: Mapping[str, Counter[str]]
) -> Logged | Rejected | None:
    """Return the curve of a series over the axis of the header; None where it has no such axis."""
    axis, name = header["observable"], f"{observable} of {header['run']}"
    header = {**header, "observable": observable}
    if axis not in series.axes:
        counts["elsewhere"][name] += series.y.size
        return None
    kept = in_force(next(iter(series.axes.values())))
    counts["overtaken"][name] += series.y.size - kept.size
    known = ~(np.isnan(series.y[kept]) | np.isnan(series.axes[axis][kept]))
    counts["nan"][name] += int((~known).sum())
    if not known.any():
        return Rejected(header["run"], observable, "every value is NaN.")
    points = {"t": series.axes[axis], "y": series.y, **series.beside}
    rows = {column: values[kept[known]] for column, values in points.items()}
    if (np.diff(rows["t"]) >= 0).all() and _mostly_together(rows):
        merged = _merged(rows["t"], rows["y"])
        counts["together"][name] += rows["t"].size - merged["t"].size
        rows = merged
    return logged(header, pl.DataFrame(rows), "leave out the rows of the others")


def in_force(t: Floats) -> NDArray[np.intp]:
    """Return the rows that were not overtaken by a later stretch that began at or before them.

    Parameters
    ----------
    t : (n,) array
        Progress in the order of writing.
    """
    back = np.flatnonzero(np.diff(t) < 0)
    if not back.size:
        return np.arange(t.size)
    firsts = np.append(t[back + 1], np.inf)  # the smallest t of each later stretch is its first
    smallest = np.minimum.accumulate(firsts[::-1])[::-1]
    stretch = np.searchsorted(back, np.arange(t.size))
    return np.flatnonzero((t < smallest[stretch]) | np.isnan(t))


def _mostly_together(rows: Mapping[str, Floats]) -> bool:
    """Tell whether most values of t are those of several rows, as `merge_equal_t` counts."""
    if set(rows) != {"t", "y"}:
        return False
    counts = np.unique(rows["t"], return_counts=True)[1]
    return bool(2 * (counts > 1).sum() > counts.size)


def _merged(t: Floats, y: Floats) -> dict[str, Floats]:
    values, first, counts = np.unique(t, return_index=True, return_counts=True)
    return {"t": values, "y": np.add.reduceat(y, first) / counts}


def _notes_of(runs: Sequence[LoggedRun]) -> list[str]:
    """Say what reading left out of the runs; one line for runs of one note."""
    labels: dict[str, list[str]] = {}
    for run in runs:
        for note in run.notes:
            labels.setdefault(note, []).append(run.label)
    several = len(runs) > 1
    return [f"{listed(of, 1)}: {note}" if several else note for note, of in labels.items()]


def _parted(runs: Sequence[LoggedRun]) -> list[str]:
    """Say which files are of one run of the tracker."""
    files: dict[str, list[str]] = {}
    for run in runs:
        if run.tracker_id:
            files.setdefault(run.tracker_id, []).append(run.source)
    return [
        f"{listed(of)} are of one run, {name!r}, that was started again; each is read as a run of "
        "its own."
        for name, of in files.items()
        if len(of) > 1
    ]


def _said(counts: Mapping[str, Counter[str]], renamed: Mapping[str, str]) -> list[str]:
    said = [
        f"{counted((+each).total(), 'row')} {WORDS[why]}: {tally(+each)}."
        for why, each in counts.items()
        if +each
    ]
    names = sorted(f"{key} as {name}" for key, name in renamed.items() if key != name)
    return [*said, *([f"read {', '.join(names)}."] if names else [])]


def _record(
    run: LoggedRun, header: Header, names: Mapping[str, str], versions: Mapping[str, str]
) -> RunRecord:
    keys = {name: key for key, name in sorted(names.items()) if name != key}
    settings = {name: value for name, value in run.settings.items() if value is not None}
    return RunRecord(
        run.label,
        header["run_id"],
        source=run.source,
        sha256=run.sha256,
        versions=versions,
        config={"t": header["observable"], "keys": keys, "settings": settings},
        conditions=header["conditions"],
    )
