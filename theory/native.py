"""Loops over numbers, compiled: where array operations would make a pass over memory a step."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, update_wrapper, wraps
from types import FunctionType
from typing import Any, ParamSpec, TypeVar

Inputs = ParamSpec("Inputs")
Output = TypeVar("Output")


def native(function: Callable[Inputs, Output]) -> Callable[Inputs, Output]:
    """Compile a function of numbers and arrays by numba, at its first call.

    Division by zero gives inf or nan, as in numpy. What was compiled is kept on disk for the next
    process, where there is a place to keep it. It may call other such functions of its own file.
    """

    @cache
    def compiled() -> Callable[Inputs, Output]:
        import numba

        options: dict[str, Any] = {"error_model": "numpy", "nogil": True}
        source = _with_compiled_calls(function)
        try:
            made: Callable[Inputs, Output] = numba.njit(cache=True, **options)(source)
        except RuntimeError:  # neither the package's folder nor the user's cache can be written
            made = numba.njit(**options)(source)
        return made

    @wraps(function)
    def call(*args: Inputs.args, **kwargs: Inputs.kwargs) -> Output:
        return compiled()(*args, **kwargs)

    call.compiled = compiled  # type: ignore[attr-defined]
    return call


def _with_compiled_calls(function: Callable[Inputs, Output]) -> Callable[Inputs, Output]:
    """Copy a function whose calls of native functions go to what numba made of them."""
    assert isinstance(function, FunctionType)
    names = {
        name: getattr(value, "compiled", lambda value=value: value)()
        for name, value in function.__globals__.items()
        if name in function.__code__.co_names
    }
    if all(names[name] is function.__globals__[name] for name in names):
        return function
    own = {**function.__globals__, **names}
    copy = FunctionType(function.__code__, own, function.__name__, function.__defaults__)
    return update_wrapper(copy, function)
