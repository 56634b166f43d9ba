"""A critic's squared error against frozen targets."""

import numpy as np
import pytest
import torch

from empirics.llc.potentials.freeze_states import FrozenStates
from empirics.llc.potentials.outputs import LinearOutputs
from empirics.llc.potentials.value_regression import value_regression


def frozen(n, weights=None):
    return FrozenStates(np.arange(n), weights or np.full(n, 1 / n), "the test", None)


def test_a_linear_critic_has_half_its_rank_as_coefficient():
    rng = np.random.default_rng(0)
    # Six states, five features of which the last is the sum of two others: rank 4.
    features = rng.standard_normal((6, 4))
    features = np.column_stack([features, features[:, 0] + features[:, 1]])
    outputs = LinearOutputs(torch.tensor(features)[:, None])
    center = torch.tensor(rng.standard_normal((1, 5)))
    targets = outputs.at_centers(center)[0, :, 0]
    potential = value_regression(outputs, frozen(6), targets, center)
    expected = torch.tensor(2 * features.T @ features / 6)[None]
    torch.testing.assert_close(potential.hessian(center), expected)
    steepness = 1e9 * torch.linalg.eigvalsh(potential.hessian(center))[0].clamp(min=0)
    assert (steepness / (steepness + 1)).sum().item() / 2 == pytest.approx(2, rel=1e-6)


def test_each_checkpoint_may_have_its_own_targets():
    outputs = LinearOutputs(torch.eye(3, dtype=torch.float64)[:, None])
    centers = torch.tensor([[1.0, 2, 3], [4, 5, 6]], dtype=torch.float64)
    states = frozen(3, [0.5, 0.25, 0.25])
    potential = value_regression(outputs, states, centers, centers)
    assert (potential.energy(centers[:, None]) == 0).all()
    off = potential.energy(centers[:, None] + torch.tensor([1.0, 0, 2]))
    torch.testing.assert_close(off, torch.full_like(off, 0.5 + 0.25 * 4))


def test_targets_of_another_shape_are_refused():
    outputs = LinearOutputs(torch.eye(3, dtype=torch.float64)[:, None])
    centers = torch.zeros(1, 3, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"targets must be \(3,\) or \(1, 3\); they are \(4,\)"):
        value_regression(outputs, frozen(3), torch.zeros(4), centers)
