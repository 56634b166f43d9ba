"""What forms when: onset, width and final value of every fitted observable of every agent."""

from __future__ import annotations

from collections.abc import Sequence

from empirics.probes.status import CERTAIN, SMALLEST, is_present
from fitting.comparison import Comparison
from fitting.runs.order import said, times_of
from fitting.runs.order_doubts import obstacle
from fitting.runs.precedence import weighted_estimate
from papers.curve_results import Document
from papers.development.grown import Grown
from papers.wording import between, short3

BEHAVIOR, MECHANISM = "behavior", "mechanism"
COLUMNS = (
    "agent",
    "observable",
    "is",
    "shape",
    "onset",
    "P(never)",
    "half risen",
    "width of the largest stage",
    "last value",
    "strongest baseline",
    "at the end",
)
EXPLAINED = (
    "Onset: 10 % of the change of the first stage is done; half risen: half of the largest stage "
    "that goes up; width: from 10 % to 90 % of the largest. All are in environment steps, medians "
    "with 95 % intervals, averaged over all shapes and forms by their probability; where the shape "
    "is no change or steady drift an observable never forms. The last value has its standard error "
    "over held-out levels. A mechanism is present at the end where that lies above the strongest "
    f"baseline by more than {SMALLEST:g} and {CERTAIN:g} standard errors, absent where it surely "
    "does not, else undecided."
)


def formed_table(agents: Sequence[Grown]) -> Document:
    """Return the table of when, how fast and how far everything formed."""
    rows = [
        _row(agent, name, kind)
        for agent in agents
        for kind, names in (
            (BEHAVIOR, agent.organism.behaviors),
            (MECHANISM, agent.organism.mechanisms),
        )
        for name in names
    ]
    return {"caption": "What formed, when and how far", "columns": list(COLUMNS), "rows": rows}


def _row(agent: Grown, name: str, kind: str) -> list[str | float | None]:
    if name not in agent.comparisons:
        return [agent_name(agent), name, kind, "not measured", *["–"] * (len(COLUMNS) - 4)]
    comparison = agent.comparisons[name]
    onset, never = _time(comparison, "onset")
    return [
        agent_name(agent),
        name,
        kind,
        _shape(comparison),
        onset,
        never,
        _time(comparison, "rise")[0],
        _width(comparison),
        *_last(agent, name, kind),
    ]


def agent_name(agent: Grown) -> str:
    """Return a short name of an agent: organism and seed."""
    return f"{agent.organism.name} {agent.run.seed}"


def _shape(comparison: Comparison) -> str:
    """Say the likeliest family with its probability, or why there is none."""
    known = comparison.family_probabilities
    if not known:
        return f"not fitted: {comparison.verdict.reason}"
    best = max(known, key=lambda family: known[family])
    return f"{best} ({said(known[best])})"


def _time(comparison: Comparison, quantity: str) -> tuple[str, str]:
    """Return when it comes, where it does, and with which probability it never does."""
    if comparison.formation is None or obstacle(comparison):
        return "–", "–"
    times = times_of(comparison, quantity)
    comes = times.draws < float("inf")
    found = weighted_estimate(times.draws[comes], times.weight[comes])
    when = "–" if found is None else between(found.value, (found.lower, found.upper))
    return when, said(times.never)


def _width(comparison: Comparison) -> str:
    if comparison.stages is None or not comparison.stages.stages:
        return "–"
    largest = max(comparison.stages.stages, key=lambda stage: stage.share.value)
    return between(largest.width.value, (largest.width.lower, largest.width.upper))


def _last(agent: Grown, name: str, kind: str) -> tuple[str, str, str]:
    """Return the last value with its error, the strongest baseline, and whether it is present."""
    if not any(name in measured for _, measured in agent.readings):
        return short3(float(agent.curves[name].y[-1])), "–", "–"
    reading = agent.last(name)
    error = "" if reading.se is None else f" ± {reading.se:.3f}"
    strongest = max(reading.baselines, key=lambda each: reading.baselines[each])
    found = is_present(name, reading) if kind == MECHANISM else None
    word = {True: "present", False: "absent", None: "undecided"}[found]
    return (
        f"{reading.value:.3f}{error}",
        f"{strongest} {reading.baselines[strongest]:.3f}",
        word if kind == MECHANISM else "–",
    )
