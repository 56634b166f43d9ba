"""Which of two mechanisms rises first, pair by pair, where whole orders differ over agents."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from fitting.runs.order import Order, order, said
from fitting.runs.order_frequency import OrderFrequency, order_frequency
from fitting.verdict import THRESHOLD
from papers.curve_results import Document
from papers.development.grown import Grown
from papers.development.ordered import orderable
from papers.wording import plural

QUANTITY = "rise"


def pair_table(agents: Sequence[Grown]) -> tuple[Document, list[str]]:
    """Return a row for every two mechanisms of an organism, and a sentence for what is decided.

    Pairs of which fewer than two agents can be judged are left out: they stand for no others.
    """
    rows: list[list[str | float | None]] = []
    sentences = []
    for organism in dict.fromkeys(agent.organism.name for agent in agents):
        group = [agent for agent in agents if agent.organism.name == organism]
        for orders in _pairs(group):
            found = order_frequency(orders)
            rows.append([organism, *_row(found, orders)])
            if found.lowest >= THRESHOLD:
                sentences.append(_sentence(organism, found, orders))
    table: Document = {
        "caption": "Which of two mechanisms rises first, by when half of the largest rise is done",
        "columns": [
            "organism", "a", "b", "agents", "a first in", "b first in", "not decided in",
            "frequency of a first", "P(a first in most)",
        ],
        "rows": rows,
    }  # fmt: skip
    return table, sentences


def _pairs(group: Sequence[Grown]) -> list[list[Order]]:
    """Return the orders of each pair, over the agents that have both."""
    usable = [{one.curve.observable: one for one in orderable(agent)[0]} for agent in group]
    pairs = combinations(group[0].organism.mechanisms, 2)
    found = [
        [order(one[a], one[b], quantity=QUANTITY) for one in usable if {a, b} <= one.keys()]
        for a, b in pairs
    ]
    return [orders for orders in found if len(orders) > 1]


def _row(found: OrderFrequency, orders: Sequence[Order]) -> list[str | float | None]:
    firsts, p = [one.first for one in orders], found.posterior
    return [
        found.a,
        found.b,
        len(orders),
        firsts.count(found.a),
        firsts.count(found.b),
        firsts.count(None),
        f"{p.expected:.2f} [{p.lower:.2f}, {p.upper:.2f}]",
        said(p.above_half),
    ]


def _sentence(organism: str, found: OrderFrequency, orders: Sequence[Order]) -> str:
    """Say which rises first in most agents."""
    above = found.posterior.above_half
    first, other = (found.a, found.b) if above >= 0.5 else (found.b, found.a)
    number = [one.first for one in orders].count(first)
    return (
        f"{organism}: {first} rises before {other} in most agents, with probability "
        f"{said(max(above, 1.0 - above))}; that is decided in {number or 'none'} of "
        f"{plural(len(orders), 'agent')}."
    )
