"""`ontogeny import`: somebody's logged curves into a store."""

from __future__ import annotations

import argparse
from pathlib import Path

from ontogeny.command import write_json
from ontogeny.curves import add_column_arguments, read, say_what_was_left_out
from ontogeny.progress import show_progress

SUMMARY = "read logged runs into a store"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the files and their columns."""
    parser.add_argument(
        "paths", type=Path, nargs="+", metavar="PATH", help="a table of curves, or a store"
    )
    add_column_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Append the curves to the store and print its path."""
    from empirics.store import Store

    sets = [read(path, args) for path in args.paths]  # all are read before anything is written
    store = Store(args.out or Path("results", "store"))
    with show_progress(args.quiet) as progress:
        for done, curve_set in enumerate(sets, start=1):
            store.append_curves(curve_set.curves)
            progress("importing", done, len(sets))
    imported = []
    for path, curve_set in zip(args.paths, sets, strict=True):
        count = len(curve_set)
        rejected = [str(each) for each in curve_set.rejected]
        imported.append({"path": str(path), "curves": count, "rejected": rejected})
        say_what_was_left_out(curve_set, args.quiet)
        if not args.quiet:
            print(f"{path}: {count} {'curve' if count == 1 else 'curves'}")
    if args.json:
        write_json(args.json, {"schema": 1, "command": "import", "imported": imported})
    print(store.path)
    return 0
