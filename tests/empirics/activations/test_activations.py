"""Reading and editing activations, against networks computed by hand."""

import copy
from collections import namedtuple

import pytest
import torch
from torch import nn

from empirics.activations.cached import cached
from empirics.activations.edit import Add, Replace, Scale
from empirics.activations.edited import edited
from empirics.activations.site import Site

Pair = namedtuple("Pair", "out state")


class Convolutional(nn.Module):
    """Two convolutions, of which the second feeds both heads."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 5, 3, padding=1)
        )
        self.actor, self.critic = nn.Linear(5 * 16, 4), nn.Linear(5 * 16, 1)

    def forward(self, x):
        features = torch.relu(self.body(x)).flatten(1)
        return self.actor(features), self.critic(features).squeeze(-1)


class Doubling(nn.Module):
    def __init__(self):
        super().__init__()
        self.addend = nn.Parameter(torch.tensor(1.0))

    def forward(self, h):
        return 2 * h + self.addend


class Recurrent(nn.Module):
    """h ← 2h + 1, three times: from x to 8x + 7."""

    def __init__(self):
        super().__init__()
        self.cell = Doubling()

    def forward(self, x):
        for _ in range(3):
            x = self.cell(x)
        return x


class Fixed(nn.Module):
    """Returns what it was made with, whatever it is given."""

    def __init__(self, output):
        super().__init__()
        self.output = output

    def forward(self, _):
        return self.output


class Wrapping(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)


def images(n=6, seed=0):
    return torch.randn(n, 3, 4, 4, generator=torch.Generator().manual_seed(seed))


def num_hooks(network):
    return sum(
        len(hooks)
        for module in network.modules()
        for name, hooks in vars(module).items()
        if name.endswith("hooks") and "forward" in name
    )


def same(ours, theirs):
    return all(map(torch.equal, ours, theirs))


def test_the_last_shared_layer_of_another_input_gives_the_output_on_that_input():
    network, x, other, site = Convolutional(), images(), images(seed=1), Site("body")
    with cached(network, [site]) as there:
        expected = network(other)
    with edited(network, [Replace(site, there[site])]):
        assert same(network(x), expected)
    assert not same(network(x), expected)


def test_what_is_cached_is_what_the_module_returned_and_not_what_a_later_layer_made_of_it():
    network, x = Convolutional(), images()
    network.body[1] = nn.ReLU(inplace=True)
    with torch.no_grad(), cached(network, [Site("body.0"), Site("body.1")]) as found:
        output = network(x)
    assert torch.equal(found[Site("body.0")], network.body[0](x))
    assert torch.equal(found[Site("body.1")], torch.relu(network.body[0](x)))
    assert (found[Site("body.0")] < 0).any()
    assert same(output, network(x))


def test_adding_and_subtracting_restores_every_bit():
    """Of numbers that have few binary digits, as else a sum has to be rounded."""
    network, site = nn.Sequential(nn.Identity(), nn.Linear(4, 2)), Site("0")
    x = torch.randint(-64, 64, (5, 4), generator=torch.Generator().manual_seed(0)) / 16
    v = torch.tensor([0.25, -1.5, 3.0, 0.0625])
    plain = network(x)
    with edited(network, [Add(site, v, 2.0)]):
        assert torch.equal(network(x), network[1](x + 2 * v))
        with edited(network, [Add(site, v, -2.0)]):
            assert torch.equal(network(x), plain)
    with edited(network, [Add(site, v, 2.0), Add(site, v, -2.0)]):
        assert torch.equal(network(x), plain)
    assert torch.equal(network(x), plain)


def test_scaling_by_zero_is_the_network_without_the_weights_of_the_channel():
    network, ablated, x = Convolutional(), Convolutional(), images()
    with torch.no_grad():
        for weights in ablated.body[0].parameters():
            weights[[1, 3]] = 0
    with edited(network, [Scale(Site("body.0", channels=(1, 3)), 0.0)]):
        ours = network(x)
    for one, other in zip(ours, ablated(x), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)
    assert not same(ours, network(x))


@pytest.mark.parametrize(
    ("tick", "factor", "expected"),
    # from x = 1 the states are 3, 7, 15
    [(0, 0.0, [0.0, 1.0, 3.0]), (1, -1.0, [3.0, -7.0, -13.0]), (2, 2.0, [3.0, 7.0, 30.0])],
)
def test_a_tick_of_a_weight_tied_network_is_edited_alone_in_every_pass(tick, factor, expected):
    network, x = Recurrent(), torch.ones(2, 1)
    states = Site("cell")
    with (
        edited(network, [Scale(Site("cell", tick), factor)]),
        cached(network, [states, Site("cell", 2)]) as found,
    ):
        for _ in range(2):
            assert torch.equal(network(x), torch.full((2, 1), expected[-1]))
            assert [h[0].item() for h in found.every(states)] == expected
            assert found[Site("cell", 2)][0].item() == expected[-1]
    assert network(x)[0].item() == 15.0


def test_a_site_without_a_tick_is_edited_at_every_tick():
    network = Recurrent()
    with edited(network, [Add(Site("cell"), 1.0)]):  # h ← 2h + 2
        assert network(torch.zeros(1, 1)).item() == 14.0


def test_edits_of_one_site_act_in_their_order_and_blocks_from_the_outermost_inwards():
    network, site, x = nn.Sequential(nn.Identity()), Site("0"), torch.ones(1, 1)
    plus, times = Add(site, 3.0), Scale(site, 10.0)
    for first, second, expected in ((plus, times, 40.0), (times, plus, 13.0)):
        with edited(network, [first, second]):
            assert network(x).item() == expected
        with edited(network, [first]), edited(network, [second]):
            assert network(x).item() == expected
    with (
        cached(network, [site]) as before,
        edited(network, [times]),
        cached(network, [site]) as after,
    ):
        network(x)
    assert (before[site].item(), after[site].item()) == (1.0, 10.0)


def test_channels_and_positions_are_read_and_written_where_they_lie():
    network, x = Convolutional(), images()
    everything = Site("body.0")
    alike = Site("body.0", channels=[2, 0], positions=[(0, 3), (2, 1)])
    of_rows = Site("body.0", channels=[1], positions=[[(i % 4, i // 4)] for i in range(6)])
    with cached(network, [everything, alike, of_rows]) as found:
        network(x)
    full = found[everything]
    assert torch.equal(found[alike], full[:, [2, 0]][:, :, [0, 2], [3, 1]])
    assert torch.equal(
        found[of_rows][:, 0, 0], full[range(6), 1, [0, 1, 2, 3, 0, 1], [0] * 4 + [1] * 2]
    )
    with (
        edited(network, [Replace(of_rows, 9.0), Scale(alike, 2.0)]),
        cached(network, [everything]) as new,
    ):
        network(x)
    expected = full.clone()
    expected[range(6), 1, [0, 1, 2, 3, 0, 1], [0] * 4 + [1] * 2] = 9.0
    for channel in (2, 0):
        expected[:, channel, [0, 2], [3, 1]] *= 2
    assert torch.equal(new[everything], expected)


@pytest.mark.parametrize(
    ("shape", "axes"),
    [((), (1, 1, 1)), ((4,), (4, 1, 1)), ((4, 4, 4), (4, 4, 4)), ((4, 1, 4), (4, 1, 4)),
     ((6, 4, 4, 4), None), ((6, 1, 1, 1), None), ((1, 4, 4, 4), None)],
)  # fmt: skip
def test_a_value_is_for_all_rows_or_one_a_row(shape, axes):
    network, x, site = Convolutional(), images(), Site("body.0")
    value = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    with cached(network, [site]) as plain:
        network(x)
    with edited(network, [Add(site, value)]), cached(network, [site]) as found:
        network(x)
    assert torch.equal(found[site], plain[site] + (value.reshape(axes) if axes else value))
    with edited(network, [Replace(site, value)]), cached(network, [site]) as found:
        network(x)
    assert torch.equal(
        found[site], (value.reshape(axes) if axes else value).expand(plain[site].shape)
    )


def test_rows_do_not_see_one_another():
    """One row is another's batch of one, up to the rounding of sums in another order."""
    network, x = Convolutional().double(), images().double()
    value = images(seed=2)[:, :, :, :2].reshape(6, 4, 6)[:, :, :2].double()
    site = Site("body.0", positions=[(1, 1), (3, 0)])
    with edited(network, [Replace(site, value)]):
        together = network(x)
    for i in range(6):
        with edited(network, [Replace(site, value[i])]):
            alone = network(x[i : i + 1])
        for ours, theirs in zip(together, alone, strict=True):
            torch.testing.assert_close(ours[i], theirs[0], rtol=1e-12, atol=1e-12)


