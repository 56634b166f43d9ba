"""Q-learning in parallel environments, without replay and without a target network.

After PQN (Gallici et al., 2024, "Simplifying deep temporal difference learning"): Q of what was
done is regressed on the λ-return of the rollout. Here the agent acts by softmax(Q / T) at a fixed
temperature T, and three things follow:

- A network with logits z and value V stands for
  Q(s, a) = V(s) + T·(log π(a|s) + H(π(·|s))) with π = softmax(z)
  (O'Donoghue et al., 2017, "Combining policy gradient and Q-learning"): then softmax(Q / T) = π
  and Σ_a π Q = V, whatever z and V are. So every network of `empirics.networks` can be trained,
  what it returns as logits is Q / T up to a constant of the state, and a probe reads the policy
  that acts.
- The value is the *expectation* of Q under that policy, what it earns; not T·log Σ exp(Q / T),
  which adds the entropy to come: with T·log(4) / (1 − γ) above the reward, wandering for ever
  would be worth more than the goal.
- Returns are bootstrapped from that value: expected SARSA(λ), on-policy at every λ, where PQN
  takes the largest Q. As T falls the two become one.

As logits, the actor's errors weigh T times what the critic's do, so that with T well below the
rewards the layers that both share are made for the critic. In mazes of 7 × 7 squares it learns,
more slowly than policy gradients (`benchmarks/algorithms.md`); those of 9 × 9 (γ = 0.97, where a
wasted step costs 3 % of the value) it did not learn steadily in the few settings tried, one seed
and at most 300,000 steps each.

Letters in shapes: S seeds, A actions.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from empirics.adam import Adam
from empirics.algorithm import Learned
from empirics.descend import descend
from empirics.networks import AbstractAgents
from empirics.pqn_config import PQNConfig
from empirics.rollout import Batch, Rollout, batch_of, explained_variance, log_softmax
from empirics.training import Lane

MEASURED = ("value_loss", "entropy")
"""Of `UPDATE_LOG`; the value loss is that of Q."""


def action_values(logits: Tensor, value: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Return Q (…, A) of logits (…, A) and values (…), and the entropy (…) of the policy."""
    log_p = log_softmax(logits)
    entropy = -(log_p.exp() * log_p).sum(-1)
    return (value + temperature * entropy)[..., None] + temperature * log_p, entropy


def losses(agents: AbstractAgents, batch: Batch, temperature: float) -> tuple[Tensor, Tensor]:
    """Return each seed's loss (S,), half the mean squared error of Q, and `MEASURED` (S, 2)."""
    q, entropy = action_values(*agents(batch.observation), temperature)
    taken = q.gather(-1, batch.action[..., None]).squeeze(-1)
    loss = 0.5 * (taken - batch.returns).square().mean(-1)
    return loss, torch.stack([loss, entropy.mean(-1)], dim=-1).detach()


def learn(
    agents: AbstractAgents,
    adam: Adam,
    lanes: Sequence[Lane],
    rollout: Rollout,
    config: PQNConfig,
    learning_rate: float,
) -> Learned:
    """Do one update from one rollout of each seed.

    The λ-return, r + γ·((1 − λ)·V′ + λ·return′), is value and advantage of GAE(λ).
    """
    batch = batch_of(rollout, config, agents.flat.device)
    measured = descend(
        agents,
        adam,
        lanes,
        batch,
        config,
        learning_rate,
        lambda minibatch: losses(agents, minibatch, config.temperature),
    )
    return Learned(dict(zip(MEASURED, measured.T, strict=True)), explained_variance(batch))
