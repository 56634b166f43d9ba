"""`ontogeny study`: the main job, from training to the report."""

from __future__ import annotations

import argparse
from pathlib import Path

from ontogeny.backends import add_backend_arguments, on_backend
from ontogeny.command import UsageError, check_names, write_listing
from ontogeny.progress import show_progress

SUMMARY = "train, probe, fit, compare and report: the main job"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the study, its scale, and the list of studies."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="which study (see --list)")
    parser.add_argument("--list", action="store_true", help="list the studies and stop")
    parser.add_argument(
        "--scale",
        choices=("quick", "full"),
        default="quick",
        help="quick: minutes on a laptop; full: the whole ladder (default: quick)",
    )
    add_backend_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Run a study and print the path of its report."""
    from empirics.atomically import write_text
    from papers.studies import STUDIES

    if args.list:
        listing = {name: study.summary for name, study in STUDIES.items()}
        for name, summary in listing.items():
            print(f"{name}  {summary}")
        write_listing(args, {"schema": 1, "command": "study", "studies": listing})
        return 0
    if args.name is None:
        raise UsageError("Name a study; 'ontogeny study --list' lists them.")
    check_names([args.name], STUDIES, "study")
    out = args.out or Path("results", args.name)
    with show_progress(args.quiet) as progress, on_backend(args):
        report = STUDIES[args.name].run(
            out=out,
            seed=args.seed,
            scale=args.scale,
            progress=progress,
            command=args.command_line,
        )
    if args.json:
        write_text(args.json, (report.parent / "results.json").read_text(encoding="utf-8"))
    print(report)
    return 0
