"""Loops over numbers, compiled: where array operations would make a pass over memory a step."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

Inputs = ParamSpec("Inputs")
Output = TypeVar("Output")


def native(function: Callable[Inputs, Output]) -> Callable[Inputs, Output]:
    """Compile a function of numbers and arrays by numba, at its first call.

    Division by zero gives inf or nan, as in numpy. What was compiled is kept on disk for the next
    process, where there is a place to keep it.
    """

    @cache
    def compiled() -> Callable[Inputs, Output]:
        import numba

        options: dict[str, Any] = {"error_model": "numpy", "nogil": True}
        try:
            made: Callable[Inputs, Output] = numba.njit(cache=True, **options)(function)
        except RuntimeError:  # neither the package's folder nor the user's cache can be written
            made = numba.njit(**options)(function)
        return made

    @wraps(function)
    def call(*args: Inputs.args, **kwargs: Inputs.kwargs) -> Output:
        return compiled()(*args, **kwargs)

    return call
