"""Functions that keep expressions finite where their textbook writing overflows, or has no writing.

``log(1 + exp(x))`` overflows for large x although its value is near x, ``(t/timescale)**n`` has a
Jacobian of 0·∞ at t = 0, and ``1 - exp(-x)`` has no correct digit for tiny x. Forms are written
with `softplus`, `clamped_log` and `approach` instead; in print (:func:`plain`) they read as the
textbook functions they stand for. So does `gamma_rise`, whose derivative in its order has no closed
form. `gradient_rise`, the inverse of elementary functions, keeps its name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from scipy.special import erf, expit, gammainc, gammaln, ndtr
from sympy.codegen.cfunctions import expm1

from theory.incomplete_gamma import order_slope

SMALLEST = 1e-200
"""What `clamped_log` takes 0 for: far below any ratio of times, far above underflow."""


class softplus(sympy.Function):  # type: ignore[misc]  # noqa: N801 (sympy's functions are lower case)
    """``log(1 + exp(x))``; its derivative is `rise`."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """Return the derivative."""
        return rise(self.args[0])

    def _eval_rewrite_as_log(self, x: sympy.Expr, **_: Any) -> sympy.Expr:
        return sympy.log(1 + sympy.exp(x))

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        return self._eval_rewrite_as_log(self.args[0])._eval_evalf(prec)

    def _eval_is_extended_real(self) -> bool | None:
        real: bool | None = self.args[0].is_extended_real
        return real


class rise(sympy.Function):  # type: ignore[misc]  # noqa: N801
    """``1/(1 + exp(-x))``, the logistic function, to full relative precision also where it is tiny.

    ``(1 + tanh(x/2))/2`` has no correct digit for x below -37.
    """

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """Return the derivative, the product of the two tails."""
        return rise(self.args[0]) * rise(-self.args[0])

    def _eval_rewrite_as_tanh(self, x: sympy.Expr, **_: Any) -> sympy.Expr:
        return (1 + sympy.tanh(x / 2)) / 2

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        return (1 / (1 + sympy.exp(-self.args[0])))._eval_evalf(prec)

    def _eval_is_extended_real(self) -> bool | None:
        real: bool | None = self.args[0].is_extended_real
        return real


class normal_rise(sympy.Function):  # type: ignore[misc]  # noqa: N801
    """The standard normal distribution function, to full relative precision also where it is tiny.

    `sympy.erfc` would do, but sympy writes ``erfc(-x)`` as ``2 - erfc(x)``.
    """

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """Return the derivative."""
        return sympy.exp(-(self.args[0] ** 2) / 2) / sympy.sqrt(2 * sympy.pi)

    def _eval_rewrite_as_erf(self, x: sympy.Expr, **_: Any) -> sympy.Expr:
        return (1 + sympy.erf(x / sympy.sqrt(2))) / 2

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        return (sympy.erfc(-self.args[0] / sympy.sqrt(2)) / 2)._eval_evalf(prec)

    def _eval_is_extended_real(self) -> bool | None:
        real: bool | None = self.args[0].is_extended_real
        return real


class clamped_log(sympy.Function):  # type: ignore[misc]  # noqa: N801
    """``log(max(x, SMALLEST))``: a logarithm for x ≥ 0 that is finite at 0.

    A power x**n written ``exp(n*clamped_log(x))`` has at x = 0 the value 0, a derivative in x of
    0 for n > 1 and 1 for n = 1, and a derivative in n of 0. For n < 1 the derivative in x, truly
    infinite at 0, comes out as SMALLEST**(n - 1): huge but finite.
    """

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """Return the derivative, 1/max(x, SMALLEST)."""
        return sympy.exp(-clamped_log(self.args[0]))

    def _eval_rewrite_as_log(self, x: sympy.Expr, **_: Any) -> sympy.Expr:
        return sympy.log(x)

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        return sympy.log(self.args[0])._eval_evalf(prec)

    def _eval_is_extended_real(self) -> bool | None:
        positive: bool | None = self.args[0].is_extended_positive
        return positive


class approach(sympy.Function):  # type: ignore[misc]  # noqa: N801
    """``1 - exp(-x)``, to full relative precision also for tiny x."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """Return the derivative."""
        return sympy.exp(-self.args[0])

    def _eval_rewrite_as_exp(self, x: sympy.Expr, **_: Any) -> sympy.Expr:
        return 1 - sympy.exp(-x)

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        return self._eval_rewrite_as_exp(self.args[0])._eval_evalf(prec)

    def _eval_is_extended_real(self) -> bool | None:
        real: bool | None = self.args[0].is_extended_real
        return real


class gamma_rise(sympy.Function):  # type: ignore[misc]  # noqa: N801
    """``gamma_rise(order, x)``: the regularized lower incomplete gamma function P(order, x)."""

    nargs = 2

    def fdiff(self, argindex: int = 2) -> sympy.Expr:
        """Return the derivative in the order (1) or in x (2)."""
        order, x = self.args
        if argindex == 1:
            return gamma_rise_by_order(order, x)
        return sympy.exp((order - 1) * clamped_log(x) - x - sympy.loggamma(order))

    def _eval_rewrite_as_lowergamma(self, order: sympy.Expr, x: sympy.Expr, **_: Any) -> sympy.Expr:
        return sympy.lowergamma(order, x) / sympy.gamma(order)

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        return self._eval_rewrite_as_lowergamma(*self.args)._eval_evalf(prec)


class gamma_rise_by_order(sympy.Function):  # type: ignore[misc]  # noqa: N801
    """The derivative of `gamma_rise` in its order."""

    nargs = 2


class gradient_rise(sympy.Function):  # type: ignore[misc]  # noqa: N801
    """``1/(1 + exp(-u))`` where ``u + sinh(u) = 2*x``.

    It is the p of ``p' = 4·p²·(1 - p)²`` with p(0) = 1/2, as steep there as the logistic function.
    """

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """Return the derivative."""
        return 4 * self**2 * (1 - self) ** 2

    def _eval_evalf(self, prec: int) -> sympy.Expr | None:
        x = self.args[0]._eval_evalf(prec + 20)
        if x is None or not x.is_Number:
            return None
        u = _first_root(2 * x, sympy.asinh)
        before = None
        while before is None or abs(u - before) > sympy.Float(2, precision=53) ** -prec:
            before, u = u, _next_root(u, 2 * x, sympy.exp)
        return (1 / (1 + sympy.exp(-u)))._eval_evalf(prec)

    def _eval_is_extended_real(self) -> bool | None:
        real: bool | None = self.args[0].is_extended_real
        return real

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        x = printer.doprint(2 * self.args[0])
        text = rf"\left. \frac{{1}}{{1 + e^{{-u}}}} \right|_{{u + \sinh u = {x}}}"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"


def _first_root(y: Any, asinh: Callable[[Any], Any]) -> Any:
    """Return about the u of u + sinh(u) = y, to 0.06."""
    return asinh(y - asinh(y / 2))


def _next_root(u: Any, y: Any, exp: Callable[[Any], Any]) -> Any:
    """Return u after a step of Halley's method, with three times the digits."""
    growth = exp(u)
    sinh, slope = (growth - 1 / growth) / 2, 1 + (growth + 1 / growth) / 2
    miss = u + sinh - y
    return u - miss / (slope - miss * sinh / slope / 2)


