"""Solutions of a mean field by separation: the time at which a state is reached, and its inverse.

dz/dt = a(z) gives t = ∫ dz/a from the start to z. It is solved for z where it is a logarithm of a
power, a quadratic function, or a sum of u and ln u (Lambert's W: Corless et al. 1996, Adv. Comput.
Math. 5:329) in a suitable variable; otherwise z(t) is found numerically.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from theory.derivation.fixed_point import fixed_point
from theory.derivation.integral import Integral, integral, separated
from theory.derivation.story import TIME, NotDerived, Story

_W = sympy.Symbol("w", positive=True)
_Y = sympy.Symbol("y", real=True)
_NEAR = 1e-9
"""Largest residual of a solution, as a share of the drift."""


@final
@dataclass(frozen=True, eq=False)
class Solution:
    """A mean field, solved.

    Attributes
    ----------
    story : Story
    elapsed : sympy expression
        Time at which the state is reached, in the state and the parameters.
    explicit : sympy expression or None
        The state in ``t`` and the parameters, where there is a closed form.
    end : sympy expression or None
        Fixed point ahead, None if the state never comes to rest.
    """

    story: Story
    elapsed: sympy.Expr
    explicit: sympy.Expr | None
    end: sympy.Expr | None

    @property
    def words(self) -> str:
        """The result in a sentence."""
        z = self.story.state
        if self.explicit is not None:
            return f"{z} = {self.explicit}."
        return f"{z} is reached at t = {self.elapsed}."

    def __call__(self, t: ArrayLike, **given: float) -> NDArray[np.float64]:
        """Return the state at times t, at the typical numbers or others, inverted numerically."""
        times = np.asarray(t, dtype=np.float64)
        passed = self._numeric(given)
        start = self.story.number(self.story.start, **given)
        far = self._far(start, given)
        values = [
            start
            if now <= 0
            else brentq(
                lambda z, now=now: passed(z) - now,
                *self._bracket(passed, now, start, far),
                xtol=1e-15,
            )
            for now in times.ravel()
        ]
        return np.array(values, dtype=np.float64).reshape(times.shape)

    def _numeric(self, given: Mapping[str, float]) -> sympy.Expr:
        values = {**self.story.typical, **given}
        numbers = {s: sympy.Float(values[s.name]) for s in self.story.parameters}
        return sympy.lambdify(self.story.state, self.elapsed.xreplace(numbers), ["numpy", "scipy"])

    def _far(self, start: float, given: Mapping[str, float]) -> float:
        """Return the fixed point, or an infinity."""
        if self.end is None:
            return np.inf * self.story.direction
        return self.story.number(self.end, **given)

    def _bracket(
        self, passed: sympy.Expr, now: float, start: float, far: float
    ) -> tuple[float, float]:
        """Return states between which the time passes `now`."""
        if np.isinf(far):
            step = max(1.0, abs(start))
            while passed(start + np.sign(far) * step) < now:
                step *= 2
            return start, start + np.sign(far) * step
        near, gap = start, far - start
        while abs(gap) > 2 * np.spacing(abs(far)):
            gap /= 2
            if passed(far - gap) >= now:
                return near, far - gap
            near = far - gap
        raise ValueError(f"at t = {now:g} the state is {far:g} to the last digit.")


def solve(story: Story) -> Solution:
    """Solve the mean field of a story.

    A solution has been checked: ∫ dz/a by its derivative, z(t) by its start and by the residual of
    the differential equation at the typical numbers.

    Raises
    ------
    NotDerived
        If the state rests at its start, or ∫ dz/a has no closed form that is tried.
    """
    if story.direction == 0:
        raise NotDerived(f"{story.state} = {story.start} is at rest.")
    constant, shape = separated(story.drift, story.state)
    found = integral(1 / shape, story)
    if found is None:
        raise NotDerived(
            f"∫ d{story.state}/({shape}) has no closed form among those that are tried: partial "
            f"fractions in {story.state}, in its exponential, or in square roots of it."
        )
    begin = found.value.subs(story.state, story.start)
    elapsed, end = (found.value - begin) / constant, fixed_point(story)
    target = begin + constant * TIME
    explicit = next(
        (z for z in _inversions(found, target) if _solves(z, elapsed, end, story)), None
    )
    return Solution(story, elapsed, explicit, end)


def _inversions(found: Integral, target: sympy.Expr) -> Iterator[sympy.Expr]:
    """Yield states at which the integral may have the target value."""
    u = found.symbol
    if not _within_reach(found):
        return
    for back in (_W, 1 / _W, _W / (1 + _W), 1 / (1 + _W)):
        seen = found.in_variable.subs(u, back)
        seen = seen.replace(sympy.log, lambda x: sympy.log(sympy.factor(sympy.together(x))))
        seen = sympy.expand_log(sympy.expand(seen), force=True)
        logs = sum((n * sympy.log(g) for g, n in _logs(seen).items()), sympy.Integer(0))
        rest = sympy.cancel(sympy.together(sympy.expand(seen - logs)))
        for value in _inverted(_logs(seen), rest, target):
            yield found.inverse.subs(u, back.subs(_W, value))


def _within_reach(found: Integral) -> bool:
    """Whether what stands beside logarithms is of degree 1, which no view of u would change."""
    terms = sympy.Add.make_args(sympy.expand(found.in_variable, deep=False))
    beside = [term for term in terms if not term.has(sympy.log) and term.has(found.symbol)]
    if len(beside) == len(terms) or not beside:
        return True
    parts = sympy.fraction(sympy.cancel(sympy.together(sympy.Add(*beside))))
    return bool(max(sympy.degree(part, found.symbol) for part in parts) <= 1)


def _logs(expression: sympy.Expr) -> dict[sympy.Expr, sympy.Expr]:
    """Return the coefficients of logarithms of functions of w."""
    expanded = sympy.expand(expression)
    every = [log for log in expanded.atoms(sympy.log) if log.has(_W)]
    return {log.args[0]: expanded.coeff(log) for log in every}


def _inverted(
    logs: Mapping[sympy.Expr, sympy.Expr], rest: sympy.Expr, target: sympy.Expr
) -> Iterator[sympy.Expr]:
    """Yield solutions w of Σ coefficient · ln g(w) + rest(w) = target."""
    if not logs:
        yield from _roots(rest - _Y, target)
    elif not rest.has(_W):
        unit = next(iter(logs.values()))
        powers = {g: sympy.cancel(n / unit) for g, n in logs.items()}
        scale = sympy.ilcm(1, *(p.q for p in powers.values() if p.is_Rational))
        if all(p.is_Rational for p in powers.values()):
            product = sympy.prod([g ** (p * scale) for g, p in powers.items()])
            yield from _roots(product - _Y, _exp((target - rest) * scale / unit))
    elif set(logs) == {_W} and rest.is_polynomial(_W) and sympy.degree(rest, _W) == 1:
        a, b, d = logs[_W], rest.coeff(_W, 1), rest.coeff(_W, 0)
        inside = b / a * _exp((target - d) / a)
        yield from (a / b * sympy.LambertW(inside, branch) for branch in (0, -1))


def _exp(exponent: sympy.Expr) -> sympy.Expr:
    """Return an exponential whose logarithms have become factors."""
    return sympy.expand_power_exp(sympy.exp(sympy.expand(exponent)))


def _roots(equation: sympy.Expr, value: sympy.Expr) -> Iterator[sympy.Expr]:
    """Yield zeros in w of an equation with y for a value, of at most second degree in w or w²."""
    numerator = sympy.Poly(sympy.numer(sympy.together(equation)), _W)
    powers = [power for (power,) in numerator.monoms()]
    step = sympy.igcd(0, 0, *powers) or 1
    if max(powers) > 2 * step:
        return
    c, b, a = (numerator.coeff_monomial(_W ** (k * step)) for k in range(3))
    if a == 0:
        found = [-c / b] if b != 0 else []
    else:
        half = sympy.sqrt(sympy.factor(b**2 - 4 * a * c))
        found = [(-b + sign * half) / (2 * a) for sign in (1, -1)]
    for root in found:
        yield sympy.factor(root).subs(_Y, value) ** sympy.Rational(1, step)


def _solves(z: sympy.Expr, elapsed: sympy.Expr, end: sympy.Expr | None, story: Story) -> bool:
    """Whether a state in t starts at the start and obeys the differential equation."""
    start = story.number(story.start)
    residual = sympy.diff(z, TIME) - story.drift.subs(story.state, z)
    reach = start + story.direction if end is None else story.number(end)
    for share in (1e-6, 0.3, 0.9):
        at = start + share * (reach - start)
        t = story.number(elapsed.subs(story.state, sympy.Float(at, 30)))
        speed = abs(story.number(story.drift.subs(story.state, sympy.Float(at, 30))))
        near = abs(story.number(z, t=t) - at) <= _NEAR * max(1.0, abs(at))
        if not (near and abs(story.number(residual, t=t)) <= _NEAR * max(speed, _NEAR)):
            return False
    return True
