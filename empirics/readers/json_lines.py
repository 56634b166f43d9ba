"""JSON lines: one object a line, nested ones flattened with ``/`` between the keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Row = dict[str, Any]
DEEPEST = 32


def read_json_lines(path: Path, content: bytes) -> tuple[list[Row], str]:
    """Return the rows of a file and why reading stopped early; empty if it did not.

    A last line that is cut off is left out.

    Raises
    ------
    ValueError
        If any other line is no JSON object.
    """
    lines = [(n, line) for n, line in enumerate(content.split(b"\n"), start=1) if line.strip()]
    rows: list[Row] = []
    for number, line in lines:
        try:
            said = json.loads(line)
            if not isinstance(said, dict):
                raise ValueError
            rows.append(flat(said))
        except (ValueError, RecursionError):
            if number == lines[-1][0] and rows and not content.endswith(b"\n"):
                return rows, f"line {number} is cut off, and not read"
            raise ValueError(f"line {number} of {path} is no whole JSON object.") from None
    return rows, ""


def flat(said: Mapping[str, Any], between: str = "/", depth: int = 0) -> Row:
    """Return an object of objects as one, with `between` between the keys.

    Raises
    ------
    ValueError
        If it is too deep.
    """
    if depth > DEEPEST:
        raise ValueError(f"it is more than {DEEPEST} objects deep")
    row: Row = {}
    for key, value in said.items():
        if isinstance(value, Mapping):
            inner = flat(value, between, depth + 1).items()
            row.update({f"{key}{between}{name}": part for name, part in inner})
        else:
            row[str(key)] = value
    return row