def test_gradients_pass_through_edits_and_into_them():
    network, x = nn.Sequential(nn.Identity(), nn.Linear(3, 1)), torch.ones(2, 3)
    x.requires_grad_()
    v = torch.zeros(3, requires_grad=True)
    site = Site("0", channels=[0, 2])
    with edited(network, [Add(Site("0"), v, 3.0), Scale(site, 0.0)]), cached(network, [site]) as a:
        network(x).sum().backward()
    [w] = network[1].weight.detach()
    assert torch.equal(x.grad, (w * torch.tensor([0.0, 1.0, 0.0])).expand(2, 3))
    torch.testing.assert_close(v.grad, torch.tensor([0.0, 6.0, 0.0]) * w)
    assert a[site].requires_grad
    with torch.inference_mode(), edited(network, [Scale(site, 0.0)]):
        assert not network(x).requires_grad


def test_nothing_is_changed_in_place():
    value, output = torch.ones(1, 3, 2), torch.zeros(2, 3, 2)
    network = nn.Sequential(Fixed(output), nn.ReLU(inplace=True), nn.Hardtanh(0, 0.5, inplace=True))
    edits = [Replace(Site("0", channels=[1]), 2.0), Add(Site("0", positions=[(1,)]), 1.0),
             Replace(Site("0"), value)]  # fmt: skip
    with edited(network, edits):
        assert torch.equal(network(output), torch.full((2, 3, 2), 0.5))
    assert not output.any()
    assert torch.equal(edits[-1].value, torch.ones(1, 3, 2)) and (value == 1).all()


