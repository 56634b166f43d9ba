"""Ladders of small agents over several conditions at once, and the mechanism of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirics.agent_experiment import AgentExperiment
from empirics.cue_competition import train_cue_agents
from empirics.experiments import EXPERIMENTS
from empirics.lock import train_locks

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Study:
    """Cells that one mechanism speaks of.

    Attributes
    ----------
    name, mechanism : str
    cells : tuple
    varied : tuple of str
        The conditions that are varied.
    updates : int
    train : callable
    observable : str
    linear : tuple of str
        Conditions that enter as they are, since they may be 0; the others by their logarithm.
    """

    name: str
    mechanism: str
    cells: tuple[Any, ...]
    varied: tuple[str, ...]
    updates: int
    train: Callable[..., Sequence[Any]]
    observable: str
    linear: tuple[str, ...] = ()

    @property
    def covariates(self) -> dict[str, FloatArray]:
        """Every varied condition, (n_cells,)."""
        return {
            (name if name in self.linear else f"ln {name}"): self._values(name)
            for name in self.varied
        }

    def _values(self, name: str) -> FloatArray:
        values = np.array([float(getattr(cell, name)) for cell in self.cells])
        return values if name in self.linear else np.log(values)


def studies() -> Iterator[Study]:
    """Yield the ladders."""
    lock, cue = EXPERIMENTS["lock"], EXPERIMENTS["cue"]
    assert isinstance(lock, AgentExperiment) and isinstance(cue, AgentExperiment)
    sparse = {
        "horizon": (1, 2, 3),
        "n_arms": (2, 4, 16),
        "initial_probability": (0.1, 0.2, 0.4),
        "gamma": (0.7, 1.0),
        "learning_rate": (0.05, 0.2),
    }
    cells = lock.grid(sparse)
    yield Study("sparse lock", "lock", cells, tuple(sparse), 20_000, train_locks, "p_correct")
    dense = {
        "horizon": (2, 4),
        "n_arms": (2, 8),
        "initial_probability": (0.15, 0.3),
        "process_fraction": (0.0, 0.2, 1.0),
        "potential_shaping": (0.0, 0.5),
        "pretrained_updates": (0, 4),
        "learning_rate": (0.2,),
        "batch_size": (8,),
    }
    varied = tuple(name for name, values in dense.items() if len(values) > 1)
    cells = lock.grid(dense)
    yield Study(
        "lock with process rewards",
        "process_lock",
        cells,
        varied,
        20_000,
        train_locks,
        "p_correct",
        ("process_fraction", "potential_shaping", "pretrained_updates"),
    )
    # Single episodes and long steps: where a potential, which is a baseline, may act by its noise.
    noisy = {
        "initial_probability": (0.2, 0.4),
        "learning_rate": (0.1, 0.4, 1.6),
        "potential_shaping": (0.0, 0.5, 1.0),
    }
    yield Study(
        "shaped lock, single episodes",
        "process_lock",
        lock.grid(noisy),
        tuple(noisy),
        20_000,
        train_locks,
        "p_correct",
        ("potential_shaping",),
    )
    for rule, rates, updates in (
        ("delta_rule", (0.005, 0.02), 10_000),
        ("policy_gradient", (0.25, 1.0), 20_000),
        ("normalized_critic", (0.02, 0.08), 20_000),
    ):
        settings = {
            "alpha": (0.02, 0.04, 0.08, 0.16),
            "salience_ratio": (1.5, 2.0),
            "learning_rate": rates,
            "update_rule": (rule,),
        }
        yield Study(
            f"cues, {rule.replace('_', ' ')}",
            f"cue_{rule}",
            cue.grid(settings),
            tuple(settings)[:3],
            updates,
            train_cue_agents,
            "p_goal",
        )
