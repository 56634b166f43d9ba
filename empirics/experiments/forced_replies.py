"""Forced replies: agents of a game that is won by threats whose answers can be foreseen.

The board has 5 × 5 squares, four in a row win. From two starts in five there is one winning move
alone: a threat, whose block is forced, and the third move then threatens two squares at once. What
agents came to is in `docs/forced_replies.md`.
"""

from __future__ import annotations

from empirics.experiment import Experiment, log_schedule
from empirics.policies.recurrent_board_policy import RecurrentBoardNetwork
from empirics.ppo import PPOConfig
from empirics.probes.forced_replies.plan import ForcedRepliesPlan
from empirics.row_game.config import RowGameConfig

_PPO = PPOConfig(
    total_timesteps=409_600,
    num_envs=256,
    num_steps=8,
    learning_rate=3e-3,
    gamma=0.97,
    num_minibatches=4,
    update_epochs=3,
)

EXPERIMENT: Experiment = Experiment(
    name="forced-replies",
    environment=RowGameConfig(),
    network=RecurrentBoardNetwork(width=16, ticks=3),
    algorithm=_PPO,
    schedule=log_schedule(_PPO, 24),
    plan=ForcedRepliesPlan(),
)
"""Minutes a run."""
