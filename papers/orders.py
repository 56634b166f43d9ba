"""The order in which observables form, within runs and between them, for the results file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from papers.curve_results import Document, estimate_json, number
from papers.order_schema import ORDERED
from papers.wording import joined, plural

if TYPE_CHECKING:
    from fitting.comparison import Comparison
    from fitting.runs.order import Order

Curves = Mapping[tuple[str, str], "Comparison"]
"""Compared curves on one progress axis by run and observable."""

MOST_OBSERVABLES = 5
MOST_RUNS = 40
MOST_RUNS_PAIRED = 8


def orders_json(comparisons: Sequence[Comparison]) -> Document | None:
    """Return ``orders`` of a results document; None where no two curves can have an order.

    Pairs of observables are ordered within every run, and runs within every observable, on the
    same progress axis. What is left out is said: curves without times, observables after the
    first five, runs after the first forty, and the pairs of more than eight runs.
    """
    left_out: list[str] = []
    curves = _by_axis(comparisons, left_out)
    found: Document = {
        "formations": [row for axis in curves for row in _formations(curves[axis])],
        "observables": [],
        "runs": [],
        "left_out": left_out,
    }
    for axis in curves.values():
        found["observables"] += _within_runs(axis, left_out)
        found["runs"] += _between_runs(axis, left_out)
    return found if found["observables"] or found["runs"] else None


def _by_axis(comparisons: Sequence[Comparison], left_out: list[str]) -> dict[str, Curves]:
    """Sort curves by progress axis, without those that have no times or are too many."""
    from fitting.runs.order import why_no_times

    found: dict[str, dict[tuple[str, str], Comparison]] = {}
    for one in comparisons:
        curve = one.curve
        name = f"{curve.observable} of run {_run(one)!r}"
        axis = found.setdefault(str(curve.progress), {})
        if one.formation is None:
            left_out.append(why_no_times(one))
        elif (_run(one), curve.observable) in axis:
            left_out.append(f"{name} is there more than once; the first curve counts.")
        else:
            axis[_run(one), curve.observable] = one
    return {name: _fewer(axis, left_out) for name, axis in found.items()}


def _run(comparison: Comparison) -> str:
    return comparison.curve.run or comparison.curve.run_id


def _fewer(axis: Curves, left_out: list[str]) -> Curves:
    """Keep the first observables and runs: a choice that does not look at the answers."""
    kept = []
    for place, most, noun in ((0, MOST_RUNS, "run"), (1, MOST_OBSERVABLES, "observable")):
        names = list(dict.fromkeys(key[place] for key in axis))
        kept.append(names[:most])
        if len(names) > most:
            left_out.append(
                f"Only the first {plural(most, noun)} of {len(names)} are ordered, so that the "
                f"pairs stay readable: give fewer {noun}s to see the others."
            )
    return {key: one for key, one in axis.items() if key[0] in kept[0] and key[1] in kept[1]}


def _formations(axis: Curves) -> list[Document]:
    """Return when each curve forms, by either time."""
    from fitting.runs.order import times_of
    from fitting.runs.precedence import weighted_estimate

    found = []
    for (run, observable), one in axis.items():
        for quantity in ORDERED:
            times = times_of(one, quantity)
            comes = times.draws < float("inf")
            estimate = weighted_estimate(times.draws[comes], times.weight[comes])
            found.append(
                {
                    "observable": observable,
                    "run": run,
                    "progress": str(one.curve.progress),
                    "quantity": quantity,
                    "time": None if estimate is None else estimate_json(estimate),
                    "never": number(times.never),
                    "reason": "" if estimate is not None else "No draw has a change of rate.",
                }
            )
    return found


def _within_runs(axis: Curves, left_out: list[str]) -> list[Document]:
    """Order every two observables in each run that has both."""
    runs = list(dict.fromkeys(run for run, _ in axis))
    found = []
    for a, b in combinations(dict.fromkeys(observable for _, observable in axis), 2):
        pairs = [
            (run, axis[run, a], axis[run, b]) for run in runs if {(run, a), (run, b)} <= {*axis}
        ]
        for quantity in ORDERED:
            orders = _orders(pairs, quantity, left_out)
            if orders:
                entry = {
                    "a": a,
                    "b": b,
                    "progress": str(pairs[0][1].curve.progress),
                    "quantity": quantity,
                    "orders": [{"run": run, **order_json(one)} for run, one in orders],
                }
                curves = [one for run, one, _ in pairs if run in dict(orders)]
                found.append(entry | _frequency([one for _, one in orders], curves))
    return found


def _orders(
    pairs: Sequence[tuple[str, Comparison, Comparison]], quantity: str, left_out: list[str]
) -> list[tuple[str, Order]]:
    """Order named pairs; why one has no order is said once."""
    from fitting.runs.order import order, why_no_order

    found = []
    for name, a, b in pairs:
        reason = why_no_order(a, b)
        if not reason:
            found.append((name, order(a, b, quantity=quantity)))
        else:
            said = f"Not ordered in {name}: {reason}"
            if said not in left_out:
                left_out.append(said)
    return found


def _frequency(orders: Sequence[Order], curves: Sequence[Comparison]) -> Document:
    """Return how often the order comes over runs, or why that is not known."""
    from fitting.runs.order_frequency import order_frequency

    judged = sum(one.lowest is not None for one in orders)
    if judged < 2:
        reason = f"A frequency over runs needs two that can be judged; there is {judged or 'none'}."
        return {"frequency": None, "reason": reason}
    found = order_frequency(orders)
    posterior = found.posterior
    return {
        "frequency": {
            "runs": found.runs,
            "expected": posterior.expected,
            "lower": posterior.lower,
            "upper": posterior.upper,
            "above_half": posterior.above_half,
            "lowest": found.lowest,
            "sentence": found.sentence,
            "doubts": _mixed(curves),
        },
        "reason": "",
    }


def _mixed(curves: Sequence[Comparison]) -> list[str]:
    """Return the doubt that runs of several conditions raise."""
    conditions = [one.curve.conditions for one in curves]
    names = dict.fromkeys(name for one in conditions for name in one if name != "seed")
    differ = [n for n in names if any(one.get(n) != conditions[0].get(n) for one in conditions)]
    if not differ:
        return []
    return [f"The runs differ in {joined(differ)}; the frequency is that over this mixture."]


def _between_runs(axis: Curves, left_out: list[str]) -> list[Document]:
    """Rank the runs within every observable, and order every two of them."""
    from fitting.runs.order_doubts import obstacle

    found = []
    for observable in dict.fromkeys(name for _, name in axis):
        runs = {run: one for (run, name), one in axis.items() if name == observable}
        judged = {run: one for run, one in runs.items() if not obstacle(one)}
        if len(judged) < len(runs) and len(runs) > 1:
            failed = joined([run for run in runs if run not in judged])
            left_out.append(f"{observable} of {failed} cannot be judged and has no rank.")
        if len(judged) > MOST_RUNS_PAIRED:
            left_out.append(
                f"The pairs of {len(judged)} runs are not listed for {observable}; the ranks hold "
                "them together."
            )
        if len(judged) > 1:
            found += [_ranked(observable, judged, quantity, left_out) for quantity in ORDERED]
    return found


def _ranked(
    observable: str, runs: Mapping[str, Comparison], quantity: str, left_out: list[str]
) -> Document:
    from fitting.runs.ranks import ranks

    places = dict(zip(runs, ranks(list(runs.values()), quantity=quantity), strict=True))
    leader = max(places, key=lambda run: places[run].first)
    listed = len(runs) <= MOST_RUNS_PAIRED
    pairs = [pair for pair in combinations(runs, 2) if listed or leader in pair]
    named = [(f"{a}, {b}", runs[a], runs[b]) for a, b in pairs]
    orders = [one for _, one in _orders(named, quantity, left_out)]
    beaten = sum(one.first == leader for one in orders)
    sentence = _leads(observable, quantity, leader, places[leader].first, beaten == len(runs) - 1)
    if listed:
        sentence += f" {_count(orders)}"
    ends = [one.curve.t[-1] for one in runs.values()]
    doubts = []
    if min(ends) < max(ends):
        doubts.append(
            f"The runs end at {min(ends):g} to {max(ends):g}; ranks are those of the window to "
            f"{min(ends):g}, and what forms later counts as not formed."
        )
    return {
        "observable": observable,
        "progress": str(next(iter(runs.values())).curve.progress),
        "quantity": quantity,
        "ranks": [
            {
                "run": run,
                "expected": rank.expected,
                "lower": rank.lower,
                "upper": rank.upper,
                "first": rank.first,
            }
            for run, rank in places.items()
        ],
        "orders": [{"a": one.a, "b": one.b, **order_json(one)} for one in orders if listed],
        "sentence": sentence,
        "doubts": doubts,
    }


def _leads(observable: str, quantity: str, leader: str, first: float, beats_all: bool) -> str:
    """Say in which run an observable forms first, where each pair and all together decide it."""
    from fitting.runs.order import said
    from fitting.verdict import THRESHOLD

    if first >= THRESHOLD and beats_all:
        head = f"{observable} forms first in {leader} with probability {said(first)}"
    else:
        head = (
            f"These data do not say in which run {observable} forms first; the likeliest is "
            f"{leader} with probability {said(first)}"
        )
    return f"{head} (by {quantity})."


def _count(orders: Sequence[Order]) -> str:
    ordered = sum(one.first is not None for one in orders)
    verb = "is" if ordered == 1 else "are"
    return f"{ordered} of {plural(len(orders), 'pair')} of runs {verb} ordered."


def order_json(order: Order) -> Document:
    """Return one order of two curves."""
    p = order.probability
    return {
        "a_first": p.a_first,
        "b_first": p.b_first,
        "neither": p.neither,
        "se": order.se,
        "lowest": number(order.lowest),
        "first": order.first,
        "difference": None if order.difference is None else estimate_json(order.difference),
        "sentence": order.sentence,
        "doubts": list(order.doubts),
    }
