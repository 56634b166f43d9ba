"""Simpler policy gradients as settings of PPO.

With one epoch and one minibatch the policy that is changed is the policy that acted: the
probability ratio is 1, nothing is clipped, and the gradient of PPO's surrogate is the plain
policy gradient with the critic as its baseline (Huang et al., 2022, "A2C is a special case of
PPO"; Williams, 1992). The optimizer stays Adam, where the A2C of Mnih et al. (2016) has RMSprop.
"""

from __future__ import annotations

from typing import Any

from empirics.ppo_config import PPOConfig

_ONE_PLAIN_STEP = {
    "gae_lambda": 1.0,
    "num_minibatches": 1,
    "update_epochs": 1,
    "norm_adv": False,
    "clip_vloss": False,
}


def a2c(**settings: Any) -> PPOConfig:
    """Return advantage actor-critic: one gradient step on each rollout, GAE(1) unless told.

    Parameters
    ----------
    **settings
        Of `PPOConfig`. Returns are cut at the end of the rollout, `num_steps`, and go on with
        the critic's value there.

    Raises
    ------
    ValueError
        If a setting is out of its range, or would make this another algorithm.
    """
    return PPOConfig(**{**_ONE_PLAIN_STEP, **settings, "algorithm": "a2c"})


def reinforce_with_critic(**settings: Any) -> PPOConfig:
    """Return REINFORCE with the critic as baseline: one step on each rollout, whole returns.

    Parameters
    ----------
    **settings
        Of `PPOConfig`. `num_steps` should exceed the length of an episode several times, so that
        most returns are whole: those of episodes that outlast the rollout, or are cut by a time
        limit, go on with the critic's value.

    Raises
    ------
    ValueError
        If a setting is out of its range, or would make this another algorithm.
    """
    return PPOConfig(**{**_ONE_PLAIN_STEP, **settings, "algorithm": "reinforce"})
