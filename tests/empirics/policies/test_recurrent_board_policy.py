"""The recurrent board policy, against its equation written out with tensors alone."""

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d

from empirics.policies.recurrent_board_policy import RecurrentBoardNetwork
from empirics.probes.behavior import action_probabilities

NETWORK = RecurrentBoardNetwork(width=6, ticks=3, hidden=8)


def built(seed=0):
    return NETWORK.build((3, 5, 5), 25, rng=np.random.default_rng(seed))


def boards(n=9):
    """Random stones, a third of the squares each side's."""
    kind = np.random.default_rng(1).integers(3, size=(n, 5, 5))
    planes = np.stack([kind == 1, kind == 2, np.ones_like(kind)], axis=1)
    return torch.from_numpy(planes.astype(np.float32))


def test_it_is_the_loop_written_by_hand():
    policy, x = built().double(), boards().double()
    generator = torch.Generator().manual_seed(3)
    for parameter in policy.parameters():
        parameter.data = 0.4 * torch.randn(parameter.shape, generator=generator).double()
    w = policy.state_dict()
    encoding = conv2d(x, w["encoder.weight"], w["encoder.bias"], padding=1).relu()
    h = torch.zeros_like(encoding)
    for _ in range(3):
        inner = conv2d(h, w["cell.inward.weight"], w["cell.inward.bias"], padding=1)
        inner = (inner + conv2d(encoding, w["drive.weight"], padding=1)).relu()
        h = torch.tanh(
            h + conv2d(inner, w["cell.outward.weight"], w["cell.outward.bias"], padding=1)
        )
    read = torch.einsum("bchw,dc->bdhw", h, w["readout.weight"][:, :, 0, 0])
    read = (read + w["readout.bias"][:, None, None]).relu()
    logits = torch.einsum("bdhw,d->bhw", read, w["actor.weight"][0, :, 0, 0]) + w["actor.bias"]
    value = read.mean(dim=(2, 3)) @ w["critic.weight"][0] + w["critic.bias"]
    ours, our_value = policy(x)
    free = (x[:, :2] == 0).all(dim=1).flatten(1)
    torch.testing.assert_close(ours[free], logits.flatten(1)[free])
    torch.testing.assert_close(our_value, value)


def test_moves_on_stones_are_never_made_and_the_first_policy_is_nearly_uniform():
    x = boards()
    p = action_probabilities(built(), x.numpy())
    free = (x[:, :2] == 0).all(dim=1).flatten(1).numpy()
    assert not p[~free].any()
    uniform = free / free.sum(axis=1, keepdims=True)
    assert abs(p / np.where(free, uniform, 1.0) - 1)[free].max() < 0.1


def test_the_entropy_of_masked_logits_and_its_gradient_are_finite():
    policy = built()
    log_p = torch.log_softmax(policy(boards())[0], dim=1)
    entropy = -(log_p.exp() * log_p).sum(dim=1).mean()
    entropy.backward()
    assert entropy.isfinite()
    assert all(p.grad is None or p.grad.isfinite().all() for p in policy.parameters())


def test_equal_generators_give_equal_weights_and_more_ticks_other_answers():
    one, same, other = built(), built(), built(1)
    assert all(map(torch.equal, one.parameters(), same.parameters()))
    assert not torch.equal(one.drive.weight, other.drive.weight)
    longer = one.with_ticks(5)
    assert type(longer) is type(one) and (one.ticks, longer.ticks) == (3, 5)
    assert not torch.equal(one(boards())[1], longer(boards())[1])


def test_bad_input_is_said():
    with pytest.raises(ValueError, match="ticks must be at least 1; it is 0."):
        RecurrentBoardNetwork(ticks=0)
    with pytest.raises(ValueError, match="the board is 5 × 5, and there are 4 actions."):
        NETWORK.build((3, 5, 5), 4, rng=np.random.default_rng(0))
