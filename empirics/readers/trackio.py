"""Runs of Trackio, read without it: the sqlite database that it keeps of a project.

The table ``metrics`` has a row a call of ``log``: ``run_id``, ``timestamp``, ``run_name``, ``step``
and a JSON object of the values, in which numbers that JSON has no word for are texts; ``configs``
has the settings. Databases of older versions know a run by its name alone.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from empirics.notes import counted, listed
from empirics.readers.cells import Setting
from empirics.readers.json_lines import Row, flat
from empirics.readers.row_logs import series_of, settings_in
from empirics.readers.series import LoggedRun, digest_of
from empirics.readers.sqlite import SQLITE, database, opened, tables_of

METRICS = {"timestamp", "run_name", "step", "metrics"}
NUMBERS: Mapping[str, float] = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
GROUP = "_Group"


def is_trackio(path: Path, head: bytes) -> bool:
    """Tell whether a file is a database of Trackio."""
    if not head.startswith(SQLITE):
        return False
    try:
        with closing(opened(path)) as connection:
            return _columns(connection, "metrics") >= METRICS
    except sqlite3.Error:
        return False


def read_trackio(paths: Sequence[Path], label: str) -> list[LoggedRun]:
    """Read the runs of a database; nothing is written into it.

    Raises
    ------
    ValueError
        If it is damaged or holds no number.
    """
    (path,) = paths
    with database(path) as connection:
        rows, names = _rows(connection, path)
        settings = _settings(connection, path)
    runs = [
        run
        for key, of_run in rows.items()
        if (run := _run(path, key, names[key], of_run, settings.get(key, {})))
    ]
    if not runs:
        raise ValueError(f"{path} holds no number that a run logged.")
    return runs


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    if table not in tables_of(connection):
        return set()
    return {str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")}


def _key(connection: sqlite3.Connection, table: str) -> str:
    return "run_id" if "run_id" in _columns(connection, table) else "run_name"


def _rows(
    connection: sqlite3.Connection, path: Path
) -> tuple[dict[str, list[Row]], dict[str, str]]:
    """Return what each run logged, in the order of writing, and its name."""
    rows: dict[str, list[Row]] = {}
    names: dict[str, str] = {}
    key = _key(connection, "metrics")
    select = f"SELECT {key}, run_name, timestamp, step, metrics FROM metrics ORDER BY rowid"
    for run, name, timestamp, step, metrics in connection.execute(select):
        said = flat(_object(metrics, path, f"step {step} of {name}"), ".")
        values = {k: NUMBERS.get(v, v) if isinstance(v, str) else v for k, v in said.items()}
        clock = {"step": step, "timestamp": _seconds(timestamp)}
        rows.setdefault(str(run), []).append({**values, **clock})
        names[str(run)] = str(name)
    return rows, names


def _settings(connection: sqlite3.Connection, path: Path) -> dict[str, dict[str, Setting]]:
    if not _columns(connection, "configs") >= {"run_name", "config"}:
        return {}
    found = {}
    select = f"SELECT {_key(connection, 'configs')}, run_name, config FROM configs"
    for run, name, config in connection.execute(select):
        said = _object(config, path, f"the configuration of {name}")
        own = {"run_group": said[GROUP]} if said.get(GROUP) else {}
        kept = {key: value for key, value in said.items() if not key.startswith("_")}
        found[str(run)] = settings_in({**own, **kept}, ".")
    return found


def _object(text: Any, path: Path, what: str) -> Mapping[str, Any]:
    try:
        said = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise ValueError(f"{path} is damaged: {what} is no whole JSON object.")
    return said


def _seconds(timestamp: object) -> float | None:
    try:
        return datetime.fromisoformat(str(timestamp)).timestamp()
    except (ValueError, OverflowError):
        return None


def _run(
    path: Path, key: str, name: str, rows: Sequence[Row], settings: Mapping[str, Setting]
) -> LoggedRun | None:
    series, others = series_of(rows)
    said = f"{counted(len(others), 'key')} left out (words, lists or media): {listed(others)}."
    content = json.dumps([key, list(rows), dict(settings)], sort_keys=True).encode()
    return (
        LoggedRun(
            label=name,
            source=f"{path.name}, run {key}",
            sha256=digest_of([content]),
            series=tuple(series),
            settings=settings,
            notes=(said,) if others else (),
        )
        if series
        else None
    )
