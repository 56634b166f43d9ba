"""Finding the logs of a folder, and naming all that is none."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from empirics.readers.format import Format
from empirics.readers.formats import format_of
from empirics.readers.opening import is_pickle, is_table

PROSE = ("license", "licence", "copying", "notice", "readme", "authors", "citation", "changelog")
PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib")
COMMON = ("progress", "result", "trainer_state", "metrics", "monitor", "evaluations", "history")
"""Names of files that say nothing about the run; their folder's does."""


@final
@dataclass(frozen=True)
class Log:
    """Files that are read together.

    Attributes
    ----------
    paths : tuple of Path
    format : Format or None
        None for a table.
    label : str
        What the run is called where the log does not say it.
    """

    paths: tuple[Path, ...]
    format: Format | None
    label: str


def log_of(*paths: Path) -> Log | None:
    """Return files, or a folder that is one run, as a log; None for any other folder.

    A file of no format is taken for a table.
    """
    found = format_of(paths[0])
    return None if found is None and paths[0].is_dir() else _log(paths, found)


def grouped(paths: Sequence[Path]) -> list[tuple[Path, ...]]:
    """Put the files that are read together into one group, as a folder's would be."""
    groups: dict[object, list[Path]] = {}
    for path in paths:
        found = format_of(path) if path.is_file() and not why_no_log(path) else None
        is_one = found is not None and found.together
        key = (found.name, path.resolve().parent) if found and is_one else (len(groups), path)
        groups.setdefault(key, []).append(path)
    return [tuple(group) for group in groups.values()]


def find_logs(folder: Path) -> tuple[list[Log], dict[str, list[str]]]:
    """Find the logs in a folder and below; what is none, by the reason why.

    Links to folders and names that begin with a point are not followed.
    """
    logs: list[Log] = []
    skipped: dict[str, list[str]] = {}
    for place, folders, names in os.walk(folder):
        here = Path(place)
        if (of_here := format_of(here)) is not None:
            logs.append(_log((here,), of_here))
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if name[0] != ".")
        files = [here / name for name in sorted(names) if name[0] != "."]
        found, others = _of_folder(file for file in files if file.is_file())
        logs += found
        for path, why in others:
            skipped.setdefault(why, []).append(path.relative_to(folder).as_posix())
    return logs, skipped


def why_no_log(path: Path) -> str:
    """Say why a file is none by its name or first bytes; empty where it may be one."""
    if path.name.lower().startswith(PROSE):
        return "text about the data"
    if path.suffix.lower() in PICKLES or is_pickle(path):
        return "opening it may run code"
    return ""


def _of_folder(files: Iterable[Path]) -> tuple[list[Log], list[tuple[Path, str]]]:
    logs: list[Log] = []
    together: dict[str, tuple[Format, list[Path]]] = {}
    others: list[tuple[Path, str]] = []
    for path in files:
        why = why_no_log(path)
        if why:
            others.append((path, why))
            continue
        found = format_of(path)
        if found is not None and found.together:
            together.setdefault(found.name, (found, []))[1].append(path)
        elif found is not None or is_table(path):
            logs.append(_log((path,), found))
        else:
            others.append((path, "of no format that is known"))
    return [*logs, *(_log(tuple(paths), each) for each, paths in together.values())], others


def _log(paths: tuple[Path, ...], found: Format | None) -> Log:
    path = paths[0]
    of_folder = (found is not None and found.together) or path.stem.lower() in COMMON
    label = path.resolve().parent.name if of_folder else path.stem
    return Log(paths, found, label or path.stem)
