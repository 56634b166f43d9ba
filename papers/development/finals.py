"""What the agents of an organism have come to: their last values, over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from statistics import median

from empirics.probes.status import is_present
from papers.curve_results import Document
from papers.development.grown import Grown
from papers.development.over_seeds import OverSeeds

ERROR = 0.05
"""Probability, at most, that an interval misses."""
EXPLAINED = (
    "The mean over agents has a 95 % interval that holds both errors, over seeds (Student's t) and "
    "over held-out levels, which all seeds share. The baseline is the strongest one of any agent, "
    "its own untrained network included."
)


def finals_table(agents: Sequence[Grown]) -> Document:
    """Return the last values of what is fitted and what is reported, a row an observable."""
    rows = [
        _row(name, observable, list(group))
        for name, group in _by_organism(agents)
        for observable in dict.fromkeys((*group[0].organism.fitted, *group[0].organism.reported))
        if any(_measured(agent, observable) for agent in group)
    ]
    columns = [
        "organism", "observable", "agents", "mean", "95 % interval", "smallest", "median",
        "largest", "strongest baseline", "present in",
    ]  # fmt: skip
    return {"caption": "Last values over agents", "columns": columns, "rows": rows}


def _by_organism(agents: Sequence[Grown]) -> list[tuple[str, list[Grown]]]:
    return [(name, list(group)) for name, group in groupby(agents, lambda a: a.organism.name)]


def _measured(agent: Grown, observable: str) -> bool:
    return observable in agent.readings[-1][1]


def _row(name: str, observable: str, group: Sequence[Grown]) -> list[str | float | None]:
    lasts = {
        agent.run.seed: agent.last(observable) for agent in group if _measured(agent, observable)
    }
    values = {seed: reading.value for seed, reading in lasts.items()}
    over = OverSeeds(values, max(reading.se or 0.0 for reading in lasts.values()))
    half = over.half_width(ERROR)
    baselines = [(value, which) for one in lasts.values() for which, value in one.baselines.items()]
    strongest, which = max(baselines)
    present = sum(is_present(observable, reading) is True for reading in lasts.values())
    return [
        name,
        observable,
        len(lasts),
        round(over.mean, 3),
        f"[{over.mean - half:.3f}, {over.mean + half:.3f}]" if len(lasts) > 1 else "–",
        round(min(values.values()), 3),
        round(median(values.values()), 3),
        round(max(values.values()), 3),
        f"{which} {strongest:.3f}",
        "–" if observable in group[0].organism.behaviors else f"{present} of {len(lasts)}",
    ]
