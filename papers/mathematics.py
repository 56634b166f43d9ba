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
    body = _printer().doprint(FORMS[form].plain)
    # Parameters are words: upright, with their numbers as subscripts.
    body = re.sub(r"<mi>([A-Za-z_]{2,})</mi>", r'<mi mathvariant="normal">\1</mi>', body)
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
            return self._row(
                self._leaf("mi", "exp"), self.parenthesize(expr.args[0], 10**6, strict=False)
            )

        def _print_Symbol(self, sym: Any, style: str = "plain") -> Any:
            # sympy takes what follows any underscore as a subscript: log_ratio is one word.
            word, _, index = sym.name.rpartition("_")
            if not (word and index.isdigit()):
                return self._leaf("mi", sym.name)
            return self._row(self._leaf("mi", word), self._leaf("mn", index), tag="msub")

        def _print_Piecewise(self, expr: Any) -> Any:
            cases = self.dom.createElement("mtable")
            for value, where in expr.args:
                is_rest = bool(where == True)  # noqa: E712 (sympy's own truth)
                said = self._leaf("mtext", "otherwise") if is_rest else self._condition(where)
                cells = [self._row(part, tag="mtd") for part in (self._print(value), said)]
                for cell in cells:
                    cell.setAttribute("style", "text-align: left")
                cases.appendChild(self._row(*cells, tag="mtr"))
            return self._row(self._leaf("mo", "{"), cases)

        def _condition(self, where: Any) -> Any:
            # "t ≤ onset" reads as time goes on; sympy sorts the sides by name.
            return self._print(where.reversed if str(where.rhs) == "t" else where)

        def _leaf(self, tag: str, text: str) -> Any:
            leaf = self.dom.createElement(tag)
            leaf.appendChild(self.dom.createTextNode(text))
            return leaf

        def _row(self, *parts: Any, tag: str = "mrow") -> Any:
            row = self.dom.createElement(tag)
            for part in parts:
                row.appendChild(part)
            return row

    return Printer()


@cache
def latex(form: str) -> str | None:
    """Return the formula of a registered form as LaTeX; None for a name not registered."""
    from theory.forms import FORMS

    return FORMS[form].latex if form in FORMS else None


@cache
def meanings(form: str) -> dict[str, str]:
    """Return what each parameter of a registered form means."""
    from theory.forms import FORMS

    if form not in FORMS:
        return {}
    return {parameter.name: parameter.meaning for parameter in FORMS[form].parameters}


@cache
def units(form: str) -> dict[str, str]:
    """Return the unit of each parameter of a registered form, in "y" and "t"."""
    from theory.forms import FORMS

    if form not in FORMS:
        return {}
    return {parameter.name: parameter.unit for parameter in FORMS[form].parameters}


@cache
def reference(form: str) -> str:
    """Return the source of a registered form; empty for a name not registered."""
    from theory.forms import FORMS

    return FORMS[form].reference if form in FORMS else ""
