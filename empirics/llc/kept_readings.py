"""Readings of checkpoints on disk, one line each, written as soon as it is made."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, final

from empirics.appended_lines import AppendedLines
from empirics.llc.along_settings import AlongSettings
from empirics.llc.reading import LLCReading
from empirics.store import RunRecord

FILE = "llc_readings.jsonl"
KINDS = {field.name: str(field.type) for field in fields(LLCReading)}


@final
@dataclass(frozen=True)
class KeptReading:
    """A reading, and what it is of."""

    run: str
    run_id: str
    env_steps: int
    settings: AlongSettings
    reading: LLCReading

    def entry(self) -> dict[str, Any]:
        """Return it as JSON values; what is not a number is null."""
        return {
            "run": self.run,
            "run_id": self.run_id,
            "env_steps": self.env_steps,
            "observable": self.settings.observable,
            "settings": asdict(self.settings),
            "reading": {name: _plain(value) for name, value in asdict(self.reading).items()},
        }


@final
class KeptReadings:
    """The file of readings in a folder.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.lines = AppendedLines(folder / FILE)

    def __iter__(self) -> Iterator[KeptReading]:
        """Return all of them, in the order in which they were made."""
        for entry in self.lines:
            try:
                yield _kept(entry)
            except (ValueError, TypeError, KeyError):
                continue

    def of(self, record: RunRecord, settings: AlongSettings) -> dict[int, LLCReading]:
        """Return the readings of a run with these settings, by environment steps."""
        return {
            each.env_steps: each.reading
            for each in self
            if (each.run_id, each.settings) == (record.run_id, settings)
        }

    def add(
        self, record: RunRecord, settings: AlongSettings, env_steps: int, reading: LLCReading
    ) -> None:
        """Write one more."""
        kept = KeptReading(record.run, record.run_id, env_steps, settings, reading)
        self.lines.add(kept.entry())


def _kept(entry: dict[str, Any]) -> KeptReading:
    found = {name: _value(KINDS[name], value) for name, value in entry["reading"].items()}
    settings = AlongSettings(**entry["settings"])
    run, run_id, env_steps = (entry[name] for name in ("run", "run_id", "env_steps"))
    return KeptReading(run, run_id, env_steps, settings, LLCReading(**found))


def _value(kind: str, value: Any) -> Any:
    """Return a value of a reading; null is not a number where it cannot be None."""
    if isinstance(value, list):
        return tuple(_value("float", each) for each in value)
    return math.nan if value is None and kind == "float" else value


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
