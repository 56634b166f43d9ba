"""Runs of Stable-Baselines3: monitor files and evaluations of a folder, together.

A monitor file (``stable_baselines3/common/monitor.py``) has one row an episode: return ``r``,
length ``l`` and seconds ``t`` since its own start, and no step. Several environments write one
file each: their episodes are put in the order of time, and the steps are the sum of the lengths of
the episodes that have ended. ``evaluations.npz`` (``common/callbacks.py``) has several episodes an
evaluation: their mean with its standard error, and successes as a proportion.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from empirics.notes import counted, listed
from empirics.readers.arrays import ERRORS, arrays_of, is_npz
from empirics.readers.cells import Setting
from empirics.readers.series import LoggedRun, Series, digest_of

Floats = NDArray[np.float64]
ALGORITHMS = "a2c ars crossq ddpg dqn her ppo ppo_lstm qrdqn recurrentppo sac td3 tqc trpo".split()
"""Folders of the zoo, which has ``algorithm/environment_number``."""


@final
@dataclass(frozen=True, eq=False)
class Monitor:
    """A monitor file: when it began, its environment, its columns, and what was not read."""

    began: float
    env_id: str
    columns: Mapping[str, Floats]
    words: tuple[str, ...]
    fault: str


def is_of_stable_baselines3(path: Path, head: bytes) -> bool:
    """Tell whether a file is a monitor file or holds evaluations."""
    if head.startswith(b"#{"):
        return b'"t_start"' in head.partition(b"\n")[0]
    if not is_npz(path, head):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return {"timesteps.npy", "results.npy"} <= set(archive.namelist())
    except ERRORS:
        return path.name == "evaluations.npz"


def read_stable_baselines3(paths: Sequence[Path], label: str) -> list[LoggedRun]:
    """Read the monitor files and evaluations of a folder as one run.

    Raises
    ------
    ValueError
        If a file is damaged, or no episode and no evaluation is there.
    """
    files = [(path, path.read_bytes()) for path in paths]
    monitors = {p.name: read_monitor(p, content) for p, content in files if content[:1] == b"#"}
    series = _of_monitors(tuple(monitors.values()))
    notes = [f"{name}: {each.fault}." for name, each in monitors.items() if each.fault]
    words = sorted({word for each in monitors.values() for word in each.words})
    if words:
        notes.append(f"{counted(len(words), 'column')} left out (words): {listed(words)}.")
    for path, content in files:
        if content[:1] != b"#":
            series += _of_evaluations(path, arrays_of(path, content)[0])
    if not series:
        raise ValueError(f"{paths[0]} holds no episode.")
    folder = paths[0].resolve().parent.parent.name
    settings: dict[str, Setting] = {"algo": folder} if folder in ALGORITHMS else {}
    if monitors:
        settings["env_id"] = next(iter(monitors.values())).env_id or None
        settings["num_envs"] = len(monitors)
    return [
        LoggedRun(
            label=f"{folder}/{label}" if folder in ALGORITHMS else label,
            source=listed((path.name for path in paths), 2),
            sha256=digest_of(content for _, content in files),
            series=tuple(series),
            settings=settings,
            notes=tuple(notes),
        )
    ]


def read_monitor(path: Path, content: bytes) -> Monitor:
    """Read a monitor file, up to a last row that is cut off.

    Raises
    ------
    ValueError
        If the file is none, or a row is damaged.
    """
    try:
        first, _, rest = content.decode("utf-8").partition("\n")
        header = json.loads(first[1:])
        began, env_id = float(header["t_start"]), header.get("env_id") or ""
        whole, _, cut = rest.rpartition("\n")
        names, *rows = csv.reader(io.StringIO(whole, newline=""), strict=True)
        if not {"r", "l", "t"} <= set(names) or len(set(names)) < len(names):
            raise ValueError(f"its columns are {', '.join(names)}")
        for number, row in enumerate(rows, start=1):
            if len(row) != len(names):
                raise ValueError(f"row {number} has {counted(len(row), 'cell')}")
        columns = {name: _numbers([row[i] for row in rows]) for i, name in enumerate(names)}
        kept = {name: values for name, values in columns.items() if values is not None}
        _check_columns(began, kept)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error) as error:
        said = str(error).strip().rstrip(".") or "no row names its columns"
        raise ValueError(f"{path} is no whole monitor file ({said}).") from None
    fault = "the last row is cut off, and not read" if cut.strip() else ""
    return Monitor(began, str(env_id), kept, tuple(set(columns) - set(kept)), fault)


def _check_columns(began: float, columns: Mapping[str, Floats]) -> None:
    for name in ("r", "l", "t"):
        if name not in columns:
            raise ValueError(f"column {name!r} holds words")
    lengths, times = columns["l"], columns["t"]
    if not (np.isfinite(lengths).all() and (lengths >= 0).all() and (lengths % 1 == 0).all()):
        raise ValueError("column 'l' holds lengths that are no whole numbers")
    if not np.isfinite(times).all() or not np.isfinite(began):
        raise ValueError("column 't' holds times that are not finite")


def _numbers(cells: Sequence[str]) -> Floats | None:
    truths = {"True": "1", "False": "0", "": "nan"}
    try:
        return np.array([float(truths.get(cell, cell)) for cell in cells], dtype=np.float64)
    except ValueError:
        return None


def _of_monitors(monitors: Sequence[Monitor]) -> list[Series]:
    """Put the episodes of all environments in the order of time."""
    if not sum(each.columns["r"].size for each in monitors):
        return []
    ended = np.concatenate([each.began + each.columns["t"] for each in monitors])
    order = np.argsort(ended, kind="stable")
    names = [n for n in monitors[0].columns if all(n in each.columns for each in monitors)]
    together = {n: np.concatenate([each.columns[n] for each in monitors])[order] for n in names}
    axes = {
        "env_steps": np.cumsum(together["l"]),
        "episodes": np.arange(1.0, order.size + 1),
        "seconds": ended[order] - min(each.began for each in monitors),
    }
    return [Series(f"monitor/{n}", axes, together[n]) for n in names if n != "t"]


def _of_evaluations(path: Path, arrays: Mapping[str, NDArray[Any]]) -> list[Series]:
    if not {"timesteps", "results"} <= set(arrays):
        raise ValueError(f"{path} holds no timesteps and results.")
    axes = {"env_steps": arrays["timesteps"].astype(np.float64)}
    series = []
    for name in ("results", "ep_lengths", "successes"):
        if name not in arrays:
            continue
        values = arrays[name]
        if values.ndim == 3 and values.shape[2] == 1:  # rewards of shape (1,) an episode
            values = values[:, :, 0]
        if values.ndim != 2 or not values.size or (values.shape[0],) != axes["env_steps"].shape:
            raise ValueError(
                f"{path} has {name} of shape {values.shape} for {axes['env_steps'].size} timesteps."
            )
        y, n = values.astype(np.float64), values.shape[1]
        beside = {} if n < 2 else {"y_se": y.std(axis=1, ddof=1) / np.sqrt(n)}
        if name == "successes":
            beside = {"n_trials": np.full(y.shape[0], float(n))}
        series.append(Series(f"evaluations/{name}", axes, y.mean(axis=1), beside))
    return series
