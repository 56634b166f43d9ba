"""How a command line names curves: a path, its columns, and which of them to take."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from empirics.curve_set import CurveSet

# As in `theory.curve.Progress`, which costs an import that `ontogeny --help` does not wait for.
PROGRESS = ("env_steps", "updates", "episodes", "samples", "unspecified")


def add_column_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which columns of a table hold what."""
    columns = parser.add_argument_group("columns of a table (guessed from their names unless told)")
    columns.add_argument("--t", metavar="COLUMN", help="training progress")
    columns.add_argument(
        "--y", nargs="+", metavar="COLUMN", help="what was measured; of a store: observables"
    )
    columns.add_argument("--run", metavar="COLUMN", help="which run a row of a long table is of")
    columns.add_argument(
        "--observable",
        metavar="COLUMN",
        help="which observable a row of a long table is of; or the one observable to read",
    )
    columns.add_argument(
        "--progress", choices=PROGRESS, help="what the column of training progress counts"
    )


def add_where_argument(parser: argparse.ArgumentParser) -> None:
    """Declare which curves are meant, by their conditions."""
    parser.add_argument(
        "--where",
        metavar="CONDITION",
        help='only curves whose conditions fulfil this, e.g. "alpha < 0.1 and seed in 0..7"; '
        "observable, progress and run can be asked for too",
    )


def read(path: Path | Sequence[Path], args: argparse.Namespace) -> CurveSet:
    """Read the curves that the command line names; there is at least one.

    Raises
    ------
    ValueError
        If there is not one usable curve: the first reason, with the path.
    """
    from empirics.readers import read_curves
    from empirics.selection import selected

    place = path if isinstance(path, Path) else path[0]
    where = getattr(args, "where", None)
    columns = (args.t, args.run, args.observable, args.progress)
    if is_a_store(place) and columns == (None,) * 4:
        curve_set = read_store(place, args.y, where)
    else:
        curve_set = read_curves(
            path,
            t=args.t,
            y=args.y,
            run=args.run,
            observable=args.observable,
            progress=args.progress,
        )
        if where is not None:
            curve_set = selected(curve_set, where, str(place))
    try:
        if where is not None and not (curve_set.curves or curve_set.rejected):
            raise ValueError(f"no curve fulfils {where}.")
        curve_set.require()
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
    return curve_set


def is_a_store(path: Path) -> bool:
    """Tell whether a path is a store."""
    from empirics.store import is_store

    return is_store(path)


def read_store(path: Path, observables: Sequence[str] | None, where: str | None) -> CurveSet:
    """Read of a store what is asked for; a file that cannot be read is named, the others are read.

    Raises
    ------
    ValueError
        If the store has no such observable, or the condition cannot be read or asks for what no
        curve has.
    """
    from empirics.store import Store

    store = Store(path, create=False)
    store.check_observables(observables or ())
    return store.select(where, observable=observables or None)


def left_out(curve_set: CurveSet) -> list[str]:
    """Return what reading merged, ignored or rejected; one line for curves of one reason."""
    from empirics.notes import listed

    rejected: dict[str, list[str]] = {}
    for each in curve_set.rejected:
        rejected.setdefault(each.reason, []).append(each.name)
    return [
        *curve_set.notes,
        *(
            f"Left out: {f'{listed(names)}: ' if any(names) else ''}{reason}"
            for reason, names in rejected.items()
        ),
    ]


def say_what_was_left_out(curve_set: CurveSet, quiet: bool) -> None:
    """Say on standard error what reading merged, ignored or rejected."""
    for line in [] if quiet else left_out(curve_set):
        print(line, file=sys.stderr)
