"""`ontogeny test`: curves with conditions, reduced to onsets, and the mechanisms tried on them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, final

import numpy as np

from fitting.ladders.mechanism_test import MechanismTest, compare_mechanisms
from fitting.ladders.signatures import Signature
from fitting.ladders.widths import width_ratios
from papers.results import ladder_json
from papers.wording import joined, words
from theory.curve import Condition, Curve, Schedule
from theory.ladder import Value
from theory.mechanism import Mechanism
from theory.onset import Onset, noisy_onset

OUTSIDE = 0.05
WORTHWHILE = 0.05
"""Nats below which a further rung is not proposed."""


@final
@dataclass(frozen=True)
class TestedObservable:
    """One observable of a set of runs, and what its onsets say of mechanisms.

    Attributes
    ----------
    observable : str
    level : float
        What a curve has to pass.
    test : MechanismTest
    left_out : tuple of str
        Why runs were left out, a sentence a reason.
    widths : tuple of Signature
        Rises of runs over those of their mean, where the observable lies between 0 and 1.
    """

    observable: str
    level: float
    test: MechanismTest
    left_out: tuple[str, ...]
    widths: tuple[Signature, ...] = ()


def mechanism_test(
    curves: Sequence[Curve],
    mechanisms: Sequence[Mechanism],
    *,
    ladder: str | None = None,
    level: float | None = None,
    hold_out: Value | None = None,
    known_steps: bool = True,
    seed: int = 0,
) -> TestedObservable:
    """Reduce the runs of one observable to onsets and compare mechanisms on them.

    Parameters
    ----------
    curves : sequence of Curve
        Of one observable, one a run.
    mechanisms : sequence of Mechanism
    ladder : str, optional
        The condition of most interest; by default one that varies and that a mechanism knows.
    level : float, optional
        By default one half, for observables that are probabilities.
    hold_out : value, optional
        A value of `ladder` whose runs are to be predicted from the others.
    known_steps : bool
        Whether step sizes are what the conditions say.
    seed : int

    Raises
    ------
    ValueError
        If observables differ, no level suits, no condition varies that was asked for, or no run
        dates an onset.
    """
    observables = sorted({curve.observable for curve in curves})
    if len(observables) != 1:
        raise ValueError(
            f"a test takes one observable; these curves hold {', '.join(observables)}: name one."
        )
    level = _level(curves, level)
    relevant = {q.name for m in mechanisms for q in m.conditions} | ({ladder} if ladder else set())
    onsets, left_out = _onsets(curves, level, relevant)
    rungs = _rungs(onsets, relevant, ladder)
    test = compare_mechanisms(
        onsets, mechanisms, ladder=rungs, seed=seed, hold_out=hold_out, known_steps=known_steps
    )
    test = replace(test, notes=(*test.notes, *_unread(curves, rungs, relevant)))
    widths: tuple[Signature, ...] = ()
    if _is_share(curves):
        widths = width_ratios(
            curves,
            test.comparison.rungs,
            level,
            mechanisms,
            test.posteriors,
            rng=np.random.default_rng([seed, len(mechanisms)]),
        )
    return TestedObservable(observables[0], level, test, left_out, widths)


def _level(curves: Sequence[Curve], level: float | None) -> float:
    """Return the level that dates the onset."""
    low, high = _range(curves)
    if level is None:
        if not _is_share(curves):
            raise ValueError(
                f"{curves[0].observable} runs from {low:.4g} to {high:.4g} and is no probability; "
                "say with a level which value counts as the onset."
            )
        return 0.5
    if not (math.isfinite(level) and low < level < high):
        raise ValueError(
            f"the level {level:g} lies outside what was observed, {low:.4g} to {high:.4g}."
        )
    return level


def _range(curves: Sequence[Curve]) -> tuple[float, float]:
    return min(float(c.y.min()) for c in curves), max(float(c.y.max()) for c in curves)


def _is_share(curves: Sequence[Curve]) -> bool:
    """Whether an observable lies between 0 and 1, as probabilities do."""
    low, high = _range(curves)
    return low >= -OUTSIDE and high <= 1 + OUTSIDE


def _onsets(
    curves: Sequence[Curve], level: float, relevant: set[str]
) -> tuple[list[Onset], tuple[str, ...]]:
    """Return the onset of every run that dates one, with the conditions that matter."""
    onsets: list[Onset] = []
    reasons: Counter[str] = Counter()
    for curve in curves:
        try:
            onset = noisy_onset(curve, level)
        except ValueError as error:
            reasons[str(error)] += 1
            continue
        ledger = {name: v for name, v in onset.conditions.items() if name in relevant}
        onsets.append(replace(onset, conditions=ledger))
    if not onsets:
        raise ValueError(f"no run dates an onset: {next(iter(reasons))}")
    return onsets, tuple(reasons)


def _rungs(onsets: Sequence[Onset], relevant: set[str], ladder: str | None) -> list[str]:
    """Return the conditions that make the rungs, `ladder` first."""
    seen: dict[str, set[Condition]] = {}
    for onset in onsets:
        for name, value in onset.conditions.items():
            if not isinstance(value, Schedule):
                seen.setdefault(name, set()).add(value)
    varying = sorted(name for name, values in seen.items() if len(values) > 1)
    known = ", ".join(sorted(seen)) or "none that the mechanisms know"
    if ladder is not None and ladder not in seen:
        raise ValueError(f"no run carries the condition {ladder!r}; they carry {known}.")
    if ladder is None and not varying:
        if not seen:
            needed = ", ".join(sorted(relevant))
            raise ValueError(
                f"the runs carry none of the conditions that these mechanisms depend on: {needed}; "
                "give them as columns of a table, or with `ontogeny import --conditions`."
            )
        return [sorted(seen)[0]]
    first = ladder or max(varying, key=lambda name: len(seen[name]))
    return [first, *(name for name in varying if name != first)]


def _unread(curves: Sequence[Curve], rungs: Sequence[str], relevant: set[str]) -> tuple[str, ...]:
    """Name what runs of one rung differ in and no mechanism here reads."""
    alike: dict[tuple[str, ...], list[Curve]] = {}
    for curve in curves:
        key = tuple(_said(curve.conditions.get(name)) for name in rungs)
        alike.setdefault(key, []).append(curve)
    differ = sorted(
        {
            name
            for runs in alike.values()
            for name in {name for run in runs for name in run.conditions} - relevant - {"seed"}
            if len({_said(run.conditions.get(name)) for run in runs}) > 1
        }
    )
    if not differ:
        return ()
    return (
        f"runs that count as alike differ in {joined(differ)}, which none of these mechanisms "
        "reads: select runs that agree in it, or name a mechanism that does.",
    )


def _said(value: Condition | None) -> str:
    """Write a condition so that equal ones read alike."""
    if isinstance(value, Schedule):
        return f"{value.t.tolist()} {value.value.tolist()}"
    return str(value)


def ladder_entry(tested: TestedObservable) -> dict[str, Any]:
    """Return the test as an entry of ``ladders`` of a results document."""
    comparison = tested.test.comparison
    first = comparison.ladder[0]
    values = [dict(rung.conditions)[first] for rung in comparison.rungs]
    numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    if not numeric:
        raise ValueError(
            f"the first condition of a ladder must be a number; {first} is {values[0]!r}."
        )
    entry = ladder_json(
        comparison,
        title=f"Onsets of {words(tested.observable)} over {words(first)}",
        unit=str(comparison.rungs[0].onsets[0].progress),
        quantity="onset",
        text=_text(tested),
        log_condition=all(float(str(v)) > 0 for v in values),
    )
    for score, posterior in zip(entry["scores"], _posteriors(tested), strict=True):
        score["parameters"] = posterior
    entry["held_out"] = tested.test.held_out
    entry["next_rungs"] = [
        {name: getattr(rung, name) for name in ("value", "information", "se", "length")}
        for rung in tested.test.next_rungs
    ]
    entry["level"] = tested.level
    entry["signatures"] = [_signature(one) for one in (*tested.test.signatures, *tested.widths)]
    return entry


def _signature(signature: Signature) -> dict[str, Any]:
    """Return one signature as JSON; an interval without numbers is null."""
    return {
        "quantity": signature.quantity,
        "at": dict(signature.at),
        "seen": None if signature.seen is None else asdict(signature.seen),
        "why_not": signature.why_not,
        "foretold": {
            name: asdict(interval) if math.isfinite(interval.value) else None
            for name, interval in signature.foretold.items()
        },
    }


def _posteriors(tested: TestedObservable) -> list[dict[str, dict[str, float]]]:
    """Return the unknowns of each score's hypothesis, with 95 % intervals."""
    found = {p.hypothesis.name: p for p in tested.test.posteriors}
    rows: list[dict[str, dict[str, float]]] = []
    for score in tested.test.comparison.scores:
        posterior = found.get(score.name)
        if posterior is None or score.log_evidence is None:
            rows.append({})
            continue
        row = {}
        for name, draws in posterior.draws.items():
            order = np.argsort(draws[:, 0])
            cumulative = np.cumsum(posterior.shares[order])
            lower, value, upper = (
                float(draws[order[min(int(np.searchsorted(cumulative, q)), len(order) - 1)], 0])
                for q in (0.025, 0.5, 0.975)
            )
            row[name] = {"value": value, "lower": lower, "upper": upper}
        rows.append(row)
    return rows


