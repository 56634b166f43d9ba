"""A random stream for every run, fixed by its settings and seed alone."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from theory.curve import FloatArray, IntArray

DRAWS_AT_ONCE = 1_000_000
UPDATES_AT_ONCE = 100
LATER: Mapping[str, bool] = MappingProxyType({"later": True})
"""Metadata of a setting that cells got after runs were stored: at its preset it is not hashed, so
that those runs keep their streams and names."""


def settings_of(cell: Any) -> dict[str, Any]:
    """Return the settings that decide a run, by name; `LATER` ones only where they were changed."""
    return {
        field.name: getattr(cell, field.name)
        for field in fields(cell)
        if not (field.metadata.get("later") and getattr(cell, field.name) == field.default)
    }


@lru_cache(maxsize=1024)
def key_of(cell: Any) -> str:
    """Return the settings of a frozen dataclass as text; equal settings, equal text.

    A setting may be a frozen dataclass itself.
    """
    named = {"cell": type(cell).__name__, **settings_of(cell)}
    return json.dumps(named, sort_keys=True, default=vars)


@lru_cache(maxsize=1024)
def _words(cell: Any) -> tuple[int, ...]:
    digest = hashlib.sha256(key_of(cell).encode()).digest()[:16]
    return tuple(np.frombuffer(digest, dtype=np.uint32).tolist())


def stream_of(cell: Any, seed: int) -> np.random.Generator:
    """Return the random stream of a run."""
    return np.random.default_rng([seed, *_words(cell)])


def run_id_of(cell: Any, seed: int, t: IntArray) -> str:
    """Return the hash (16 hexadecimal digits) of everything that decides a run's curves."""
    return hashlib.sha256(f"{key_of(cell)} {seed} ".encode() + t.tobytes()).hexdigest()[:16]


def draw(
    streams: Sequence[np.random.Generator], shape: tuple[int, ...], *, normal: bool = False
) -> FloatArray:
    """Return uniform numbers in [0, 1), or standard normal ones, runs last: (*shape, n_runs)."""
    own = np.empty((len(streams), *shape))
    for run, rng in enumerate(streams):
        (rng.standard_normal if normal else rng.random)(out=own[run])
    return np.ascontiguousarray(np.moveaxis(own, 0, -1))


def draw_on(
    streams: Sequence[np.random.Generator], shape: tuple[int, ...], *, normal: bool = False
) -> Iterator[FloatArray]:
    """Yield such numbers (*shape, n_runs) without end; how many are drawn at once is no matter."""
    size = math.prod(shape) * len(streams)
    at_once = max(1, min(UPDATES_AT_ONCE, DRAWS_AT_ONCE // size))
    while True:
        yield from draw(streams, (at_once, *shape), normal=normal)
