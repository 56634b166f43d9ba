"""Probes of the checkpoints that a store keeps, as curves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from empirics.engine import Lost, each
from empirics.experiment import ProbePlan
from empirics.kept_probes import KeptProbes, plan_key
from empirics.maze_agent import MazeAgent
from empirics.one_thread import one_thread
from empirics.probe import Probe, Reading, curves_from_readings
from theory.curve import Condition, Curve


@runtime_checkable
class AgentPlan(Protocol):
    """A plan whose probes depend on the agent's own checkpoints; a frozen value."""

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """The plan as rows of a ledger."""
        ...

    def probes_of(self, agent: MazeAgent) -> tuple[Probe, ...]:
        """Return the probes of all checkpoints of an agent."""
        ...


Plan = ProbePlan | AgentPlan
Measured = dict[str, Reading]
Readings = tuple[tuple[int, Measured], ...]
Point = tuple[int, Path]

CHUNK = 4
"""Checkpoints a task: seconds of work, and little lost to a kill."""


def probed_checkpoints(
    agent: MazeAgent, plan: Plan, num_checkpoints: int | None = None
) -> Readings:
    """Return (env_steps, readings) of an agent's checkpoints; of all if not told how many."""
    return _measure(agent, _probes(plan, agent), agent.spread(num_checkpoints))


def probe_agents(
    agents: Sequence[MazeAgent],
    plans: Sequence[Plan],
    folder: Path,
    *,
    num_checkpoints: int | None = None,
    n_jobs: int = 1,
    on_done: Callable[[int, int], None] | None = None,
) -> tuple[Readings, ...]:
    """Measure the checkpoints of many agents under several plans, in one pass.

    What is measured is kept in a folder (`KeptProbes`) while the rest is going on: the same
    call after a kill measures only what is missing. The result does not depend on `n_jobs`.

    Parameters
    ----------
    agents : sequence of MazeAgent
    plans : sequence of ProbePlan or AgentPlan
        Each agent is measured under all of them; their observables differ.
    folder : Path
        Where readings are kept.
    num_checkpoints : int or None
        Checkpoints an agent (`MazeAgent.spread`); all if not told.
    n_jobs : int
        Processes at a time.
    on_done : callable or None
        Called with (tasks done, tasks in all) as each one ends.

    Returns
    -------
    tuple of Readings
        For each agent (env_steps, readings of all plans) of its checkpoints.

    Raises
    ------
    ValueError
        If a probe cannot measure a checkpoint.
    OSError
        If checkpoints always killed their process; the others are measured and kept.
    """
    kept = KeptProbes(folder)
    keys = [plan_key(type(plan).__name__, plan.conditions) for plan in plans]
    points = [agent.spread(num_checkpoints) for agent in agents]
    tasks = [
        (agent, plan, key, chunk)
        for agent, mine in zip(agents, points, strict=True)
        for plan, key in zip(plans, keys, strict=True)
        for chunk in _chunks([p for p in mine if p[0] not in kept.of(agent.record.run_id, key)])
    ]
    lost = []
    for count, (index, done) in enumerate(each(_task, tasks, n_jobs=n_jobs), start=1):
        agent, _, key, chunk = tasks[index]
        if isinstance(done, Lost):
            moments = ", ".join(str(env_steps) for env_steps, _ in chunk)
            lost.append(f"{agent.record.run!r} at {moments} env_steps: {done.sentence}")
            continue
        for env_steps, measured in done:
            kept.add(agent.record.run_id, key, env_steps, measured)
        if on_done:
            on_done(count, len(tasks))
    if lost:
        said = f"{len(tasks) - len(lost)} of {len(tasks)} groups of checkpoints are measured"
        raise OSError(f"{said} and kept in {folder}; {'; '.join(lost)}.")
    return tuple(
        _together([kept.of(agent.record.run_id, key) for key in keys], mine)
        for agent, mine in zip(agents, points, strict=True)
    )


def _probes(plan: Plan, agent: MazeAgent) -> tuple[Probe, ...]:
    return plan.probes_of(agent) if isinstance(plan, AgentPlan) else plan.probes(agent.environment)


def _chunks(points: Sequence[Point]) -> Iterable[Sequence[Point]]:
    return (points[start : start + CHUNK] for start in range(0, len(points), CHUNK))


def _task(task: tuple[MazeAgent, Plan, str, Sequence[Point]]) -> Readings:
    agent, plan, _, points = task
    with one_thread():
        return _measure(agent, _probes(plan, agent), points)


def _measure(agent: MazeAgent, probes: Sequence[Probe], points: Sequence[Point]) -> Readings:
    result = []
    for env_steps, path in points:
        policy = agent.policy(path)
        measured: Measured = {}
        for probe in probes:
            try:
                measured.update(probe(policy))
            except ValueError as error:
                where = f"{agent.record.run!r} at {env_steps} env_steps"
                raise ValueError(f"probe {probe.name!r} of {where}: {error}") from error
        result.append((env_steps, measured))
    return tuple(result)


def _together(
    plans: Sequence[Mapping[int, Mapping[str, Reading]]], points: Sequence[Point]
) -> Readings:
    return tuple(
        (env_steps, {name: each for plan in plans for name, each in plan[env_steps].items()})
        for env_steps, _ in points
    )


def probed_curves(
    agent: MazeAgent, plans: Sequence[Plan], readings: Readings
) -> Mapping[str, Curve]:
    """Return a curve for each observable, with the plans in its ledger."""
    record = agent.record
    ledger = dict(record.conditions)
    for plan in plans:
        ledger |= plan.conditions
    curves = curves_from_readings(readings, conditions=ledger, run=record.run, run_id=record.run_id)
    return {curve.observable: curve for curve in curves}
