import numpy as np
import pytest

from empirics.run import Run
from papers.goal_switch import maze_half, study
from papers.goal_switch.ladders import maze_ladder
from papers.goal_switch.maze_half import BLIND, GOAL, PROXY, TRAINING, analyze_runs, lead
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
    return Run(name, name, conditions, 0, curves)


@pytest.fixture(scope="module")
def analyzed():
    rng = np.random.default_rng(4)
    patch = pytest.MonkeyPatch()
    patch.setattr(maze_half, "FITTED", (PROXY, GOAL))
    told = []
    runs = analyze_runs(
        [switching(rng), loyal(rng)], seed=0, progress=lambda *words: told.append(words)
    )
    patch.undo()
    assert told[-1][1:] == (4, 4)
    return runs


def test_the_flip_is_dated_within_its_interval(analyzed):
    flip = analyzed[0].flip
    assert analyzed[0].flipped
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
    assert not control.flipped
    assert control.flip.never > 0.95
    assert control.onset.censored


def test_the_lead_is_the_difference_of_goal_and_proxy():
    one = switching(np.random.default_rng(0))
    np.testing.assert_array_equal(lead(one).y, one.curve(GOAL).y - one.curve(PROXY).y)


def test_the_maze_ladder_keeps_every_run_and_claims_nothing(analyzed):
    ladder = maze_ladder(analyzed)
    assert [entry["run"] for entry in ladder["onsets"]] == ["switching", "loyal"]
    assert [entry["upper"] is None for entry in ladder["onsets"]] == [False, True]
    assert ladder["verdict"]["kind"] == "inconclusive"
    # Every prediction passes through the observed flip at the largest alpha.
    observed = ladder["onsets"][0]
    for prediction in ladder["predictions"]:
        assert prediction["condition"][-1] == 0.25
        assert observed["lower"] <= prediction["median"][-1] <= observed["upper"]
        assert prediction["median"][0] is None


def test_sentences_follow_the_runs(analyzed):
    assert "0 of 1 at alpha = 0, 1 of 1 at alpha = 0.25" in study.maze_sentence(analyzed)
    assert study.run_sentence(analyzed[1]).count("does not overtake") == 1
    assert "switching" in study.hidden_sentence(analyzed)
    assert "In no run" in study.hidden_sentence(analyzed[1:])
