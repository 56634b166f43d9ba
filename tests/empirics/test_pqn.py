import numpy as np
import pytest
import torch

from empirics.environment import Transition, generator_from, generator_state
from empirics.networks import MLPSpec, ModuleAgents, mlp_policy
from empirics.pqn import action_values, losses
from empirics.pqn_config import PQNConfig
from empirics.probe import Reading
from empirics.rollout import Batch, gae
from empirics.train import train, train_seeds

TEMPERATURE, GAMMA = 0.2, 0.8


class Corridor:
    """Five places in a row, two actions; reward 1 at the right end, where the episode ends."""

    observation_shape, num_actions, num_envs = (5,), 2, 64

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def reset(self):
        self.place = self.rng.integers(0, 4, self.num_envs)
        return self.seen()

    def seen(self):
        return np.eye(5, dtype=np.float32)[self.place]

    def step(self, actions):
        self.place = np.clip(self.place + 2 * actions - 1, 0, 4)
        ended, last = self.place == 4, self.seen()
        self.place[ended] = self.rng.integers(0, 4, ended.sum())
        never = np.zeros(self.num_envs, dtype=bool)
        return Transition(self.seen(), ended.astype(np.float32), ended, never, last)

    def state(self):
        return {"place": self.place.copy(), "rng": generator_state(self.rng)}

    def restore(self, state):
        self.place, self.rng = state["place"].copy(), generator_from(state["rng"])


CONFIG = PQNConfig(
    total_timesteps=64 * 8 * 60, num_envs=64, num_steps=8, learning_rate=1e-2, gamma=GAMMA,
    num_minibatches=2, update_epochs=2, temperature=TEMPERATURE,
)  # fmt: skip
SPEC = MLPSpec((16,))


def exact_values(start):
    """Q of the corridor, (4, 2): the fixed point of acting by softmax(Q / temperature)."""
    q = np.full((5, 2), float(start))
    for _ in range(2000):
        p = np.exp((q - q.max(axis=1, keepdims=True)) / TEMPERATURE)
        value = (p / p.sum(axis=1, keepdims=True) * q).sum(axis=1)
        after = np.clip(np.arange(4)[:, None] + [-1, 1], 0, 4)
        q[:4] = np.where(after == 4, 1.0, GAMMA * value[after])
    return q[:4]


def test_the_values_are_those_of_the_policy_that_acts():
    generator = torch.Generator().manual_seed(0)
    logits, value = torch.randn(7, 4, generator=generator), torch.randn(7, generator=generator)
    q, entropy = action_values(logits, value, 0.3)
    p = logits.softmax(-1)
    torch.testing.assert_close((q / 0.3).softmax(-1), p)
    torch.testing.assert_close((p * q).sum(-1), value)
    torch.testing.assert_close(entropy, torch.distributions.Categorical(p).entropy())


def test_returns_are_the_mixture_of_the_returns_after_each_number_of_steps():
    """(1 − λ) Σ λⁿ⁻¹ Gₙ, the last G with all that is left (Sutton and Barto, eq. 12.3)."""
    rng = np.random.default_rng(0)
    reward, value, after = rng.normal(size=(3, 30))
    terminated, truncated = rng.random((2, 30)) < 0.1
    ended, lam = terminated | truncated, 0.65
    after[:-1] = np.where(ended[:-1], after[:-1], value[1:])
    arrays = [torch.from_numpy(x) for x in (reward, value, after, terminated, ended)]
    ours = gae(*arrays, gamma=GAMMA, gae_lambda=lam).numpy() + value
    for t in range(30):
        last = next((k for k in range(t, 30) if ended[k]), 29)
        discounts = GAMMA ** np.arange(last - t + 1)
        bootstrap = np.where(terminated, 0.0, after)[t : last + 1]
        g = np.cumsum(discounts * reward[t : last + 1]) + GAMMA * discounts * bootstrap
        weights = (1 - lam) * lam ** np.arange(last - t + 1)
        weights[-1] = lam ** (last - t)
        assert ours[t] == pytest.approx((weights * g).sum(), abs=1e-12)


