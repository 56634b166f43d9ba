"""Rises of runs over rises of their mean: closed forms, and runs of known stories."""

import math

import numpy as np
import pytest

from fitting.ladders.mechanism_test import compare_mechanisms
from fitting.ladders.widths import ends, rise, width_ratios
from theory.curve import Curve
from theory.mechanisms import MECHANISMS
from theory.onset import lasting_onset

T = np.linspace(0, 400, 4001)
GIVEN = {"initial_probability": 0.02, "batch_size": 1.0}


def test_the_rise_of_a_logistic():
    assert ends(0.5) == (0.1, 0.9)
    y = 1 / (1 + np.exp(-(T - 100) / 7))
    assert rise(T, y, 0.5) == pytest.approx(2 * math.log(9) * 7, rel=1e-4)
    assert math.isinf(rise(T[:800], y[:800], 0.5))


def runs(width, n=60, seed=0):
    """First hits with a rise of this width, at exponential times of mean 50."""
    onsets = np.random.default_rng(seed).exponential(50, n)
    return [
        Curve("p_correct", T, 1 / (1 + np.exp(-np.clip((T - onset) / width, -50, 50))),
              run=f"{i}", conditions=GIVEN)
        for i, onset in enumerate(onsets)
    ]  # fmt: skip


def ratios(curves, mechanism=MECHANISMS["first_hit"]):
    onsets = [lasting_onset(curve) for curve in curves]
    found = compare_mechanisms(
        onsets, [mechanism], ladder=["initial_probability"], look_ahead=False
    )
    return width_ratios(
        curves,
        found.comparison.rungs,
        0.5,
        [mechanism],
        found.posteriors,
        rng=np.random.default_rng(0),
    )


def test_steps_under_a_smooth_mean():
    [one] = ratios(runs(0.5))
    # The mean is an exponential approach: from 0.1 to 0.9 in ln 9 times its time of 50.
    expected = 2 * math.log(9) * 0.5 / (50 * math.log(9))
    assert one.seen.lower < expected < one.seen.upper
    assert one.foretold["first_hit"].value < 0.02  # a step on a grid of updates
    assert "power law" not in one.foretold


def test_a_mean_field_moved_by_its_law():
    # With large batches runs differ little: the mean over runs is a run.
    given = {"initial_probability": 0.05, "batch_size": 1e4, "learning_rate": 0.5, "n_arms": 10.0,
             "reward": 1.0}  # fmt: skip
    mechanism = MECHANISMS["softmax_policy_gradient"]
    t = np.linspace(0, 400, 801)
    y = mechanism.observe("p_correct", mechanism.integrate(given, t)[0], mechanism.values(given))
    curves = [Curve("p_correct", t, y, run=f"{i}", conditions=given) for i in range(6)]
    [one] = ratios(curves, mechanism)
    assert one.seen.value == pytest.approx(1.0, abs=1e-6)
    assert one.foretold[mechanism.name].value == pytest.approx(1.0, abs=0.02)


def test_what_cannot_be_read_off_says_why():
    assert "fewer than 5 runs" in ratios(runs(0.5, n=4))[0].why_not
    rng = np.random.default_rng(1)
    noisy = [
        Curve("p_correct", c.t, np.clip(c.y + 0.1 * rng.normal(size=c.t.size), 0, 1), run=c.run,
              conditions=GIVEN)
        for c in runs(0.5, n=12)
    ]  # fmt: skip
    assert "too noisy" in ratios(noisy)[0].why_not
    short = [
        Curve("p_correct", c.t[:300], c.y[:300], run=c.run, conditions=GIVEN)
        for c in runs(0.5, n=12)
    ]
    assert "ended before they had risen" in ratios(short)[0].why_not
    alike = [Curve("p_correct", c.t, c.y, conditions=GIVEN) for c in runs(0.5, n=12)]
    assert "share labels" in ratios(alike)[0].why_not
