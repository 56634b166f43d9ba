"""Records of simulated curves in a file of JSON lines, so that an interrupted study goes on."""

from __future__ import annotations

import json
from pathlib import Path

from fitting.trials.trial import Record


def append_record(path: Path, record: Record, *, code: str) -> None:
    """Append a record, with the version of the code that made it, to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"code": code, "record": record.content()}, allow_nan=False) + "\n"
    with path.open("a+b") as file:
        # A process that was killed may have left half a line.
        if file.seek(0, 2) and _last_byte(path) != b"\n":
            line = "\n" + line
        file.write(line.encode())


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read()


def read_records(path: Path) -> list[tuple[Record, str]]:
    """Return records with the version of the code that made each; half lines are left out."""
    if not path.is_file():
        return []
    found = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            continue
        found.append((Record.of(line["record"]), str(line["code"])))
    return found
