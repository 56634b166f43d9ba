"""Every curve of growth that the grammar makes, from simple to complicated, each once.

The grammar::

    curve   =  floor + gain·term  |  floor + gain·term + gain·term
    term    =  shape  |  rising·falling  |  rising·wave  |  wave
    shape   =  function(clock)  |  function(strength·shape)  |  shape**exponent  |  √shape
    clock   =  t/timescale  |  rate·(t − midpoint)  |  max(t − onset, 0)/timescale
            |  (clock)**exponent

Not every combination is made: a function is applied where its argument has the sign it needs, and
what only writes another curve anew is left out, or removed by `fitting.search.canonical`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import combinations_with_replacement

from fitting.search.canonical import is_redundant
from fitting.search.grammar import Node, Skeleton, apply, clock

MOST_CONSTANTS = 5
"""Nonlinear constants of one curve: with more, 200 points fix none of them."""

T, ELAPSED, CENTERED = clock("whole"), clock("elapsed"), clock("centered")
LATE, DELAYED, WAVE = clock("late"), clock("delayed"), clock("cosine")


def _each(names: str, *arguments: Node) -> list[Node]:
    return [apply(name, *arguments) for name in names.split()]


def steps() -> list[Node]:
    """Functions of t - midpoint: transitions, bends and bumps."""
    transitions = "logistic gumbel reversed_gumbel probit algebraic arctangent"
    return _each(f"{transitions} bend bell hump pulse", CENTERED)


def risings() -> list[Node]:
    """Functions that are 0 at t = 0 and rise from there."""
    return [T, apply("root", T), apply("power", T)] + _each(
        "approach saturation logarithm tanh", ELAPSED
    )


def delays() -> list[Node]:
    """Functions that are 0 up to an onset."""
    late = [LATE, apply("root", LATE), apply("power", LATE)]
    return late + _each("approach saturation logarithm tanh", DELAYED)


def simple() -> list[Node]:
    """Functions of a clock."""
    others = _each("growth bell hump", ELAPSED)
    return [*risings(), *others, *steps(), *delays(), *_each("bell", DELAYED), WAVE]


def composed() -> list[Node]:
    """Functions of functions."""
    powered = apply("power", ELAPSED)
    inner = _each("approach saturation logarithm tanh", ELAPSED)
    moved = _each("logistic bend gumbel probit bell pulse", CENTERED)
    found = _each("approach saturation logarithm tanh hump", powered)
    found += _each("approach saturation", apply("power", DELAYED))
    found += [apply("power", one) for one in (*inner, *moved)]
    # The root of a Gumbel or bell curve is another one of its kind.
    found += [apply("root", one) for one in (*inner, *moved) if one.name not in ("gumbel", "bell")]
    for one in (apply("root", ELAPSED), *inner, *moved):
        outer = "approach growth saturation logarithm tanh"
        argument = one if one.name == "root" else apply("scaled", one)
        found += _each(outer, argument)
    return found


def products() -> list[Node]:
    """Multiply what rises by what falls, sets in, or swings."""
    falling = [*_each("decay fade bell", ELAPSED), *_each("fall bell", CENTERED)]
    rising = [*risings(), apply("logistic", CENTERED), apply("gumbel", CENTERED)]
    found = [apply("product", a, b) for a in rising for b in falling]
    setting_in = [T, apply("root", T), apply("logarithm", ELAPSED)]
    found += [apply("product", a, apply("logistic", CENTERED)) for a in setting_in]
    swinging = [T, *_each("decay fade approach logarithm", ELAPSED), *_each("logistic", CENTERED)]
    return found + [apply("product", a, WAVE) for a in swinging]


def sums() -> Iterator[Skeleton]:
    """Make two terms, each with its gain."""
    first = [*simple(), *_each("approach saturation", apply("power", ELAPSED))]
    for pair in combinations_with_replacement(first, 2):
        yield Skeleton(pair)
    for one in (*composed(), *products()):
        yield Skeleton((one, T))
    yield Skeleton((apply("logistic", CENTERED), apply("product", T, apply("decay", ELAPSED))))


@cache
def skeletons() -> tuple[Skeleton, ...]:
    """All of them, from simple to complicated: by signs, then as written."""
    found: dict[str, Skeleton] = {}
    for one in (*simple(), *composed(), *products()):
        found.setdefault(Skeleton((one,)).key, Skeleton((one,)))
    for pair in sums():
        found.setdefault(pair.key, pair)
    kept = [s for s in found.values() if len(s.constants) <= MOST_CONSTANTS]
    kept = [s for s in kept if not is_redundant(s)]
    return tuple(sorted(kept, key=lambda s: (s.complexity, s.key)))