def _numpy_softplus(x: Any) -> NDArray[np.float64]:
    out: NDArray[np.float64] = np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))
    return out


def _numpy_clamped_log(x: Any) -> NDArray[np.float64]:
    out: NDArray[np.float64] = np.log(np.maximum(x, SMALLEST))
    return out


def _numpy_tanh(x: Any) -> NDArray[np.float64]:
    # A third of numpy's own time; off by one rounding of 1, which a curve's floor swallows.
    out: NDArray[np.float64] = 2.0 * expit(2.0 * x) - 1.0
    return out


def _numpy_approach(x: Any) -> NDArray[np.float64]:
    out: NDArray[np.float64] = -np.expm1(-x)
    return out


def _numpy_gradient_rise(x: Any) -> NDArray[np.float64]:
    y = np.minimum(2.0 * np.abs(x), 1e150)  # its square is still a number
    u = _first_root(y, np.arcsinh)
    for _ in range(2):  # enough for all digits
        u = _next_root(u, y, np.exp)
    out: NDArray[np.float64] = expit(np.copysign(u, x))
    return out


def _numpy_dirac_delta(x: Any, _: int = 0) -> NDArray[np.float64]:
    # The derivative of a jump; at the jump itself there is none.
    return np.zeros(np.shape(x))


NUMPY = {
    "DiracDelta": _numpy_dirac_delta,
    "approach": _numpy_approach,
    "clamped_log": _numpy_clamped_log,
    "erf": erf,
    "gamma_rise": gammainc,
    "gamma_rise_by_order": order_slope,
    "gradient_rise": _numpy_gradient_rise,
    "loggamma": gammaln,
    "normal_rise": ndtr,
    "rise": expit,
    "softplus": _numpy_softplus,
    "tanh": _numpy_tanh,
}
"""The functions of this module, and some that numpy lacks or is slow in, for `sympy.lambdify`."""


