"""The folder of a store: what makes it one, and which files it holds."""

from __future__ import annotations

import json
from pathlib import Path

from empirics.atomically import write_text

FORMAT, VERSION = "ontogeny-store", 1
FORMAT_FILE = "format.json"
FOLDERS = ("runs", "curves")


def check_version(path: Path) -> None:
    """Check that the folder is a store this version of Ontogeny can read.

    Raises
    ------
    ValueError
        In one sentence, if it is not.
    """
    try:
        content = json.loads((path / FORMAT_FILE).read_text(encoding="utf-8"))
        named, version = content["format"], content["version"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ValueError(
            f"{path} is not a store: its {FORMAT_FILE} is missing or damaged."
        ) from None
    if named != FORMAT:
        raise ValueError(f"{path} is not a store: its {FORMAT_FILE} says format {named!r}.")
    if version != VERSION:
        raise ValueError(
            f"{path} is a store of format version {version}; this Ontogeny reads version "
            f"{VERSION}. Use the version of Ontogeny that wrote it, or import the logs anew."
        )


def is_store(path: Path) -> bool:
    """Tell whether a folder says it is a store, of whatever version."""
    return (path / FORMAT_FILE).is_file()


def make(path: Path, create: bool) -> None:
    """Make a folder a store, where `create` says so and it holds nothing else.

    Raises
    ------
    ValueError
        If it is none and cannot be made one.
    """
    if not create:
        state = "is not a store" if path.exists() else "does not exist"
        raise ValueError(f"{path} {state}; give the folder that `ontogeny run` or a study made.")
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path} is a file; a store is a folder.")
    # Folders may be left over from a creation that was killed before its last step.
    if path.exists() and any(file.is_file() and file.name[0] != "." for file in path.rglob("*")):
        raise ValueError(f"{path} holds other files and is not a store; give an empty folder.")
    for name in FOLDERS:
        (path / name).mkdir(parents=True, exist_ok=True)
    content = json.dumps({"format": FORMAT, "version": VERSION}) + "\n"
    write_text(path / FORMAT_FILE, content)


def files_in(folder: Path) -> list[Path]:
    """Return the files of a folder of the store, without those that are being written."""
    return sorted(path for path in folder.glob("*.parquet") if path.name[0] != ".")