def test_the_loss_is_the_error_of_what_was_done():
    policy = mlp_policy(SPEC, (5,), 3, rng=np.random.default_rng(0))
    generator = torch.Generator().manual_seed(0)
    observation = torch.randn(1, 20, 5, generator=generator)
    action = torch.randint(0, 3, (1, 20), generator=generator)
    returns, unused = torch.randn(1, 20, generator=generator), torch.zeros(1, 20)
    batch = Batch(observation, action, unused, unused, returns, unused)
    loss, parts = losses(ModuleAgents(policy, "cpu"), batch, 0.3)
    logits, value = policy(observation[0])
    q = action_values(logits, value, 0.3)[0][torch.arange(20), action[0]]
    assert loss.item() == pytest.approx(((q - returns[0]) ** 2).mean().item() / 2, rel=1e-5)
    assert parts[0, 0] == loss[0]


def test_the_values_of_a_corridor_are_learned():
    exact = exact_values(0.0)
    np.testing.assert_allclose(exact, exact_values(1.0), atol=1e-9)  # there is but one
    kept = []
    run = train(Corridor, SPEC, CONFIG, seed=0, on_checkpoint=lambda c: kept.append(c.policy) or {})
    with torch.no_grad():
        logits, value = kept[-1](torch.eye(5)[:4])
        q, _ = action_values(logits, value, TEMPERATURE)
    np.testing.assert_allclose(q, exact, atol=0.03)
    # what is near only by chance would also be near the values of the best policy
    assert np.abs(exact - np.where([0, 1], GAMMA ** np.arange(3, -1, -1)[:, None], 0)).max() > 0.1
    assert {"value_loss", "entropy"} <= {curve.observable for curve in run.curves}
    assert "policy_loss" not in {curve.observable for curve in run.curves}


def measure(checkpoint):
    return {"value": Reading(checkpoint.policy(torch.eye(5))[1].mean().item())}


def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(tmp_path):
    small = PQNConfig(total_timesteps=64 * 2 * 6, num_envs=64, num_steps=2, num_minibatches=2)
    options = {"seed": 3, "schedule": (0, 256, 512)}

    def stops(checkpoint):
        if checkpoint.env_steps == 512:
            raise InterruptedError
        return measure(checkpoint)

    whole = train(Corridor, SPEC, small, on_checkpoint=measure, **options)
    with pytest.raises(InterruptedError):
        train(Corridor, SPEC, small, on_checkpoint=stops, folder=tmp_path, **options)
    again = train(Corridor, SPEC, small, on_checkpoint=measure, folder=tmp_path, **options)
    assert again.run_id == whole.run_id and again.conditions["algorithm"] == "pqn"
    assert again.conditions["temperature"] == 0.05 and "clip_coef" not in again.conditions
    assert [c.digest for c in again.curves] == [c.digest for c in whole.curves]


def test_a_seed_does_not_depend_on_its_company():
    small = PQNConfig(total_timesteps=64 * 2 * 4, num_envs=64, num_steps=2, num_minibatches=2)
    together = train_seeds(Corridor, SPEC, small, seeds=(0, 1))
    alone = train(Corridor, SPEC, small, seed=1)
    assert [c.digest for c in together[1].curves] == [c.digest for c in alone.curves]


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"temperature": 0}, "temperature must be positive; it is 0.0."),
        ({"gae_lambda": 2}, r"gae_lambda must lie in \[0, 1\]; it is 2.0."),
        ({"num_minibatches": 3}, "must be a multiple of num_minibatches = 3"),
    ],
)
def test_a_setting_that_cannot_be_is_named(setting, sentence):
    with pytest.raises(ValueError, match=sentence):
        PQNConfig(**setting)
