"""In which order the mechanisms of an agent form, and which behavior hides which mechanism."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from fitting.comparison import Comparison
from fitting.runs.hiding import Hiding, hiding
from fitting.runs.order import said
from fitting.runs.order_doubts import obstacle
from fitting.runs.orderings import Ordering, orderings
from fitting.verdict import THRESHOLD
from papers.curve_results import Document
from papers.development.formed import agent_name
from papers.development.grown import Grown
from papers.wording import plural

ORDERINGS_SHOWN = 3


def ordering_table(agents: Sequence[Grown], *, seed: int) -> tuple[Document, list[str], list[str]]:
    """Return the likeliest orderings of every agent, what seeds share, and what is not ordered.

    An organism with a single mechanism has nothing to order.
    """
    rows: list[list[str | float | None]] = []
    shares: dict[str, dict[tuple[str, ...], list[float]]] = defaultdict(lambda: defaultdict(list))
    left_out: list[str] = []
    numbers: dict[str, int] = defaultdict(int)
    for agent in agents:
        if len(agent.organism.mechanisms) < 2:
            continue
        usable, missing = orderable(agent)
        left_out += missing
        if len(usable) < 2:
            left_out.append(f"{agent_name(agent)} has fewer than two mechanisms to order.")
            continue
        rng = np.random.default_rng(seed)
        found = orderings(usable, quantity="rise", rng=rng)
        numbers[agent.organism.name] += 1
        for one in found:
            shares[agent.organism.name][one.names].append(one.probability)
        rows += [
            [agent_name(agent), _said(one), said(one.probability), round(one.se, 3)]
            for one in found[:ORDERINGS_SHOWN]
        ]
    table = {
        "caption": "Orders of formation, by when half of the largest rise is done",
        "columns": ["agent", "order", "probability", "se"],
        "rows": rows,
    }
    return table, _over_seeds(shares, numbers), left_out


def orderable(agent: Grown) -> tuple[list[Comparison], list[str]]:
    """Return the mechanisms that can be ordered, and why others cannot."""
    usable, missing = [], []
    for name in agent.organism.mechanisms:
        if name not in agent.comparisons:
            missing.append(f"{agent_name(agent)}: {name} could not be measured.")
            continue
        one = agent.comparisons[name]
        reason = obstacle(one) or ("" if one.formation else one.verdict.reason)
        if reason:
            missing.append(f"{agent_name(agent)}: {name} is not ordered: {reason}")
        else:
            usable.append(one)
    return usable, missing


def _said(one: Ordering) -> str:
    order = " → ".join(one.names) or "nothing rises"
    return f"{order} (never rise: {', '.join(one.never)})" if one.never else order


def _over_seeds(
    shares: dict[str, dict[tuple[str, ...], list[float]]], numbers: dict[str, int]
) -> list[str]:
    """Say which ordering is expected in the largest share of an organism's agents."""
    found = []
    for organism, orders in shares.items():
        number = numbers[organism]
        expected = {names: sum(p) / number for names, p in orders.items()}
        best = max(expected, key=lambda names: expected[names])
        sure = sum(p >= THRESHOLD for p in orders[best])
        order, over = " → ".join(best) or "that nothing rises", plural(number, "agent")
        found.append(
            f"{organism}: the likeliest order is {order}, with probability {said(expected[best])} "
            f"on average over {over}; it has {THRESHOLD:g} or more in {sure or 'none'} of them."
        )
    return found


def hiding_table(agents: Sequence[Grown]) -> tuple[Document, list[str]]:
    """Return which behavior hides which mechanism, and sentences."""
    rows: list[list[str | float | None]] = []
    hidden: dict[tuple[str, str, str], list[bool | None]] = defaultdict(list)
    for agent in agents:
        for found in _hidings(agent):
            rows.append(
                [
                    agent_name(agent),
                    found.behavior,
                    found.mechanism,
                    said(found.hidden),
                    said(found.shown),
                    said(found.never),
                    {True: "yes", False: "no", None: "cannot tell"}[found.hides],
                ]
            )
            hidden[agent.organism.name, found.behavior, found.mechanism].append(found.hides)
    table = {
        "caption": "Which behavior is 90 % done before half of a mechanism's largest rise is",
        "columns": [
            "agent", "behavior", "mechanism", "P(hidden)",
            "P(shown)", "P(never rises)", "hides",
        ],
        "rows": rows,
    }  # fmt: skip
    return table, _hidden_sentences(hidden)


def _hidings(agent: Grown) -> list[Hiding]:
    mechanisms, _ = orderable(agent)
    behaviors = [agent.comparisons[name] for name in agent.organism.behaviors]
    return [
        hiding(behavior, mechanism)
        for behavior in behaviors
        if behavior.formation is not None and not obstacle(behavior)
        for mechanism in mechanisms
    ]


def _hidden_sentences(hidden: dict[tuple[str, str, str], list[bool | None]]) -> list[str]:
    found = []
    for (organism, behavior, mechanism), each in hidden.items():
        number, unknown = (sum(one is kind for one in each) for kind in (True, None))
        if number or unknown:
            found.append(
                f"{organism}: {behavior} hides {mechanism} in {number or 'none'} of "
                f"{plural(len(each), 'agent')}{f', {unknown} cannot be told' if unknown else ''}."
            )
    return found or ["No behavior hides a mechanism in any agent."]
