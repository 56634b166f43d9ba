"""`ontogeny import`: somebody's logged curves into a store."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ontogeny.command import write_json
from ontogeny.curves import add_column_arguments, left_out, read
from ontogeny.progress import show_progress

if TYPE_CHECKING:
    from empirics.curve_set import CurveSet

SUMMARY = "read logged runs into a store"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the files and their columns."""
    parser.add_argument(
        "paths", type=Path, nargs="+", metavar="PATH", help="logs, a folder of them, or a store"
    )
    add_column_arguments(parser)
    parser.add_argument(
        "--conditions",
        type=Path,
        metavar="FILE",
        help="a table of what the logs do not say of the runs: a column run, and one a condition",
    )


def run(args: argparse.Namespace) -> int:
    """Append the curves to the store and print its path."""
    from empirics.notes import counted
    from empirics.readers.finding import grouped
    from empirics.readers.told_conditions import with_conditions
    from empirics.store import Store

    paths, prose = _asked(args.paths)
    groups = grouped(paths)
    sets = [read(group, args) for group in groups]  # all are read before anything is written
    if args.conditions:
        sets = with_conditions(sets, args.conditions)
    store = Store(args.out or Path("results", "store"))
    with show_progress(args.quiet) as progress:
        for done, curve_set in enumerate(sets, start=1):
            store.append(curve_set)
            progress("importing", done, len(sets))
    found = [(group[0], curve_set) for group, curve_set in zip(groups, sets, strict=True)]
    if not args.quiet:
        for path, why in prose.items():
            print(f"{path} skipped ({why}).", file=sys.stderr)
        _say_what_was_left_out(found)
        for path, curve_set in found:
            runs = counted(len(curve_set.runs), "run")
            print(f"{path}: {counted(len(curve_set), 'curve')} of {runs}")
    if args.json:
        skipped = {str(path): why for path, why in prose.items()}
        imported = [_entry(path, curve_set) for path, curve_set in found]
        write_json(
            args.json, {"schema": 1, "command": "import", "imported": imported, "skipped": skipped}
        )
    print(store.path)
    return 0


def _asked(paths: Sequence[Path]) -> tuple[list[Path], dict[Path, str]]:
    """Return the paths to read, and those that are no logs by their names, such as a LICENSE.

    Raises
    ------
    ValueError
        If there is none to read.
    """
    from empirics.readers.finding import why_no_log

    prose = {path: why for path in paths if path.is_file() and (why := why_no_log(path))}
    asked = [path for path in paths if path not in prose]
    if not asked:
        path, why = next(iter(prose.items()))
        raise ValueError(f"{path} is no log ({why}); name a log, a folder of logs, or a store.")
    return asked, prose


def _say_what_was_left_out(found: Sequence[tuple[Path, CurveSet]]) -> None:
    """Say each thing once, with the files it holds for where there are several."""
    from empirics.notes import listed

    paths: dict[str, list[str]] = {}
    for path, curve_set in found:
        for line in left_out(curve_set):
            paths.setdefault(line, []).append(str(path))
    for line, of in paths.items():
        print(f"{listed(of, 1)}: {line}" if len(found) > 1 else line, file=sys.stderr)


def _entry(path: Path, curve_set: CurveSet) -> dict[str, Any]:
    return {
        "path": str(path),
        "curves": len(curve_set),
        "rejected": [str(each) for each in curve_set.rejected],
        "notes": list(curve_set.notes),
    }
