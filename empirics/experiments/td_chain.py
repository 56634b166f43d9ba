"""The chain's ladder: a reward is handed back state by state, so far states wait in line.

With noisy rewards the share overshoots 1: `ontogeny test` wants `--observable share --level 0.5`.
"""

from __future__ import annotations

from empirics.agent_experiment import AgentExperiment
from empirics.td_chain import TDChainCell, train_td_chains

EXPERIMENT = AgentExperiment(
    name="td-chain",
    cell=TDChainCell(distance=5, learning_rate=0.1, reward_sd=0.5),
    train=train_td_chains,
    updates=8000,
    condition="distance",
    values=(2, 5, 10, 19),
    num_seeds=40,
)
"""A second or two."""
