"""A form as Python source for the user's own module."""

from __future__ import annotations

import math

import sympy

from theory.form import Form
from theory.parameter import Kind, Parameter


def form_source(form: Form) -> str:
    """Return source that, executed, defines `form.name` as an equal form.

    The expression is written for sympy and the functions of `theory.stable` in the parameters'
    symbols; t is `theory.form.TIME`.
    """
    calls = {call.func for call in form.expression.atoms(sympy.Function)}
    own = sorted(
        (call.__module__, call.__name__) for call in calls if not hasattr(sympy, call.__name__)
    )
    lines = ["import sympy"]
    lines += [f"from {module} import {name}" for module, name in own if module[:5] == "sympy"]
    lines += [
        "",
        "from theory.form import TIME, Form",
        "from theory.parameter import Kind, Parameter",
    ]
    lines += [f"from {module} import {name}" for module, name in own if module[:5] != "sympy"]
    names = ", ".join(f'"{name}": {name}' for _, name in own)
    lines += ["", f"{form.name} = Form(", f"    name={form.name!r},"]
    lines += ["    expression=sympy.sympify("]
    lines += [f"        {str(form.expression)!r},"]
    declared = ", ".join(
        [f'"{name}": sympy.Symbol("{name}", real=True)' for name in form.names] + ['"t": TIME']
    )
    lines += ["        locals={" + ", ".join(part for part in (declared, names) if part) + "},"]
    lines += ["    ),", "    parameters=("]
    lines += [f"        {_parameter(parameter)}," for parameter in form.parameters]
    lines += ["    ),", f"    reference={form.reference!r},"]
    lines += [f"    domain=({_number(form.domain[0])}, {_number(form.domain[1])}),"]
    lines += [f"    breakpoints={form.breakpoints!r},", f"    ordered={form.ordered!r},", ")"]
    return "\n".join(lines) + "\n"


def _parameter(parameter: Parameter) -> str:
    parts = [repr(parameter.name), repr(parameter.meaning), repr(parameter.unit)]
    parts.append(f"Kind.{Kind(parameter.kind).name}")
    for name in ("lower", "upper", "width_factor"):
        parts.append(f"{name}={_number(getattr(parameter, name))}")
    parts.append(f"default_range={parameter.default_range!r}")
    return f"Parameter({', '.join(parts)})"


def _number(value: float) -> str:
    return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
