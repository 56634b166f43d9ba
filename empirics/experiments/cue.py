"""The cue ladder: the rarer goal and proxy part, the later an agent turns from proxy to goal."""

from __future__ import annotations

from empirics.agent_experiment import AgentExperiment
from empirics.cue_competition import CueCell, UpdateRule, cue_run_id, train_cue_agents

EXPERIMENT = AgentExperiment(
    name="cue",
    cell=CueCell(0.04, 2.0, UpdateRule.NORMALIZED_CRITIC, 0.05),
    train=train_cue_agents,
    updates=6000,
    condition="alpha",
    values=(0.16, 0.08, 0.04, 0.02),
    num_seeds=20,
    identify=cue_run_id,
)
"""Seconds."""