def test_hooks_are_gone_afterwards_also_after_exceptions():
    network, x, site = Convolutional(), images(), Site("body.0")
    plain = network(x)
    with pytest.raises(KeyError), edited(network, [Scale(site, 0.0)]), cached(network, [site]):
        assert num_hooks(network) == 8
        raise KeyError
    with pytest.raises(ValueError), edited(network, [Scale(site, 0.0), Scale(Site("bdy"), 0.0)]):
        pass
    with pytest.raises(RuntimeError), edited(network, [Scale(site, 0.0)]):
        network(x[:, :2])  # the first convolution fails
    assert not num_hooks(network)
    assert same(network(x), plain)


def test_a_copy_made_within_a_block_is_not_edited_after_it():
    network, x = Recurrent(), torch.ones(1, 1)
    with edited(network, [Scale(Site("cell", 2), 0.0)]):
        other = copy.deepcopy(network)
        assert network(x).item() == 0.0
    assert network(x).item() == other(x).item() == 15.0


def test_a_pass_that_failed_leaves_no_count_behind():
    network = Recurrent()
    with edited(network, [Scale(Site("cell", 2), 0.0)]):
        with pytest.raises(TypeError):
            network("no tensor")
        assert network(torch.ones(1, 1)).item() == 0.0


def test_elements_of_tuples_are_addressed_and_their_kind_is_kept():
    x = torch.ones(2, 5, 3)
    torch.manual_seed(0)
    gru = Wrapping(nn.GRU(3, 4, batch_first=True))
    out, state = gru(x)
    last = Site("inner", element=0, channel_axis=2, positions=[(4,)])
    with edited(gru, [Scale(last, 0.0)]), cached(gru, [last]) as found:
        edited_out, edited_state = gru(x)
    assert torch.equal(edited_out[:, :4], out[:, :4]) and not edited_out[:, 4].any()
    assert torch.equal(edited_state, state)
    assert found[last].shape == (2, 4, 1)
    for kind in (Pair(x, x), (x, x), [x, x]):
        with edited(network := Wrapping(Fixed(kind)), [Scale(Site("inner", element=1), 3.0)]):
            result = network(x)
        assert type(result) is type(kind)
        assert torch.equal(result[0], x) and torch.equal(result[1], 3 * x)


def test_methods_of_a_network_are_edited_too_but_have_no_ticks():
    network, x = Convolutional(), images()
    with edited(network, [Scale(Site("body.2"), 0.0)]):
        assert not network.body(x).any()
        assert not network.body(x).any()
    with (
        pytest.raises(ValueError, match="'body.2' at tick 0 was called outside a forward pass"),
        edited(network, [Scale(Site("body.2", 0), 0.0)]),
    ):
        network.body(x)


def run_edit(edit):
    network = Convolutional()
    with edited(network, [edit]):
        network(images())


def run_cache(network, site, other=None):
    with cached(network, [site]) as found:
        network(torch.ones(1, 1))
    return found[other or site]


def run_nothing():
    with edited(Convolutional(), [Scale(Site("body"), 0.0)]):
        pass


