"""`ontogeny reproduce`: a published result re-executed, its claims against what came out."""

from __future__ import annotations

import argparse
from pathlib import Path

from ontogeny.agents import add_agents_argument, chosen_runs
from ontogeny.backends import add_backend_arguments, on_backend
from ontogeny.command import UsageError, check_names
from ontogeny.progress import show_progress

SUMMARY = "re-execute a published result; claims against outcomes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the paper, its scale, and trained agents."""
    parser.add_argument("paper", metavar="PAPER", help="see 'ontogeny show papers'")
    parser.add_argument(
        "--scale",
        choices=("quick", "full"),
        default="quick",
        help="quick: minutes on a laptop; full: more agents, more checkpoints (default: quick)",
    )
    parser.add_argument(
        "--store",
        type=Path,
        metavar="STORE",
        help="agents that 'ontogeny run' or a study trained (default: train some)",
    )
    add_agents_argument(parser)
    add_backend_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Re-execute a paper and print the path of its report."""
    from empirics.atomically import write_text
    from papers.published import PAPERS

    check_names([args.paper], PAPERS, "paper")
    if args.where is not None and args.store is None:
        raise UsageError("--where chooses agents of a store: name one with --store.")
    from papers.reproduction import reproduce

    out = args.out or Path("results", args.paper)
    runs = None if args.store is None else chosen_runs(args.store, args)
    with show_progress(args.quiet) as progress, on_backend(args):
        report = reproduce(
            PAPERS[args.paper],
            out=out,
            seed=args.seed,
            scale=args.scale,
            store=args.store,
            runs=runs,
            progress=progress,
            command=args.command_line,
        )
    if args.json:
        write_text(args.json, (report.parent / "results.json").read_text(encoding="utf-8"))
    print(report)
    return 0
