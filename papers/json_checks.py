"""Checks of what JSON holds: small functions that say in a sentence what is wrong, and where."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any, str], None]
"""Takes a value and its place; raises ValueError with a sentence."""


def fail(place: str, wanted: str, value: Any) -> None:
    """Raise the ValueError that says what a place should hold.

    Raises
    ------
    ValueError
        Always.
    """
    raise ValueError(f"{place} must be {wanted}; it is {_said(value)}.")


def _said(value: Any) -> str:
    text = "null" if value is None else repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


def text(value: Any, place: str) -> None:
    """Check that a value is text."""
    if not isinstance(value, str):
        fail(place, "text", value)


def number(value: Any, place: str) -> None:
    """Check that a value is a finite number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        fail(place, "a finite number", value)


def truth(value: Any, place: str) -> None:
    """Check that a value is true or false."""
    if not isinstance(value, bool):
        fail(place, "true or false", value)


def anything(value: Any, place: str) -> None:
    """Check nothing."""


def maybe(check: Check) -> Check:
    """Allow null."""
    return lambda value, place: None if value is None else check(value, place)


def one_of(*choices: str) -> Check:
    """Allow these words only."""

    def check(value: Any, place: str) -> None:
        if value not in choices:
            fail(place, f"one of {', '.join(choices)}", value)

    return check


_WORDS = {str: "text", int: "a whole number", float: "a number", type(None): "null"}


def one_type(*kinds: type) -> Check:
    """Allow values of these types only."""

    def check(value: Any, place: str) -> None:
        if not isinstance(value, kinds):
            fail(place, " or ".join(_WORDS[kind] for kind in kinds), value)

    return check


def list_of(check: Check, *, least: int = 0) -> Check:
    """Check every element of a list of at least so many."""

    def check_list(value: Any, place: str) -> None:
        if not isinstance(value, list | tuple):
            fail(place, "a list", value)
        if len(value) < least:
            raise ValueError(f"{place} must have at least {least} elements; it has {len(value)}.")
        for i, element in enumerate(value):
            check(element, f"{place}[{i}]")

    return check_list


def mapping_of(check: Check) -> Check:
    """Check every value of an object."""

    def check_mapping(value: Any, place: str) -> None:
        if not isinstance(value, Mapping):
            fail(place, "an object", value)
        for name, element in value.items():
            check(element, f"{place}.{name}")

    return check_mapping


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """Check an object key by key; keys that are not named are free."""
    known = {**required, **(optional or {})}

    def check(value: Any, place: str) -> None:
        if not isinstance(value, Mapping):
            fail(place, "an object", value)
        missing = [key for key in required if key not in value]
        if missing:
            raise ValueError(f"{place} lacks {', '.join(missing)}.")
        for key, one in known.items():
            if key in value:
                one(value[key], f"{place}.{key}")

    return check
