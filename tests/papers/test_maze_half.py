from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from empirics.probe import Reading
from empirics.run import Run
from papers.goal_switch import maze_half, sentences
from papers.goal_switch.ladders import maze_ladder
from papers.goal_switch.maze_half import BLIND, GOAL, PROXY, TRAINING, analyze_runs, lead
from papers.goal_switch.run_json import readings_json, run_json
from theory.curve import Curve, Origin, Progress

NOISE_SD = 0.01
FLIP = 60_000.0
STEPS = np.unique(np.round(np.geomspace(4_000, 400_000, 30)))
STEPS.setflags(write=False)


def rise(midpoint, rate):
    return 1 / (1 + np.exp(-rate * np.log(STEPS / midpoint)))


def switching(rng):
    """Goal and proxy cross exactly at FLIP: both are .4 there, one rising, one falling."""
    goal = 0.2 + 0.4 * rise(FLIP, 4.0)
    # (12,000 / 60,000)^6 leaves the rise short of 1 at FLIP by 6e-5, far below the noise.
    proxy = 0.2 + 0.4 * rise(12_000.0, 6.0) * (1 - rise(FLIP, 4.0))
    return run("switching", 0.25, {GOAL: goal, PROXY: proxy, BLIND: proxy}, rng)


def loyal(rng):
    """The proxy wins and stays."""
    proxy, goal = 0.25 + 0.7 * rise(30_000.0, 3.0), 0.25 - 0.2 * rise(30_000.0, 3.0)
    return run("loyal", 0.0, {GOAL: goal, PROXY: proxy, BLIND: proxy}, rng)


def unfittable(rng):
    """The goal is never looked at: exactly the same number at every checkpoint."""
    proxy = 0.25 + 0.7 * rise(30_000.0, 3.0)
    found = run("unfittable", 0.25, {GOAL: proxy, PROXY: proxy, BLIND: proxy}, rng)
    flat = replace(found.curve(GOAL), y=np.full(STEPS.size, 0.2))
    return replace(found, curves=(flat, *found.curves[1:]))


def run(name, alpha, values, rng):
    values = {**values, TRAINING: 0.1 + 0.85 * rise(15_000.0, 2.0)}
    conditions = {"alpha": alpha, "seed": 0}
    curves = tuple(
        Curve(
            observable,
            STEPS,
            y + NOISE_SD * rng.standard_normal(y.size),
            progress=Progress.ENV_STEPS,
            run=name,
            run_id=name,
            conditions=conditions,
            origin=Origin.MEASURED,
        )
        for observable, y in values.items()
    )
    return Run(name, name, conditions, 0, curves, readings=readings_of(curves))


def readings_of(curves):
    """The first and the last points as readings, with baselines of their own."""
    return tuple(
        (
            env_steps,
            {
                c.observable: Reading(
                    float(c.y[i]), 0.01, n_levels=9, baselines={"uniform": 0.25}, se_is_shared=True
                )
                for c in curves
            },
        )
        for env_steps, i in ((0, 0), (int(STEPS[-1]), -1))
    )


@pytest.fixture(scope="module")
def analyzed():
    rng = np.random.default_rng(4)
    patch = pytest.MonkeyPatch()
    patch.setattr(maze_half, "FITTED", (PROXY, GOAL))
    # The steps are Hill curves, and the last two forms rise and fall.
    forms = ("constant", "logistic", "hill", "bump", "signed_double_logistic")
    few = partial(maze_half.propose_all, forms=forms, noises=("white",), n_jobs=1)
    patch.setattr(maze_half, "propose_all", few)
    told = []
    runs = analyze_runs(
        [switching(rng), loyal(rng), unfittable(rng)],
        seed=0,
        progress=lambda *words: told.append(words),
    )
    patch.undo()
    assert told[-1][1:] == (6, 6)
    return runs


def test_the_flip_is_dated_within_its_interval(analyzed):
    flip = analyzed[0].flip
    assert flip.time.lower < FLIP < flip.time.upper
    # The lead's slope at the flip is 2 · .4 · 4/4 per ln t; noise of each curve at one point
    # alone would give an sd of .014/.8 = 1.8 % of FLIP, fits of 30 points less.
    assert flip.time.se < 0.02 * FLIP


def test_the_bracket_holds_the_flip(analyzed):
    onset = analyzed[0].onset
    assert onset.lower < 1.02 * FLIP and onset.upper > 0.98 * FLIP
    assert not onset.censored


def test_the_bump_peaks_where_the_truth_does(analyzed):
    peak = analyzed[0].bump
    dense = np.geomspace(4_000, 400_000, 20_001)
    truth = 1 / ((1 + (12_000 / dense) ** 6) * (1 + (dense / FLIP) ** 4))
    height = 0.2 + 0.4 * truth.max()
    # No registered form is this product of two Hill curves, so the bias is bounded, not nil.
    assert peak.probability > 0.95
    assert abs(peak.height.value - height) < 3 * NOISE_SD
    assert 0.7 < peak.time.value / dense[truth.argmax()] < 1.4


