"""Settings in their declared types: what equals a value of the type becomes one, the rest is said.

Two settings that compare equal (0 and 0.0, 64.0 and 64) decide the same run, so they must also
be written and hashed alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, get_args, get_type_hints

import numpy as np


def whole(name: str, value: object, least: int | None = None) -> int:
    """Return a whole number as an int.

    Raises
    ------
    ValueError
        If the value is no whole number, or is less than `least`.
    """
    plain = _plain(value)
    if isinstance(plain, bool) or not isinstance(plain, int | float) or plain % 1 != 0:
        raise ValueError(f"{name} must be a whole number; it is {plain!r}.")
    if least is not None and plain < least:
        raise ValueError(f"{name} must be at least {least}; it is {plain}.")
    return int(plain)


def number(name: str, value: object) -> float:
    """Return a finite number as a float; -0.0 becomes 0.0.

    Raises
    ------
    ValueError
        If the value is no finite number.
    """
    plain = _plain(value)
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        raise ValueError(f"{name} must be a number; it is {plain!r}.")
    try:
        result = float(plain) + 0.0
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise ValueError(f"{name} must be finite; it is {result}.")
    return result


def truth(name: str, value: object) -> bool:
    """Return a truth value (0 and 1 are taken as such) as a bool.

    Raises
    ------
    ValueError
        If the value is none.
    """
    plain = _plain(value)
    if not isinstance(plain, bool | int) or plain not in (0, 1):
        raise ValueError(f"{name} must be True or False; it is {plain!r}.")
    return bool(plain)


def _plain(value: object) -> object:
    """Return a number of numpy as Python's."""
    return value.item() if isinstance(value, np.generic) else value


_READERS: Mapping[type, Callable[[str, object], object]] = {int: whole, float: number, bool: truth}


def coerce_fields(settings: Any) -> None:
    """Replace the int, float and bool fields of a frozen dataclass by values of these types.

    A field declared ``float | None`` may be None. Called first in `__post_init__`.

    Raises
    ------
    ValueError
        If a value is none of its field's type; the field is named.
    """
    hints: dict[str, Any] = get_type_hints(type(settings))
    for field in fields(settings):
        value, hint = getattr(settings, field.name), hints[field.name]
        kinds = get_args(hint) or (hint,)
        reader = next((read for kind, read in _READERS.items() if kind in kinds), None)
        if reader and not (value is None and type(None) in kinds):
            object.__setattr__(settings, field.name, reader(field.name, value))
