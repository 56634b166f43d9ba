"""Forms set as mathematics that a browser typesets by itself (MathML)."""

from __future__ import annotations

import re
from functools import cache
from typing import Any


@cache
def mathml(form: str) -> str | None:
    """Return the formula of a registered form as MathML; None for a name not registered.

    The expression comes from the registry, never from a results file: reading a formula
    from text would execute it.
    """
    from theory.forms import FORMS

    if form not in FORMS:
        return None
    body = _printer().doprint(FORMS[form].expression)
    # Parameters are words: upright, with their numbers as subscripts.
    body = re.sub(r"<mi>([A-Za-z]{2,})</mi>", r'<mi mathvariant="normal">\1</mi>', body)
    body = body.replace("<mo>-</mo>", "<mo>−</mo>")
    body = re.sub(r"<mo>(&InvisibleTimes;|\u2062)</mo>", '<mspace width="0.17em"/>', body)
    body = re.sub(r"^<math[^>]*>|</math>$", "", body)
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">{body}</math>'


@cache
def _printer() -> Any:
    from sympy.printing.mathml import MathMLPresentationPrinter

    from theory.printing import _written_order

    class Printer(MathMLPresentationPrinter):  # type: ignore[misc]
        """Terms in the order a person writes them; exp(x) on the line, where it can be read."""

        def _as_ordered_terms(self, expr: Any, order: Any = None) -> Any:
            return _written_order(expr)

        def _print_exp(self, expr: Any) -> Any:
            row = self.dom.createElement("mrow")
            name = self.dom.createElement("mi")
            name.appendChild(self.dom.createTextNode("exp"))
            row.appendChild(name)
            row.appendChild(self.parenthesize(expr.args[0], 10**6))
            return row

    return Printer()


@cache
def meanings(form: str) -> dict[str, str]:
    """Return what each parameter of a registered form means."""
    from theory.forms import FORMS

    if form not in FORMS:
        return {}
    return {parameter.name: parameter.meaning for parameter in FORMS[form].parameters}


@cache
def reference(form: str) -> str:
    """Return the source of a registered form; empty for a name not registered."""
    from theory.forms import FORMS

    return FORMS[form].reference if form in FORMS else ""
