"""`ontogeny report`: results to one page."""

from __future__ import annotations

import argparse
from pathlib import Path

from ontogeny.command import write_json
from ontogeny.progress import show_progress

SUMMARY = "one self-contained HTML page from results, with Markdown and JSON beside it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the results."""
    parser.add_argument(
        "results",
        type=Path,
        metavar="RESULTS",
        help="a folder that another command made, or the results file in it; the report goes "
        "beside it unless --out names another folder, which gets a copy of the results too",
    )


def run(args: argparse.Namespace) -> int:
    """Render the report and print its path."""
    from papers.report import render
    from papers.results import read

    with show_progress(args.quiet) as progress:
        page = render(args.results, out=args.out, progress=progress)
    if args.json:
        write_json(args.json, read(args.results))
    print(page)
    return 0
