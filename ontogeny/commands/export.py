"""`ontogeny export`: curves of a store as a file for other programs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ontogeny.command import UsageError, write_json
from ontogeny.curves import add_where_argument

SUMMARY = "curves of a store as CSV, Parquet, NetCDF, or scores for rliable"

FORMATS = (".csv", ".nc", ".npz", ".parquet")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the store, the file, and which curves go into it."""
    parser.add_argument("store", type=Path, metavar="STORE", help="a store")
    parser.add_argument(
        "--to",
        type=Path,
        required=True,
        metavar="FILE",
        help="the file to write; its ending says what: .csv and .parquet one long table, .nc "
        "NetCDF (needs xarray and h5netcdf), .npz scores, runs x tasks of each algorithm",
    )
    parser.add_argument("--y", nargs="+", metavar="OBSERVABLE", help="only these observables")
    add_where_argument(parser)
    scores = parser.add_argument_group("scores (.npz)")
    scores.add_argument("--algorithm", metavar="CONDITION", help="what tells algorithms apart")
    scores.add_argument("--task", metavar="CONDITION", help="what tells tasks apart")
    scores.add_argument(
        "--at", type=float, metavar="T", help="the progress at which curves are read (default: end)"
    )


def run(args: argparse.Namespace) -> int:
    """Write the file and print its path."""
    form = args.to.suffix.lower()
    if form not in FORMATS:
        raise UsageError(f"--to {args.to}: its ending must be one of {', '.join(FORMATS)}.")
    given = [name for name in ("algorithm", "task", "at") if getattr(args, name) is not None]
    if given and form != ".npz":
        raise UsageError(f"--{given[0]} is for scores, a file that ends in .npz.")
    if args.to.is_dir():
        raise UsageError(f"--to {args.to}: this is a folder; give the name of a file.")
    notes = _written(args, form)
    for note in [] if args.quiet else notes:
        print(note, file=sys.stderr)
    if args.json:
        document = {"schema": 1, "command": "export", "path": str(args.to), "notes": notes}
        write_json(args.json, document)
    print(args.to)
    return 0


def _written(args: argparse.Namespace, form: str) -> list[str]:
    """Write the file and return what there is to say of it."""
    from empirics.exported_scores import export_scores
    from empirics.exported_table import export_table
    from empirics.store import Store
    from papers.dataset import export_dataset

    store = Store(args.store, create=False)
    store.check_observables(args.y or ())
    if form == ".npz":
        return export_scores(
            store,
            args.to,
            observable=args.y,
            where=args.where,
            algorithm=args.algorithm,
            task=args.task,
            at=args.at,
        )
    if form == ".nc":
        found = store.curves(args.y, where=args.where)
        export_dataset(args.to, found.curves, args.where)
        return list(found.notes)
    return export_table(store, args.to, observable=args.y, where=args.where)