def with_tails(expression: sympy.Expr) -> sympy.Expr:
    """Write ``1 ± tanh(x)`` and ``1 ± erf(x)`` as functions that keep their digits in the tail.

    The difference of two numbers near 1 is rounding alone; a column of a form in which it stands
    would be noise, and noise can be fitted.
    """
    return expression.replace(lambda e: _tail(e) is not None, _tail)


def _tail(expression: sympy.Expr) -> sympy.Expr | None:
    if not (expression.is_Add and len(expression.args) == 2 and expression.args[0] == 1):
        return None
    sign, function = expression.args[1].as_coeff_Mul()
    if abs(sign) != 1:
        return None
    if isinstance(function, sympy.tanh):
        return 2 * rise(2 * sign * function.args[0])
    if isinstance(function, sympy.erf):
        return 2 * normal_rise(sympy.sqrt(2) * sign * function.args[0])
    return None


def differentiate(expression: sympy.Expr, symbol: sympy.Symbol) -> sympy.Expr:
    """Return the derivative, products of exponentials as exponentials of sums.

    The derivative of exp(-exp(x)) is exp(x)·exp(-exp(x)), which is ∞·0 for large x where
    exp(x - exp(x)) is 0.
    """
    return sympy.diff(expression, symbol).replace(_has_two_exponentials, _merged)


def _has_two_exponentials(expression: sympy.Expr) -> bool:
    return expression.is_Mul and len(_exponentials(expression)) > 1


def _merged(product: sympy.Mul) -> sympy.Expr:
    found = _exponentials(product)
    others = [factor for factor in product.args if factor not in found]
    return sympy.Mul(*others, sympy.exp(sympy.Add(*(factor.args[0] for factor in found))))


def _exponentials(product: sympy.Mul) -> list[sympy.Expr]:
    return [factor for factor in product.args if isinstance(factor, sympy.exp)]


def plain(expression: sympy.Expr) -> sympy.Expr:
    """Rewrite an expression in functions that a reader knows, powers as powers.

    Equal to `expression` wherever both are defined; less stable, made for reading.
    """
    for function in (softplus, clamped_log):
        expression = expression.replace(function, lambda x, f=function: f(x).rewrite(sympy.log))
    expression = expression.replace(rise, lambda x: rise(x).rewrite(sympy.tanh))
    expression = expression.replace(normal_rise, lambda x: normal_rise(x).rewrite(sympy.erf))
    expression = expression.replace(gamma_rise, lambda n, x: gamma_rise(n, x).rewrite("lowergamma"))
    expression = expression.replace(approach, lambda x: 1 - sympy.exp(-x))
    expression = expression.replace(sympy.Heaviside, _cases)
    expression = expression.replace(expm1, lambda x: sympy.exp(x) - 1)
    return expression.replace(sympy.exp, _exponential)


def _cases(x: sympy.Expr, at_zero: sympy.Expr) -> sympy.Expr:
    """Return the jump of x after 0 as two cases, with what x is the difference of on two sides."""
    if at_zero != 0:
        return sympy.Heaviside(x, at_zero)
    later = sympy.Add(*(a for a in sympy.Add.make_args(x) if not a.could_extract_minus_sign()))
    return sympy.Piecewise((sympy.Integer(0), later <= later - x), (sympy.Integer(1), True))


def _exponential(argument: sympy.Expr) -> sympy.Expr:
    """Return exp(argument), with terms n·log(x) of the argument as powers x**n."""
    product = sympy.Integer(1)
    rest = sympy.Integer(0)
    for term in sympy.Add.make_args(argument):
        logs = [factor for factor in sympy.Mul.make_args(term) if isinstance(factor, sympy.log)]
        if len(logs) == 1:
            product *= logs[0].args[0] ** (term / logs[0])
        else:
            rest += term
    return product * sympy.exp(rest)
