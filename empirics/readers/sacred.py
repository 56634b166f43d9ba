"""Runs of Sacred, read without it: the folder that its file-storage observer makes of a run.

``metrics.json`` has, for each metric, its values, steps and timestamps; ``config.json`` the
settings, and ``run.json`` the name of the experiment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirics.notes import counted, listed
from empirics.readers.row_logs import json_object, settings_in
from empirics.readers.series import LoggedRun, Series, digest_of

CONFIG, RUN, METRICS = "config.json", "run.json", "metrics.json"
COLUMNS = ("values", "steps", "timestamps")

Floats = NDArray[np.float64]


def is_sacred_folder(path: Path, head: bytes = b"") -> bool:
    """Tell whether a folder is a run of Sacred."""
    return all((path / name).is_file() for name in (CONFIG, RUN, METRICS))


def read_sacred_folder(paths: Sequence[Path], label: str) -> list[LoggedRun]:
    """Read the run of a folder.

    Raises
    ------
    ValueError
        If a file is damaged, or there is no metric of numbers.
    """
    (folder,) = paths
    metrics = json_object(folder / METRICS)
    read = {key: _columns(folder, key, said) for key, said in metrics.items()}
    kept = {key: columns for key, columns in read.items() if columns is not None}
    if not kept:
        raise ValueError(f"{folder / METRICS} holds no metric of numbers.")
    began = min(float(np.nanmin(columns[2], initial=np.inf)) for columns in kept.values())
    series = [
        Series(key, {"step": step, **_clock(stamp, began)}, y)
        for key, (y, step, stamp) in kept.items()
    ]
    config = json_object(folder / CONFIG)
    settings = {key: value for key, value in config.items() if not key.startswith("__")}
    experiment = json_object(folder / RUN).get("experiment")
    name = experiment.get("name") if isinstance(experiment, dict) else None
    others = [key for key, columns in read.items() if columns is None]
    said = f"{counted(len(others), 'metric')} left out (not numbers alone): {listed(others)}."
    return [
        LoggedRun(
            label=f"{name}/{folder.name}" if name else folder.name,
            source=f"{folder.name}/{METRICS}",
            sha256=digest_of((folder / each).read_bytes() for each in (METRICS, CONFIG)),
            series=tuple(series),
            settings=settings_in(settings),
            notes=(said,) if others else (),
        )
    ]


def _columns(folder: Path, key: str, said: Any) -> tuple[Floats, Floats, Floats] | None:
    """Return values, steps and times of a metric; None where its values are no numbers."""
    place = f"metric {key!r} of {folder / METRICS}"
    if not isinstance(said, Mapping) or not all(isinstance(said.get(c), list) for c in COLUMNS):
        raise ValueError(f"{place} has no lists {', '.join(COLUMNS)}.")
    sizes = [len(said[column]) for column in COLUMNS]
    if len(set(sizes)) > 1:
        counts = ", ".join(f"{n} {column}" for n, column in zip(sizes, COLUMNS, strict=True))
        raise ValueError(f"{place} is damaged: it has {counts}.")
    y, step = _numbers(said["values"]), _numbers(said["steps"])
    if y is None or not y.size:
        return None
    if step is None:
        raise ValueError(f"{place} has steps that are no numbers.")
    return y, step, np.array([_seconds(stamp) for stamp in said["timestamps"]])


def _numbers(values: Sequence[Any]) -> Floats | None:
    """Return numbers, NaN for null; None where a value is anything else."""
    if not all(value is None or isinstance(value, bool | int | float) for value in values):
        return None
    return np.array([np.nan if value is None else float(value) for value in values])


def _seconds(stamp: object) -> float:
    try:
        return datetime.fromisoformat(str(stamp)).timestamp()
    except (ValueError, OverflowError):
        return float("nan")


def _clock(stamp: Floats, began: float) -> dict[str, Floats]:
    return {} if np.isnan(stamp).any() else {"wall_time": stamp - began}
