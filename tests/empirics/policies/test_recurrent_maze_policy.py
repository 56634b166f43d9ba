"""The recurrent maze policy, against its equation written out with tensors alone."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d, linear

from empirics.activations.cached import cached
from empirics.activations.edit import Replace
from empirics.activations.edited import edited
from empirics.activations.site import Site
from empirics.maze import MazeConfig
from empirics.policies.maze_policy import MazeNetwork
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork
from empirics.probes.behavior import action_probabilities

MAZE = MazeConfig(cells=3, alpha=1.0, num_train_levels=20, num_held_out_levels=5)
NETWORK = RecurrentMazeNetwork(width=6, ticks=4, hidden=10)


def built(network=NETWORK, seed=0):
    return network.build(MAZE.observation_shape, 4, rng=np.random.default_rng(seed))


def seen(num_envs=12):
    return torch.from_numpy(MAZE.make(num_envs, 0).reset())


def lively(network=NETWORK):
    """A policy with large weights, in double precision, so that every term counts."""
    policy = built(network).double()
    generator = torch.Generator().manual_seed(3)
    for parameter in policy.parameters():
        parameter.data = 0.4 * torch.randn(parameter.shape, generator=generator).double()
    return policy


def by_hand(policy, x, ticks):
    """Return logits and value by one convolution of [h, encoding] a tick, and the states."""
    w = policy.state_dict()
    encoding = conv2d(x, w["encoder.weight"], w["encoder.bias"], padding=1).relu()
    both = torch.cat([w["cell.inward.weight"], w["drive.weight"]], dim=1)
    h, states = torch.zeros_like(encoding), []
    for _ in range(ticks):
        inner = conv2d(torch.cat([h, encoding], dim=1), both, w["cell.inward.bias"], padding=1)
        step = conv2d(inner.relu(), w["cell.outward.weight"], w["cell.outward.bias"], padding=1)
        h = torch.tanh(h + step)
        states.append(h)
    row, column = (
        x[:, 1].flatten(1).argmax(1) // x.shape[-1],
        x[:, 1].flatten(1).argmax(1) % x.shape[-1],
    )
    at_the_mouse = h[torch.arange(len(x)), :, row, column]
    read = linear(at_the_mouse, w["readout.weight"], w["readout.bias"]).relu()
    logits = linear(read, w["actor.weight"], w["actor.bias"])
    return logits, linear(read, w["critic.weight"], w["critic.bias"])[:, 0], states


@pytest.mark.parametrize("ticks", [1, 4, 9])
def test_it_is_the_loop_written_by_hand_for_any_number_of_ticks(ticks):
    policy, x = lively(), seen().double()
    logits, value, states = by_hand(policy, x, ticks)
    site = Site("cell")
    with cached(other := policy.with_ticks(ticks), [site]) as found:
        ours = other(x)
    assert logits.std() > 0.1 and value.std() > 0.1
    for one, by_hand_one in zip((*ours, *found.every(site)), (logits, value, *states), strict=True):
        torch.testing.assert_close(one, by_hand_one, rtol=1e-10, atol=1e-10)


def test_weights_fit_every_number_of_ticks_and_a_copy_leaves_the_policy_alone():
    policy, x = lively(), seen().double()
    longer = lively(replace(NETWORK, ticks=7))
    longer.load_state_dict(policy.state_dict())
    copy = policy.with_ticks(7)
    assert all(map(torch.equal, copy(x), longer(x)))
    assert policy.ticks == 4 and copy.ticks == 7
    assert not torch.allclose(policy(x)[0], copy(x)[0])


def test_the_state_of_another_maze_put_in_after_a_tick_leads_to_its_later_states():
    """What is in another maze's state, but not in its drive, is carried on by later ticks."""
    policy, x = lively(), seen(2).double()
    site, last = Site("cell", 1), Site("cell", 3)
    with cached(policy, [site, last]) as plain:
        policy(x)
    with edited(policy, [Replace(site, plain[site].flip(0))]), cached(policy, [last]) as swapped:
        policy(x)
    encoding = policy.drive(policy.encoder(x).relu())
    h = policy.cell(policy.cell(plain[site].flip(0), encoding), encoding)
    assert torch.equal(swapped[last], h) and not torch.allclose(h, plain[last])


