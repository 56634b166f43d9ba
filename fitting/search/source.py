"""A form as Python source for the user's own module."""

from __future__ import annotations

import math

import sympy

from theory.form import Form
from theory.parameter import Kind, Parameter


def form_source(form: Form) -> str:
    """Return source that, executed, defines `form.name` as an equal form.

    The expression is text for sympy, in the parameters' symbols and the functions of sympy and
    `theory.stable`.
    """
    calls = {call.func for call in form.expression.atoms(sympy.Function)}
    own = sorted(
        (call.__module__, call.__name__) for call in calls if not hasattr(sympy, call.__name__)
    )
    imports = [f"from {module} import {name}" for module, name in own]
    words = ["t=TIME", *(f"{name}={name}" for _, name in own)]
    fields = [f"reference={form.reference!r}"]
    if form.domain != (0.0, math.inf):
        fields.append(f"domain=({_number(form.domain[0])}, {_number(form.domain[1])})")
    fields += [
        f"{name}={value!r}"
        for name, value in (("breakpoints", form.breakpoints), ("ordered", form.ordered))
        if value
    ]
    lines = [
        "import sympy",
        *(line for line in imports if line.startswith("from sympy")),
        "",
        "from theory.form import TIME, Form",
        "from theory.parameter import Kind, Parameter",
        *(line for line in imports if not line.startswith("from sympy")),
        "",
        "parameters = (",
        *(f"    {_parameter(parameter)}," for parameter in form.parameters),
        ")",
        f"words = dict({', '.join(words)}, **{{p.name: p.symbol for p in parameters}})",
        f"{form.name} = Form(",
        f"    name={form.name!r},",
        f"    expression=sympy.sympify({str(form.expression)!r}, locals=words),",
        "    parameters=parameters,",
        *(f"    {field}," for field in fields),
        ")",
    ]
    return "\n".join(lines) + "\n"


def _parameter(parameter: Parameter) -> str:
    """Return a parameter's source, what is so by default left out."""
    kind = Kind(parameter.kind)
    usual = Parameter("usual", "", parameter.unit, kind, default_range=parameter.default_range)
    parts = [repr(parameter.name), repr(parameter.meaning), repr(parameter.unit)]
    parts.append(f"Kind.{kind.name}")
    parts += [
        f"{name}={_number(getattr(parameter, name))}"
        for name in ("lower", "upper", "width_factor")
        if getattr(parameter, name) != getattr(usual, name)
    ]
    if parameter.default_range is not None:
        parts.append(f"default_range={parameter.default_range!r}")
    return f"Parameter({', '.join(parts)})"


def _number(value: float) -> str:
    return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
