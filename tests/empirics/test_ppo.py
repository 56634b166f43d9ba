import copy
import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from empirics.adam import Adam
from empirics.environment import Transition, generator_from, generator_state
from empirics.networks import MLPAgents, MLPSpec, ModuleAgents, mlp_policy
from empirics.ppo import (
    PPOConfig,
    explained_variance,
    losses,
    normalized,
    policy_loss,
    train,
    train_seeds,
    update,
    value_loss,
)
from empirics.probe import Reading
from empirics.rollout import Batch

ROOT = Path(__file__).parents[2]


class Corridor:
    """Five places in a row; reward 1 at the right end. Starts on any of the other four."""

    observation_shape = (5,)
    num_actions = 2

    def __init__(self, seed, num_envs=4, limit=12):
        self.rng, self.num_envs, self.limit = np.random.default_rng(seed), num_envs, limit

    def reset(self):
        self.place = self.rng.integers(0, 4, self.num_envs)
        self.clock = np.zeros(self.num_envs, dtype=np.int64)
        return self.seen()

    def seen(self):
        return np.eye(5, dtype=np.float32)[self.place]

    def step(self, actions):
        self.place = np.clip(self.place + 2 * actions - 1, 0, 4)
        self.clock += 1
        terminated = self.place == 4
        truncated = ~terminated & (self.clock >= self.limit)
        last, ended = self.seen(), terminated | truncated
        self.place[ended] = self.rng.integers(0, 4, ended.sum())
        self.clock[ended] = 0
        reward = terminated.astype(np.float32)
        return Transition(self.seen(), reward, terminated, truncated, last)

    def state(self):
        return {"place": self.place, "clock": self.clock, "rng": generator_state(self.rng)}

    def restore(self, state):
        self.place, self.clock = state["place"].copy(), state["clock"].copy()
        self.rng = generator_from(state["rng"])


class Bandit:
    """Three arms that pay with probability .2, .5 and .8; an episode is one pull."""

    observation_shape = (1,)
    num_actions = 3
    num_envs = 8

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def reset(self):
        return np.ones((8, 1), dtype=np.float32)

    def step(self, actions):
        paid = (self.rng.random(8) < np.array([0.2, 0.5, 0.8])[actions]).astype(np.float32)
        ended, never = np.ones(8, dtype=bool), np.zeros(8, dtype=bool)
        return Transition(self.reset(), paid, ended, never, self.reset())


class Salary:
    """Pays 1 every step for ever; the clock cuts episodes of 5 steps."""

    observation_shape = (1,)
    num_actions = 2
    num_envs = 4

    def __init__(self, seed):
        self.clock = 0

    def reset(self):
        return np.ones((4, 1), dtype=np.float32)

    def step(self, actions):
        self.clock += 1
        cut, never = np.full(4, self.clock % 5 == 0), np.zeros(4, dtype=bool)
        # what the next episode shows is not what the value must be taken from
        seen = np.where(cut[:, None], -1.0, 1.0).astype(np.float32)
        return Transition(seen, np.ones(4, dtype=np.float32), never, cut, self.reset())


SMALL = PPOConfig(total_timesteps=1024, num_envs=4, num_steps=32, learning_rate=1e-3)
SPEC = MLPSpec((16, 16))


def digests(run):
    return {curve.observable: curve.digest for curve in run.curves}


# --- the pieces, against what they are defined to be ---


def test_the_clipped_surrogate_by_hand():
    ratio, advantage = torch.tensor([1.5, 1.5, 0.5, 0.5, 1.1]), torch.tensor([1.0, -1, 1, -1, 2])
    # min(r·A, clip(r)·A) = 1.2, −1.5, 0.5, −0.8, 2.2
    assert policy_loss(ratio, advantage, 0.2).item() == pytest.approx(
        -(1.2 - 1.5 + 0.5 - 0.8 + 2.2) / 5
    )


def test_the_clipped_value_loss_by_hand():
    value, old, returns = torch.tensor([1.0, 0.1, 2.0]), torch.zeros(3), torch.tensor([1.0, 1, -1])
    # errors² 0, .81, 9; held at .2, .1, .2: .64, .81, 1.44
    assert value_loss(value, old, returns, 0.2).item() == pytest.approx((0.64 + 0.81 + 9) / 6)
    assert value_loss(value, old, returns, None).item() == pytest.approx((0 + 0.81 + 9) / 6)


