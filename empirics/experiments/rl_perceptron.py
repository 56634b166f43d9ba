"""The perceptron's ladder: every further decision makes the first rewards rarer."""

from __future__ import annotations

from empirics.agent_experiment import AgentExperiment
from empirics.perceptron import PerceptronCell, train_perceptrons

EXPERIMENT = AgentExperiment(
    name="rl-perceptron",
    cell=PerceptronCell(n_decisions=3, dimension=100),
    train=train_perceptrons,
    updates=10_000,
    condition="n_decisions",
    values=(1, 2, 3, 4, 5),
    num_seeds=40,
)
"""Seconds."""