@pytest.mark.parametrize("stride", [1, 2])
def test_shapes_and_a_first_policy_that_is_nearly_uniform(stride):
    policy, x = built(replace(NETWORK, stride=stride)), seen()
    logits, value = policy(x)
    assert logits.shape == (12, 4) and value.shape == (12,)
    p = action_probabilities(policy, x.numpy())
    assert abs(p - 0.25).max() < 0.02


def test_the_first_state_does_not_saturate_however_many_ticks():
    for ticks in (2, 6, 24):
        site = Site("cell", ticks - 1)
        policy = built(replace(NETWORK, ticks=ticks))
        with cached(policy, [site]) as found:
            policy(seen())
        assert 0 < found[site].abs().mean() < 0.5


def test_layers_start_as_torch_starts_them_but_for_the_actor():
    policy = built()
    for layer, scale in (
        (policy.cell.inward, 1),
        (policy.cell.outward, 6 / 4),
        (policy.readout, 1),
    ):
        bound = scale / math.sqrt(layer.weight[0].numel())  # uniform within it (He et al. 2015)
        assert layer.weight.abs().max() <= bound
        # The largest of n uniform draws misses the bound by more than a share x with (1 - x)^n.
        assert layer.weight.abs().max() > bound * (1 - 20 / layer.weight.numel())
    rows = policy.actor.weight
    torch.testing.assert_close(rows @ rows.T, 1e-4 * torch.eye(4), rtol=0, atol=1e-9)


def test_equal_generators_give_equal_weights_and_the_global_one_is_left_alone():
    before = torch.get_rng_state()
    one, same, other = built(), built(), built(seed=1)
    assert torch.equal(before, torch.get_rng_state())
    assert all(map(torch.equal, one.parameters(), same.parameters()))
    assert not torch.equal(one.drive.weight, other.drive.weight)


def test_the_ledger_holds_the_shape():
    assert NETWORK.conditions == {
        "network_width": 6, "network_ticks": 4, "network_stride": 1, "network_hidden": 10
    }  # fmt: skip


def test_a_mouse_between_two_cells_is_read_at_both():
    """With stride 2, as the feed-forward policy reads it."""
    policy = lively(replace(NETWORK, stride=2))
    for square, cells in (((2, 2), [(1, 1)]), ((2, 1), [(1, 0), (1, 1)])):
        x = seen(1).double()
        x[:, 1] = 0.0
        x[:, 1, *square] = 1.0
        site = Site("cell", 3)
        with cached(policy, [site, Site("readout")]) as found:
            policy(x)
        at_the_mouse = sum(found[site][:, :, *cell] for cell in cells)
        torch.testing.assert_close(found[Site("readout")], policy.readout(at_the_mouse))


@pytest.mark.parametrize(
    ("action", "expected"),
    [(lambda: RecurrentMazeNetwork(ticks=0), "ticks must be at least 1; it is 0."),
     (lambda: RecurrentMazeNetwork(width=1.5), "width must be a whole number; it is 1.5."),
     (lambda: RecurrentMazeNetwork(stride=3), "stride must be 1 or 2; it is 3."),
     (lambda: built().with_ticks(0), "ticks must be at least 1; it is 0.")],
)  # fmt: skip
def test_bad_input_is_said(action, expected):
    with pytest.raises(ValueError) as error:
        action()
    assert str(error.value) == expected


def test_a_shape_that_equals_another_is_the_same():
    assert RecurrentMazeNetwork(width=6.0, ticks=4, hidden=10) == NETWORK
    assert MazeNetwork() != RecurrentMazeNetwork()
