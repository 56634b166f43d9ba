import numpy as np
import pytest
import torch

from empirics.adam import Adam
from empirics.networks import MLPSpec, ModuleAgents, mlp_policy
from empirics.policy_gradients import a2c, reinforce_with_critic
from empirics.ppo import learn
from empirics.rollout import Rollout

T, N, ACTIONS = 6, 4, 3
SIZES = {"total_timesteps": T * N, "num_envs": N, "num_steps": T}


class Lane:
    """What a rollout needs of a lane to be allocated, and dice for the order of the minibatch."""

    observation = np.zeros((N, 5), dtype=np.float32)

    def __init__(self):
        self.rng = np.random.default_rng(0)


class Recorder(Adam):
    def step(self, gradient, learning_rate, active):
        self.seen = [*getattr(self, "seen", []), gradient[0].clone()]


def lived(config, policy):
    """A rollout of random observations, actions and rewards, with what the policy says of them."""
    generator = torch.Generator().manual_seed(0)
    rollout = Rollout(config, [Lane()], ACTIONS)
    rollout.observation.normal_(generator=generator)
    rollout.action.random_(0, ACTIONS, generator=generator)
    rollout.reward.normal_(generator=generator)
    rollout.terminated.bernoulli_(0.15, generator=generator)
    rollout.truncated.bernoulli_(0.15, generator=generator).logical_and_(~rollout.terminated)
    with torch.no_grad():
        logits, value = policy(rollout.observation.flatten(0, 2))
    rollout.logits.copy_(logits.view(T + 1, 1, N, ACTIONS)[:-1])
    rollout.value.copy_(value.view(T + 1, 1, N)[:-1])
    rollout.next_value.copy_(value.view(T + 1, 1, N)[1:])
    return rollout


def returns_of(rollout, gamma):
    """Discounted rewards to the end of the episode or rollout, then the critic's value."""
    total = torch.zeros(T, N)
    for n in range(N):
        for t in range(T):
            weight, end = 1.0, t
            while True:
                total[t, n] += weight * rollout.reward[end, 0, n]
                weight *= gamma
                cut = rollout.truncated[end, 0, n] or end == T - 1
                if rollout.terminated[end, 0, n] or cut:
                    if not rollout.terminated[end, 0, n]:
                        total[t, n] += weight * rollout.next_value[end, 0, n]
                    break
                end += 1
    return total


@pytest.mark.parametrize("make", [a2c, reinforce_with_critic])
def test_the_update_is_one_step_along_the_actor_critic_gradient(make):
    config = make(**SIZES, gamma=0.9, ent_coef=0.02, vf_coef=0.7, max_grad_norm=1e6)
    policy = mlp_policy(MLPSpec((8,)), (5,), ACTIONS, rng=np.random.default_rng(0))
    agents, rollout = ModuleAgents(policy, "cpu"), lived(config, policy)
    adam = Recorder(agents.flat)
    learn(agents, adam, [Lane()], rollout, config, 1e-3)

    returns = returns_of(rollout, 0.9)
    logits, value = policy(rollout.observation[:-1].flatten(0, 2))
    chosen = torch.distributions.Categorical(logits=logits)
    advantage = returns.flatten() - value.detach()
    actor = -(advantage * chosen.log_prob(rollout.action.flatten())).mean()
    critic = (returns.flatten() - value).square().mean() / 2
    (actor + 0.7 * critic - 0.02 * chosen.entropy().mean()).backward()
    expected = torch.cat([p.grad.flatten() for p in policy.parameters()])
    (gradient,) = adam.seen
    torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-6)
    assert expected.norm() > 0.1


def test_they_are_named_in_the_ledger():
    assert a2c(**SIZES).conditions["algorithm"] == "a2c"
    assert a2c(**SIZES, gae_lambda=0.9).conditions["gae_lambda"] == 0.9
    assert reinforce_with_critic(**SIZES).conditions["algorithm"] == "reinforce"


@pytest.mark.parametrize(
    ("make", "setting", "sentence"),
    [
        (a2c, {"update_epochs": 4}, "a2c takes one plain gradient step a rollout: update_epochs ="),
        (a2c, {"norm_adv": True}, "norm_adv = False and clip_vloss = False; else call it ppo."),
        (reinforce_with_critic, {"gae_lambda": 0.9}, "gae_lambda = 1; it is 0.9."),
    ],
)
def test_what_would_be_another_algorithm_is_refused(make, setting, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(**SIZES, **setting)
