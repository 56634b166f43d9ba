"""What one small agent left behind: its curves, and its onset to the update."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, final

from empirics.run_stream import run_id_of
from theory.curve import Condition, Curve, FloatArray, IntArray, Origin, Progress
from theory.onset import Onset

Support = tuple[float, float] | None
"""Range of an observable, or None where it has none."""
NO_OTHERS: Mapping[str, Support] = MappingProxyType({})


class Cell(Protocol):
    """A task and a learner; a frozen value."""

    @property
    def label(self) -> str:
        """What tells the cell from others."""
        ...

    def conditions(self, seed: int) -> dict[str, Condition]:
        """Return the ledger of everything that shapes a run."""
        ...


@final
@dataclass(frozen=True)
class AgentRun:
    """What one agent left behind.

    Attributes
    ----------
    run, run_id : str
        Label, and hash of what decides the curves.
    cell : Cell
    seed : int
    curves : tuple of Curve
        One an observable.
    onset : Onset
        The update at which what is learned (the chance of a reward, say) first was at least 1/2,
        exactly: it lies in (u - 1, u]. A run that began there has its onset in (0, 1].
    """

    run: str
    run_id: str
    cell: Cell
    seed: int
    curves: tuple[Curve, ...]
    onset: Onset

    def curve(self, observable: str) -> Curve:
        """Return the curve of one observable.

        Raises
        ------
        ValueError
            If the run has no such observable; those it has are listed.
        """
        found = {curve.observable: curve for curve in self.curves}
        if observable not in found:
            raise ValueError(
                f"run {self.run!r} has no observable {observable!r}; it has {', '.join(found)}."
            )
        return found[observable]


def record(
    cell: Cell,
    seed: int,
    t: IntArray,
    measured: Mapping[str, FloatArray],
    onset: float,
    *,
    supports: Mapping[str, Support] = NO_OTHERS,
    progress: Progress = Progress.UPDATES,
) -> AgentRun:
    """Return the run of an agent.

    Parameters
    ----------
    t : (n,) array
        Updates.
    measured : mapping of str to (n,) array
        Values by observable.
    onset : float
        First update after which what is learned is at least 1/2, or infinity.
    supports : mapping of str to (float, float) or None
        Range of each observable that is no chance.
    progress : Progress
        What `t` counts.
    """
    conditions, run = cell.conditions(seed), f"{cell.label} seed={seed}"
    run_id = run_id_of(cell, seed, t)
    curves = tuple(
        Curve(
            observable,
            t.astype(float),
            y,
            progress=progress,
            run=run,
            run_id=run_id,
            conditions=conditions,
            origin=Origin.MEASURED,
            support=supports.get(observable, (0.0, 1.0)),
        )
        for observable, y in measured.items()
    )
    upper = max(onset, 1.0)
    lower = float(t[-1]) if math.isinf(onset) else upper - 1.0
    when = Onset(lower, upper, conditions, run, progress)
    return AgentRun(run, run_id, cell, seed, curves, when)
