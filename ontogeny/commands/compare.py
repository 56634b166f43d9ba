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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the curves and what competes for them."""
    add_judging_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Compare form × noise for every curve."""
    return judge(args)
