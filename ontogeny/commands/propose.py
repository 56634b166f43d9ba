"""`ontogeny propose`: which functional forms fit these curves."""

from __future__ import annotations

import argparse

from ontogeny.command import positive
from ontogeny.judging import add_judging_arguments, judge

SUMMARY = "which functional forms fit these curves"
SECONDS = 30.0
"""As `fitting.search.search.SECONDS`, which would cost `--help` an import."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the curves and what competes for them."""
    add_judging_arguments(parser)
    parser.add_argument(
        "--search",
        action="store_true",
        help="search for new expressions too, and say which known form each of them is, if any",
    )
    parser.add_argument(
        "--search-seconds",
        type=positive,
        default=SECONDS,
        metavar="S",
        help=f"seconds for each curve's search (default: {SECONDS:g})",
    )


def run(args: argparse.Namespace) -> int:
    """Let the forms compete for every curve."""
    return judge(args)
