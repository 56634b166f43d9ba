"""`ontogeny test`: which generating mechanism a ladder of runs supports."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ontogeny.command import UsageError, check_names
from ontogeny.curves import add_column_arguments, add_where_argument, read, say_what_was_left_out
from ontogeny.delivering import deliver
from ontogeny.judging import default_out, provenance_of

if TYPE_CHECKING:
    from theory.ladder import Value
    from theory.mechanism import Mechanism

SUMMARY = "which generating mechanism a ladder of runs supports"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the curves, the mechanisms, and the ladder."""
    parser.add_argument(
        "curves", type=Path, metavar="CURVES", help="a CSV or Parquet table, or a store"
    )
    parser.add_argument(
        "--mechanism",
        nargs="+",
        required=True,
        metavar="NAME",
        help="mechanisms to compare ('ontogeny show mechanisms'), or Python files that define one",
    )
    parser.add_argument(
        "--ladder", metavar="CONDITION", help="the condition whose values are the rungs"
    )
    parser.add_argument(
        "--hold-out",
        metavar="VALUE",
        help="a value of that condition: its runs are predicted from the others",
    )
    parser.add_argument(
        "--level", type=float, metavar="Y", help="what a curve must pass (default: 0.5)"
    )
    parser.add_argument(
        "--unknown-steps",
        action="store_true",
        help="step sizes are not what the conditions say (a deep network's, say): leave the pace "
        "free within orders of magnitude",
    )
    add_column_arguments(parser)
    add_where_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Test mechanisms on the runs, write results and report, print the report's path."""
    began = time.monotonic()
    mechanisms = _mechanisms(args.mechanism)
    curve_set = read(args.curves, args)
    say_what_was_left_out(curve_set, args.quiet)

    from papers.mechanism_tests import ladder_entry, mechanism_test, summary
    from papers.results import to_json

    tested = mechanism_test(
        curve_set.curves,
        mechanisms,
        ladder=args.ladder,
        level=args.level,
        hold_out=_value(args.hold_out),
        known_steps=not args.unknown_steps,
        seed=args.seed,
    )
    out = args.out or default_out(args.command, args.curves)
    provenance = provenance_of(args, time.monotonic() - began)
    document = to_json("test", (), curve_set, provenance, ladders=[ladder_entry(tested)])
    return deliver(args, out, document, [summary(tested)])


def _mechanisms(names: list[str]) -> list[Mechanism]:
    """Return the mechanisms that are named, or defined in the files that are named."""
    from theory.mechanisms.registry import MECHANISMS, read_mechanisms

    files = [name for name in names if name.endswith(".py")]
    check_names([name for name in names if name not in files], MECHANISMS, "mechanism")
    found: list[Mechanism] = []
    for name in names:
        found += read_mechanisms(Path(name)) if name in files else [MECHANISMS[name]]
    repeated = [m.name for i, m in enumerate(found) if m.name in {o.name for o in found[:i]}]
    if repeated:
        raise UsageError(f"--mechanism names {repeated[0]} twice.")
    return found


def _value(text: str | None) -> Value | None:
    """Read the value of a condition."""
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        return text
