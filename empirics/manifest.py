"""The manifest of a store: a line for every file that was written, so that a lost one is missed.

A store has one list of its own, and with what is copied into it the lists of others: a file is
written first and listed then, so that none is missed that never was. Files of stores that had no
manifest yet are not in it.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from empirics.appended_lines import AppendedLines
from empirics.notes import counted, listed
from empirics.store_folder import FOLDERS

FOLDER = "manifest"


def list_file(store: Path, path: Path) -> None:
    """Say in the manifest that the store holds a file; it is there already.

    Raises
    ------
    OSError
        If there is no room.
    """
    folder = store / FOLDER
    folder.mkdir(exist_ok=True)
    # A name of its own, so that lists of two stores lie beside each other when these merge.
    mine = next(iter(_lists(store)), folder / f"{secrets.token_hex(8)}.jsonl")
    AppendedLines(mine).add({"file": path.relative_to(store).as_posix()})


def lost_files(store: Path) -> list[str]:
    """Return a sentence if files that were written are gone, else nothing."""
    held = {str(entry.get("file")) for each in _lists(store) for entry in AppendedLines(each)}
    there = {f"{name}/{file}" for name in FOLDERS for file in _names(store / name)}
    lost = sorted(held - there)
    if not lost:
        return []
    are, it, its = ("is", "it", "its line") if len(lost) == 1 else ("are", "them", "their lines")
    return [
        f"{counted(len(lost), 'file')} that the store held {are} missing: {listed(lost)}; copy "
        f"{it} anew, or take {its} out of {store / FOLDER}."
    ]


def _lists(store: Path) -> list[Path]:
    return sorted((store / FOLDER).glob("*.jsonl"))


def _names(folder: Path) -> list[str]:
    return os.listdir(folder) if folder.is_dir() else []
