"""An experiment on small agents: a cell, what trains it, and the ladder that is run by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any, Protocol, final

from empirics.agent_run import Cell
from empirics.cue_competition import log_schedule
from empirics.run_stream import run_id_of
from theory.curve import Condition, Curve, IntArray


class Trained(Protocol):
    """What one agent left behind: an `AgentRun`, or what else has a label, a name and curves."""

    @property
    def run(self) -> str:
        """Label."""
        ...

    @property
    def run_id(self) -> str:
        """Hash of what decides the curves."""
        ...

    @property
    def seed(self) -> int:
        """Seed."""
        ...

    @property
    def curves(self) -> tuple[Curve, ...]:
        """One an observable."""
        ...


class Train(Protocol):
    """What trains cells with seeds."""

    # Any: it is made for one kind of cell.
    def __call__(
        self, cells: Sequence[Any], seeds: Sequence[int], *, updates: int
    ) -> Sequence[Trained]:
        """Return one run a cell and seed."""
        ...


@final
@dataclass(frozen=True)
class AgentExperiment:
    """A small agent and its task, with the ladder that is run unless another is asked for.

    Attributes
    ----------
    name : str
    cell : Cell
        A frozen dataclass of settings.
    train : Train
    updates : int
        Length of a run.
    condition : str
        Field of the cell that is varied.
    values : tuple
        The rungs.
    num_seeds : int
        Runs a rung.
    identify : callable
        From a cell, a seed and the updates of the record to the run_id.
    """

    name: str
    cell: Cell
    train: Train
    updates: int
    condition: str
    values: tuple[Condition, ...]
    num_seeds: int
    identify: Callable[[Any, int, IntArray], str] = run_id_of

    @property
    def conditions(self) -> dict[str, Condition]:
        """The ledger but for the seed."""
        return {k: v for k, v in self.cell.conditions(0).items() if k != "seed"}

    @property
    def length(self) -> str:
        """How long a run is, and how many there are."""
        rungs = ", ".join(str(value) for value in self.values)
        return (
            f"{self.updates:,} updates; {self.num_seeds} seeds at each {self.condition} of {rungs}"
        )

    @property
    def rungs(self) -> tuple[str, tuple[Condition, ...]]:
        """The condition that is varied unless another is, and its values."""
        return self.condition, self.values

    @property
    def schedule(self) -> IntArray:
        """The updates at which curves are recorded."""
        return log_schedule(self.updates)

    def grid(self, settings: Mapping[str, Sequence[Condition]]) -> tuple[Cell, ...]:
        """Return the distinct cells of all combinations of settings, the last running fastest.

        Parameters
        ----------
        settings : mapping of str to sequence
            Values of each setting that is varied; the others are those of the cell.

        Raises
        ------
        ValueError
            If the cell has no such setting (those it has are listed), or it cannot have such
            values.
        """
        self._check(settings)
        combined = product(*settings.values())
        return self.cells([dict(zip(settings, values, strict=True)) for values in combined])

    def cells(self, points: Sequence[Mapping[str, Condition]]) -> tuple[Cell, ...]:
        """Return the distinct cells with these settings changed, one a point of a sweep.

        Raises
        ------
        ValueError
            As `grid`.
        """
        for point in points:
            self._check(point)
        cell: Any = self.cell
        return tuple(dict.fromkeys(replace(cell, **point) for point in points))

    def _check(self, names: Iterable[str]) -> None:
        """Refuse settings that the cell has not."""
        cell: Any = self.cell
        known = sorted(field.name for field in fields(cell))
        unknown = sorted(set(names) - set(known))
        if unknown:
            raise ValueError(
                f"experiment {self.name!r} has no condition {', '.join(unknown)} to vary; "
                f"it has {', '.join(known)}."
            )
