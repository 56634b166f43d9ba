"""Expressions of growth: trees whose constants are fitted, and curves that are sums of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import sympy
from numpy.typing import NDArray

from fitting.search.operations import CLOCKS, FUNCTIONS, Constant, Operation

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Node:
    """An operation and what it is applied to.

    Its constants are those of its arguments, in order, and then its own.
    """

    name: str
    arguments: tuple[Node, ...] = ()

    @property
    def operation(self) -> Operation:
        """What stands here."""
        return FUNCTIONS[self.name] if self.arguments else CLOCKS[self.name]

    @cached_property
    def constants(self) -> tuple[Constant, ...]:
        """All constants below, then those of this node."""
        below = (c for argument in self.arguments for c in argument.constants)
        return (*below, *self.operation.constants)

    @cached_property
    def key(self) -> str:
        """The expression as text in which a product's factors are sorted: alike if equal."""
        if not self.arguments:
            return self.name
        keys = [argument.key for argument in self.arguments]
        return f"{self.name}({', '.join(sorted(keys) if self.name == 'product' else keys)})"

    def walk(self) -> Iterator[Node]:
        """Yield the node and all below it."""
        yield self
        for argument in self.arguments:
            yield from argument.walk()

    def evaluate(
        self, t: FloatArray, constants: Sequence[FloatArray]
    ) -> tuple[FloatArray, list[FloatArray]]:
        """Return the value (B, n) at constants (B, 1) each, and its slopes in them, in order."""
        own = constants[len(constants) - len(self.operation.constants) :]
        if not self.arguments:
            value, slopes = self.operation.numeric(*own, t)
            return value, list(slopes)
        values, below, first = [], [], 0
        for argument in self.arguments:
            last = first + len(argument.constants)
            one, inner = argument.evaluate(t, constants[first:last])
            values.append(one)
            below.append(inner)
            first = last
        value, outer = self.operation.numeric(*own, *values)
        chained = [
            slope * part
            for slope, inner in zip(outer[len(own) :], below, strict=True)
            for part in inner
        ]
        return value, [*chained, *outer[: len(own)]]

    def expression(self, symbols: Sequence[sympy.Symbol], last: sympy.Expr) -> sympy.Expr:
        """Return the expression with these symbols for the constants; `last` ends the curve."""
        own = symbols[len(symbols) - len(self.operation.constants) :]
        if not self.arguments:
            return self.operation.symbolic(*own, last)
        parts, first = [], 0
        for argument in self.arguments:
            end = first + len(argument.constants)
            parts.append(argument.expression(symbols[first:end], last))
            first = end
        return self.operation.symbolic(*own, *parts)


def clock(name: str) -> Node:
    """Return a leaf."""
    return Node(name)


def apply(name: str, *arguments: Node) -> Node:
    """Return an operation on arguments."""
    return Node(name, arguments)


@final
@dataclass(frozen=True)
class Skeleton:
    """``floor + gain·term (+ gain·term)``: a form whose constants have no values yet.

    A wave stands for a cosine and a sine of one frequency, each with a gain.

    Attributes
    ----------
    terms : tuple of Node
        In which a leaf "cosine" stands for the wave.
    """

    terms: tuple[Node, ...]

    @cached_property
    def key(self) -> str:
        """Alike if two skeletons differ in the order of sums and products only."""
        return " + ".join(sorted(term.key for term in self.terms))

    @cached_property
    def constants(self) -> tuple[Constant, ...]:
        """The nonlinear constants, term by term."""
        return tuple(c for term in self.terms for c in term.constants)

    @cached_property
    def columns(self) -> tuple[tuple[Node, int], ...]:
        """What the gains multiply, each with the place of its first constant."""
        found, first = [], 0
        for term in self.terms:
            found.append((term, first))
            if any(node.name == "cosine" for node in term.walk()):
                found.append((_shifted(term), first))
            first += len(term.constants)
        return tuple(found)

    @cached_property
    def operators(self) -> tuple[str, ...]:
        """Every sign that writing it takes, for the description length: names, with repeats."""
        found = ["floor"]
        for column, _ in self.columns:
            found += ["+", "*", "gain"]
            for node in column.walk():
                found += [node.name] * node.operation.signs
        return tuple(found)

    @property
    def complexity(self) -> int:
        """How many signs it takes."""
        return len(self.operators)

    @property
    def n_free(self) -> int:
        """Constants, gains and the floor."""
        return len(self.constants) + len(self.columns) + 1

    # What `fitting.optimum.projection` and `fitting.optimum.least_squares` ask of a form.

    @cached_property
    def linear(self) -> tuple[str, ...]:
        """Names of the floor and the gains."""
        gains = len(self.columns)
        return ("floor", *(f"gain_{i + 1}" for i in range(gains)))

    @cached_property
    def nonlinear(self) -> tuple[str, ...]:
        """Names of the constants: those that several have are numbered."""
        words = [constant.name for constant in self.constants]
        return tuple(
            word if words.count(word) == 1 else f"{word}_{words[: i + 1].count(word)}"
            for i, word in enumerate(words)
        )

    @cached_property
    def moved(self) -> tuple[tuple[int, int], ...]:
        """Pairs (j, k): column j depends on constant k."""
        return tuple(
            (j + 1, first + k)
            for j, (node, first) in enumerate(self.columns)
            for k in range(len(node.constants))
        )

    def design(self, t: FloatArray, nonlinear: FloatArray) -> FloatArray:
        """Return the columns at constants (B, d): (B, n, q)."""
        values = self._evaluated(t, nonlinear)[: len(self.linear)]
        return np.moveaxis(values, 0, -1)

    def tangents(self, t: FloatArray, nonlinear: FloatArray) -> FloatArray:
        """Return the columns and their slopes, as `Form.tangents`: (q + m, B, n)."""
        return self._evaluated(t, nonlinear)

    def _evaluated(self, t: FloatArray, nonlinear: FloatArray) -> FloatArray:
        parts = np.empty((len(self.linear) + len(self.moved), len(nonlinear), len(t)))
        parts[0] = 1.0
        place = len(self.linear)
        with np.errstate(all="ignore"):
            for j, (node, first) in enumerate(self.columns):
                own = [nonlinear[:, first + k, None] for k in range(len(node.constants))]
                value, slopes = node.evaluate(t, own)
                parts[j + 1] = value
                for k, slope in enumerate(slopes):
                    parts[place + k] = slope
                place += len(slopes)
        return parts


def _shifted(term: Node) -> Node:
    """Return a term with the sine in the place of the cosine."""
    if term.name == "cosine":
        return Node("sine")
    return Node(term.name, tuple(_shifted(argument) for argument in term.arguments))
