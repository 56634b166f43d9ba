"""The bandit's ladder: the rarer the rewarded arm is tried, the later it is found."""

from __future__ import annotations

from empirics.agent_experiment import AgentExperiment
from empirics.bandit import BanditCell, train_bandits

EXPERIMENT = AgentExperiment(
    name="bandit",
    # A rewarded episode moves the log odds by 0.56: onsets scatter, but not like first hits.
    cell=BanditCell(initial_probability=0.02, learning_rate=0.5),
    train=train_bandits,
    updates=3000,
    condition="initial_probability",
    values=(0.2, 0.06, 0.02, 0.006),
    num_seeds=40,
)
"""A second or two."""
