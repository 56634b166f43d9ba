"""`ontogeny propose`: which functional forms fit these curves."""

from __future__ import annotations

import argparse

from ontogeny.judging import add_judging_arguments, judge

SUMMARY = "which functional forms fit these curves"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the curves and what competes for them."""
    add_judging_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Let the forms compete for every curve."""
    return judge(args)
