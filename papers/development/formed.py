"""What forms when: onset, width and final value of every fitted observable of every agent."""

from __future__ import annotations

from collections.abc import Sequence

from empirics.probes.status import status
from fitting.comparison import Comparison
from fitting.runs.order import said, times_of
from fitting.runs.order_doubts import obstacle
from fitting.runs.precedence import weighted_estimate
from papers.curve_results import Document
from papers.development.grown import Grown
from papers.wording import between, short3

COLUMNS = (
    "agent",
    "observable",
    "is",
    "shape",
    "onset",
    "P(never)",
    "width of the largest stage",
    "last value",
    "strongest baseline",
)
EXPLAINED = (
    "Onset: 10 % of the change of the first stage is done; width: from 10 % to 90 % of the "
    "largest. Both are in environment steps, medians with 95 % intervals, averaged over all shapes "
    "and forms by their probability; where the shape is no change or steady drift an observable "
    "never forms. The last value has its standard error over held-out levels."
)


def formed_table(agents: Sequence[Grown]) -> Document:
    """Return the table of when, how fast and how far everything formed."""
    rows = [
        _row(agent, name, kind)
        for agent in agents
        for kind, names in (
            ("behavior", agent.organism.behaviors),
            ("mechanism", agent.organism.mechanisms),
        )
        for name in names
    ]
    return {"caption": "What formed, when and how far", "columns": list(COLUMNS), "rows": rows}


def _row(agent: Grown, name: str, kind: str) -> list[str | float | None]:
    if name not in agent.comparisons:
        return [agent_name(agent), name, kind, "not measured", *["–"] * (len(COLUMNS) - 4)]
    comparison = agent.comparisons[name]
    onset, never = _onset(comparison)
    return [
        agent_name(agent),
        name,
        kind,
        _shape(comparison),
        onset,
        never,
        _width(comparison),
        *_last(agent, name),
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


def _onset(comparison: Comparison) -> tuple[str, str]:
    if comparison.formation is None or obstacle(comparison):
        return "–", "–"
    times = times_of(comparison, "onset")
    comes = times.draws < float("inf")
    found = weighted_estimate(times.draws[comes], times.weight[comes])
    when = "–" if found is None else between(found.value, (found.lower, found.upper))
    return when, said(times.never)


def _width(comparison: Comparison) -> str:
    if comparison.stages is None or not comparison.stages.stages:
        return "–"
    largest = max(comparison.stages.stages, key=lambda stage: stage.share.value)
    return between(largest.width.value, (largest.width.lower, largest.width.upper))


def _last(agent: Grown, name: str) -> tuple[str, str]:
    """Return the last value with its error, and the strongest baseline."""
    if not any(name in measured for _, measured in agent.readings):
        return short3(float(agent.curves[name].y[-1])), "–"
    reading = agent.last(name)
    error = "" if reading.se is None else f" ± {reading.se:.3f}"
    strongest = max(reading.baselines, key=lambda each: reading.baselines[each])
    return f"{reading.value:.3f}{error}", f"{strongest} {reading.baselines[strongest]:.3f}"


def statuses(agent: Grown) -> list[str]:
    """Say of each mechanism of an agent whether it is there at the end of training."""
    return [
        f"{agent_name(agent)}: {status(name, agent.last(name))}"
        for name in agent.organism.mechanisms
        if any(name in measured for _, measured in agent.readings)
    ]
