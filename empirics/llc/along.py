"""Learning coefficients along the training of agents, from the checkpoints that a store keeps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import final

import numpy as np

from empirics.engine import Lost, each
from empirics.llc.along_settings import AlongSettings
from empirics.llc.estimate import estimate_llc
from empirics.llc.kept_readings import KeptReadings
from empirics.llc.maze_energy import chain_seed, energy_at
from empirics.llc.reading import LLCReading
from empirics.maze_agent import MazeAgent, stored_agents
from empirics.one_thread import one_thread
from empirics.store import RunRecord, Store
from theory.curve import Curve, Origin, Progress

Told = Callable[[int, int, RunRecord, int, LLCReading], None]
Point = tuple[MazeAgent, int, Path]
"""An agent, the environment steps of a checkpoint of it, and where that lies."""


@final
@dataclass(frozen=True)
class Along:
    """The readings of one run's checkpoints.

    Attributes
    ----------
    record : RunRecord
    settings : AlongSettings
    readings : mapping of int to LLCReading
        By environment steps, ascending.
    """

    record: RunRecord
    settings: AlongSettings
    readings: Mapping[int, LLCReading]

    @property
    def curve(self) -> Curve | None:
        """The readings that there are, doubted ones too; None where no chain survived anywhere."""
        found = [(t, r.llc, r.llc_se) for t, r in self.readings.items() if r.llc is not None]
        return self._curve(*zip(*found, strict=True)) if found else None

    def check(self, store: Store) -> None:
        """Raise a ValueError if a store holds such a curve of the run with other settings."""
        store.check_curves([self._curve((0,), (0.0,), (0.0,))])

    def _curve(self, *points: tuple[float | None, ...]) -> Curve:
        t, y, y_se = (np.array(column, dtype=np.float64) for column in points)
        return Curve(
            self.settings.observable,
            t,
            y,
            y_se=y_se,
            progress=Progress.ENV_STEPS,
            run=self.record.run,
            run_id=self.record.run_id,
            conditions={**self.record.conditions, **self.settings.conditions},
            origin=Origin.MEASURED,
        )


def llc_along(
    store: Path | str,
    settings: AlongSettings | None = None,
    *,
    out: Path | str | None = None,
    runs: Collection[str] | None = None,
    num_checkpoints: int | None = None,
    told: Told | None = None,
    device: str = "cpu",
    n_jobs: int = 1,
) -> tuple[Along, ...]:
    """Read the learning coefficient of the checkpoints of a store's maze agents.

    Each checkpoint is its own center, and its reading depends on the checkpoint, the settings and
    the seed alone: not on which others are asked.

    Parameters
    ----------
    store : path
        With the checkpoints.
    settings : AlongSettings, optional
    out : path, optional
        The store that gets the curves, and every reading as soon as it is made
        (`KeptReadings`); what is there already is not made again, and is part of the curve.
    runs : collection of str, optional
        Labels or run_ids; all that have checkpoints if not given.
    num_checkpoints : int, optional
        So many of each run, evenly spaced in their row; all if not given.
    told : callable, optional
        Told (checkpoints done, in all, run, environment steps, reading).
    device : str
        ``"cpu"`` or ``"cuda"``.
    n_jobs : int
        Processes at a time on this machine (`empirics.engine`); the readings do not depend on it.

    Raises
    ------
    ValueError
        If the store has no such agents (`stored_agents`), a checkpoint does not fit, or `out`
        holds a curve that was read with other settings; readings made before are kept.
    OSError
        If checkpoints always killed their process; the others are read and kept.
    """
    given = AlongSettings() if settings is None else settings
    agents = stored_agents(Path(store), runs)
    target = None if out is None else Store(out)
    kept = None if target is None else KeptReadings(target.path)
    if target is not None:
        for agent in agents:
            Along(agent.record, given, {}).check(target)
    points = [
        (agent, env_steps, path)
        for agent in agents
        for env_steps, path in agent.spread(num_checkpoints)
    ]
    readings: dict[str, dict[int, LLCReading]]
    readings = {a.record.run_id: {} if kept is None else kept.of(a.record, given) for a in agents}
    missing = [point for point in points if point[1] not in readings[point[0].record.run_id]]
    done = 0

    def said(point: Point) -> None:
        nonlocal done
        done += 1
        if told:
            record, env_steps = point[0].record, point[1]
            told(done, len(points), record, env_steps, readings[record.run_id][env_steps])

    lost = []
    try:
        for point in points:
            if point not in missing:
                said(point)
        read = partial(_read, settings=given, device=device)
        for index, reading in each(read, missing, n_jobs=n_jobs):
            record, env_steps = missing[index][0].record, missing[index][1]
            if isinstance(reading, Lost):
                lost.append(f"{record.run!r} at {env_steps} env_steps: {reading.sentence}")
                continue
            readings[record.run_id][env_steps] = reading
            if kept is not None:
                kept.add(record, given, env_steps, reading)
            said(missing[index])
    finally:
        found = tuple(
            Along(agent.record, given, dict(sorted(readings[agent.record.run_id].items())))
            for agent in agents
        )
        if target is not None:
            for one in found:
                _store(target, one)
    if lost:
        raise OSError(f"{done} of {len(points)} checkpoints are read; {'; '.join(lost)}.")
    return found


def _read(point: Point, settings: AlongSettings, device: str) -> LLCReading:
    agent, env_steps, path = point
    with one_thread():  # here as in a worker, to the last bit
        energy, center = energy_at(agent, env_steps, path, settings)
        (reading,) = estimate_llc(
            energy,
            center,
            settings.sampler,
            settings.plan,
            seed=chain_seed(agent, env_steps, settings),
            correct_step_size=True,
            device=device,
        )
    return reading


def _store(store: Store, found: Along) -> None:
    """Store a run's curve, if there is one."""
    if found.curve is not None:
        store.append_curves([found.curve])
        store.append_run(found.record)
