"""What a curve says besides its points, as plain values: the header under which they are stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from theory.curve import Condition, Curve, Origin, Progress, Schedule

Header = dict[str, Any]
KEY = ("run_id", "observable", "progress")
"""What tells curves apart: one header, and one series of points, belongs to each."""

TYPES: Mapping[str, tuple[type, ...]] = {
    "run_id": (str,),
    "observable": (str,),
    "progress": (str,),
    "run": (str,),
    "unit": (str,),
    "window": (int, type(None)),
    "origin": (str,),
    "support": (list, type(None)),
    "conditions": (dict,),
}


def header_of(curve: Curve) -> Header:
    """Return what a curve says besides its points, as JSON values."""
    return {
        "run_id": curve.run_id,
        "observable": curve.observable,
        "progress": str(curve.progress),
        "run": curve.run,
        "unit": curve.unit,
        "window": curve.window,
        "origin": str(curve.origin),
        "support": None if curve.support is None else list(curve.support),
        "conditions": {name: plain(value) for name, value in curve.conditions.items()},
    }


def curve_of(header: Header, points: Mapping[str, NDArray[Any]]) -> Curve:
    """Return the curve of a header and its points.

    Raises
    ------
    ValueError
        If they cannot be a curve.
    """
    return Curve(
        observable=header["observable"],
        unit=header["unit"],
        progress=Progress(header["progress"]),
        window=header["window"],
        run=header["run"],
        run_id=header["run_id"],
        conditions={name: condition_of(value) for name, value in header["conditions"].items()},
        origin=Origin(header["origin"]),
        support=None if header["support"] is None else tuple(header["support"]),
        **points,
    )


def plain(value: Condition) -> Any:
    """Return a condition as a JSON value; a schedule is the only one that is an object."""
    return {"schedule": value.content()} if isinstance(value, Schedule) else value


def condition_of(value: Any) -> Condition:
    """Return the condition that `plain` made plain.

    Raises
    ------
    ValueError
        If it is an object that is no schedule.
    """
    if not isinstance(value, Mapping):
        return value  # type: ignore[no-any-return]
    schedule = value.get("schedule")
    if not isinstance(schedule, Mapping) or set(schedule) != {"t", "value"}:
        raise ValueError(f"{value} is no condition.")
    return Schedule(**schedule)


def check_header(value: Any) -> Header:
    """Return a header read from a file, once it has what a header has.

    Raises
    ------
    ValueError
        If a field is missing or of another type.
    """
    if not isinstance(value, dict) or value.keys() != TYPES.keys():
        raise ValueError(f"a header has the fields {', '.join(TYPES)}")
    # A store has thousands of headers: this is twice as fast as a loop over them.
    if not all(map(isinstance, map(value.__getitem__, TYPES), TYPES.values())):
        wrong = next(name for name, types in TYPES.items() if not isinstance(value[name], types))
        raise ValueError(f"{wrong} = {value[wrong]!r} is no {wrong}")
    return value


def key_of(header: Header) -> tuple[str, ...]:
    """Return what tells this curve from all others."""
    return header["run_id"], header["observable"], header["progress"]


def same_header(one: Header, other: Header) -> bool:
    """Tell whether two headers say the same; 1, 1.0 and True are three different conditions."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def difference(old: Header, new: Header) -> str:
    """Say in what two headers differ: ``alpha = 0.1, now 0.2``."""
    before, now = ({**header, **header["conditions"]} for header in (old, new))
    said = [
        f"{name} = {before.get(name, 'absent')!r}, now {now.get(name, 'absent')!r}"
        for name in sorted(before.keys() | now.keys())
        if name != "conditions" and before.get(name, ...) != now.get(name, ...)
    ]
    return "; ".join(said) or "values of another type"
