"""A run whose numbers are no longer finite stops, says so, and keeps what came before."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from empirics.environment import Transition
from empirics.networks import MLPSpec
from empirics.ppo import PPOConfig, train, train_seeds
from empirics.probe import Reading

CONFIG = PPOConfig(total_timesteps=64 * 8, num_envs=4, num_steps=16, learning_rate=1e-3)
SPEC = MLPSpec((8,))


class Walk:
    """A random walk on the line; from step `breaks` on the reward is infinite."""

    observation_shape = (1,)
    num_actions = 2
    num_envs = 4
    resumes_exactly = True

    def __init__(self, seed, breaks=10**9):
        self.breaks, self.clock, self.at = breaks, 0, np.zeros((4, 1), dtype=np.float32)

    def reset(self):
        return self.at.copy()

    def step(self, actions):
        self.clock += 1
        self.at = np.clip(self.at + 0.1 * (2 * actions[:, None] - 1), -1, 1).astype(np.float32)
        reward = np.full(4, np.inf) if self.clock > self.breaks else self.at[:, 0]
        cut, never = np.full(4, self.clock % 9 == 0), np.zeros(4, dtype=bool)
        return Transition(self.at.copy(), reward.astype(np.float32), never, cut, self.at.copy())

    def state(self):
        return {"at": self.at, "clock": np.array(self.clock)}

    def restore(self, state):
        self.at, self.clock = state["at"].copy(), int(state["clock"])


def breaking(breaks):
    """Make environments of which the seed 1 breaks after so many steps."""
    seeds = iter((0, 1, 2))
    return lambda seed: Walk(seed, breaks if next(seeds) == 1 else 10**9)


def measure(checkpoint):
    value = checkpoint.policy(torch.ones(1, 1))[0].softmax(-1)[0, 1].item()
    return {"p_right": Reading(value, support=(0.0, 1.0))}


def digests(run):
    return {curve.observable: curve.digest for curve in run.curves}


EVERY = tuple(range(0, 65 * 8, 64))


def test_a_diverged_run_keeps_what_came_before_and_says_when():
    config = replace(CONFIG, learning_rate=1e30)
    run = train(Walk, SPEC, config, seed=0, schedule=EVERY, on_checkpoint=measure)
    assert run.status.startswith("Diverged at 64 env_steps: the loss or the weights are no longer")
    assert run.status.endswith("try a smaller learning_rate than 1e+30.")
    assert run.curve("p_right").t.tolist() == [0.0]


def test_a_run_that_diverges_at_once_without_probes_has_no_curve_but_a_status():
    run = train(Walk, SPEC, replace(CONFIG, learning_rate=1e30), seed=0)
    assert run.curves == () and "Diverged at 64 env_steps" in run.status


@pytest.mark.parametrize("spec", [SPEC, MLPSpec((16, 16), "relu")])
def test_the_other_seeds_go_on_as_if_it_had_not_been_there(spec):
    options = {"schedule": EVERY, "on_checkpoint": measure}
    # Steps 41 to 48 are of the third update.
    first, broken, last = train_seeds(breaking(40), spec, CONFIG, seeds=(0, 1, 2), **options)
    assert "Diverged at 192 env_steps" in broken.status
    assert broken.curve("p_right").t.tolist() == [0, 64, 128]
    assert broken.curve("policy_loss").t.tolist() == [64, 128]
    for run in (first, last):
        alone = train(Walk, spec, CONFIG, seed=run.seed, **options)
        assert run.status == "" and digests(run) == digests(alone)


class Finished(Walk):
    def step(self, actions):
        raise AssertionError("a finished run must not be trained")


@pytest.mark.parametrize("schedule", [EVERY, ()])
def test_a_diverged_run_is_read_back_and_not_trained_again(tmp_path, schedule):
    options = {"seeds": (0, 1, 2), "schedule": schedule, "folder": tmp_path}
    before = train_seeds(breaking(40), SPEC, CONFIG, on_checkpoint=measure, **options)
    after = train_seeds(Finished, SPEC, CONFIG, on_checkpoint=measure, **options)
    assert "Diverged" in before[1].status
    assert [run.status for run in after] == [run.status for run in before]
    assert [digests(run) for run in after] == [digests(run) for run in before]


class Huge(nn.Module):
    """Its value is so large that the loss overflows, and no gradient comes of it."""

    def __init__(self):
        super().__init__()
        self.actor = nn.Linear(1, 2)

    def forward(self, observation):
        return self.actor(observation), torch.full((len(observation),), 1e30)


def test_a_loss_that_is_not_finite_ends_a_run_whose_weights_are():
    run = train(Walk, Huge(), replace(CONFIG, norm_adv=False), seed=0)
    assert "Diverged at 64 env_steps: the loss or the weights are" in run.status


class Overflowing(nn.Module):
    """Finite weights and a finite loss, and after one update infinite logits."""

    def __init__(self):
        super().__init__()
        self.actor, self.critic = nn.Linear(1, 2), nn.Linear(1, 1)

    def forward(self, observation):
        moved = (self.actor.weight - self.actor.weight.detach().round()).abs().max() > 0
        logits = self.actor(observation)
        return logits * (torch.inf if moved else 1.0), self.critic(observation).squeeze(-1)


def test_a_policy_that_answers_nothing_finite_is_not_measured():
    network = Overflowing()
    with torch.no_grad():
        network.actor.weight.fill_(1.0)
    config = replace(CONFIG, update_epochs=1, num_minibatches=1)
    options = {"schedule": EVERY, "on_checkpoint": measure, "fresh": False}
    run = train(Walk, network, config, seed=0, **options)
    assert run.status.startswith("Diverged at 64 env_steps: the policy's answers are no longer")
    assert run.curve("p_right").t.tolist() == [0.0]
    assert run.curve("policy_loss").t.tolist() == [64.0]


def test_a_reading_that_cannot_be_is_said_with_its_seed_and_moment():
    def wrong(checkpoint):
        return {"x": Reading(np.nan if checkpoint.env_steps else 0.0)}

    with pytest.raises(ValueError, match="seed 3 at 64 env_steps: a reading must be finite"):
        train(Walk, SPEC, CONFIG, seed=3, schedule=EVERY, on_checkpoint=wrong)


def test_readings_that_change_their_unit_end_the_run_at_once():
    def wrong(checkpoint):
        return {"x": Reading(0.0, unit="nats" if checkpoint.env_steps else "")}

    with pytest.raises(ValueError, match="seed 3 at 64 env_steps: all readings of 'x' must have"):
        train(Walk, SPEC, CONFIG, seed=3, schedule=EVERY, on_checkpoint=wrong)
