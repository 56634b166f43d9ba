"""Forms that are a floor plus several stages of one shape, each with its own parameters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import final

import sympy

from theory.form import Form
from theory.parameter import Kind


@final
@dataclass(frozen=True)
class StageSum:
    """How the stages of a form lie among its nonlinear parameters.

    Attributes
    ----------
    blocks : tuple of tuple of int
        For each stage, in order, where its own parameters stand.
    shares : tuple of int
        Where the shares stand that divide one gain between all stages; empty where every stage has
        its own gain. With shares all stages go one way.
    alone : tuple of float
        Values of the shares that leave the first stage alone.
    gain : int
        Where the gain of the first stage stands among the linear parameters.
    beside : tuple of int
        Where the linear parameters stand that belong to no stage.
    """

    blocks: tuple[tuple[int, ...], ...]
    shares: tuple[int, ...]
    alone: tuple[float, ...]
    gain: int
    beside: tuple[int, ...]


@cache
def stage_sum(form: Form) -> StageSum | None:
    """Find the stages of a form from its expression; None if it is no sum of stages."""
    if len(form.ordered) != 1 or not form.linear:
        return None
    symbols = dict(zip(form.names, form.symbols, strict=True))
    kinds = {parameter.name: parameter.kind for parameter in form.parameters}
    gains = [name for name in form.linear if kinds[name] is Kind.GAIN]
    shares = [name for name in form.nonlinear if kinds[name] is Kind.SHARE]
    if len(gains) + len(shares) < len(form.ordered[0]):
        return None
    own = [name for name in form.nonlinear if name not in shares]
    beside = [name for name in form.linear if name not in gains]
    stages = form.expression.xreplace({symbols[name]: sympy.Integer(0) for name in beside})
    found: dict[str, tuple[tuple[str, ...], sympy.Expr, dict[str, int]]] = {}
    for corner in product((1, 0), repeat=len(gains) + len(shares)):
        values = dict(zip((*gains, *shares), corner, strict=True))
        shape = stages.subs({symbols[name]: value for name, value in values.items()})
        block = tuple(name for name in own if symbols[name] in shape.free_symbols)
        for place in form.ordered[0]:
            if place in block and len(block) * len(form.ordered[0]) == len(own):
                found.setdefault(place, (block, shape, values))
    if set(found) != set(form.ordered[0]):
        return None
    blocks = [found[place][0] for place in form.ordered[0]]
    first, shape, values = found[form.ordered[0][0]]
    for place, block in zip(form.ordered[0], blocks, strict=True):
        renamed = {symbols[a]: symbols[b] for a, b in zip(first, block, strict=True)}
        if shape.xreplace(renamed) != found[place][1]:
            return None
    return StageSum(
        tuple(tuple(form.nonlinear.index(name) for name in block) for block in blocks),
        tuple(form.nonlinear.index(name) for name in shares),
        tuple(float(values[name]) for name in shares),
        next(form.linear.index(name) for name in gains if values[name]),
        tuple(form.linear.index(name) for name in beside),
    )
