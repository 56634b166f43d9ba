"""The formats of logs whose runs are known from the format, each told by its content.

A file that none of them knows may be a table, whose columns say what is a run
(`empirics.readers.table`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from empirics.readers import arrays, mlflow, row_logs, stable_baselines3, tensorboard
from empirics.readers.series import LoggedRun

HEAD = 1 << 12
"""Bytes by which a file is told."""


@final
@dataclass(frozen=True)
class Format:
    """A format of logs.

    Attributes
    ----------
    name : str
        As a sentence calls its files.
    knows : callable
        Tells by a file's path and first bytes whether it is of the format.
    read : callable
        Reads files as runs, given a label; raises ValueError, in one sentence, if it cannot.
    together : bool
        Whether the files of one folder are read together.
    """

    name: str
    knows: Callable[[Path, bytes], bool]
    read: Callable[[Sequence[Path], str], list[LoggedRun]]
    together: bool = False


RUN_FOLDER = Format("MLflow run", lambda path, head: False, mlflow.read_run_folder)
FORMATS = (
    Format(
        "Stable-Baselines3 monitor or evaluations",
        stable_baselines3.is_of_stable_baselines3,
        stable_baselines3.read_stable_baselines3,
        together=True,
    ),
    Format("MLflow database", mlflow.is_database, mlflow.read_database),
    Format("npy array", arrays.is_npy, arrays.read_arrays),
    Format("npz arrays", arrays.is_npz, arrays.read_arrays),
    Format("log of reports", row_logs.is_row_log, row_logs.read_row_log),
    Format(
        "TensorBoard events",
        tensorboard.is_event_file,
        tensorboard.read_event_files,
        together=True,
    ),
)


def format_of(path: Path) -> Format | None:
    """Return the format of a file or of a folder that is a run; None where it is of none."""
    if path.is_dir():
        return RUN_FOLDER if mlflow.is_run_folder(path) else None
    with path.open("rb") as file:
        head = file.read(HEAD)
    return next((each for each in FORMATS if each.knows(path, head)), None)
