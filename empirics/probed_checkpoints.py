"""Probes of the checkpoints that a store keeps, as curves."""

from __future__ import annotations

from collections.abc import Mapping

from empirics.experiment import ProbePlan
from empirics.maze_agent import MazeAgent
from empirics.probe import Reading, curves_from_readings
from theory.curve import Curve

Readings = tuple[tuple[int, dict[str, Reading]], ...]


def probed_checkpoints(
    agent: MazeAgent, plan: ProbePlan, num_checkpoints: int | None = None
) -> Readings:
    """Return (env_steps, readings) of an agent's checkpoints; of all if not told how many."""
    probes = plan.probes(agent.environment)
    result = []
    for env_steps, path in agent.spread(num_checkpoints):
        policy = agent.policy(path)
        measured: dict[str, Reading] = {}
        for probe in probes:
            measured.update(probe(policy))
        result.append((env_steps, measured))
    return tuple(result)


def probed_curves(agent: MazeAgent, plan: ProbePlan, readings: Readings) -> Mapping[str, Curve]:
    """Return a curve for each observable, with the plan in its ledger."""
    record = agent.record
    curves = curves_from_readings(
        readings,
        conditions={**record.conditions, **plan.conditions},
        run=record.run,
        run_id=record.run_id,
    )
    return {curve.observable: curve for curve in curves}
