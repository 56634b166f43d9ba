import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from empirics.gymnasium_environment import EXACT, GymnasiumEnvironment, gymnasium_environment
from empirics.networks import MLPSpec
from empirics.ppo import PPOConfig, train, train_seeds

IDS = {"AcrobotEnv": "Acrobot-v1", "CartPoleEnv": "CartPole-v1", "MountainCarEnv": "MountainCar-v0"}


class Counting(gym.Env):
    """Shows (episode, step); ends after `length` steps, by its rules or by the clock."""

    observation_space = gym.spaces.Box(-1, 100, (2,), np.float64)
    action_space = gym.spaces.Discrete(2, start=5)

    def __init__(self, length, terminates):
        self.length, self.terminates, self.episode = length, terminates, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episode, self.count = self.episode + 1, 0
        return np.array([self.episode, 0.0]), {}

    def step(self, action):
        assert action in (5, 6)
        self.count += 1
        end = self.count == self.length
        seen = np.array([self.episode, float(self.count)])
        return seen, float(self.count), end and self.terminates, end and not self.terminates, {}


def counting(mode):
    make = [lambda: Counting(2, True), lambda: Counting(3, False)]
    return GymnasiumEnvironment(SyncVectorEnv(make, autoreset_mode=mode), seed=0)


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
def test_an_ended_episode_is_reset_in_the_same_step_whatever_the_mode(mode):
    environment = counting(mode)
    np.testing.assert_array_equal(environment.reset(), [[1, 0], [1, 0]])
    steps = [environment.step(np.array([0, 1])) for _ in range(3)]
    seen = [s.observation.tolist() for s in steps]
    assert seen == [[[1, 1], [1, 1]], [[2, 0], [1, 2]], [[2, 1], [2, 0]]]
    last = [s.final_observation.tolist() for s in steps]
    assert last == [[[1, 1], [1, 1]], [[1, 2], [1, 2]], [[2, 1], [1, 3]]]
    assert [s.reward.tolist() for s in steps] == [[1, 1], [2, 2], [1, 3]]
    assert [s.terminated.tolist() for s in steps] == [[False] * 2, [True, False], [False] * 2]
    assert [s.truncated.tolist() for s in steps] == [[False] * 2, [False] * 2, [False, True]]
    assert steps[0].observation.dtype == steps[0].reward.dtype == np.float32


def test_a_mode_or_space_that_cannot_be_is_said():
    with pytest.raises(ValueError, match="autoreset mode of SyncVectorEnv is"):
        counting(AutoresetMode.DISABLED)
    with pytest.raises(ValueError, match="actions must be Discrete"):
        gymnasium_environment("Pendulum-v1", 1, seed=0)
    with pytest.raises(ValueError, match="observations must be a Box"):
        gymnasium_environment("FrozenLake-v1", 1, seed=0)
    with pytest.raises(ValueError, match="num_envs must be at least 1; it is 0."):
        gymnasium_environment("CartPole-v1", 0, seed=0)
    with pytest.raises(ValueError, match="Gymnasium cannot make 'CartPol-v1': "):
        gymnasium_environment("CartPol-v1", 1, seed=0)


@pytest.mark.parametrize("kind", EXACT)
def test_an_exact_environment_goes_on_exactly(kind):
    first, second = (gymnasium_environment(IDS[kind.__name__], 3, seed=s) for s in (1, 2))
    rng = np.random.default_rng(0)
    first.reset()
    for _ in range(40):
        first.step(rng.integers(first.num_actions, size=3))
    assert first.resumes_exactly
    second.restore(first.state())
    for _ in range(300):
        actions = rng.integers(first.num_actions, size=3)
        a, b = first.step(actions), second.step(actions)
        for name in vars(a):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def normalized(seed):
    vector = SyncVectorEnv(
        [lambda: gym.wrappers.NormalizeReward(gym.make("CartPole-v1"))] * 2,
        autoreset_mode=AutoresetMode.SAME_STEP,
    )
    return GymnasiumEnvironment(vector, seed=seed)


def test_what_cannot_be_restored_says_so_and_begins_new_episodes(tmp_path):
    assert not counting(AutoresetMode.SAME_STEP).resumes_exactly

    config = PPOConfig(total_timesteps=320, num_envs=2, num_steps=16)

    seen = {"seed": 0, "schedule": (100, 200), "folder": tmp_path}
    with pytest.raises(InterruptedError):
        train(normalized, MLPSpec((8,)), config, on_checkpoint=_raise_at(200), **seen)
    run = train(normalized, MLPSpec((8,)), config, on_checkpoint=lambda _: {}, **seen)
    assert run.status.startswith("Resumed at 128 env_steps with new episodes")
    assert run.curve("entropy").t.tolist() == [32.0 * i for i in range(1, 11)]


def test_reading_a_finished_run_back_disturbs_nothing(tmp_path):
    assert not normalized(0).resumes_exactly
    config = PPOConfig(total_timesteps=64, num_envs=2, num_steps=16)
    before, after = (
        train(normalized, MLPSpec((8,)), config, seed=0, folder=tmp_path) for _ in range(2)
    )
    assert before.status == after.status == ""
    assert before.curve("entropy").digest == after.curve("entropy").digest


def _raise_at(env_steps):
    def measure(checkpoint):
        if checkpoint.env_steps >= env_steps:
            raise InterruptedError
        return {}

    return measure


CARTPOLE = PPOConfig(
    total_timesteps=100_000, num_envs=8, num_steps=32, learning_rate=1e-3, gamma=0.98,
    gae_lambda=0.8, num_minibatches=1, update_epochs=20, ent_coef=0.0, clip_vloss=False,
)  # fmt: skip


@pytest.mark.slow
def test_cartpole_is_learned_by_three_seeds_of_three():
    policies = {}
    train_seeds(
        lambda seed: gymnasium_environment("CartPole-v1", 8, seed=seed),
        MLPSpec(),
        CARTPOLE,
        seeds=(0, 1, 2),
        on_checkpoint=lambda c: policies.__setitem__(c.seed, c.policy) or {},
    )
    assert min(mean_return(policy, seed=99) for policy in policies.values()) >= 450


def mean_return(policy, seed, episodes=100):
    environment = gymnasium_environment("CartPole-v1", episodes, seed=seed)
    rng = np.random.default_rng(seed)
    seen, total, alive = environment.reset(), np.zeros(episodes), np.ones(episodes, dtype=bool)
    while alive.any():
        right = policy(torch.from_numpy(seen))[0].softmax(-1)[:, 1].numpy()
        step = environment.step((rng.random(episodes) < right).astype(np.int64))
        total += alive * step.reward
        alive &= ~(step.terminated | step.truncated)
        seen = step.observation
    return total.mean()
