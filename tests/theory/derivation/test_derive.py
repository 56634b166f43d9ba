"""Everything that is derived from the registered mechanisms, and that it is done soon."""

import time
from dataclasses import replace

import numpy as np
import pytest

from theory.derivation.derive import derive, story_of
from theory.derivation.story import NotDerived
from theory.mechanisms.registry import MECHANISMS

SOON = 30.0
"""Seconds; a mechanism takes at most three on an idle machine."""


@pytest.fixture(scope="module")
def derivations():
    """What is derived from each mechanism, with the time that it took."""
    found = {}
    for name, mechanism in MECHANISMS.items():
        begin = time.perf_counter()
        found[name] = derive(mechanism), time.perf_counter() - begin
    return found


@pytest.mark.parametrize("name", MECHANISMS)
def test_what_is_missing_is_said(derivations, name):
    found, seconds = derivations[name]
    assert seconds < SOON
    parts = (found.scaling, found.solution, found.onset, found.expansion, found.identifiability)
    assert all(part is not None for part in parts) or found.skipped
    assert found.words and all(words.endswith(".") for words in found.words)


@pytest.mark.parametrize("name", MECHANISMS)
def test_solutions_are_the_integrated_mean_field(derivations, name):
    found, mechanism = derivations[name][0], MECHANISMS[name]
    if found.solution is None or mechanism.drift is not None:
        return
    suggested = mechanism.suggested()
    span = mechanism.onset(suggested)
    t = np.linspace(0.0, 2 * span, 7)
    states, _ = mechanism.integrate(suggested, t)
    np.testing.assert_allclose(found.solution(t), states[:, 0], rtol=1e-5, atol=1e-7)
    if found.onset is not None:
        assert found.solution.story.number(found.onset) == pytest.approx(span, rel=1e-5)


def test_plateau_exponents_are_those_that_mechanisms_imply(derivations):
    met = 0
    for name, (found, _) in derivations.items():
        if found.expansion is None or found.expansion.plateau_exponent is None:
            continue
        start = str(MECHANISMS[name].start[0])
        for implication in MECHANISMS[name].implications:
            if implication.condition == start:
                assert str(implication.exponent) == str(found.expansion.plateau_exponent)
                met += 1
    assert met >= 5


def test_policy_gradients_do_not_tell_their_step_size(derivations):
    for name in ("softmax_policy_gradient", "natural_policy_gradient", "lock"):
        told = derivations[name][0].identifiability
        assert "learning_rate" in told.hidden and "initial_probability" in told.known
        assert len(told.combinations) == 1 and not told.unnamed


def test_dynamics_that_are_too_long_are_not_tried():
    first = MECHANISMS["first_hit"]
    (state,), (rate,) = first.state, first.dynamics
    found = derive(replace(first, dynamics=(sum(rate / (state + k) for k in range(1, 60)),)))
    assert found.scaling is None and "too long" in found.skipped[0]


def test_maps_and_several_states_are_left_out_with_a_reason(derivations):
    (words,) = derivations["grpo_map"][0].words
    assert "a map from update to update" in words
    with pytest.raises(NotDerived, match="no flow of one state variable"):
        story_of(MECHANISMS["composition"])