def test_advantages_are_normalized_for_each_seed():
    x = normalized(torch.tensor([[1.0, 2.0, 3.0], [10.0, 30.0, 50.0]]))
    torch.testing.assert_close(x, torch.tensor([[-1.0, 0.0, 1.0]] * 2))


def batch_of_random_data(policies, size=64):
    generator = torch.Generator().manual_seed(0)
    seeds = len(policies)
    observation = torch.randn(seeds, size, 5, generator=generator)
    action = torch.randint(0, 3, (seeds, size), generator=generator)
    logits = torch.stack([p(x)[0] for p, x in zip(policies, observation, strict=True)])
    log_p = logits.log_softmax(-1).gather(-1, action[..., None])[..., 0].detach()
    advantage, returns, value = torch.randn(3, seeds, size, generator=generator)
    return Batch(observation, action, log_p, advantage, returns, value)


def test_at_ratio_one_the_gradient_is_the_policy_gradient():
    policy = mlp_policy(SPEC, (5,), 3, rng=np.random.default_rng(0))
    batch = batch_of_random_data([policy])
    config = dataclasses.replace(SMALL, norm_adv=False, ent_coef=0.0, vf_coef=0.0)
    agents = ModuleAgents(policy, "cpu")
    loss, parts = losses(agents, batch, config)
    ours = agents.gradient(loss)[0]
    log_p = policy(batch.observation[0])[0].log_softmax(-1)[torch.arange(64), batch.action[0]]
    (-(batch.advantage[0] * log_p).mean()).backward()
    actor = torch.cat([p.grad.flatten() for p in policy.actor.parameters()])
    torch.testing.assert_close(ours[: len(actor)], actor, atol=1e-6, rtol=1e-4)
    assert not ours[len(actor) :].any()
    assert parts[0, 3:].abs().max() < 1e-6  # no change yet: KL and clipfrac are zero


def test_the_parts_of_the_loss_by_their_definitions():
    policy = mlp_policy(SPEC, (5,), 3, rng=np.random.default_rng(0))
    batch = batch_of_random_data([policy])
    batch = batch._replace(log_probability=batch.log_probability + 0.3 * batch.advantage)
    loss, parts = losses(ModuleAgents(policy, "cpu"), batch, SMALL)
    pi, value, entropy, old_kl, kl, clipfrac = parts[0].tolist()
    assert loss.item() == pytest.approx(pi - 0.01 * entropy + 0.5 * value, rel=1e-5)
    distribution = torch.distributions.Categorical(logits=policy(batch.observation[0])[0])
    log_ratio = distribution.log_prob(batch.action[0]) - batch.log_probability[0]
    assert entropy == pytest.approx(distribution.entropy().mean().item(), rel=1e-5)
    assert old_kl == pytest.approx(-log_ratio.mean().item(), abs=1e-6)
    assert kl == pytest.approx((log_ratio.exp() - 1 - log_ratio).mean().item(), abs=1e-6)
    assert clipfrac == pytest.approx(((log_ratio.exp() - 1).abs() > 0.2).float().mean().item())


def test_adam_is_torchs_and_moves_only_active_rows():
    generator = torch.Generator().manual_seed(0)
    ours = torch.randn(3, 10, generator=generator)
    reference = [torch.nn.Parameter(row.clone()) for row in ours]
    optimizers = [torch.optim.Adam([p], eps=1e-5) for p in reference]
    adam = Adam(ours)
    for step in range(6):
        gradient = torch.randn(3, 10, generator=generator)
        active = [True, step not in (1, 2), step != 3]
        adam.step(gradient, 0.01 / (step + 1), active)
        for s in range(3):
            if active[s]:
                reference[s].grad = gradient[s].clone()
                optimizers[s].param_groups[0]["lr"] = 0.01 / (step + 1)
                optimizers[s].step()
    torch.testing.assert_close(ours, torch.stack([p.detach() for p in reference]))


class Recorder:
    """An optimizer that notes what it is given; it moves the weights as Adam does."""

    def __init__(self, agents):
        self.adam, self.gradients, self.active = Adam(agents.flat), [], []

    def step(self, gradient, learning_rate, active):
        self.gradients.append(gradient.clone())
        self.active.append(list(active))
        self.adam.step(gradient, learning_rate, active)


class Dice:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)


