"""`ontogeny report`: results to one page."""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "one self-contained HTML page from results, with Markdown and JSON beside it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the folder of results."""
    parser.add_argument(
        "results", type=Path, metavar="RESULTS", help="a folder that another command made"
    )


def run(args: argparse.Namespace) -> int:
    """Render the report and print its path."""
    from papers.report import render_folder

    print(render_folder(args.results))
    return 0