def _text(tested: TestedObservable) -> str:
    """Say what was done, what was left out, and how the rung held out was foretold."""
    comparison = tested.test.comparison
    runs = sum(len(rung.onsets) for rung in comparison.rungs)
    censored = sum(rung.n_censored for rung in comparison.rungs)
    parts = [
        f"The onset of a run is when {words(tested.observable)} passes {tested.level:g} for good; "
        f"{runs} runs, of which {censored} ended without one and count as censored."
    ]
    parts += [f"Left out: {reason}" for reason in tested.left_out]
    parts += [note[0].upper() + note[1:] for note in tested.test.notes]
    parts += [next_said(tested.test)] if tested.test.next_rungs else []
    told = held_out_said(comparison.scores, tested.test.held_out, comparison.ladder[0])
    return " ".join([*parts, told]).strip()


def held_out_said(scores: Sequence[Any], value: Value | None, condition: str) -> str:
    """Say who foretold the rung that was held out best, and by how much."""
    if value is None:
        return ""
    told = [s for s in scores if s.held_out is not None]
    if not told:
        return f"No hypothesis could foretell {words(condition)} = {value}."
    told.sort(key=lambda s: -s.held_out)
    best, *others = told
    behind = [f"{words(s.name)} {s.held_out - best.held_out:.1f}" for s in others]
    return (
        f"The runs at {words(condition)} = {value}, foretold from the others: "
        f"{words(best.name)} gives them the highest probability"
        + (f"; the others, in nats: {joined(behind)}." if behind else ".")
    )