def one_update(config, learning_rate=1e-2):
    """Gradients and activity of every gradient step of one update of two seeds."""
    policies = [mlp_policy(SPEC, (5,), 3, rng=np.random.default_rng(s)) for s in range(2)]
    agents = MLPAgents(policies, SPEC, "cpu")
    adam, batch = Recorder(agents), batch_of_random_data(policies)
    update(agents, adam, [Dice(0), Dice(1)], batch, config, learning_rate)
    return adam


ONE_BATCH = PPOConfig(total_timesteps=64, num_envs=4, num_steps=16, num_minibatches=4)


def test_each_seeds_gradient_is_cut_to_the_largest_norm():
    cut, free = (
        one_update(dataclasses.replace(ONE_BATCH, update_epochs=1, max_grad_norm=n)).gradients[0]
        for n in (1e-3, 1e3)
    )
    norms = torch.linalg.vector_norm(free, dim=1, keepdim=True)
    assert (norms > 1e-2).all()
    torch.testing.assert_close(cut, free * 1e-3 / norms, rtol=1e-3, atol=1e-9)


def test_an_update_stops_after_the_epoch_whose_kl_is_too_large():
    def epochs(target_kl):
        config = dataclasses.replace(ONE_BATCH, target_kl=target_kl)
        return len(one_update(config).gradients) / config.num_minibatches

    assert (epochs(1e-9), epochs(1e9), epochs(None)) == (1, 4, 4)


def test_explained_variance_by_its_definition():
    returns = torch.tensor([[1.0, 2.0, 3.0, 6.0]] * 4)
    value = torch.stack([returns[0], 0 * returns[0], returns[0] / 2, -returns[0]])
    empty = torch.zeros(4, 4)
    batch = Batch(empty, empty, empty, empty, returns, value)
    # 1 − var((1 − k) · returns) / var(returns) = 1 − (1 − k)²
    assert explained_variance(batch) == pytest.approx([1.0, 0.0, 0.75, -3.0])
    same = batch._replace(returns=torch.ones(4, 4))
    assert np.isnan(explained_variance(same)).all()


# --- what is learned ---


def trained_policy(make, spec, config, seed):
    found = []
    run = train(make, spec, config, seed=seed, on_checkpoint=lambda c: found.append(c.policy) or {})
    return run, found[-1]


def test_the_best_arm_of_a_bandit_is_found():
    config = PPOConfig(
        total_timesteps=4_096, num_envs=8, num_steps=32, learning_rate=1e-2, num_minibatches=2
    )
    _, policy = trained_policy(stateless(Bandit), MLPSpec((8,)), config, seed=0)
    logits, value = policy(torch.ones(1, 1))
    assert logits.softmax(-1)[0, 2] > 0.95
    assert value.item() == pytest.approx(0.8, abs=0.1)


def stateless(kind):
    kind.state, kind.restore = lambda self: {}, lambda self, state: None
    return kind


def test_the_way_through_the_corridor_is_found():
    config = dataclasses.replace(SMALL, total_timesteps=8_192, learning_rate=5e-3)
    run, policy = trained_policy(Corridor, SPEC, config, seed=0)
    chosen = policy(torch.eye(5)[:4])[0].argmax(-1)
    assert chosen.tolist() == [1, 1, 1, 1]
    assert run.curve("rollout_length").y[-5:].mean() == pytest.approx(2.5, abs=0.4)


def test_what_a_time_limit_cuts_is_worth_what_would_have_come():
    config = PPOConfig(
        total_timesteps=12_800, num_envs=4, num_steps=32, learning_rate=2e-2, gamma=0.9,
        num_minibatches=1, clip_vloss=False, max_grad_norm=100.0,
    )  # fmt: skip
    _, policy = trained_policy(stateless(Salary), MLPSpec((8,)), config, seed=0)
    # 1/(1 − γ); taken as an end it would be at most 1 + γ + … + γ⁴ = 4.1
    assert policy(torch.ones(1, 1))[1].item() == pytest.approx(10.0, rel=0.03)


# --- a seed decides everything, and only its own run ---


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    first, again, other = (train(Corridor, SPEC, SMALL, seed=s) for s in (1, 1, 2))
    assert digests(first) == digests(again)
    assert first.run_id == again.run_id != other.run_id
    assert not set(digests(first).values()) & set(digests(other).values())
    assert first.status == ""


