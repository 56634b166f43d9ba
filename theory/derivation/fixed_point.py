"""Where a mean field comes to rest."""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from theory.derivation.story import Story

_LONGEST = 100
"""Operations in an expression beyond which its zeros are not sought."""


def factors(expression: sympy.Expr, story: Story) -> list[tuple[sympy.Expr, sympy.Expr]]:
    """Return (base, exponent) of every factor, up to sign: bases are positive at the start."""
    if expression.is_rational_function(story.state):
        expression = sympy.factor(sympy.together(expression))
    pairs: list[tuple[sympy.Expr, sympy.Expr]] = []
    for factor in sympy.Mul.make_args(expression):
        base, exponent = factor.as_base_exp()
        if base != expression and (base.is_Mul or base.is_Pow or base.is_Add):
            pairs += [(b, e * exponent) for b, e in factors(base, story)]
        else:
            negative = story.number(base.subs(story.state, story.start)) < 0
            pairs.append((-base if negative else base, exponent))
    return pairs


def fixed_point(story: Story) -> sympy.Expr | None:
    """Return the nearest zero of the drift ahead of the start, None where there is none.

    Zeros are sought in every factor that is linear in the state, a power of it or a logarithm of
    a ratio of linear functions; of several the typical numbers say which lies nearest ahead.
    """
    start = story.number(story.start)
    ahead = {}
    for base, exponent in factors(story.drift, story):
        if exponent.has(story.state) or story.number(exponent) <= 0:
            continue
        for root in roots(base, story.state):
            gap = story.direction * (story.number(root) - start)
            if gap > 0:
                ahead[gap] = root
    return ahead[min(ahead)] if ahead else None


def roots(base: sympy.Expr, state: sympy.Symbol) -> Iterator[sympy.Expr]:
    """Yield the zeros of an expression that are easy to find; see `fixed_point`."""
    if not base.has(state) or base.count_ops() > _LONGEST:
        return
    logs = [log for log in base.atoms(sympy.log) if log.has(state)]
    if len(logs) == 1:
        level = sympy.Dummy("level")
        for value in _linear_root(base.subs(logs[0], level), level):
            if not value.has(state):
                equation = sympy.together(logs[0].args[0] - sympy.exp(value))
                yield from _linear_root(sympy.numer(equation), state)
        return
    powers = [power for power in base.atoms(sympy.Pow) if power.base == state]
    if len(powers) == 1 and not base.subs(powers[0], 0).has(state):
        level = sympy.Dummy("level")
        for value in _linear_root(base.subs(powers[0], level), level):
            yield sympy.powdenest(value ** (1 / powers[0].exp), force=True)
        return
    yield from _linear_root(base, state)


def _linear_root(expression: sympy.Expr, unknown: sympy.Symbol) -> Iterator[sympy.Expr]:
    """Yield the zero of an expression, if it is linear in the unknown."""
    slope = sympy.diff(expression, unknown)
    if slope != 0 and not sympy.cancel(slope).has(unknown):
        yield sympy.factor(sympy.cancel(unknown - expression / slope))
