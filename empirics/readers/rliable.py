"""Scores as rliable keeps them: for each algorithm an array of runs, tasks and frames.

An npz or a JSON file; a vector ``frames`` (or another name of progress) is the axis, else the
index of the last dimension. Every run of every task is a run here. Scores without frames are no
curves over training.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirics.notes import counted, listed
from empirics.readers.arrays import ERRORS, INDEX, arrays_of, dimensions_of, is_npz
from empirics.readers.names import PROGRESS, known
from empirics.readers.row_logs import json_object
from empirics.readers.series import LoggedRun, Series, digest_of

SCORE = "score"
LIST_FIRST = re.compile(rb'\s*\{\s*"[^"]*"\s*:\s*\[')
LIST_OF_LISTS = re.compile(rb"\[\s*\[")


def is_scores(path: Path, head: bytes) -> bool:
    """Tell whether a file holds scores of rliable."""
    if is_npz(path, head):
        try:
            return 3 in dimensions_of(path).values()
        except ERRORS:
            return False
    is_json = path.suffix.lower() == ".json" and LIST_FIRST.match(head) is not None
    return is_json and LIST_OF_LISTS.search(head) is not None


def read_scores(paths: Sequence[Path], label: str) -> list[LoggedRun]:
    """Read the scores of a file.

    Raises
    ------
    ValueError
        If the file is damaged, or no scores go on over frames.
    """
    (path,) = paths
    content = path.read_bytes()
    if content[:1] == b"P":
        found, others = arrays_of(path, content)
    else:
        found, others = _arrays(json_object(path))
    scores = {name: a for name, a in found.items() if a.ndim == 3 and a.size}
    if not scores:
        raise ValueError(
            f"{path} holds scores without frames, so no curve over training: give for each "
            "algorithm an array of runs x tasks x frames."
        )
    vectors = {name: array for name, array in found.items() if array.ndim == 1}
    named = next(iter(known(vectors, tuple(PROGRESS))), None)
    others += [name for name in found if name not in scores and name != named]
    notes = []
    if others:
        arrays = counted(len(others), "array")
        notes = [f"{arrays} left out (not runs x tasks x frames): {listed(sorted(others))}."]
    digest = digest_of([content])
    return [
        LoggedRun(
            label=f"{algorithm}, task {task}, run {run}",
            source=path.name,
            sha256=digest,
            series=(Series(SCORE, _axes(path, vectors, named, algorithm, y.size), y),),
            settings={"algorithm": algorithm, "task": task},
            notes=tuple(notes),
        )
        for algorithm, array in scores.items()
        for (run, task) in np.ndindex(array.shape[:2])
        for y in [array[run, task].astype(np.float64)]
    ]


def _arrays(said: Mapping[str, Any]) -> tuple[dict[str, NDArray[Any]], list[str]]:
    found: dict[str, NDArray[Any]] = {}
    others = []
    for name, value in said.items():
        try:
            array = np.array(value, dtype=np.float64)
        except (ValueError, TypeError, OverflowError):
            others.append(name)
            continue
        found[name] = array
    return found, others


def _axes(
    path: Path, vectors: Mapping[str, NDArray[Any]], named: str | None, algorithm: str, n: int
) -> dict[str, NDArray[np.float64]]:
    if named is None:
        return {INDEX: np.arange(n, dtype=np.float64)}
    axis = vectors[named].astype(np.float64)
    if axis.size != n:
        raise ValueError(
            f"{named!r} of {path} has {counted(axis.size, 'value')}, {algorithm!r} has {n} frames."
        )
    return {named: axis}
