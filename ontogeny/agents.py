"""How a command line names trained agents of a store: by their conditions."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_agents_argument(parser: argparse.ArgumentParser) -> None:
    """Declare which agents of a store are meant, by their conditions."""
    parser.add_argument(
        "--where",
        metavar="CONDITION",
        help="only agents of the store whose conditions fulfil this, e.g. "
        '"experiment = mixed and seed in 0..7"; run can be asked for too',
    )


def chosen_runs(store: Path, args: argparse.Namespace) -> list[str] | None:
    """Return the run_ids of the agents that ``--where`` chooses; None where it is not given.

    Raises
    ------
    ValueError
        If the condition cannot be read, asks for what no agent has, or none fulfils it.
    """
    if args.where is None:
        return None
    from empirics.maze_agent import runs_where

    runs, notes = runs_where(store, args.where)
    for note in [] if args.quiet else notes:
        print(note, file=sys.stderr)
    return runs
