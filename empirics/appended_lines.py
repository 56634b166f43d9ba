"""JSON objects in a file that is only ever appended to, one a line, written as soon as made."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, final


@final
class AppendedLines:
    """Such a file. A line that was cut off by a kill is passed over: what it held is made anew.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Return all objects, in the order in which they were written."""
        if not self.path.is_file():
            return
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                yield entry

    def add(self, entry: Mapping[str, Any]) -> None:
        """Write one more; its numbers must be finite."""
        text = json.dumps(entry, ensure_ascii=False, allow_nan=False)
        line = ("\n" * self._is_cut() + text + "\n").encode()
        with self.path.open("ab") as file:
            file.write(line)

    def _is_cut(self) -> bool:
        if not self.path.is_file() or not self.path.stat().st_size:
            return False
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() != b"\n"
