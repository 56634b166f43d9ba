"""Trained maze agents as a store keeps them: environment, network, and checkpoints."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, final

import numpy as np

from empirics.checkpoint import load_policy
from empirics.levels import NUM_ACTIONS
from empirics.maze import MazeConfig
from empirics.notes import counted
from empirics.policies.maze_policy import MazeNetwork, MazePolicy
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork, RecurrentMazePolicy
from empirics.selection import chosen, parse_selection
from empirics.store import RunRecord, Store

LATER = ("process_fraction", "two_keys")
"""Settings of the maze that older ledgers lack; their runs were as the presets say."""


@final
@dataclass(frozen=True)
class MazeAgent:
    """A run whose checkpoints a store holds, and what its conditions say it was.

    Attributes
    ----------
    record : RunRecord
    environment : MazeConfig
    network : MazeNetwork or RecurrentMazeNetwork
    checkpoints : tuple of (env_steps, path)
        Ascending.
    """

    record: RunRecord
    environment: MazeConfig
    network: MazeNetwork | RecurrentMazeNetwork
    checkpoints: tuple[tuple[int, Path], ...]

    def policy(self, path: Path) -> MazePolicy | RecurrentMazePolicy:
        """Return the policy of a checkpoint, frozen.

        Raises
        ------
        ValueError
            If the file is damaged or holds another architecture than the run's conditions say.
        """
        shape = self.environment.observation_shape
        policy = self.network.build(shape, NUM_ACTIONS, rng=np.random.default_rng(0))
        load_policy(path, policy)
        return policy

    def spread(self, count: int | None) -> tuple[tuple[int, Path], ...]:
        """Return so many checkpoints, the first and the last among them; all if not told.

        They are evenly spaced in the row of checkpoints, not in environment steps.
        """
        last = len(self.checkpoints) - 1
        if count is None or count > last:
            return self.checkpoints
        chosen = np.rint(np.linspace(0, last, count)) if count > 1 else [last]
        return tuple(self.checkpoints[int(i)] for i in chosen)


def stored_agents(folder: Path, runs: Collection[str] | None = None) -> tuple[MazeAgent, ...]:
    """Return the maze agents whose checkpoints lie in a store, by label.

    Parameters
    ----------
    folder : Path
        A store that `ontogeny run goal-switch` or a study made.
    runs : collection of str, optional
        Labels or run_ids; all that have checkpoints if not given.

    Raises
    ------
    ValueError
        If the folder is no store, it has no such run or no checkpoints, or a run is no maze agent.
    """
    held = [(each, checkpoints_of(folder, each)) for each in Store(folder, create=False).runs()]
    kept = [(record, checkpoints) for record, checkpoints in held if checkpoints]
    if not kept:
        raise ValueError(
            f"{folder} holds no checkpoints of its runs; 'ontogeny run goal-switch' and 'ontogeny "
            "study goal-switch' keep them, in checkpoints/<run_id>."
        )
    for name in runs or ():
        if not any(name in (record.run, record.run_id) for record, _ in kept):
            raise ValueError(
                f"{folder} holds no checkpoints of a run {name!r}; it has those of "
                f"{', '.join(sorted(record.run for record, _ in kept))}."
            )
    return tuple(
        _agent(record, checkpoints)
        for record, checkpoints in kept
        if runs is None or record.run in runs or record.run_id in runs
    )


def runs_where(folder: Path, where: str) -> tuple[list[str], list[str]]:
    """Return the run_ids of what has checkpoints and fulfils a selection, and notes.

    Raises
    ------
    ValueError
        If the selection cannot be read, asks for a condition that nothing has, or none fulfils it.
    """
    facts = {
        record.run_id: {**record.conditions, "run": record.run, "run_id": record.run_id}
        for record in Store(folder, create=False).runs()
        if checkpoints_of(folder, record)
    }
    kept, notes = chosen(parse_selection(where), facts, str(folder), "run")
    if not kept:
        raise ValueError(
            f"none of the {counted(len(facts), 'run')} in {folder} that have checkpoints fulfils "
            f"{where}."
        )
    return sorted(kept), notes


def checkpoints_of(folder: Path, record: RunRecord) -> tuple[tuple[int, Path], ...]:
    """Return what lies in a run's folder under a number; the snapshot to go on from does not."""
    files = (folder / "checkpoints" / record.run_id).glob("*.safetensors")
    return tuple(sorted((int(file.stem), file) for file in files if file.stem.isdecimal()))


def _agent(record: RunRecord, checkpoints: tuple[tuple[int, Path], ...]) -> MazeAgent:
    environment = _settings(MazeConfig, record, "")
    kind = RecurrentMazeNetwork if "network_ticks" in record.conditions else MazeNetwork
    network = kind(**_settings(kind, record, "network_"))
    return MazeAgent(record, MazeConfig(**environment), network, checkpoints)


def _settings(kind: type, record: RunRecord, prefix: str) -> dict[str, Any]:
    """Return the fields of a configuration from a run's ledger."""
    names = [
        field.name
        for field in fields(kind)
        if field.name not in LATER or prefix + field.name in record.conditions
    ]
    missing = sorted(prefix + name for name in names if prefix + name not in record.conditions)
    if missing:
        raise ValueError(
            f"{record.run!r} is no maze agent: its conditions lack {', '.join(missing)}; only the "
            "checkpoints of maze agents can be rebuilt from a store."
        )
    return {name: record.conditions[prefix + name] for name in names}
