import pytest

from empirics.ppo_config import PPOConfig


def test_batches_follow_from_the_sizes():
    config = PPOConfig(total_timesteps=1000, num_envs=4, num_steps=32, num_minibatches=8)
    assert (config.batch_size, config.minibatch_size, config.num_updates) == (128, 16, 7)


def test_sizes_that_do_not_fit_are_said():
    with pytest.raises(ValueError, match="must be a multiple of num_minibatches = 3"):
        PPOConfig(num_minibatches=3)
    with pytest.raises(ValueError, match="less than one rollout of num_envs · num_steps = 512"):
        PPOConfig(total_timesteps=100)
    with pytest.raises(ValueError, match="norm_adv needs minibatches of at least 2; they hold 1"):
        PPOConfig(num_envs=1, num_steps=4)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"gamma": 1.5}, r"gamma must lie in \[0, 1\]; it is 1.5."),
        ({"num_envs": 4.5}, "num_envs must be a whole number; it is 4.5."),
        ({"num_envs": 0}, "num_envs must be at least 1; it is 0."),
        ({"learning_rate": float("nan")}, "learning_rate must be finite; it is nan."),
        ({"learning_rate": float("inf")}, "learning_rate must be finite; it is inf."),
        ({"learning_rate": "fast"}, "learning_rate must be a number; it is 'fast'."),
        ({"ent_coef": None}, "ent_coef must be a number; it is None."),
        ({"vf_coef": -1}, "vf_coef must not be negative; it is -1.0."),
        ({"target_kl": 0}, "target_kl must be positive; it is 0.0."),
        ({"anneal_lr": "no"}, "anneal_lr must be True or False; it is 'no'."),
    ],
)
def test_a_setting_that_cannot_be_is_named_with_its_value(setting, sentence):
    with pytest.raises(ValueError, match=sentence):
        PPOConfig(**setting)
