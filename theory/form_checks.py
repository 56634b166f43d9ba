"""What must hold of a form's expression and its parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import sympy

from theory.parameter import Kind

if TYPE_CHECKING:
    from theory.form import Form


def check_names(form: Form) -> None:
    """Raise ValueError where declared names and those of the expression differ."""
    if len(set(form.names)) < len(form.names):
        raise ValueError(f"{form.name}: a parameter is declared twice in {form.names}.")
    free = {symbol.name for symbol in form.expression.free_symbols} - {"t"}
    for names, wrong in (
        (free - set(form.names), "used but not declared"),
        (set(form.names) - free, "declared but not used"),
    ):
        if names:
            raise ValueError(f"{form.name}: parameters {wrong}: {_listed(names)}.")
    unknown = {str(call.func) for call in form.expression.atoms(sympy.core.function.AppliedUndef)}
    if unknown:
        raise ValueError(f"{form.name}: undefined functions in it: {_listed(unknown)}.")
    named = {*form.breakpoints, *(name for group in form.ordered for name in group)}
    if named - set(form.names):
        raise ValueError(
            f"{form.name}: breakpoints and ordered name no parameter: "
            f"{_listed(named - set(form.names))}; choose from {_listed(form.names)}."
        )
    low, high = form.domain
    if not low < high:
        raise ValueError(f"{form.name}: domain must increase; got ({low}, {high}).")


def check_roles(form: Form) -> None:
    """Raise ValueError where a parameter does not enter as its kind must."""
    kinds = {parameter.name: parameter.kind for parameter in form.parameters}
    for group in form.ordered:
        wrong = {name for name in group if kinds[name] is not Kind.MIDPOINT}
        if wrong or len(group) < 2:
            raise ValueError(
                f"{form.name}: an ordered group is two or more midpoints; got {group}."
            )
    if list(kinds.values()).count(Kind.FLOOR) > 1:
        raise ValueError(f"{form.name}: a form has at most one floor.")
    for parameter in form.parameters:
        if parameter.kind not in (Kind.FLOOR, Kind.GAIN, Kind.SLOPE):
            continue
        column = sympy.diff(form.expression, parameter.symbol)
        if parameter.kind is Kind.FLOOR and column != 1:
            raise ValueError(
                f"{form.name}: the floor must enter with coefficient 1; it is {column}."
            )
        if parameter.symbol in column.free_symbols:
            raise ValueError(f"{form.name}: {parameter.name} must enter linearly.")


def _listed(names: Iterable[str]) -> str:
    """Names in order, with commas."""
    return ", ".join(sorted(names))
