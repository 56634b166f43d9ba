"""How commands that judge curves end: results and report are written, and what came out is said."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ontogeny.command import write_json
from ontogeny.progress import show_progress


def deliver(
    args: argparse.Namespace, out: Path, document: dict[str, Any], said: Iterable[str]
) -> int:
    """Write the results and their report, say what came out, print the report's path last.

    Parameters
    ----------
    args : argparse.Namespace
        `json` and `quiet` of the command.
    out : Path
        The folder.
    document : dict
        The results.
    said : iterable of str
        What is printed unless the command is quiet.

    Returns
    -------
    int
        The exit code.
    """
    from papers.report import render
    from papers.results import write

    write(out, document)
    with show_progress(args.quiet) as progress:
        report = render(out, progress=progress)
    if args.json:
        write_json(args.json, document)
    if not args.quiet:
        for lines in said:
            print(lines)
    print(report)
    return 0
