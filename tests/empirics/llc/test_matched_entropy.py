"""Softmax policies brought to one mean entropy."""

import math

import numpy as np
import pytest
import torch

from empirics.llc.potentials.action_law import Categorical, Gaussian
from empirics.llc.potentials.behavior_kl import behavior_kl
from empirics.llc.potentials.freeze_states import FrozenStates
from empirics.llc.potentials.matched_entropy import inverse_temperatures, mean_entropy
from empirics.llc.potentials.outputs import tabular_outputs

WEIGHTS = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
LOGITS = torch.tensor(np.random.default_rng(0).standard_normal((4, 3, 5)))
STATES = FrozenStates(np.arange(3), WEIGHTS.numpy(), "the test", None)


def energy(w, **options):
    outputs = tabular_outputs(3, 5)
    return behavior_kl(outputs, Categorical(), STATES, w, **options)


def test_two_actions_have_the_temperature_of_their_entropy():
    # Probabilities (1/5, 4/5) have the log odds ln 4.
    entropy = -(0.2 * math.log(0.2) + 0.8 * math.log(0.8))
    logits = torch.tensor([[[0.0, 0.5]], [[3.0, 1.0]]], dtype=torch.float64)
    found = inverse_temperatures(logits, torch.ones(1, dtype=torch.float64), entropy)
    expected = torch.tensor([math.log(4) / 0.5, math.log(4) / 2], dtype=torch.float64)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("entropy", [0.05, 0.8, 1.6])
def test_the_mean_entropy_is_the_one_asked_for(entropy):
    factors = inverse_temperatures(LOGITS, WEIGHTS, entropy)
    reached = mean_entropy(factors[:, None, None] * LOGITS, WEIGHTS)
    torch.testing.assert_close(reached, torch.full_like(reached, entropy), rtol=1e-12, atol=0)


def test_sharpening_leaves_the_matched_energy_alone():
    # The table's logits are its parameters: at twice the logits, moves twice as long do the same.
    w, move = LOGITS.flatten(1), torch.tensor(np.random.default_rng(1).standard_normal((4, 1, 15)))
    once = energy(w, entropy=0.7).energy(w[:, None] + move)
    twice = energy(2 * w, entropy=0.7).energy(2 * (w[:, None] + move))
    torch.testing.assert_close(twice, once, rtol=1e-9, atol=1e-14)
    plain = energy(w).energy(w[:, None] + move), energy(2 * w).energy(2 * (w[:, None] + move))
    assert (plain[0] - plain[1]).abs().min() > 1e-3


def test_the_matched_energy_is_that_of_multiplied_logits():
    w, move = LOGITS.flatten(1), torch.tensor(np.random.default_rng(1).standard_normal((4, 1, 15)))
    factors = inverse_temperatures(LOGITS, WEIGHTS, 0.7)[:, None, None]
    there = (factors * (w[:, None] + move)).reshape(4, 3, 5)
    apart = Categorical().divergence(factors * LOGITS, there) @ WEIGHTS
    found = energy(w, entropy=0.7)
    torch.testing.assert_close(found.energy(w[:, None] + move)[:, 0], apart, rtol=1e-12, atol=0)
    assert found.energy(w[:, None]).abs().max() == 0


@pytest.mark.parametrize("entropy", [0.0, math.log(5), math.nan])
def test_an_entropy_out_of_range_is_refused(entropy):
    with pytest.raises(ValueError, match=r"entropy must lie between 0 and ln 5 = 1\.609; it is"):
        inverse_temperatures(LOGITS, WEIGHTS, entropy)


def test_actions_that_are_alike_are_refused():
    logits = LOGITS.clone()
    logits[2] = 0.0
    with pytest.raises(ValueError, match=r"center 2 has a mean entropy of 0\.7 at no temperature"):
        inverse_temperatures(logits, WEIGHTS, 0.7)


def test_another_law_has_no_entropy_to_match():
    outputs, w = tabular_outputs(3, 5), LOGITS.flatten(1)
    with pytest.raises(ValueError, match="Categorical actions only"):
        behavior_kl(outputs, Gaussian(0.1), STATES, w, entropy=0.7)
