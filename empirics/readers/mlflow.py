"""Runs of MLflow, read without it: its file store (``mlruns``) and its sqlite database.

A metric's file holds lines ``timestamp value step``; the database has them in the table
``metrics``. Timestamps are milliseconds since 1970.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from empirics.notes import counted
from empirics.readers.cells import Setting, setting
from empirics.readers.series import LoggedRun, Series, digest_of
from empirics.readers.sqlite import SQLITE, database, opened, tables_of

META = "meta.yaml"
TABLES = {"runs", "metrics", "params"}
NAME = "mlflow.runName"

Points = list[tuple[float, float, float]]
"""Timestamp, value and step, in the order of writing."""


def is_run_folder(path: Path, head: bytes = b"") -> bool:
    """Tell whether a folder is a run of the file store."""
    return (path / META).is_file() and (path / "metrics").is_dir()


def is_database(path: Path, head: bytes) -> bool:
    """Tell whether a file is a database of MLflow."""
    if not head.startswith(SQLITE):
        return False
    try:
        with closing(opened(path)) as connection:
            return tables_of(connection) >= TABLES
    except sqlite3.Error:
        return path.name.startswith("mlflow")


def read_run_folder(paths: Sequence[Path], label: str) -> list[LoggedRun]:
    """Read a run of the file store, each metric up to a last line that is cut off.

    Raises
    ------
    ValueError
        If a line of a metric is damaged, or there is no metric.
    """
    (folder,) = paths
    files = sorted(path for path in (folder / "metrics").rglob("*") if path.is_file())
    contents = {
        path.relative_to(folder / "metrics").as_posix(): path.read_bytes() for path in files
    }
    points, cut = {}, 0
    for key, content in contents.items():
        points[key], is_cut = _lines(folder / "metrics" / key, content)
        cut += is_cut
    meta = _meta(folder / META)
    run = _run(
        meta.get("run_name") or label,
        f"{meta.get('run_id') or folder.name}",
        digest_of(contents.values()),
        points,
        {key: setting(text) for key, text in _texts(folder / "params").items()},
    )
    said = f"{counted(cut, 'last line')} cut off, and not read."
    return [replace(run, notes=(said,))] if cut else [run]


def read_database(paths: Sequence[Path], label: str) -> list[LoggedRun]:
    """Read the runs of a database; nothing is written into it.

    Raises
    ------
    ValueError
        If it is damaged or holds no metric.
    """
    (path,) = paths
    with database(path) as connection:
        return _runs(connection, path)


def _runs(connection: sqlite3.Connection, path: Path) -> list[LoggedRun]:
    if not tables_of(connection) >= TABLES:
        raise ValueError(f"{path} is no database of MLflow: it lacks a table.")
    names = dict(connection.execute("SELECT run_uuid, name FROM runs"))
    points: dict[str, dict[str, Points]] = {}
    select = "SELECT run_uuid, key, timestamp, value, step, is_nan FROM metrics ORDER BY rowid"
    for run, key, timestamp, value, step, is_nan in connection.execute(select):
        row = (_float(timestamp), np.nan if is_nan else _float(value), _float(step))
        points.setdefault(str(run), {}).setdefault(str(key), []).append(row)
    settings: dict[str, dict[str, Setting]] = {}
    for run, key, value in connection.execute("SELECT run_uuid, key, value FROM params"):
        settings.setdefault(str(run), {})[str(key)] = setting(value)
    if not points:
        raise ValueError(f"{path} holds no metric.")
    return [
        _run(
            str(names.get(run) or run),
            f"{path.name}, run {run}",
            digest_of([run.encode(), repr(sorted(metrics.items())).encode()]),
            metrics,
            settings.get(run, {}),
        )
        for run, metrics in points.items()
    ]


def _float(value: object) -> float:
    if not isinstance(value, int | float):
        raise ValueError(f"a metric of the database holds {value!r}, no number.")
    return float(value)


def _run(
    label: str,
    source: str,
    digest: str,
    points: Mapping[str, Points],
    settings: Mapping[str, Setting],
) -> LoggedRun:
    series = []
    began = min((row[0] for rows in points.values() for row in rows), default=0.0)
    for key, rows in points.items():
        if rows:
            timestamp, y, step = np.array(rows, dtype=np.float64).T
            axes = {"step": step, "wall_time": (timestamp - began) / 1000}
            series.append(Series(key, axes, y))
    if not series:
        raise ValueError(f"{source} of MLflow holds no metric.")
    return LoggedRun(label, source, digest, tuple(series), settings)


def _lines(path: Path, content: bytes) -> tuple[Points, bool]:
    """Return the points of a metric's file, and whether its last line is cut off."""
    *lines, rest = content.split(b"\n")
    points: Points = []
    for number, line in enumerate(lines, start=1):
        try:
            # Metrics of before MLflow 1.0 have no step.
            timestamp, value, *step = map(float, line.split())
            points.append((timestamp, value, step[0] if step else 0.0))
        except ValueError:
            raise ValueError(f"line {number} of {path} is no 'timestamp value step'.") from None
    return points, bool(rest.strip())


def _texts(folder: Path) -> dict[str, str]:
    files: Iterable[Path] = sorted(folder.rglob("*")) if folder.is_dir() else ()
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8", errors="replace")
        for path in files
        if path.is_file()
    }


def _meta(path: Path) -> dict[str, str]:
    """Return the plain ``name: text`` lines of a YAML file."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    pairs = (line.partition(": ") for line in lines if not line.startswith((" ", "-", "#")))
    return {name: text.strip().strip("'\"") for name, found, text in pairs if found}
