"""The linear network's ladder: strong modes leave the saddle at 0 first."""

from __future__ import annotations

from empirics.agent_experiment import AgentExperiment
from empirics.linear_network import LinearNetworkCell, train_linear_networks

EXPERIMENT = AgentExperiment(
    name="linear-network",
    cell=LinearNetworkCell(singular_value=1.0),
    train=train_linear_networks,
    updates=6000,
    condition="singular_value",
    values=(0.25, 0.5, 1.0, 2.0),
    num_seeds=40,
)
"""Seconds."""
