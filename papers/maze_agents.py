"""Maze agents to re-execute a paper on: those of a store, or trained for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from empirics.experiment import Experiment
from empirics.experiments.goal_switch import QUICK
from empirics.maze_agent import MazeAgent, stored_agents
from empirics.provenance import processors, sha256_of
from empirics.task import run_ladder
from papers.studies import Progress

SEEDS = {"quick": QUICK.num_seeds, "full": 8}
"""Agents a rung of the quick goal switch."""


def maze_agents(
    store: Path | None,
    runs: Collection[str] | None = None,
    *,
    out: Path,
    seed: int,
    scale: str,
    progress: Progress,
    experiment: Experiment | None = None,
) -> tuple[MazeAgent, ...]:
    """Return the agents of a store, or of some of its runs; without one, train some.

    These go into ``out/store``, and are those of an experiment, by default the quick goal switch
    with all of its rungs.

    Raises
    ------
    ValueError
        If the store has no checkpoints of maze agents.
    """
    if store is not None:
        return stored_agents(store, runs)
    seeds = range(seed, seed + SEEDS[scale])
    condition, rungs = experiment.rungs if experiment else ("alpha", QUICK.alphas)
    total = len(rungs) * len(seeds)
    progress("Training maze agents", 0, total)
    trained = run_ladder(
        experiment or QUICK.experiment,
        condition,
        rungs,
        seeds,
        out / "store",
        n_jobs=processors(),
        on_run=lambda done, total, _: progress("Training maze agents", done, total),
    )
    return stored_agents(out / "store", [run.run_id for run in trained])


def parted(agents: Sequence[MazeAgent]) -> tuple[MazeAgent, ...]:
    """Return the agents that met the goal away from the proxy in training: alpha above 0.

    Raises
    ------
    ValueError
        If there are none.
    """
    found = tuple(agent for agent in agents if agent.environment.alpha > 0)
    if not found:
        raise ValueError(
            "the claims are about agents that go for the cheese: give a store with an agent "
            "trained at alpha > 0."
        )
    return found


def said(agents: Sequence[MazeAgent]) -> str:
    """Say which agents these are."""
    alphas = sorted({agent.environment.alpha for agent in agents})
    cells = sorted({agent.environment.cells for agent in agents})
    last = sorted({agent.checkpoints[-1][0] for agent in agents})
    return (
        f"{len(agents)} maze agents: mazes of {_listed(cells)} cells a side, cheese away from the "
        f"corner in a share {_listed(alphas)} of training levels, {_listed(last)} environment "
        "steps."
    )


def checksums(agents: Sequence[MazeAgent], num_checkpoints: int | None) -> dict[str, str]:
    """Return the SHA-256 of the checkpoints that are read, by run and file; all if not told."""
    return {
        f"{agent.record.run_id}/{path.name}": sha256_of(path)
        for agent in agents
        for _, path in agent.spread(num_checkpoints)
    }


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:,}" for value in values)