@pytest.mark.parametrize("anneal_lr", [True, False])
def test_the_step_size_falls_to_zero_only_if_it_is_annealed(anneal_lr):
    config = dataclasses.replace(SMALL, anneal_lr=anneal_lr)
    rate = train(Corridor, SPEC, config, seed=0).curve("learning_rate").y
    left = 1 - np.arange(8) / 8 if anneal_lr else np.ones(8)
    np.testing.assert_allclose(rate, 1e-3 * left, rtol=1e-12)


def test_a_seed_asked_for_twice_is_trained_once():
    runs = train_seeds(Corridor, SPEC, SMALL, seeds=(1, 2, 1))
    assert runs[0] is runs[2] and [run.seed for run in runs] == [1, 2, 1]


def test_global_random_numbers_are_neither_read_nor_moved():
    first = train(Corridor, SPEC, SMALL, seed=1)
    torch.manual_seed(123)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    assert digests(train(Corridor, SPEC, SMALL, seed=1)) == digests(first)
    assert torch.equal(before[0], torch.get_rng_state())
    np.testing.assert_array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("target_kl", [None, 1e-3])
def test_a_seed_does_not_depend_on_its_company(target_kl):
    config = dataclasses.replace(SMALL, target_kl=target_kl)
    together = train_seeds(Corridor, SPEC, config, seeds=range(8))
    for seed in (0, 5):
        assert digests(together[seed]) == digests(train(Corridor, SPEC, config, seed=seed))


def test_a_module_is_a_template_and_learns_as_the_batched_perceptron_does():
    template = mlp_policy(SPEC, (5,), 2, rng=np.random.default_rng(9))
    before = copy.deepcopy(template.state_dict())
    config = dataclasses.replace(SMALL, total_timesteps=128)
    module = train(Corridor, template, config, seed=1)
    batched = train(Corridor, SPEC, config, seed=1)
    for name, tensor in template.state_dict().items():
        assert torch.equal(tensor, before[name])
    for a, b in zip(module.curves, batched.curves, strict=True):
        np.testing.assert_allclose(a.y, b.y, rtol=1e-4, atol=1e-6)


def test_a_module_can_go_on_from_the_weights_it_has():
    template = mlp_policy(SPEC, (5,), 2, rng=np.random.default_rng(9))
    seen = []
    options = {"seed": 1, "schedule": (0,), "on_checkpoint": lambda c: seen.append(c.policy) or {}}
    kept = train(Corridor, template, SMALL, fresh=False, **options)
    fresh = train(Corridor, template, SMALL, **options)
    assert torch.equal(seen[0].actor[0].weight, template.actor[0].weight)
    assert not torch.equal(seen[2].actor[0].weight, template.actor[0].weight)
    assert kept.run_id != fresh.run_id


def test_what_cannot_be_is_said():
    with pytest.raises(ValueError, match="the environment steps 4 copies together"):
        train(Corridor, SPEC, dataclasses.replace(SMALL, num_envs=8), seed=0)
    with pytest.raises(ValueError, match="seed must be a whole number; it is 0.7."):
        train(Corridor, SPEC, SMALL, seed=0.7)
    with pytest.raises(ValueError, match="device must be 'cpu' or 'cuda'; it is 'gpu'."):
        train(Corridor, SPEC, SMALL, seed=0, device="gpu")
    with pytest.raises(ValueError, match="a moment of the schedule must be a whole number"):
        train(Corridor, SPEC, SMALL, seed=0, schedule=(0.5,))


def test_equal_settings_decide_the_same_run():
    loose = PPOConfig(1024.0, np.int64(4), 32, learning_rate=1, gamma=1, clip_vloss=1)
    strict = PPOConfig(1024, 4, 32, learning_rate=1.0, gamma=1.0, clip_vloss=True)
    assert repr(loose) == repr(strict)
    assert (
        train(Corridor, SPEC, loose, seed=0).run_id == train(Corridor, SPEC, strict, seed=0).run_id
    )


# --- checkpoints, and going on after a kill ---


def measure(checkpoint):
    value = checkpoint.policy(torch.eye(5))[0].log_softmax(-1)[:, 1].mean().item()
    return {"log_p_right": Reading(value, se=0.1, baselines={"uniform": -0.69})}


