"""From a form back to the mechanisms that imply it."""

import pytest

from theory.forms import FORMS
from theory.implication import ImplicationKind
from theory.mechanisms.registry import MECHANISMS
from theory.way_back import mechanisms_that_imply


def names(form):
    return [explanation.mechanism.name for explanation in mechanisms_that_imply(form)]


def test_known_ways_back():
    assert {"natural_policy_gradient", "adam_step", "free_energy"} <= set(names("logistic"))
    assert names("bump") == ["cue_delta_rule"]
    assert "softmax_policy_gradient" in names("softmax_policy_gradient")
    assert names("not_a_form") == []


def test_every_implied_form_is_found_and_registered():
    implied = {
        (i.form, mechanism.name)
        for mechanism in MECHANISMS.values()
        for i in mechanism.implications
        if i.kind is ImplicationKind.FORM and i.form
    }
    assert implied == {(form, name) for form in FORMS for name in names(form)}


@pytest.mark.parametrize(
    ("form", "mechanism", "words"),
    [
        ("logistic", "natural_policy_gradient", "exact"),
        ("logistic", "adam_step", "as batch_size grows without bounds"),
        ("logistic", "free_energy", "complexity_gap = 0"),
        ("softmax_policy_gradient", "ray_interference", "exact at gradient_cosine = 0"),
    ],
)
def test_limits_are_said_once(form, mechanism, words):
    (one,) = (e for e in mechanisms_that_imply(form) if e.mechanism.name == mechanism)
    assert one.limit.count(words) == 1
    assert one.limit.count(" = 0") <= 1
    assert one.words.startswith(f"{mechanism} ({one.implication.observable}, ")


def test_what_else_each_mechanism_predicts():
    by_name = {e.mechanism.name: e for e in mechanisms_that_imply("logistic")}
    natural = by_name["natural_policy_gradient"].predictions
    assert any("logarithm of 1/initial_probability" in words for words in natural)
    assert not any("curve is a logistic" in words for words in natural)
    (hit,) = mechanisms_that_imply("exponential_approach")
    assert "whole distribution" in hit.predictions[0]
    assert "exponentially distributed" in hit.predictions[1]


def test_mechanisms_of_ones_own_are_looked_through():
    only = {"first_hit": MECHANISMS["first_hit"]}
    assert mechanisms_that_imply("logistic", only) == ()