def next_said(test: MechanismTest) -> str:
    """Say which further rung would separate the mechanisms that are left."""
    best, *others = test.next_rungs
    if best.information < WORTHWHILE:
        return (
            "No rung within reach of these would separate the mechanisms that are left: the best "
            f"promises {best.information:.2f} nats."
        )
    promise = (
        f"What would separate the mechanisms that are left: runs at {words(best.condition)} = "
        f"{best.value:g}, {best.length:.3g} long, promise {best.information:.2f} ± {best.se:.2f} "
        "nats"
    )
    behind = [f"{rung.value:g} ({rung.information:.2f})" for rung in others[:2]]
    promise += f"; next {joined(behind)}" if behind else ""
    cheapest = max(test.next_rungs, key=lambda rung: rung.per_length)
    if cheapest is best:
        return f"{promise}. No other promises more for its length."
    return (
        f"{promise}. For its length {cheapest.value:g} promises most: {cheapest.information:.2f} ± "
        f"{cheapest.se:.2f} nats from runs {cheapest.length:.3g} long."
    )


def summary(tested: TestedObservable) -> str:
    """Return the lines for a terminal: the verdict, then the scores, best first."""
    comparison = tested.test.comparison
    verdict = comparison.verdict
    lines = [f"{tested.observable}: {verdict.kind}. {verdict.reason}"]
    width = max(len(score.name) for score in comparison.scores)
    for score in comparison.scores:
        if score.log_evidence is None:
            lines.append(f"  {score.name:<{width}}  not usable: {score.doubts[0]}")
            continue
        told = "" if score.held_out is None else f"  held out {score.held_out:8.1f}"
        lines.append(
            f"  {score.name:<{width}}  ln Z {score.log_evidence:9.1f} ± "
            f"{score.log_evidence_se or 0:.2f}  weight {score.weight:.3f}{told}"
        )
    notes = [*tested.test.notes, *([next_said(tested.test)] if tested.test.next_rungs else [])]
    return "\n".join([*lines, *(f"  note: {note}" for note in notes)])
