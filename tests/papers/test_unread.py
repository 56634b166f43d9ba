"""Conditions that no mechanism reads, and in which runs that count as alike differ, are named."""

import numpy as np

from papers.mechanism_tests import mechanism_test
from theory.curve import Curve
from theory.mechanisms import MECHANISMS

T = np.arange(200.0)


def run(p, seed, onset, **more):
    given = {"initial_probability": p, "batch_size": 1.0, "seed": seed, **more}
    return Curve("p_correct", T, (T >= onset).astype(float), run=f"{p} {seed}", conditions=given)


def notes(curves):
    found = mechanism_test(curves, [MECHANISMS["first_hit"]], ladder="initial_probability")
    return [note for note in found.test.notes if "none of these mechanisms reads" in note]


def runs(**more):
    rng = np.random.default_rng(0)
    return [run(p, k, rng.exponential(1 / p) + 1, **more) for p in (0.2, 0.05) for k in range(5)]


def test_arms_that_are_pooled_are_named():
    curves = runs(optimizer="sgd")
    assert notes(curves) == []
    mixed = [*curves[:-1], run(0.05, 4, 30.0, optimizer="adam", critic="exact")]
    [note] = notes(mixed)
    assert note.startswith("runs that count as alike differ in critic and optimizer, which none")


def test_what_differs_between_rungs_only_is_no_arm():
    apart = [run(p, k, 5.0 + k, width=1 / p) for p in (0.2, 0.05) for k in range(5)]
    assert notes(apart) == []
