"""The field's names for what each library calls its own: observables and settings.

A library's key stays in the record of the run (``config["keys"]``), and names the curve as well as
the alias does. Sources: CleanRL's ``ppo.py``, Stable-Baselines3 2.9, RLlib 2.60 (old stack and
new), Acme, Tianshou and Dopamine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# For each name of the field, the keys it goes by; of several in one log the first has the name.
OBSERVABLES: Mapping[str, tuple[str, ...]] = {
    "episodic_return": (
        "charts/episodic_return",
        "monitor/r",
        "rollout/ep_rew_mean",
        "env_runners/episode_return_mean",
        "env_runners/episode_reward_mean",
        "sampler_results/episode_reward_mean",
        "episode_reward_mean",
        "ray/tune/env_runners/episode_return_mean",
        "ray/tune/episode_reward_mean",
        "train/returns",
        "Train/AverageReturns",
    ),
    "episodic_length": (
        "charts/episodic_length",
        "monitor/l",
        "rollout/ep_len_mean",
        "env_runners/episode_len_mean",
        "sampler_results/episode_len_mean",
        "episode_len_mean",
        "ray/tune/env_runners/episode_len_mean",
        "ray/tune/episode_len_mean",
    ),
    "eval_episodic_return": (
        "evaluations/results",
        "eval/mean_reward",
        "eval/episodic_return",
        "evaluation/env_runners/episode_return_mean",
        "evaluation/episode_reward_mean",
        "Eval/AverageReturns",
    ),
    "eval_episodic_length": (
        "evaluations/ep_lengths",
        "eval/mean_ep_length",
        "evaluation/env_runners/episode_len_mean",
        "evaluation/episode_len_mean",
    ),
    "p_success": ("rollout/success_rate", "monitor/is_success"),
    "eval_p_success": ("evaluations/successes", "eval/success_rate"),
    "policy_loss": (
        "losses/policy_loss",
        "train/policy_gradient_loss",
        "info/learner/default_policy/learner_stats/policy_loss",
        "learners/default_policy/policy_loss",
    ),
    "value_loss": (
        "losses/value_loss",
        "train/value_loss",
        "info/learner/default_policy/learner_stats/vf_loss",
        "learners/default_policy/vf_loss",
    ),
    "policy_entropy": (
        "losses/entropy",
        "info/learner/default_policy/learner_stats/entropy",
        "learners/default_policy/entropy",
    ),
    "approx_kl": (
        "losses/approx_kl",
        "train/approx_kl",
        "info/learner/default_policy/learner_stats/kl",
        "learners/default_policy/mean_kl_loss",
    ),
    "clipfrac": ("losses/clipfrac", "train/clip_fraction"),
    "explained_variance": (
        "losses/explained_variance",
        "train/explained_variance",
        "info/learner/default_policy/learner_stats/vf_explained_var",
        "learners/default_policy/vf_explained_var",
    ),
}

SETTINGS: Mapping[str, tuple[str, ...]] = {
    "algorithm": ("algo", "exp_name"),
    "environment": ("env_id", "env", "env_name", "environment_name"),
    "learning_rate": ("lr",),
    "gae_lambda": ("lambda", "lambda_"),
    "batch_size": ("train_batch_size", "train_batch_size_per_learner"),
    "clip_coef": ("clip_range", "clip_param"),
    "ent_coef": ("entropy_coeff",),
    "vf_coef": ("vf_loss_coeff",),
}


def observables_of(keys: Iterable[str]) -> dict[str, str]:
    """Return the name of each key; a key that the field has no name for, or a second one, stays."""
    return _renamed(keys, OBSERVABLES)


def settings_of(keys: Iterable[str]) -> dict[str, str]:
    """Return the name of each setting, as `observables_of`."""
    return _renamed(keys, SETTINGS)


def _renamed(keys: Iterable[str], aliases: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    keys = tuple(keys)
    names = {key: key for key in keys}
    for name, known in aliases.items():
        first = next((key for key in known if key in names), None)
        if first is not None and name not in names:
            names[first] = name
    return names
