"""Sweeps: at which settings, and with which seeds, an experiment is run."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any, final

import numpy as np

from empirics.coerce import number, truth, whole
from theory.curve import Condition

KINDS = ("grid", "ladder", "random", "zip")
KEYS = ("experiment", "seeds", "number", "seed", *KINDS)
"""What a file of a sweep may hold."""


@final
@dataclass(frozen=True)
class Range:
    """Where a random sweep draws a setting from, uniformly.

    Attributes
    ----------
    low, high : float
        Both are drawn where both are whole numbers, and then only whole numbers are.
    log : bool
        Whether the logarithm is uniform.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            number(name, getattr(self, name))
        object.__setattr__(self, "log", truth("log", self.log))
        if not self.low < self.high:
            raise ValueError(f"low must be below high; they are {self.low} and {self.high}.")
        if self.log and self.low <= 0:
            raise ValueError(f"a logarithmic range begins above 0; low is {self.low}.")

    def draw(self, rng: np.random.Generator) -> float:
        """Draw one value."""
        is_whole = isinstance(self.low, int) and isinstance(self.high, int)
        low, high = float(self.low), float(self.high) + is_whole
        share = rng.random()
        value = (
            low * math.exp(share * math.log(high / low)) if self.log else low + share * (high - low)
        )
        return math.floor(value) if is_whole else value


Values = Sequence[Condition] | Range


@final
@dataclass(frozen=True)
class Sweep:
    """Which settings are varied, and how their values are put together.

    Attributes
    ----------
    kind : str
        ``"grid"``: all combinations, the last setting running fastest. ``"ladder"``: a grid of
        one setting. ``"zip"``: the first values of all, then the second ones, and so on.
        ``"random"``: each point draws each setting by itself.
    settings : mapping of str to sequence or Range
        Values of each setting; a `Range` where it is drawn.
    number : int
        Points of a random sweep. The points of a smaller number are those that a larger one
        begins with.
    seed : int
        Of the draws.

    Raises
    ------
    ValueError
        If a setting has no values, those of a zip differ in number, or a number is missing.
    """

    kind: str
    settings: Mapping[str, Values]
    number: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"a sweep is one of {', '.join(KINDS)}; it is {self.kind!r}.")
        settings = {name: _values(name, values) for name, values in self.settings.items()}
        object.__setattr__(self, "settings", MappingProxyType(settings))
        if not settings:
            raise ValueError(f"a {self.kind} needs at least one setting to vary.")
        if self.kind == "ladder" and len(settings) > 1:
            raise ValueError(f"a ladder varies one setting; it has {', '.join(settings)}.")
        whole("number", self.number, 1 if self.kind == "random" else None)
        whole("seed", self.seed, 0)
        if self.kind != "random":
            self._check_values()

    def _check_values(self) -> None:
        if self.number:
            raise ValueError(f"a {self.kind} has no number of points; a random sweep has.")
        lengths = {}
        for name, values in self.settings.items():
            if isinstance(values, Range):
                raise ValueError(f"{name} has a range, and a {self.kind} needs a list of values.")
            lengths[name] = len(values)
        if self.kind == "zip" and len(set(lengths.values())) > 1:
            said = ", ".join(f"{name} has {n}" for name, n in lengths.items())
            raise ValueError(f"the settings of a zip need equally many values; {said}.")

    @property
    def points(self) -> tuple[dict[str, Condition], ...]:
        """The settings of every point, in order; equal points stay."""
        if self.kind == "random":
            rng = np.random.default_rng(self.seed)
            return tuple(self._drawn(rng) for _ in range(self.number))
        columns: list[Any] = list(self.settings.values())
        rows = zip(*columns, strict=True) if self.kind == "zip" else product(*columns)
        return tuple(dict(zip(self.settings, row, strict=True)) for row in rows)

    def _drawn(self, rng: np.random.Generator) -> dict[str, Condition]:
        return {
            name: values.draw(rng)
            if isinstance(values, Range)
            else values[int(rng.integers(len(values)))]
            for name, values in self.settings.items()
        }


@final
@dataclass(frozen=True)
class SweepFile:
    """A sweep as a file declares it.

    Attributes
    ----------
    experiment : str
    sweep : Sweep
    seeds : tuple of int or None
        None where the file leaves them open.
    """

    experiment: str
    sweep: Sweep
    seeds: tuple[int, ...] | None


def read_sweep(path: Path) -> SweepFile:
    """Read a sweep from a TOML file.

    It holds ``experiment = "lock"``, ``seeds = 3`` (0, 1, 2) or a list of them, and one table
    ``[grid]``, ``[ladder]``, ``[zip]`` or ``[random]`` of settings: ``horizon = [1, 2, 3]``, in a
    random one also ``learning_rate = { low = 1e-4, high = 1e-2, log = true }``, with
    ``number = 20`` (points) and ``seed = 0`` before the table.

    Raises
    ------
    OSError
        If there is no such file.
    ValueError
        If it is no TOML, or declares no sweep.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        return _declared(found)
    except ValueError as error:
        raise ValueError(f"{path}: {str(error).rstrip('.')}.") from None


def _declared(found: Mapping[str, Any]) -> SweepFile:
    unknown = sorted(set(found) - set(KEYS))
    if unknown:
        raise ValueError(f"{', '.join(unknown)} is not known; known are {', '.join(sorted(KEYS))}")
    kinds = [kind for kind in KINDS if kind in found]
    if len(kinds) != 1 or not isinstance(found[kinds[0]], dict):
        raise ValueError(f"one table is needed, of {', '.join(f'[{kind}]' for kind in KINDS)}")
    if not isinstance(found.get("experiment"), str):
        raise ValueError("experiment = \"NAME\" is needed; 'ontogeny show experiments' lists them")
    settings = {name: _declared_values(name, given) for name, given in found[kinds[0]].items()}
    sweep = Sweep(kinds[0], settings, found.get("number", 0), found.get("seed", 0))
    return SweepFile(found["experiment"], sweep, _seeds(found.get("seeds")))


def _declared_values(name: str, given: Any) -> Values:
    if not isinstance(given, dict):
        values: Values = given
        return values
    if not {"low", "high"} <= set(given) <= {"low", "high", "log"}:
        raise ValueError(f"{name} needs low and high, and may have log; it has {', '.join(given)}")
    return Range(**given)


def _seeds(given: Any) -> tuple[int, ...] | None:
    if given is None:
        return None
    if isinstance(given, list):
        return tuple(whole("a seed", seed, 0) for seed in given)
    return tuple(range(whole("seeds", given, 1)))


def _values(name: str, values: Any) -> Values:
    if isinstance(values, Range):
        return values
    if isinstance(values, str | Mapping) or not isinstance(values, Sequence) or not values:
        raise ValueError(f"{name} needs a list of at least one value; it is {values!r}.")
    for value in values:
        if not isinstance(value, bool | int | float | str):
            raise ValueError(f"{name} must be numbers, truth values or words; one is {value!r}.")
    return tuple(values)