def test_checkpoints_are_taken_on_schedule_and_at_the_end(tmp_path):
    run = train(
        Corridor, SPEC, SMALL, seed=1, schedule=(0, 10, 100, 300, 310), folder=tmp_path,
        on_checkpoint=measure, run="corridor", conditions={"limit": 12},
    )  # fmt: skip
    curve = run.curve("log_p_right")
    assert curve.t.tolist() == [0, 128, 384, 1024]
    assert curve.run == "corridor" and curve.conditions["limit"] == 12
    assert curve.conditions["gamma"] == 0.99 and curve.conditions["seed"] == 1
    names = sorted(p.name for p in (tmp_path / "checkpoints" / run.run_id).iterdir())
    expected = [f"{t}.safetensors" for t in (0, 1024, 128, 384)]
    assert names == [".lock", *expected, "resume.safetensors"]


def test_a_finished_run_is_read_back_without_training(tmp_path):
    options = {"seeds": (1, 2), "schedule": (0, 500), "folder": tmp_path}
    runs = train_seeds(Corridor, SPEC, SMALL, on_checkpoint=measure, **options)
    again = train_seeds(Corridor, SPEC, SMALL, on_checkpoint=lambda _: 1 / 0, **options)
    assert [digests(run) for run in runs] == [digests(run) for run in again]
    assert runs[0].wall_seconds == again[0].wall_seconds


def test_seeds_of_one_call_that_are_unequally_far_all_arrive(tmp_path):
    options = {"schedule": (0, 400, 800), "on_checkpoint": measure}
    expected = train_seeds(Corridor, SPEC, SMALL, seeds=(1, 2), **options)

    def fails(checkpoint):
        if checkpoint.env_steps > 500:
            raise InterruptedError
        return measure(checkpoint)

    with pytest.raises(InterruptedError):
        failing = {**options, "on_checkpoint": fails}
        train_seeds(Corridor, SPEC, SMALL, seeds=(1,), folder=tmp_path, **failing)
    runs = train_seeds(Corridor, SPEC, SMALL, seeds=(1, 2), folder=tmp_path, **options)
    assert [digests(run) for run in runs] == [digests(run) for run in expected]


RESUMED = """
import importlib.util, json, os, signal, sys
from pathlib import Path
import torch
spec = importlib.util.spec_from_file_location("test_ppo", sys.argv[1])
tests = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tests)
where, left = sys.argv[3], int(sys.argv[4])

def dies(function, before):
    def counted(*args, **kwargs):
        global left
        left -= 1
        if left == 0 and before:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args, **kwargs)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return counted

if where == "step":
    tests.Corridor.step = dies(tests.Corridor.step, True)
elif where == "write":
    os.fsync = dies(os.fsync, True)
elif where == "rename":
    os.replace = dies(os.replace, False)
print("ready", flush=True)
print(json.dumps(tests.both_kinds(Path(sys.argv[2]))))
"""


def both_kinds(folder):
    options = {"schedule": (0, 200, 400, 600, 800), "on_checkpoint": measure, "folder": folder}
    runs = train_seeds(Corridor, SPEC, SMALL, seeds=(1, 2), **options)
    template = mlp_policy(SPEC, (5,), 2, rng=np.random.default_rng(9))
    run = train(Corridor, template, SMALL, seed=3, **options)
    return [digests(run) for run in (*runs, run)]


def start(folder, where, left):
    command = [sys.executable, "-c", RESUMED, __file__, str(folder), where, str(left)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def test_a_killed_run_goes_on_and_ends_with_bitwise_the_same_curves(tmp_path):
    expected = both_kinds(None)
    # in a rollout; writing a policy; writing a snapshot; after a rename; in the other kind
    for where, left in (("step", 400), ("write", 3), ("write", 8), ("rename", 5), ("step", 100)):
        with start(tmp_path, where, left) as process:
            process.communicate()
        assert process.returncode == -signal.SIGKILL
    with start(tmp_path, "never", -1) as process:
        process.stdout.readline()
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
    for left in tmp_path.rglob("*.tmp"):
        os.utime(left, (0, 0))  # as if it had been killed long ago
    assert both_kinds(tmp_path) == expected
    assert not list(tmp_path.rglob("*.tmp"))


def test_agents_of_another_count_of_seeds_have_their_own_rows():
    policies = [mlp_policy(SPEC, (5,), 3, rng=np.random.default_rng(s)) for s in range(2)]
    agents = MLPAgents(policies, SPEC, "cpu")
    batch = batch_of_random_data(policies)
    loss, _ = losses(agents, batch, SMALL)
    only_first = agents.gradient(loss * torch.tensor([1.0, 0.0]))
    assert only_first[0].any() and not only_first[1].any()
