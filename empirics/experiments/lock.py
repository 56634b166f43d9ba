"""The lock's ladder: every further step multiplies the wait for the first opening."""

from __future__ import annotations

from empirics.agent_experiment import AgentExperiment
from empirics.lock import LockCell, train_locks

EXPERIMENT = AgentExperiment(
    name="lock",
    cell=LockCell(initial_probability=0.25, learning_rate=0.5),
    train=train_locks,
    updates=6000,
    condition="horizon",
    values=(1, 2, 3, 4),
    num_seeds=40,
)
"""Seconds."""
