"""Readings of probes of checkpoints, kept in a folder as soon as a checkpoint is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, final

from empirics.appended_lines import AppendedLines
from empirics.probe import Reading
from theory.curve import Condition

FILE = "probe_readings.jsonl"


@final
class KeptProbes:
    """The readings of a folder: one line a checkpoint and plan.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.lines = AppendedLines(folder / FILE)
        self._known: dict[tuple[str, str], dict[int, dict[str, Reading]]] = {}
        for entry in self.lines:
            try:
                self._remember(entry)
            except (ValueError, TypeError, KeyError):  # of another version: measured anew
                continue

    def _remember(self, entry: Mapping[str, Any]) -> None:
        readings = {name: _reading(value) for name, value in entry["readings"].items()}
        known = self._known.setdefault((entry["run_id"], entry["plan"]), {})
        known[int(entry["env_steps"])] = readings

    def of(self, run_id: str, plan: str) -> Mapping[int, Mapping[str, Reading]]:
        """Return the readings of a run under a plan, by environment steps."""
        return self._known.get((run_id, plan), {})

    def add(self, run_id: str, plan: str, env_steps: int, readings: Mapping[str, Reading]) -> None:
        """Keep what was measured of one checkpoint."""
        entry = {
            "run_id": run_id,
            "plan": plan,
            "env_steps": env_steps,
            "readings": {name: _entry(reading) for name, reading in readings.items()},
        }
        self.lines.add(entry)
        self._remember(entry)


def plan_key(kind: str, conditions: Mapping[str, Condition]) -> str:
    """Return what tells one plan from another: its kind and its settings."""
    settings = ", ".join(f"{name}={value!r}" for name, value in sorted(conditions.items()))
    return f"{kind}({settings})"


def _entry(reading: Reading) -> dict[str, Any]:
    values = {field.name: getattr(reading, field.name) for field in fields(reading)}
    return values | {"baselines": dict(reading.baselines)}


def _reading(entry: Mapping[str, Any]) -> Reading:
    support = entry["support"]
    return Reading(**{**entry, "support": None if support is None else tuple(support)})
