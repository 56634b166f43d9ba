"""How a command line names curves: a path, its columns, and which of them to take."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from empirics.curve_set import CurveSet


def add_column_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which columns of a table hold what."""
    columns = parser.add_argument_group("columns of a table (guessed from their names unless told)")
    columns.add_argument("--t", metavar="COLUMN", help="training progress")
    columns.add_argument(
        "--y", nargs="+", metavar="COLUMN", help="what was measured; of a store: observables"
    )
    columns.add_argument("--run", metavar="COLUMN", help="which run a row of a long table is of")
    columns.add_argument(
        "--observable", metavar="COLUMN", help="which observable a row of a long table is of"
    )


def read(path: Path, args: argparse.Namespace) -> CurveSet:
    """Read the curves that the command line names; there is at least one.

    Raises
    ------
    ValueError
        If there is not one usable curve: the first reason.
    """
    from empirics.readers import read_curves

    curve_set = read_curves(path, t=args.t, y=args.y, run=args.run, observable=args.observable)
    curve_set.require()
    return curve_set


def say_what_was_left_out(curve_set: CurveSet, quiet: bool) -> None:
    """Say on standard error what reading merged, ignored or rejected."""
    if quiet:
        return
    for note in curve_set.notes:
        print(note, file=sys.stderr)
    for rejected in curve_set.rejected:
        print(f"Left out: {rejected}", file=sys.stderr)
