"""Logs of one row a report, of libraries whose keys are known: a run each.

- Stable-Baselines3: ``progress.json`` (JSON lines) and ``progress.csv``, over
  ``time/total_timesteps``.
- RLlib and Tune: ``result.json`` (JSON lines, nested) and ``progress.csv``, of the old stack
  (``timesteps_total``) and of the new (``num_env_steps_sampled_lifetime``); settings from
  ``config`` in the rows or from ``params.json`` beside. ``params.pkl`` is never opened.
- Transformers and TRL: ``trainer_state.json``, whose ``log_history`` counts updates in ``step``.

Any other file of JSON lines is a table (`empirics.readers.opening`).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirics.notes import counted, listed
from empirics.readers.cells import Setting, setting
from empirics.readers.json_lines import Row, flat, read_json_lines
from empirics.readers.names import CLOCKS, PROGRESS, known
from empirics.readers.series import LoggedRun, Series, digest_of
from theory.curve import Progress

SB3 = "time/total_timesteps"
TUNE = "training_iteration"
HISTORY = "log_history"
HEAD = 1 << 20
"""Bytes in which the keys are looked for: a row of RLlib holds its whole configuration."""


def is_row_log(path: Path, head: bytes) -> bool:
    """Tell whether a file is of one of these libraries, by the keys of its first row."""
    if head[:1] == b"{":
        start = _start(path)
        line = start.partition(b"\n")[0]
        is_state = path.suffix.lower() == ".json" and f'"{HISTORY}"'.encode() in start
        return is_state or any(f'"{key}"'.encode() in line for key in (SB3, TUNE))
    header = head.partition(b"\n")[0].decode("utf-8", "replace").strip().split(",")
    names = {name.strip('"') for name in header}
    return SB3 in names or {TUNE, "trial_id"} <= names


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def read_row_log(paths: Sequence[Path], label: str) -> list[LoggedRun]:
    """Read the run of a file.

    Raises
    ------
    ValueError
        If the file is damaged, or no row holds a number over a progress axis.
    """
    (path,) = paths
    content = path.read_bytes()
    rows, settings, fault = _rows(path, content)
    beside = path.with_name("params.json")
    if not settings and beside.is_file():
        settings = settings_in(json_object(beside))
    if any(TUNE in row for row in rows):
        config = {k.removeprefix("config/"): v for k, v in rows[0].items() if k[:7] == "config/"}
        settings = settings or {name: _plain(value) for name, value in config.items()}
        rows = [{k: v for k, v in row.items() if k[:7] != "config/"} for row in rows]
    series, others = series_of(rows)
    if not series:
        raise ValueError(f"{path} holds no number over a progress axis.")
    is_history = HISTORY in settings
    return [
        LoggedRun(
            label=label,
            source=path.name,
            sha256=digest_of([content]),
            series=tuple(series),
            settings={k: v for k, v in settings.items() if k != HISTORY},
            units={"step": Progress.UPDATES} if is_history else {},
            notes=(*([f"{fault}."] if fault else []), *_left_out(others)),
        )
    ]


def series_of(rows: Sequence[Row]) -> tuple[list[Series], list[str]]:
    """Return the numbers of rows by key, and the keys that hold none.

    The axes of each are first what goes by a name of progress, then all other numbers that stand
    in the same rows. Of the names of progress, one that stands in every row comes before the
    others, and of several the likelier; keys without the first axis come last.
    """
    columns: dict[str, NDArray[np.float64]] = {}
    others = set[str]()
    for i, row in enumerate(rows):
        for key, value in row.items():
            if isinstance(value, bool | int | float):
                if key not in columns:
                    columns[key] = np.full(len(rows), np.nan)
                columns[key][i] = _number(value)
            elif value is not None:
                others.add(key)
    said = {key: ~np.isnan(values) for key, values in columns.items()}
    there = {key: _there(rows, key) for key in columns}
    first = [name for name in known(columns, tuple(PROGRESS)) if said[name].any()]
    measured = [key for key in columns if key not in (*first, *known(columns, CLOCKS))]
    if not first or not measured:
        return [], sorted(others - set(columns))
    of_any = np.any([there[key] for key in measured], axis=0)
    first.sort(key=lambda name: not said[name][of_any].all())
    series = []
    for key in measured:
        of = np.flatnonzero(there[key])
        whole = [n for n in (*first, *columns) if n != key and said[n][of].all()]
        axes = {name: columns[name][of] for name in dict.fromkeys(whole)}
        series.append(Series(key, axes, columns[key][of]))
    series.sort(key=lambda each: first[0] not in each.axes)
    return series, sorted(others - set(columns))


def json_object(path: Path) -> Mapping[str, Any]:
    """Return the object that a JSON file holds.

    Raises
    ------
    ValueError
        If it holds none.
    """
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds no whole JSON object; write or copy it anew.")
    return found


def _rows(path: Path, content: bytes) -> tuple[list[Row], dict[str, Setting], str]:
    """Return the rows of a file, the settings it holds, and why reading stopped early."""
    if content[:1] != b"{":
        # Its writers end every row; one without an end was cut off, and so may its numbers be.
        whole, end, cut = content.rpartition(b"\n")
        fault = f"{path.name}: the last row is cut off, and not read" if cut.strip() else ""
        return *_csv_rows(path, whole + end), fault
    if f'"{HISTORY}"'.encode() not in content[:HEAD]:
        rows, fault = read_json_lines(path, content)
        return rows, {}, fault
    state = json_object(path)
    history = state.get(HISTORY)
    if not isinstance(history, list) or not all(isinstance(row, dict) for row in history):
        raise ValueError(f"{path} has no list of rows as {HISTORY}.")
    # The last row sums the whole training up; it is no point of a curve.
    rows = [flat(row) for row in history if "train_runtime" not in row]
    settings = settings_in({k: v for k, v in state.items() if k != HISTORY})
    return rows, {**settings, HISTORY: None}, ""


def _csv_rows(path: Path, content: bytes) -> tuple[list[Row], dict[str, Setting]]:
    try:
        table = csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
        names, *rows = table
        for number, row in enumerate(rows, start=2):
            if len(row) != len(names):
                raise ValueError(f"line {number} has {counted(len(row), 'cell')}")
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read as a table: {str(error).rstrip('.')}.") from None
    return [
        {name: _cell(cell) for name, cell in zip(names, row, strict=True) if cell} for row in rows
    ], {}


def _cell(cell: str) -> object:
    if cell.lower() in ("true", "false"):
        return cell.lower() == "true"
    try:
        return float(cell)
    except ValueError:
        return cell


def _number(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return np.inf


def _there(rows: Iterable[Row], key: str) -> NDArray[np.bool_]:
    return np.array([isinstance(row.get(key), bool | int | float) for row in rows])


def settings_in(said: Mapping[str, Any], between: str = "/") -> dict[str, Setting]:
    """Return the settings that an object of objects says."""
    return {name: _plain(value) for name, value in flat(said, between).items()}


def _plain(value: object) -> Setting:
    """Return a setting as a condition; a list as its JSON."""
    return setting(json.dumps(value) if isinstance(value, list) else value)


def _left_out(keys: Sequence[str]) -> tuple[str, ...]:
    if not keys:
        return ()
    return (f"{counted(len(keys), 'key')} left out (words or lists): {listed(keys)}.",)
