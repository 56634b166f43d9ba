"""A developmental curve: one observable of one run against training progress."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

EXACT = 2.0**53
"""Beyond it float64 does not tell neighboring whole numbers apart."""


class Progress(StrEnum):
    """What the progress axis counts."""

    ENV_STEPS = "env_steps"
    UPDATES = "updates"
    EPISODES = "episodes"
    SAMPLES = "samples"
    UNSPECIFIED = "unspecified"


class Origin(StrEnum):
    """Where the numbers of a curve come from."""

    MEASURED = "measured"
    LOGGED = "logged"
    SIMULATED = "simulated"
    PUBLISHED = "published"


def locked(values: ArrayLike, name: str, dtype: type = np.float64) -> NDArray[Any]:
    """Return a read-only one-dimensional copy of `values`.

    Raises
    ------
    ValueError
        If the values are not numbers or not one-dimensional.
    """
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers; {error}.") from None
    if dtype is np.int64:
        check_whole(array.ravel(), name)
    array = array.astype(dtype, copy=False)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional; its shape is {array.shape}.")
    array.setflags(write=False)
    return array


def check_whole(values: FloatArray, name: str) -> None:
    """Check that every value is a whole number that float64 holds exactly, naming the first."""
    known = np.where(np.isfinite(values), values, 0.5)  # what is not finite is not whole
    for wrong, rule in (
        (known % 1 != 0, "hold whole numbers"),
        (np.abs(known) > EXACT, "be at most 2**53"),
    ):
        if wrong.any():
            i = int(np.argmax(wrong))
            raise ValueError(f"{name} must {rule}; {name}[{i}] = {values[i]}.")


def check_progress(t: FloatArray) -> None:
    """Check that `t` can be a progress axis: finite, not negative, strictly increasing."""
    check_finite(t, "t")
    if t[0] < 0:
        raise ValueError(f"t must not be negative; t[0] = {t[0]}.")
    backward = np.flatnonzero(t[1:] <= t[:-1])
    if backward.size:
        i = int(backward[0])
        raise ValueError(
            f"t must be strictly increasing; t[{i}] = {t[i]} is followed by {t[i + 1]}."
        )


def check_finite(values: FloatArray, name: str) -> None:
    """Check that every value is finite, naming the first that is not."""
    finite = np.isfinite(values)
    if not finite.all():
        wrong = np.flatnonzero(~finite)
        i, more = int(wrong[0]), wrong.size - 1
        others = f" and {more} more are not finite" if more else ""
        raise ValueError(f"{name} must be finite; {name}[{i}] = {values[i]}{others}.")


def check_length(values: NDArray[Any], name: str, n: int) -> None:
    """Check that an array that goes with `t` is as long as `t`."""
    if values.size != n:
        raise ValueError(f"{name} must be as long as t; {name} has {values.size}, t has {n}.")


@final
@dataclass(frozen=True, eq=False)
class Schedule:
    """A condition that drifts during training: values on the progress axis.

    Attributes
    ----------
    t : (n,) array
        Progress, strictly increasing, in the curve's own progress unit.
    value : (n,) array
        The condition at `t`.
    """

    t: FloatArray
    value: FloatArray

    def __post_init__(self) -> None:
        t, value = locked(self.t, "t"), locked(self.value, "value")
        if not t.size:
            raise ValueError("a schedule needs at least one point; t is empty.")
        check_progress(t)
        check_length(value, "value", t.size)
        check_finite(value, "value")
        object.__setattr__(self, "t", t)
        object.__setattr__(self, "value", value)

    def __setstate__(self, state: dict[str, Any]) -> None:
        relock(self, state)

    def content(self) -> dict[str, list[float]]:
        """Return the schedule as plain lists, the form in which it is hashed and stored."""
        return {"t": self.t.tolist(), "value": self.value.tolist()}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schedule) and self.content() == other.content()

    def __hash__(self) -> int:
        return hash((self.t.tobytes(), self.value.tobytes()))


Condition = bool | int | float | str | Schedule


def relock(value: object, state: Mapping[str, Any]) -> None:
    """Restore the state of an unpickled noun, with its arrays locked again."""
    for name, item in state.items():
        if isinstance(item, np.ndarray):
            item.setflags(write=False)
        elif isinstance(item, dict):
            item = MappingProxyType(item)
        object.__setattr__(value, name, item)


def check_conditions(conditions: Mapping[str, Condition]) -> Mapping[str, Condition]:
    """Return a read-only copy of the ledger of conditions, sorted by name."""
    for name, value in conditions.items():
        if not isinstance(name, str) or not name:
            raise ValueError(f"a condition needs a name; got {name!r}.")
        if not isinstance(value, bool | int | float | str | Schedule):
            raise ValueError(
                f"condition {name!r} must be a bool, float, int, str or Schedule; "
                f"it is a {type(value).__name__}."
            )
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"condition {name!r} must be finite; it is {value}.")
    return MappingProxyType(dict(sorted(conditions.items())))


@final
@dataclass(frozen=True, eq=False)
class Curve:
    """One observable of one run (one seed) against training progress.

    Arrays are copied, checked and locked; two curves are equal when their contents
    are (`digest`). A curve is never an average over seeds: the mean of sharp steps
    looks like a logistic (Heathcote, Brown and Mewhort 2000 on averaging).

    Attributes
    ----------
    observable : str
        What was observed, e.g. ``"episodic_return"``, ``"p_goal"``.
    t : (n,) array
        Training progress, finite, not negative, strictly increasing.
    y : (n,) array
        The observable at `t`.
    unit : str
        Unit of `y`; empty for a pure number.
    progress : Progress
        What `t` counts.
    y_se : (n,) array or None
        Standard error of each `y`, independent from point to point. An error that all
        points share (the same held-out levels at every checkpoint) does not belong here:
        the fits would take it for scatter that the points do not have.
    n_trials : (n,) integer array or None
        Number of fresh trials behind each `y` when `y` is a proportion.
    window : int or None
        Length, in logged points, of a moving average that the log already applied.
    run : str
        The user's label of the run.
    run_id : str
        Hash of the run that made the curve.
    conditions : mapping of str to bool, int, float, str or Schedule
        Everything that could have shaped the curve.
    origin : Origin
        Measured here, logged by somebody, simulated, or published.
    support : (float, float) or None
        Declared range of `y`, e.g. ``(0.0, 1.0)`` for a probability.

    Raises
    ------
    ValueError
        In one sentence, for anything that cannot be a curve.
    """

    observable: str
    t: FloatArray
    y: FloatArray
    unit: str = ""
    progress: Progress = Progress.UNSPECIFIED
    y_se: FloatArray | None = None
    n_trials: IntArray | None = None
    window: int | None = None
    run: str = ""
    run_id: str = ""
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    origin: Origin = Origin.LOGGED
    support: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        t, y = locked(self.t, "t"), locked(self.y, "y")
        if not t.size:
            raise ValueError(f"a curve needs at least one point; {self.observable!r} has none.")
        check_length(y, "y", t.size)
        check_progress(t)
        check_finite(y, "y")
        lock = object.__setattr__
        lock(self, "t", t)
        lock(self, "y", y)
        lock(self, "y_se", self._checked_se(t.size))
        lock(self, "n_trials", self._checked_trials(y))
        lock(self, "progress", Progress(self.progress))
        lock(self, "origin", Origin(self.origin))
        lock(self, "conditions", check_conditions(self.conditions))
        lock(self, "support", self._checked_support(y))
        if self.window is not None and self.window < 1:
            raise ValueError(f"window must be at least 1; it is {self.window}.")

    def _checked_se(self, n: int) -> FloatArray | None:
        if self.y_se is None:
            return None
        y_se = locked(self.y_se, "y_se")
        check_length(y_se, "y_se", n)
        check_finite(y_se, "y_se")
        negative = np.flatnonzero(y_se < 0)
        if negative.size:
            i = int(negative[0])
            raise ValueError(f"y_se must not be negative; y_se[{i}] = {y_se[i]}.")
        return y_se

    def _checked_trials(self, y: FloatArray) -> IntArray | None:
        if self.n_trials is None:
            return None
        n_trials = locked(self.n_trials, "n_trials", np.int64)
        check_length(n_trials, "n_trials", y.size)
        empty = np.flatnonzero(n_trials < 1)
        if empty.size:
            i = int(empty[0])
            raise ValueError(f"n_trials must be at least 1; n_trials[{i}] = {n_trials[i]}.")
        outside = np.flatnonzero((y < 0) | (y > 1))
        if outside.size:
            i = int(outside[0])
            raise ValueError(f"y must be a proportion where n_trials is given; y[{i}] = {y[i]}.")
        return n_trials

    def _checked_support(self, y: FloatArray) -> tuple[float, float] | None:
        if self.support is None:
            return None
        low, high = (float(edge) for edge in self.support)
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"support must be (low, high) with low < high; it is {self.support}.")
        outside = np.flatnonzero((y < low) | (y > high))
        if outside.size:
            i = int(outside[0])
            raise ValueError(f"y must lie in its support ({low}, {high}); y[{i}] = {y[i]}.")
        return low, high

    @property
    def n_obs(self) -> int:
        """Number of points."""
        return int(self.t.size)

    @cached_property
    def digest(self) -> str:
        """Hash (sha256, hexadecimal) of everything the curve says."""
        content = {
            name: getattr(self, name)
            for name in ("observable", "unit", "progress", "window", "run", "run_id", "origin")
        }
        content["support"] = self.support
        content["conditions"] = {
            name: value.content() if isinstance(value, Schedule) else value
            for name, value in self.conditions.items()
        }
        hashed = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
        for name in ("t", "y", "y_se", "n_trials"):
            array = getattr(self, name)
            # Adding 0.0 makes -0.0 and 0.0, which compare equal, hash alike.
            data = np.empty(0) if array is None else array + array.dtype.type(0)
            hashed.update(f"{name}:{data.nbytes}:".encode())
            hashed.update(np.ascontiguousarray(data).data)
        return hashed.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Curve) and self.digest == other.digest

    def __hash__(self) -> int:
        return int(self.digest[:15], 16)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "conditions": dict(self.conditions)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        relock(self, state)
