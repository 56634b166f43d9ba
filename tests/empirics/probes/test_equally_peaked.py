"""Random networks as peaked as an agent, on policies whose readings are known."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binom

from empirics.maze import MazeConfig, draw_situations, observe
from empirics.probes.equally_peaked import (
    EquallyPeaked,
    mean_entropy,
    random_logits,
    softmax,
)

NUM_OTHERS, NUM_SQUARES = 4, 12


def apart(policy):
    """How far what is done on half of the squares lies from what is done on the others."""
    one, other = np.split(policy, 2)
    return {"apart": float(np.abs(one - other).sum(axis=1).mean() / 2)}


def at_entropy(logits, entropy):
    """The policy with its logits scaled to an entropy, by root finding."""
    scale = brentq(lambda s: mean_entropy(softmax(s * logits)) - entropy, 1e-6, 1e3)
    return softmax(scale * logits)


def exceeds(rng, *, scale=None):
    """Whether one more policy exceeds the largest of others, as peaked as it."""
    drawn = rng.standard_normal((NUM_OTHERS + 1, NUM_SQUARES, 4))
    others = EquallyPeaked(drawn[1:], apart, counted=NUM_SQUARES)
    own = at_entropy(drawn[0], 0.6)
    against = 0.6 if scale is None else mean_entropy(softmax(scale * drawn[0]))
    return apart(own)["apart"] > others.largest(against)["apart"]


def test_one_more_random_policy_exceeds_the_largest_of_n_once_in_n_plus_one():
    rng, number = np.random.default_rng(0), 150
    found = sum(exceeds(rng) for _ in range(number))
    low, high = binom.ppf([0.001, 0.999], number, 1 / (NUM_OTHERS + 1))
    assert low <= found <= high
    # Held against policies that are less peaked, nearly all exceed: the matching is what does it.
    assert sum(exceeds(rng, scale=0.5) for _ in range(20)) > 15


def test_readings_are_those_at_the_entropy_asked_for():
    logits = np.random.default_rng(1).standard_normal((3, NUM_SQUARES, 4))

    def measure(policy):
        entropy = mean_entropy(policy)
        return {"entropy": entropy, "square": entropy**2}

    others = EquallyPeaked(logits, measure, counted=NUM_SQUARES)
    assert (np.diff(others.entropy, axis=1) < 0).all()
    assert others.entropy[:, 0] == pytest.approx(np.log(4))
    gap = -np.diff(others.entropy, axis=1).min()
    for entropy in (1.3, 0.8, 0.2):
        found = others.at(entropy)
        assert found["entropy"] == pytest.approx(entropy, abs=1e-12)
        # Between a and b a chord lies above the parabola by (h - a)(b - h), at most (b - a)²/4.
        assert (found["square"] >= entropy**2 - 1e-12).all()
        assert (found["square"] <= entropy**2 + gap**2 / 4).all()
    # Beyond the last scale the last reading stands.
    assert others.at(0.0)["entropy"] == pytest.approx(others.entropy[:, -1])


def test_only_counted_observations_count():
    logits = np.random.default_rng(2).standard_normal((1, 6, 4))
    half = EquallyPeaked(logits[:, :3], apart_from_nothing, counted=3)
    both = EquallyPeaked(logits, apart_from_nothing, counted=3)
    assert both.entropy == pytest.approx(half.entropy)


def apart_from_nothing(policy):
    return {"size": float(len(policy))}


def test_random_networks_come_with_and_without_what_is_the_same_everywhere():
    config = MazeConfig(cells=4, num_train_levels=1, num_held_out_levels=20)
    levels, rng = config.pools().held_out, np.random.default_rng(3)
    seen = observe(levels, draw_situations(levels, np.arange(20), config, rng=rng), config)
    logits = random_logits(config, seen, counted=15, number=2, seed=4)
    assert logits.shape == (4, 20, 4)
    plain, centered = logits[:2], logits[2:]
    assert centered[:, :15].mean(axis=1) == pytest.approx(0.0, abs=1e-12)
    assert np.ptp(plain - centered, axis=1) == pytest.approx(0.0, abs=1e-12)
    assert np.abs(plain.mean(axis=1)).max() > 0