def test_a_loyal_run_never_flips_and_is_censored(analyzed):
    control = analyzed[1]
    assert control.led_by_proxy
    assert control.flip.never > 0.95
    assert control.onset.censored


def test_the_lead_is_the_difference_of_goal_and_proxy():
    one = switching(np.random.default_rng(0))
    np.testing.assert_array_equal(lead(one).y, one.curve(GOAL).y - one.curve(PROXY).y)


def test_one_curve_that_cannot_be_fitted_costs_only_its_own_row(analyzed):
    found = analyzed[2]
    assert found.flip is None and "vary" in found.reason
    entry = run_json(found)
    assert entry["flip"]["ends_above"] is None and entry["flip"]["reason"] == found.reason
    assert "give no flip time" in sentences.run_sentence(entry)


def test_every_number_of_a_run_is_that_of_its_noun(analyzed):
    switched, control = run_json(analyzed[0]), run_json(analyzed[1])
    flip, onset = analyzed[0].flip, analyzed[0].onset
    assert switched["onset"] == {
        "lower": onset.lower,
        "upper": onset.upper,
        "led_by_proxy": True,
    }
    assert control["onset"]["upper"] is None
    assert switched["flip"]["time"]["value"] == flip.time.value
    assert switched["flip"]["ends_above"] == 1 - flip.never
    assert switched["flip"]["never_led_by_proxy"] == flip.always
    crosses = switched["flip"]["crosses"]
    assert crosses == pytest.approx(1 - flip.never - flip.always)
    peak = analyzed[0].bump
    assert switched["proxy"]["peak"]["height"]["value"] == peak.height.value
    curve = analyzed[0].run.curve(PROXY)
    assert switched["proxy"]["largest_measured"] == {
        "t": curve.t[curve.y.argmax()],
        "value": curve.y.max(),
    }
    success = analyzed[0].run.curve(TRAINING)
    at = int(np.flatnonzero(success.t == onset.upper)[0])
    assert switched["success"]["before"] == success.y[at - 1]
    assert switched["success"]["after"] == success.y[at]
    assert switched["last"][PROXY] == {"value": curve.y[-1], "se": 0.01}


def test_a_fitted_flip_keeps_its_categories_apart(analyzed):
    flip = replace(analyzed[0].flip, never=0.1, always=0.2)
    entry = run_json(replace(analyzed[0], flip=flip))["flip"]
    assert entry["ends_above"] == pytest.approx(0.9)
    assert entry["never_led_by_proxy"] == 0.2
    assert entry["crosses"] == pytest.approx(0.7)


def test_readings_stand_beside_the_stronger_of_their_baselines(analyzed):
    found = {(r["run"], r["observable"]): r for r in readings_json([a.run for a in analyzed])}
    reading = found["switching", GOAL]
    first = analyzed[0].run.curve(GOAL).y[0]  # about 0.2: below the uniform policy's 0.25
    assert reading["baselines"] == {"uniform": 0.25, "random initialization": first}
    assert reading["strongest"] == "uniform"
    assert reading["above_strongest"] == pytest.approx(reading["value"] - 0.25)
    assert (reading["se"], reading["n_levels"], reading["env_steps"]) == (0.01, 9, STEPS[-1])
    stronger = found["loyal", PROXY]
    assert stronger["strongest"] == "random initialization"


def test_the_maze_ladder_keeps_every_run_and_claims_nothing(analyzed):
    ladder = maze_ladder(analyzed)
    assert [entry["run"] for entry in ladder["onsets"]] == ["switching", "loyal", "unfittable"]
    assert [entry["upper"] is None for entry in ladder["onsets"]] == [False, True, True]
    assert ladder["verdict"]["kind"] == "inconclusive"


def test_one_rung_makes_no_line(analyzed):
    ladder = maze_ladder(analyzed[:2])
    assert ladder["predictions"] == []
    assert ladder["text"].startswith("No mechanism's line is drawn")


def test_lines_pass_through_the_observed_flip_and_say_so(analyzed):
    lower = replace(analyzed[0], alpha=0.1)
    ladder = maze_ladder([analyzed[0], lower, analyzed[1]])
    observed = ladder["onsets"][0]
    assert ladder["predictions"]
    for prediction in ladder["predictions"]:
        assert prediction["condition"] == [0.0, 0.1, 0.25]
        assert prediction["anchor"] == 0.25
        assert observed["lower"] <= prediction["median"][-1] <= observed["upper"]
        assert prediction["median"][0] is None
    assert "at alpha = 0.25, through which they pass by construction" in ladder["text"]
