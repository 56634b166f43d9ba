"""Mechanisms tested on ladders: evidence against quadrature, truths found, short designs."""

import math

import numpy as np
import pytest

from fitting.fit import FitStatus
from fitting.ladders.evidence import ladder_evidence
from fitting.ladders.hypothesis import of_mechanism
from fitting.ladders.mechanism_test import compare_mechanisms
from fitting.ladders.onset_evidence import predicted_evidence, tabulate
from fitting.ladders.onset_law import Rung
from fitting.ladders.onsets import OnsetVerdictKind
from theory.mechanisms import MECHANISMS
from theory.onset import Onset

SETTING = {"learning_rate": 0.5, "reward": 1.0, "n_arms": 10.0, "batch_size": 1.0}
RUNGS = (0.1, 0.03, 0.01)
GRADIENT, FIRST, NATURAL = (
    MECHANISMS[name] for name in ("softmax_policy_gradient", "first_hit", "natural_policy_gradient")
)


def reinforce(p_0, rng):
    """The onset of a bandit that learns by REINFORCE, an episode an update."""
    z, t = math.log(p_0 / (1 - p_0)), 0
    while z < 0:
        p = 1 / (1 + math.exp(-z))
        t += rng.geometric(p)
        z += SETTING["learning_rate"] * 10 / 9 * (1 - p)
    return t


def bracket(t, p_0, end=math.inf):
    given = {**SETTING, "initial_probability": p_0}
    if t > end:
        return Onset(end, math.inf, given)
    low = 1.15 ** math.floor(math.log(max(t, 1)) / math.log(1.15))
    return Onset(low, low * 1.15, given)


def ladder(draw, n=15, end=math.inf, seed=0):
    rng = np.random.default_rng(seed)
    return [bracket(draw(p_0, rng), p_0, end) for p_0 in RUNGS for _ in range(n)]


def test_the_evidence_is_that_of_quadrature():
    mechanism = MECHANISMS["cue_delta_rule"]
    rng = np.random.default_rng(1)
    rungs, shared = [], []
    for alpha in (0.2, 0.1, 0.03):
        given = {"alpha": alpha, "salience_ratio": 2.0, "learning_rate": 0.05, "batch_size": 64.0}
        onsets = mechanism.onset(given) * 1.05 * rng.gamma(9.0, 1 / 9, 12)
        brackets = [Onset(float(t * 0.97), float(t * 1.03), given) for t in onsets]
        brackets[0] = Onset(brackets[0].lower, math.inf, given)
        rungs.append(Rung((("alpha", alpha),), tuple(brackets)))
        shared.append(given)
    tables = tabulate(rungs)
    exact = predicted_evidence(np.log([mechanism.onset(given) for given in shared]), 0.1, tables)
    found = ladder_evidence(of_mechanism(mechanism, shared), rungs, rng=rng)
    assert found.status is FitStatus.OK
    error = 3 * found.log_evidence_se + exact.se
    assert found.log_evidence == pytest.approx(exact.log_evidence, abs=error)
    assert found.mean("spread") == pytest.approx(exact.cv, rel=0.05)


@pytest.mark.parametrize(
    ("truth", "draw"),
    [
        (GRADIENT, reinforce),
        (FIRST, lambda p_0, rng: rng.exponential(1 / p_0)),
    ],
    ids=["softmax_policy_gradient", "first_hit"],
)
def test_the_law_of_onsets_names_the_mechanism(truth, draw):
    # Both laws go as 1/p0; only how runs scatter, and the pace, tell them apart.
    found = compare_mechanisms(ladder(draw), [GRADIENT, FIRST], ladder=["initial_probability"])
    assert found.comparison.verdict.kind is OnsetVerdictKind.DECIDED
    assert found.comparison.verdict.mechanisms == (truth.name,)


