import copy

import numpy as np
import pytest
import torch
from torch import nn

from empirics.networks import LANES, MLPAgents, MLPSpec, ModuleAgents, initialize, mlp_policy
from empirics.one_thread import one_thread

SPEC = MLPSpec((16, 8))


def policy(seed=0, spec=SPEC, shape=(3, 2), actions=4):
    return mlp_policy(spec, shape, actions, rng=np.random.default_rng(seed))


def gram(weight):
    rows = weight.flatten(1)
    return rows @ rows.T if rows.shape[0] <= rows.shape[1] else rows.T @ rows


def test_weights_are_orthogonal_with_the_gain_of_their_place():
    p = policy()
    for layer, gain in ((p.actor[0], 2**0.5), (p.actor[2], 2**0.5), (p.critic[0], 2**0.5),
                        (p.actor[4], 0.01), (p.critic[4], 1.0)):  # fmt: skip
        expected = gain**2 * torch.eye(min(layer.weight.shape))
        torch.testing.assert_close(gram(layer.weight), expected, atol=1e-5 * gain**2, rtol=0)
        assert not layer.bias.any()


def test_convolutions_are_orthogonal_too():
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 100, 3))
    initialize(net, rng=np.random.default_rng(0))
    for layer, size in zip(net, (8, 72), strict=True):
        torch.testing.assert_close(gram(layer.weight), 2 * torch.eye(size), atol=1e-5, rtol=0)


def test_the_same_generator_gives_the_same_weights_and_the_global_one_is_left_alone():
    before = torch.get_rng_state()
    a, b, c = policy(1), policy(1), policy(2)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(a.actor[0].weight, b.actor[0].weight)
    assert not torch.equal(a.actor[0].weight, c.actor[0].weight)


def test_batched_perceptrons_compute_what_each_alone_computes():
    policies = [policy(seed) for seed in range(3)]
    agents = MLPAgents(policies, SPEC, "cpu")
    x = torch.randn(3, 7, 3, 2, generator=torch.Generator().manual_seed(0))
    logits, value = agents(x)
    for s, alone in enumerate(policies):
        expected_logits, expected_value = alone(x[s])
        torch.testing.assert_close(logits[s], expected_logits)
        torch.testing.assert_close(value[s], expected_value)
        torch.testing.assert_close(agents.value(s, x[s]), expected_value)
        copied = agents.policy(s)
        assert torch.equal(copied(x[s])[0], expected_logits)
        assert not any(p.requires_grad for p in copied.parameters())


@pytest.mark.parametrize("num_seeds", [2, 3, 8])
@pytest.mark.parametrize("batch", [1, 5, 64, 250])
def test_a_seed_is_bitwise_independent_of_its_company(num_seeds, batch):
    policies = [policy(seed, MLPSpec((64, 64)), (33,)) for seed in range(num_seeds)]
    x = torch.randn(num_seeds, batch, 33, generator=torch.Generator().manual_seed(1))

    def compute(chosen, x):
        agents = MLPAgents(chosen, MLPSpec((64, 64)), "cpu")
        logits, value = agents(x)
        loss = logits.logsumexp(-1).mean(-1) + value.square().mean(-1)
        return logits.detach(), value.detach(), agents.gradient(loss)

    with one_thread():
        together = compute(policies, x)
        for s in range(num_seeds):
            alone = compute(policies[s : s + 1], x[s : s + 1].clone())
            for ours, theirs in zip(together, alone, strict=True):
                assert torch.equal(ours[s], theirs[0])


def test_idle_units_stay_idle():
    spec = MLPSpec((5, 18))
    used = policy(0, spec)
    nn.utils.vector_to_parameters(
        torch.ones(sum(p.numel() for p in used.parameters())), used.parameters()
    )
    idle = MLPAgents([used], spec, "cpu").flat[0] == 0
    agents = MLPAgents([policy(seed, spec) for seed in range(2)], spec, "cpu")
    assert idle.any() and all(leaf.shape[-1] % LANES == 0 for leaf in agents.leaves)
    x = torch.randn(2, 7, 3, 2, generator=torch.Generator().manual_seed(0))
    for _ in range(3):
        logits, value = agents(x)
        gradient = agents.gradient(logits.square().mean((1, 2)) + value.square().mean(1))
        assert gradient[:, ~idle].any() and not gradient[:, idle].any()
        with torch.no_grad():
            agents.flat -= gradient


def convolutional():
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.Flatten())
    net = Heads(body)
    initialize(net, rng=np.random.default_rng(0))
    return net


class Heads(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body
        self.actor, self.critic = nn.Linear(45, 4), nn.Linear(45, 1)

    def forward(self, x):
        features = self.body(x)
        return self.actor(features), self.critic(features).squeeze(-1)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_module_keeps_its_function_and_its_gradient_when_its_weights_become_views(layout):
    net = convolutional().to(memory_format=layout)
    before = [weight.clone() for weight in net.parameters()]
    initialize(net, rng=np.random.default_rng(0))
    assert all(map(torch.equal, net.parameters(), before))
    agents = ModuleAgents(net, "cpu")
    x = torch.randn(6, 3, 7, 7, generator=torch.Generator().manual_seed(0))
    assert agents.leaves[0].is_contiguous(memory_format=layout)
    torch.testing.assert_close(agents(x[None])[0][0], net(x)[0])
    torch.testing.assert_close(agents.value(0, x), net(x)[1])

    def loss(logits, value):
        return logits[..., 0].square().sum(-1) + value.sum(-1)

    step = agents.gradient(loss(*agents(x[None])))
    reference = copy.deepcopy(net)
    loss(*reference(x)).backward()
    with torch.no_grad():
        agents.flat -= 0.1 * step
        for p in reference.parameters():
            p -= 0.1 * p.grad
    for ours, theirs in zip(agents.policy(0).parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_the_copy_of_a_policy_does_not_move_with_the_agent():
    agents = ModuleAgents(convolutional(), "cpu")
    frozen = agents.policy(0)
    before = frozen.actor.weight.clone()
    agents.flat.zero_()
    assert torch.equal(frozen.actor.weight, before)
    assert not agents.policy(0).actor.weight.any()


def test_a_wrong_spec_is_said():
    with pytest.raises(ValueError, match="activation must be one of relu, tanh; it is 'gelu'"):
        MLPSpec(activation="gelu")
    with pytest.raises(ValueError, match="hidden widths must be positive"):
        MLPSpec(hidden=(8, 0))
