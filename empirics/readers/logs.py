"""Reading logs that were found: by their format, or as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from empirics.curve_set import CurveSet, Rejected, gathered
from empirics.logged import Logged
from empirics.notes import listed, tally
from empirics.readers.finding import Log
from empirics.readers.series import LoggedRun, Wanted, curves_of
from empirics.readers.table import read_table
from theory.curve import Progress


@final
@dataclass(frozen=True)
class Request:
    """What the user asked for, as `empirics.readers.read_curves` takes it."""

    t: str | None = None
    y: tuple[str, ...] = ()
    run: str | None = None
    observable: str | None = None
    progress: Progress | None = None


def read_log(log: Log, request: Request) -> CurveSet:
    """Read one log.

    Raises
    ------
    ValueError
        In one sentence, if nothing in it can be read.
    """
    if log.format is None:
        return _table(log, request)
    return curves_of(log.format.read(log.paths, log.label), _wanted(request, str(log.paths[0])))


def read_found(
    folder: Path, logs: Sequence[Log], skipped: Mapping[str, Sequence[str]], request: Request
) -> CurveSet:
    """Read the logs of a folder; one that cannot be read is named, and leaves the others.

    Raises
    ------
    ValueError
        If none can be read; the reason of the first.
    """
    runs: list[LoggedRun] = []
    tables: list[CurveSet] = []
    failed: list[Rejected] = []
    for log in logs:
        try:
            if log.format is None:
                tables.append(_table(log, request))
            else:
                runs += log.format.read(log.paths, log.label)
        except (ValueError, OSError) as error:
            failed.append(Rejected("", "", str(error)))
    if runs:
        tables.append(curves_of(runs, _wanted(request, str(folder))))
    if not tables:
        raise ValueError(failed[0].reason)
    counts = Counter("table" if log.format is None else log.format.name for log in logs)
    notes = [f"{folder} holds {tally(counts)}."]
    notes += [f"{listed(names)} skipped ({why})." for why, names in skipped.items()]
    return _together(tables, notes, failed)


def _table(log: Log, request: Request) -> CurveSet:
    return read_table(
        log.paths[0],
        t=request.t,
        y=request.y,
        run=request.run,
        observable=request.observable,
        progress=request.progress,
        label=log.label,
    )


def _wanted(request: Request, place: str) -> Wanted:
    if request.run is not None:
        raise ValueError(f"{place} says itself what is a run; leave out run.")
    names = (*request.y, *([request.observable] if request.observable else []))
    return Wanted(request.t, names, request.progress)


def _together(
    sets: Sequence[CurveSet], notes: Sequence[str], failed: Sequence[Rejected]
) -> CurveSet:
    found: list[Logged | Rejected] = []
    for of in sets:
        found += [*of.logged, *of.rejected]
    together = gathered([*found, *failed], runs=[run for of in sets for run in of.runs])
    said = dict.fromkeys(note for of in sets for note in of.notes)
    return CurveSet(
        together.curves, together.rejected, (*notes, *said), together.logged, together.runs
    )
