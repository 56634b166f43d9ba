"""How expressions are printed: terms in the order a person writes them."""

from __future__ import annotations

from typing import Any

import sympy
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter


def python_of(expression: sympy.Expr) -> str:
    """Return an expression as Python source that sympy reads back as the same expression."""
    text: str = _Python().doprint(expression)
    return text


def latex_of(expression: sympy.Expr) -> str:
    r"""Return an expression as LaTeX, parameters as upright words: ``\mathrm{rate}_{1}``."""
    names = {symbol: _upright(symbol.name) for symbol in expression.free_symbols}
    text: str = _Latex({"symbol_names": names, "ln_notation": True, "mul_symbol": r" \, "}).doprint(
        expression
    )
    return text


def _written_order(expression: sympy.Expr, order: Any = None) -> list[sympy.Expr]:
    """Sort terms: positive before negative, numbers first, then from simple to complicated."""
    return sorted(
        expression.args,
        key=lambda term: (
            term.could_extract_minus_sign(),
            not term.is_number,
            term.count_ops(),
            str(term),
        ),
    )


class _Python(StrPrinter):  # type: ignore[misc]
    def _as_ordered_terms(self, expr: sympy.Expr, order: Any = None) -> list[sympy.Expr]:
        return _written_order(expr)


class _Latex(LatexPrinter):  # type: ignore[misc]
    def _as_ordered_terms(self, expr: sympy.Expr, order: Any = None) -> list[sympy.Expr]:
        return _written_order(expr)


def _upright(name: str) -> str:
    if name == "t":
        return name
    word, _, index = name.rpartition("_")
    if word and index.isdigit():
        return rf"{_upright(word)}_{{{index}}}"
    return rf"\mathrm{{{name}}}".replace("_", r"\ ")
