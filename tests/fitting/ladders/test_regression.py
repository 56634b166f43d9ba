"""The regression that knows no mechanism: what it says, and when interactions are needed."""

import numpy as np
import pytest

from fitting.ladders.evidence import ladder_evidence
from fitting.ladders.hypothesis import law_median
from fitting.ladders.mechanism_test import compare_mechanisms
from fitting.ladders.onsets import INTERACTIONS, POWER_LAW, group_rungs
from fitting.ladders.regression import power_law, varying
from theory.mechanisms import MECHANISMS
from theory.onset import Onset

LADDER = ["learning_rate", "arm"]


def onsets(interaction, seed=0):
    """Gamma onsets with cv 0.2 and exponents -1 in arm a, -1 + interaction in arm b."""
    rng = np.random.default_rng(seed)
    found = []
    for rate in (0.5, 0.1, 0.02):
        for arm, exponent, scale in (("a", -1.0, 10.0), ("b", -1.0 + interaction, 30.0)):
            for t in scale * rate**exponent * rng.gamma(25.0, 1 / 25, 15):
                found.append(
                    Onset(float(t) * 0.98, float(t) * 1.02, {"learning_rate": rate, "arm": arm})
                )
    return found


def test_the_median_is_a_product_of_powers():
    rungs = group_rungs(onsets(0.0), LADDER)
    hypothesis = power_law(LADDER, rungs)
    assert list(hypothesis.unknowns) == [
        "middle",
        "exponent_of_learning_rate",
        "effect_of_arm_b",
        "spread",
    ]
    at = {"middle": 7.0, "exponent_of_learning_rate": -0.5, "effect_of_arm_b": 1.2, "spread": 1e-3}
    at = {name: np.array([[value]]) for name, value in at.items()}
    for rung, law in zip(rungs, hypothesis.laws, strict=True):
        given = dict(rung.conditions)
        x = np.log(given["learning_rate"]) - np.mean(np.log([0.5, 0.1, 0.02]))
        expected = 7.0 * np.exp(-0.5 * x + 1.2 * ((given["arm"] == "b") - 0.5))
        assert law_median(law, at) == pytest.approx(expected, rel=1e-5)


def test_exponents_are_found():
    rungs = group_rungs(onsets(0.0), LADDER)
    found = ladder_evidence(power_law(LADDER, rungs), rungs, rng=np.random.default_rng(0))
    # 90 onsets with cv 0.2 over an sd of 1.3 of ln rate: a standard error of 0.016 a rung exact,
    # and discrepancies of rungs of up to 0.1 over six of them: 0.03.
    assert found.mean("exponent_of_learning_rate") == pytest.approx(-1.0, abs=0.1)
    assert found.mean("effect_of_arm_b") == pytest.approx(np.log(3), abs=0.25)


@pytest.mark.slow
@pytest.mark.parametrize(("interaction", "better"), [(0.0, POWER_LAW), (0.5, INTERACTIONS)])
def test_the_evidence_screens_interactions(interaction, better):
    found = compare_mechanisms(
        onsets(interaction), [MECHANISMS["first_hit"]], ladder=LADDER, look_ahead=False
    )
    ranked = [s.name for s in found.comparison.scores if s.name in (POWER_LAW, INTERACTIONS)]
    assert ranked[0] == better


def test_a_condition_that_is_zero_somewhere_enters_as_itself():
    runs = [Onset(1.0, 2.0, {"process_fraction": x, "arm": "a"}) for x in (0.0, 0.5, 1.0)]
    rungs = group_rungs(runs, ["process_fraction", "arm"])
    assert varying(["process_fraction", "arm"], rungs) == ("process_fraction",)
    assert "slope_in_process_fraction" in power_law(["process_fraction"], rungs).unknowns