def test_when_all_are_wrong_a_reference_says_so():
    found = compare_mechanisms(
        ladder(lambda p_0, rng: 40 * p_0**-0.25 * rng.gamma(25, 1 / 25)),
        [GRADIENT, FIRST],
        ladder=["initial_probability"],
    )
    assert found.comparison.verdict.kind is OnsetVerdictKind.NONE_OF_THESE


def test_runs_without_an_onset_count():
    ended = ladder(reinforce, end=200.0)
    assert sum(onset.censored for onset in ended) > 5
    found = compare_mechanisms(ended, [GRADIENT, FIRST], ladder=["initial_probability"])
    assert found.comparison.verdict.mechanisms == (GRADIENT.name,)


def test_a_rung_held_out_is_foretold_from_the_others():
    onsets = ladder(reinforce)
    found = compare_mechanisms(
        onsets, [GRADIENT, NATURAL], ladder=["initial_probability"], hold_out=0.01
    )
    told = {score.name: score.held_out for score in found.comparison.scores}
    assert max(told, key=told.get) == GRADIENT.name
    kept = [onset for onset in onsets if onset.conditions["initial_probability"] != 0.01]
    fewer = compare_mechanisms(kept, [GRADIENT], ladder=["initial_probability"])
    whole, part = (test.comparison.score(GRADIENT.name).log_evidence for test in (found, fewer))
    assert told[GRADIENT.name] == pytest.approx(whole - part, abs=0.1)
    with pytest.raises(ValueError, match=r"has initial_probability = 7; choose one from 0.01, 0.0"):
        compare_mechanisms(onsets, [GRADIENT], ladder=["initial_probability"], hold_out=7)


def test_designs_that_fall_short_are_said():
    one = [onset for onset in ladder(reinforce) if onset.conditions["initial_probability"] == 0.03]
    found = compare_mechanisms(one[:3], [GRADIENT, FIRST], ladder=["initial_probability"])
    assert "all runs share one setting" in found.notes[0]
    assert "fewer than 5 runs" in found.notes[1]
    assert found.comparison.score(GRADIENT.name).log_evidence is not None
    late = [Onset(50.0, math.inf, onset.conditions) for onset in one[:6]]
    found = compare_mechanisms(
        [*late, *ladder(reinforce)[:15]], [GRADIENT], ladder=["initial_probability"]
    )
    assert "no run reached its onset at initial_probability = 0.03" in found.notes[0]


def test_what_cannot_be_used_is_said_and_the_rest_goes_on():
    bare = [
        Onset(
            o.lower,
            o.upper,
            {"initial_probability": o.conditions["initial_probability"], "batch_size": 1.0},
        )
        for o in ladder(reinforce)
    ]
    found = compare_mechanisms(bare, [GRADIENT, FIRST], ladder=["initial_probability"])
    gradient = found.comparison.score(GRADIENT.name)
    assert gradient.log_evidence is None
    assert "softmax_policy_gradient depends on learning_rate" in gradient.doubts[0]
    assert found.comparison.score(FIRST.name).log_evidence is not None
    sure = [Onset(1.0, 2.0, {**SETTING, "initial_probability": p}) for p in (0.6, 0.1)]
    found = compare_mechanisms(sure, [GRADIENT], ladder=["initial_probability"])
    assert "above one half from the start" in found.comparison.score(GRADIENT.name).doubts[0]


def test_no_mechanism_is_nothing_to_compare():
    onsets = [Onset(1.0, 2.0, {"arm": arm}) for arm in ("a", "b")]
    with pytest.raises(ValueError, match="mechanisms need distinct names; got none"):
        compare_mechanisms(onsets, [], ladder=["arm"])


def test_the_same_seed_gives_the_same_evidence():
    onsets = ladder(reinforce, n=3)
    first, again = (
        compare_mechanisms(onsets, [GRADIENT], ladder=["initial_probability"], seed=5)
        for _ in range(2)
    )
    assert first.comparison.scores == again.comparison.scores
