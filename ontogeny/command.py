"""What a command is: a summary, its arguments, and a function that does the work.

Each module under `ontogeny/commands` is one. At import it loads nothing but the standard library;
the rooms are imported inside `run`, so that `ontogeny --help` answers at once.
"""

from __future__ import annotations

import argparse
import difflib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Protocol


class Command(Protocol):
    """A module under `ontogeny/commands`."""

    SUMMARY: str
    """One line for `ontogeny --help`."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's own arguments; the common ones are there already."""

    def run(self, args: argparse.Namespace) -> int:
        """Do the work, print the path of what was made last, and return the exit code."""


class UsageError(ValueError):
    """The command was called wrongly: exit code 2."""


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that every command takes."""
    common = parser.add_argument_group("options of every command")
    common.add_argument(
        "--seed", type=_seed, default=0, metavar="N", help="the one source of chance (default: 0)"
    )
    common.add_argument("--out", type=_folder, metavar="FOLDER", help="where what is made goes")
    common.add_argument(
        "--json",
        type=_json_file,
        metavar="FILE",
        help="also write the results as JSON to this file; - is standard output",
    )
    common.add_argument(
        "--quiet", action="store_true", help="print only the path of what was made, and errors"
    )


STANDARD_OUTPUT = Path("-")
"""What `--json -` names."""


def _seed(text: str) -> int:
    """Read a seed: a whole number that random generators take."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0 on; {text!r} is not")
    return int(text)


def positive(text: str) -> float:
    """Read a positive number of an option.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a positive number; got {text!r}")
    return value


def _json_file(text: str) -> Path:
    """Read the name of a file to write."""
    if not text:
        raise argparse.ArgumentTypeError("give the name of a file, or - for standard output")
    return Path(text)


def _folder(text: str) -> Path:
    """Read the name of a folder to write to."""
    if not text:
        raise argparse.ArgumentTypeError("give the name of a folder")
    return Path(text)


def check_targets(args: argparse.Namespace) -> None:
    """Check that what a command is to write can be written, before hours of work and not after.

    Raises
    ------
    UsageError
        If `--out` names a file, `--json` a folder, or either lies inside a file.
    """
    if args.out is not None:
        for place in (args.out, *args.out.parents):
            if place.exists() and not place.is_dir():
                raise UsageError(f"--out {args.out}: {place} is a file; give a folder.")
    if args.json is not None and args.json != STANDARD_OUTPUT:
        if args.json.is_dir():
            raise UsageError(f"--json {args.json}: this is a folder; give the name of a file.")
        for place in args.json.parents:
            if place.exists() and not place.is_dir():
                raise UsageError(f"--json {args.json}: {place} is a file, not a folder.")


def check_names(names: Collection[str], known: Collection[str], noun: str) -> None:
    """Check names against a registry.

    Raises
    ------
    UsageError
        If one is unknown: the nearest names, and all of them.
    """
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=2, cutoff=0.5)
            hint = f"; did you mean {' or '.join(near)}?" if near else "."
            raise UsageError(
                f"There is no {noun} named {name!r}{hint} Known: {', '.join(sorted(known))}."
            )


def write_json(path: Path, document: Mapping[str, Any]) -> Path:
    """Write a JSON document; numbers that are not finite are an error, never NaN in a file."""
    from empirics.atomically import write_text

    write_text(path, json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    return path


def write_listing(args: argparse.Namespace, document: Mapping[str, Any]) -> None:
    """Write what a listing command showed to `--json` and `--out`, and print the paths."""
    targets = [args.json] if args.json else []
    if args.out:
        targets.append(args.out / f"{args.command}.json")
    for target in targets:
        print(write_json(target, document))
