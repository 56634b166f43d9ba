"""The readings of every agent on which a paper was re-executed, and their page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from empirics.maze_agent import MazeAgent
from papers.check import Readings
from papers.sections.study import Page
from papers.studies import Progress
from papers.tables import Table


def each_read(
    agents: Sequence[MazeAgent], read: Callable[[MazeAgent], Readings], progress: Progress
) -> list[Readings]:
    """Return what is read off every agent, one by one."""
    measured = []
    for i, agent in enumerate(agents):
        progress("Measuring agents", i, len(agents))
        measured.append(read(agent))
    progress("Measuring agents", len(agents), len(agents))
    return measured


def agents_page(
    agents: Sequence[MazeAgent],
    measured: Sequence[Readings],
    shown: Sequence[str],
    paragraph: str,
) -> Page:
    """Return the page; an observable that an agent lacks has no row."""
    rows = tuple(
        (agent.environment.alpha, agent.record.run, name, found[name].value, found[name].se)
        for agent, found in zip(agents, measured, strict=True)
        for name in shown
        if name in found
    )
    columns = ("alpha", "run", "observable", "value", "se over levels")
    decimals = dict.fromkeys(columns[-2:], 3)
    table = Table("readings at the last checkpoint", columns, rows, decimals=decimals)
    return Page("Every agent", (paragraph,), (table,))
