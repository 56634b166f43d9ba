"""Networks whose actor returns values of actions."""

import numpy as np
import pytest
import torch

from empirics.maze import MazeConfig
from empirics.policies.maze_policy import MazeNetwork, MazePolicy
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork
from empirics.policies.tempered import TemperedNetwork
from empirics.pqn import action_values

MAZE = MazeConfig(cells=3, num_train_levels=3, num_held_out_levels=3)
INSIDE = MazeNetwork(width=3, depth=2, hidden=5)


def built(network):
    return network.build(MAZE.observation_shape, 4, rng=np.random.default_rng(7))


@pytest.mark.parametrize("inside", [INSIDE, RecurrentMazeNetwork(3, 2, 1, 5)])
def test_only_the_logits_are_divided(inside):
    seen = torch.from_numpy(MAZE.make(4, 0).reset())
    logits, value = built(inside)(seen)
    tempered = built(TemperedNetwork(inside, 0.02))
    torch.testing.assert_close(tempered(seen)[0], logits / 0.02)
    assert torch.equal(tempered(seen)[1], value)
    assert type(tempered) is type(built(inside))


def test_the_actor_returns_values_of_actions_up_to_a_constant_of_the_state():
    """Q − V is what the actor returns, less its mean under the policy that acts."""
    seen, temperature = torch.from_numpy(MAZE.make(4, 0).reset()), 0.02
    policy = built(TemperedNetwork(INSIDE, temperature))
    logits, value = policy(seen)
    q, _ = action_values(logits, value, temperature)
    returned = built(INSIDE)(seen)[0]
    mean = (logits.softmax(-1) * returned).sum(-1, keepdim=True)
    torch.testing.assert_close(q - value[:, None], returned - mean, rtol=1e-4, atol=1e-6)
    assert (returned - mean).abs().max() > 1e-3


def test_it_is_on_the_ledger_and_in_the_names_that_are_edited():
    network = TemperedNetwork(INSIDE, 0.5)
    assert network.conditions == {**INSIDE.conditions, "network_temperature": 0.5}
    policy = built(network)
    assert isinstance(policy, MazePolicy) and "stream.1" in dict(policy.named_modules())
    assert repr(policy) != repr(built(TemperedNetwork(INSIDE, 0.25)))  # hashed into the run_id
    with pytest.raises(ValueError, match="temperature must be positive; it is 0."):
        TemperedNetwork(INSIDE, 0)
