"""`ontogeny aggregate`: scores, profiles, curves and onsets over the runs of each group."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from ontogeny.command import UsageError
from ontogeny.curves import add_column_arguments, add_where_argument, read, say_what_was_left_out
from ontogeny.delivering import deliver
from ontogeny.judging import default_out, provenance_of

SUMMARY = "runs together: robust scores with intervals, comparisons, profiles, curves, onsets"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the curves, what groups them, and what a score is."""
    parser.add_argument(
        "curves", type=Path, metavar="CURVES", help="a CSV or Parquet table, or a store"
    )
    parser.add_argument("--by", metavar="CONDITION", help="the condition whose values make groups")
    parser.add_argument("--task", metavar="CONDITION", help="the condition whose values are tasks")
    score = parser.add_mutually_exclusive_group()
    score.add_argument(
        "--at", type=float, metavar="T", help="read scores at this progress (default: at the end)"
    )
    score.add_argument(
        "--last", type=float, metavar="SHARE", help="or over the last share of it, 0.1 say"
    )
    parser.add_argument(
        "--reference",
        nargs=3,
        action="append",
        metavar=("TASK", "LOW", "HIGH"),
        help="scores that become 0 and 1 on a task; the task all stands for every one",
    )
    parser.add_argument(
        "--target",
        type=float,
        metavar="Y",
        help="what the optimality gap is measured from (default: 1 with --reference, else no gap)",
    )
    parser.add_argument(
        "--level",
        type=float,
        metavar="Y",
        help="what a run passes at its onset (default: halfway from the first to the last values)",
    )
    add_column_arguments(parser)
    add_where_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Aggregate the runs, write results and report, print the report's path."""
    began = time.monotonic()
    references = _references(args.reference or [])
    curve_set = read(args.curves, args)
    say_what_was_left_out(curve_set, args.quiet)

    from fitting.aggregates.aggregate import aggregate
    from papers.aggregates import aggregates_json
    from papers.results import to_json
    from papers.sections.aggregates import summary

    found = aggregates_json(
        aggregate(
            curve_set.curves,
            by=args.by,
            task=args.task,
            at=args.at,
            last=args.last,
            references=references,
            target=args.target,
            level=args.level,
            seed=args.seed,
        )
    )
    out = args.out or default_out(args.command, args.curves)
    provenance = provenance_of(args, time.monotonic() - began)
    document = to_json("aggregate", (), curve_set, provenance, aggregates=found)
    return deliver(args, out, document, [summary(found)])


def _references(words: list[list[str]]) -> dict[str, tuple[float, float]] | None:
    """Read the reference scores of tasks.

    Raises
    ------
    UsageError
        If one is no number, or a task is named twice.
    """
    found: dict[str, tuple[float, float]] = {}
    for task, *ends in words:
        name = "" if task == "all" else task
        try:
            low, high = map(float, ends)
        except ValueError:
            raise UsageError(
                f"--reference {task} needs two numbers; got {' and '.join(ends)}."
            ) from None
        if name in found:
            raise UsageError(f"--reference names {task} twice.")
        found[name] = low, high
    return found or None