BAD = [
    (lambda: run_edit(Scale(Site("bodi.0"), 0.0)),
     "the network has no module 'bodi.0'; the nearest are body, body.0, body.1, body.2."),
    (lambda: run_edit(Scale(Site("zzz"), 0.0)),
     "the network has no module 'zzz'; it has actor, body, body.0, body.1, body.2, critic."),
    (lambda: run_edit(Scale(Site("body.0", 1), 0.0)),
     "'body.0' at tick 1 was never come upon: the module was called 1 times, ticks 0 to 0."),
    (run_nothing, "'body' was never come upon: the module was not called."),
    (lambda: run_edit(Scale(Site("body.0", channels=[1, 4]), 0.0)),
     "channel 4 is out of range; the output of 'body.0' has 4 channels, 0 to 3."),
    (lambda: run_edit(Scale(Site("body", positions=[(0, 0), (1, 4)]), 0.0)),
     "position (1, 4) is out of range; the output of 'body' has positions of the shape (4, 4)."),
    (lambda: run_edit(Scale(Site("body", positions=[[0]]), 0.0)),
     "a position of 'body' must be 2 indices, since its output has positions of the shape "
     "(4, 4); it is 1 indices."),
    (lambda: run_edit(Scale(Site("body", positions=[[(0, 0)]] * 5), 0.0)),
     "positions were given for 5 rows; the output of 'body' has 6."),
    (lambda: run_edit(Replace(Site("body.0"), torch.zeros(3))),
     "Replace at 'body.0' needs a number, one a channel, the shape (4, 4, 4) for all rows, or "
     "(6, 4, 4, 4); got (3,)."),
    (lambda: run_edit(Add(Site("body.0", channels=[1]), torch.zeros(5, 1, 4, 4))),
     "Add at 'body.0' needs a number, one a channel, the shape (1, 4, 4) for all rows, or "
     "(6, 1, 4, 4); got (5, 1, 4, 4)."),
    (lambda: run_edit(Scale(Site(""), 0.0)),
     "the output of '' is a tuple, not a tensor; name one of its 2 by `element`."),
    (lambda: run_edit(Scale(Site("", element=2), 0.0)),
     "the output of ''[2] has only 2 elements."),
    (lambda: run_edit(Scale(Site("body", element=0), 0.0)),
     "the output of 'body'[0] is no tuple; leave `element` out."),
    (lambda: run_edit(Scale(Site("", element=1, channels=[0]), 0.0)),
     "the output of ''[1] has the shape (6,) and so no channels on axis 1."),
    (lambda: run_cache(Wrapping(nn.LSTM(1, 2)), Site("inner", element=1)),
     "the output of 'inner'[1] is a tuple, not a tensor; name one of its 2 by `element`."),
    (lambda: run_cache(Recurrent(), Site("cell")),
     "'cell' was called 3 times; name a tick in the site, or take them all by `every`."),
    (lambda: run_cache(Recurrent(), Site("cell", 1), Site("cell", 2)),
     "'cell' at tick 2 was not cached; cached are 'cell' at tick 1."),
    (lambda: Site("a", tick=-1), "tick must be at least 0; it is -1."),
    (lambda: Site("a", channels=[]),
     "channels must be a list of numbers, all equally long; got []."),
    (lambda: Site("a", channels=[0, -1]), "channels must be whole numbers from 0; got [0, -1]."),
    (lambda: Site("a", channels=[2, 2]), "channels must be distinct; [2] is there twice."),
    (lambda: Site("a", positions=[(1, 2), (1,)]),
     "positions must be a list of indices, one an axis, all equally long; got [(1, 2), (1,)]."),
    (lambda: Site("a", positions=[[(1, 2), (0, 3), (2, 1)], [(1, 2), (0, 3), (1, 2)]]),
     "positions must be distinct; [1, 2] is there twice."),
    (lambda: Replace(Site("a"), [1.0, float("nan")]),
     "value must be finite numbers; some are not."),
    (lambda: Add(Site("a"), 1.0, float("inf")), "coefficient must be finite; it is inf."),
]  # fmt: skip


@pytest.mark.parametrize(("action", "expected"), BAD, ids=range(len(BAD)))
def test_bad_input_is_said_in_one_sentence(action, expected, sentence):
    assert sentence(action) == expected


def test_a_site_can_be_given_arrays_and_is_a_value():
    grid = torch.tensor([[0, 1], [2, 3]]).numpy()
    assert Site("a", channels=grid[1], positions=grid) == Site(
        "a", channels=(2, 3), positions=((0, 1), (2, 3))
    )
    assert hash(Site("a", positions=[[(0, 1)], [(1, 1)]])) == hash(
        Site("a", positions=(((0, 1),), ((1, 1),)))
    )
