"""Small logs of every format, written byte by byte or by what everybody has, and traps."""

from __future__ import annotations

import csv
import io
import json
import pickle
import sqlite3
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.log_bytes import event_file, wandb_file

N = 120
STEPS = np.arange(N) * 256
LOSS = np.round(np.exp(-np.arange(N) / 40), 6)
RETURN = np.round(1 - LOSS, 6)

Sample = tuple[str, bytes]


def _csv(columns: Mapping[str, Sequence[object]], above: str = "") -> bytes:
    text = io.StringIO(above, newline="")
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode()


def _lines(rows: Sequence[Mapping[str, object]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _npz(**arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **{name: np.asarray(value) for name, value in arrays.items()})
    return file.getvalue()


def _npy(values: object) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(values))
    return file.getvalue()


def _parquet() -> bytes:
    file = io.BytesIO()
    pl.DataFrame({"env_steps": STEPS, "episodic_return": RETURN}).write_parquet(file)
    return file.getvalue()


def _database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mlflow.db"
        connection = sqlite3.connect(path)
        connection.executescript(
            "CREATE TABLE runs (run_uuid TEXT, name TEXT);"
            "CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);"
            "CREATE TABLE metrics (key TEXT, value REAL, timestamp INT, run_uuid TEXT, step INT,"
            " is_nan INT);"
            "INSERT INTO runs VALUES ('u1', 'first');"
        )
        rows = [("loss", y, int(t), "u1", int(t), 0) for t, y in zip(STEPS, LOSS, strict=True)]
        connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
        connection.commit()
        connection.close()
        return path.read_bytes()


def _state() -> bytes:
    rows = [{"step": int(t), "loss": float(y)} for t, y in zip(STEPS, LOSS, strict=True)]
    return json.dumps({"global_step": int(STEPS[-1]), "log_history": rows}).encode()


_ROWS = [
    {"global_step": int(t), "loss": float(y), "episodic_return": float(r)}
    for t, y, r in zip(STEPS, LOSS, RETURN, strict=True)
]

SAMPLES: Mapping[str, Sample] = {
    "TensorBoard": (
        "events.out.tfevents.1.host",
        event_file(("losses/value_loss",), STEPS.tolist(), LOSS[:, None].tolist()),
    ),
    "W&B offline": ("run-abc.wandb", wandb_file({"loss": loss} for loss in LOSS.tolist())),
    "monitor.csv": (
        "0.monitor.csv",
        _csv(
            {"r": RETURN.tolist(), "l": [10] * N, "t": np.arange(N).tolist()},
            '#{"t_start": 100.0, "env_id": "Cart"}\n',
        ),
    ),
    "progress.csv": (
        "progress.csv",
        _csv({"time/total_timesteps": STEPS.tolist(), "rollout/ep_rew_mean": RETURN.tolist()}),
    ),
    "evaluations.npz": (
        "evaluations.npz",
        _npz(
            timesteps=STEPS,
            results=np.column_stack([RETURN, RETURN]),
            ep_lengths=np.full((N, 2), 10),
        ),
    ),
    "RLlib result.json": (
        "result.json",
        _lines(
            [
                {"training_iteration": i, "trial_id": "a", **row}
                for i, row in enumerate(_ROWS, start=1)
            ]
        ),
    ),
    "trainer_state.json": ("trainer_state.json", _state()),
    "MLflow sqlite": ("mlflow.db", _database()),
    "JSON lines": ("metrics.jsonl", _lines(_ROWS)),
    "CSV, wide": (
        "wide.csv",
        _csv({"env_steps": STEPS.tolist(), "loss": LOSS.tolist(), "p_goal": RETURN.tolist()}),
    ),
    "CSV, long": (
        "long.csv",
        _csv(
            {
                "run": [f"seed {i % 3}" for i in range(N)],
                "env_steps": [int(STEPS[i // 3]) for i in range(N)],
                "loss": LOSS.tolist(),
            }
        ),
    ),
    "Parquet": ("table.parquet", _parquet()),
    "npz": ("curves.npz", _npz(env_steps=STEPS, loss=LOSS)),
    "npy": ("loss.npy", _npy(LOSS)),
}
"""By format: a file name and its content."""

CHECKED = ("TensorBoard", "W&B offline", "evaluations.npz", "npz")
"""Formats whose checksums tell every change."""


class _Runs:
    """What a pickle would do if it were opened: write a file."""

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return (open, ("sprung", "w"))


def _bombs() -> list[Sample]:
    """Return archives that unpack to gigabytes, or say so."""
    bombs = []
    header = b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (10**15,), }"
    bombs.append(("bomb.npy", header.ljust(127) + b"\n"))
    for megabytes in (1, 64):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("loss.npy", header.ljust(127) + b"\n" + bytes(megabytes * 2**20))
        content = file.getvalue()
        size = (megabytes * 2**20 + 128).to_bytes(4, "little")
        bombs.append((f"claimed{megabytes}.npz", content))
        bombs.append((f"bomb{megabytes}.npz", content.replace(size, b"\xfe\xff\xff\xff")))
    return bombs


def _deep() -> list[Sample]:
    """Return JSON that is nested beyond any recursion limit, or holds a number of many digits."""
    nested = b"[" * 100_000 + b"]" * 100_000
    objects = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
    digits = b'{"step": 1, "loss": ' + b"9" * 200_000 + b"}\n"
    names = ("metrics.jsonl", "result.json", "trainer_state.json")
    return [(name, content) for name in names for content in (nested, objects, digits)]


def _pickles() -> list[Sample]:
    """Return pickles, alone and inside arrays, that would write a file."""
    whole = io.BytesIO()
    np.save(whole, np.array([_Runs()], dtype=object))
    inside = io.BytesIO()
    np.savez(inside, loss=np.array([_Runs()], dtype=object))
    return [
        ("trap.npy", whole.getvalue()),
        ("trap.npz", inside.getvalue()),
        ("params.pkl", pickle.dumps(_Runs())),
        ("logs.csv", pickle.dumps(_Runs())),
    ]


def _ways_out() -> list[Sample]:
    """Return logs whose names of runs and observables lead out of a folder."""
    names = ("../../sprung", "/tmp/sprung", "..\\sprung", "a\0b", "a/../../b", "C:\\sprung")
    rows = [
        [{"step": i, name: float(i), "run": name, "trial_id": name} for i in range(9)]
        for name in names
    ]
    return [("metrics.jsonl", _lines(each)) for each in rows] + [
        ("result.json", _lines([{"training_iteration": 1, **row} for row in each])) for each in rows
    ]


TRAPS: Mapping[str, list[Sample]] = {
    "bombs": _bombs(),
    "nesting and digits": _deep(),
    "pickles": _pickles(),
    "ways out": _ways_out(),
}
"""Files made to do harm, by kind."""
