"""A form as a PyTensor expression, for samplers that need its gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytensor.tensor as pt
import sympy
from pytensor.tensor.variable import TensorVariable
from sympy.printing.lambdarepr import LambdaPrinter

from fitting.sampling.numeric_op import SLOPES, NumericOp
from theory.form import TIME, Form
from theory.stable import SMALLEST

LARGEST_EXPONENT = 700.0
"""``exp`` of more is held here, short of overflow: a gradient of inf · 0 would be NaN."""


def graph(form: Form, t: Any, parameters: Mapping[str, Any]) -> TensorVariable:
    """Return the form's value as a PyTensor expression.

    Parameters
    ----------
    form : any form.
    t : tensor or array, (n,).
    parameters : a tensor or number for each parameter, by name, broadcastable with `t`.

    Returns
    -------
    tensor, `t` and the parameters broadcast together.

    Raises
    ------
    ValueError
        If the names are not those of the form's parameters.
    """
    if set(parameters) != set(form.names):
        raise ValueError(
            f"{form.name} takes the parameters {', '.join(sorted(form.names))}; "
            f"got {', '.join(sorted(parameters))}."
        )
    function = sympy.lambdify(
        (TIME, *form.symbols),
        form.computed,
        modules=[_FUNCTIONS, pt],
        printer=_PyTensorPrinter(),
        cse=True,
    )
    times = pt.as_tensor_variable(t)
    value = function(times, *(parameters[name] for name in form.names))
    return value + pt.zeros_like(times)


def _exp(x: Any) -> TensorVariable:
    return pt.exp(pt.minimum(x, LARGEST_EXPONENT))


def _clamped_log(x: Any) -> TensorVariable:
    return pt.log(pt.maximum(x, SMALLEST))


def _approach(x: Any) -> TensorVariable:
    return -pt.expm1(-x)


def _normal_rise(x: Any) -> TensorVariable:
    return 0.5 * pt.erfc(-x / np.sqrt(2.0))


def _number(x: float) -> TensorVariable:
    return pt.constant(x, dtype="float64")


_FUNCTIONS = {
    "number": _number,
    "exp": _exp,
    "approach": _approach,
    "softplus": pt.softplus,
    "clamped_log": _clamped_log,
    "expm1": pt.expm1,
    "normal_rise": _normal_rise,
    "rise": pt.sigmoid,
    **{name: NumericOp(name) for name in SLOPES},
}


class _PyTensorPrinter(LambdaPrinter):  # type: ignore[misc]
    """Prints functions by their bare names and a Piecewise as nested ``switch``."""

    def __init__(self) -> None:
        names = {name: name for name in _FUNCTIONS}
        super().__init__({"fully_qualified_modules": False, "user_functions": names})

    def _print_Integer(self, expr: sympy.Integer) -> str:
        # PyTensor holds small numbers in few bits, and takes their logarithm in single precision.
        return f"number({int(expr)})"

    def _print_Piecewise(self, expr: sympy.Piecewise) -> str:
        # The pieces of a form's expression cover its domain: the last needs no condition.
        *cases, (last, _) = expr.args
        text: str = self._print(last)
        for value, condition in reversed(cases):
            text = f"switch({self._print(condition)}, {self._print(value)}, {text})"
        return text
