"""`ontogeny compare`: evidence, criteria and doubts of the forms and noises named.

Without `--forms` and `--noise` it does the same as `ontogeny propose`.
"""

from __future__ import annotations

import argparse

from ontogeny.judging import add_judging_arguments, judge

SUMMARY = (
    "model comparison: evidence, criteria and doubts of the forms and noises named "
    "(without --forms and --noise the same as propose)"
)

USUAL = 40
"""Simulated curves: 30 decided ones without an error bound the error rate by 10 %."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the curves and what competes for them."""
    add_judging_arguments(parser)
    parser.add_argument(
        "--license",
        nargs="?",
        const=USUAL,
        type=_number,
        metavar="N",
        help="test the verdicts on N simulated curves with these times and this noise "
        f"(default: {USUAL}); takes as long as N more curves",
    )
    parser.add_argument(
        "--pool",
        metavar="FORM",
        help="also fit this form to the runs of each observable together, as draws from a "
        "population (3 runs or more; minutes an observable)",
    )


def _number(text: str) -> int:
    """Read how many curves to simulate."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"give a whole number of curves from 1 on; not {text!r}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Compare form × noise for every curve."""
    return judge(args, simulated=args.license, pool=args.pool)
