"""The ladder of skills: the more two skills oppose each other, the later the second comes."""

from __future__ import annotations

from empirics.agent_experiment import AgentExperiment
from empirics.skills import SkillCell, train_skills

EXPERIMENT = AgentExperiment(
    name="skills",
    # The first skill starts at a chance of 0.2, the second at 0.1.
    cell=SkillCell(initial_probability=0.2, learning_rate=0.2, initial_ratio=0.5, batch_size=16),
    train=train_skills,
    updates=3000,
    condition="gradient_cosine",
    values=(0.0, -0.2, -0.4, -0.6),
    num_seeds=40,
)
"""Seconds."""
