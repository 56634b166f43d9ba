"""The formats of logs whose runs are known from the format, each told by its content.

A file that none of them knows may be a table, whose columns say what is a run
(`empirics.readers.table`). Other packages add formats of their own (`empirics.readers.plugins`).
"""

from __future__ import annotations

from pathlib import Path

from empirics.readers import (
    arrays,
    chart_exports,
    mlflow,
    rliable,
    row_logs,
    sacred,
    stable_baselines3,
    tensorboard,
    trackio,
    wandb,
)
from empirics.readers.format import Format
from empirics.readers.plugins import plugged

HEAD = 1 << 12
"""Bytes by which a file is told."""

FORMATS = (
    Format("MLflow run", mlflow.is_run_folder, mlflow.read_run_folder, folder=True),
    Format("W&B run", wandb.is_wandb_folder, wandb.read_wandb_folder, folder=True),
    Format("Sacred run", sacred.is_sacred_folder, sacred.read_sacred_folder, folder=True),
    Format(
        "Stable-Baselines3 monitor or evaluations",
        stable_baselines3.is_of_stable_baselines3,
        stable_baselines3.read_stable_baselines3,
        together=True,
    ),
    Format("MLflow database", mlflow.is_database, mlflow.read_database),
    Format("Trackio database", trackio.is_trackio, trackio.read_trackio),
    Format("W&B run", wandb.is_wandb_file, wandb.read_wandb),
    Format(
        "W&B chart export",
        chart_exports.is_chart_export,
        chart_exports.read_chart_exports,
        together=True,
    ),
    Format("npy array", arrays.is_npy, arrays.read_arrays),
    Format("rliable scores", rliable.is_scores, rliable.read_scores),
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
    is_folder, head = path.is_dir(), b""
    if not is_folder:
        with path.open("rb") as file:
            head = file.read(HEAD)
    formats = (each for each in (*FORMATS, *plugged().formats) if each.folder == is_folder)
    return next((each for each in formats if each.knows(path, head)), None)
