import math

import numpy as np
import pytest

from theory.forms import FORMS
from theory.mechanism import NoOnset
from theory.mechanisms.composition import COMPOSITION


def setting(parts=4.0, ratio=1.0, p0=0.01):
    return {
        "n_subskills": parts,
        "frequency_ratio": ratio,
        "initial_probability": p0,
        "learning_rate": 0.1,
        "skill_frequency": 1.0,
        "step_factor": 1.0,
    }


@pytest.mark.parametrize("ratio", [0.3, 1.0, 2.5])
def test_the_residual_of_independent_tries_is_zero(ratio):
    """Sub-skills are tried together; the share of tries in which all succeed is the product."""
    given, n = setting(3.0, ratio, 0.2), 200_000
    states, _ = COMPOSITION.integrate(given, np.array([0.0, 10.0, 30.0]))
    whole = COMPOSITION.observe("p_correct", states, COMPOSITION.values(given))
    rng = np.random.default_rng(0)
    for (last, other), all_of_them in zip(states, whole, strict=True):
        tries = (rng.random(n) < last) & (rng.random((2, n)) < other).all(axis=0)
        assert tries.mean() == pytest.approx(all_of_them, abs=4 * math.sqrt(0.25 / n))
        assert math.log(all_of_them) == pytest.approx(math.log(last) + 2 * math.log(other))


@pytest.mark.parametrize("parts", [1.0, 2.0, 9.0])
def test_equal_subskills_give_the_curve_and_the_onset(parts):
    given = setting(parts)
    law = COMPOSITION.implications[1]
    where = {
        name: float(e.subs({s: given[str(s)] for s in e.free_symbols}))
        for name, e in law.where.items()
    }
    form = FORMS["richards"]
    t = np.linspace(0.0, 200.0, 100)
    states, onset = COMPOSITION.integrate(given, t)
    seen = COMPOSITION.observe("p_correct", states, COMPOSITION.values(given))
    np.testing.assert_allclose(form(t, np.array([where[n] for n in form.names])), seen, atol=1e-6)
    assert where["midpoint"] == pytest.approx(onset, rel=1e-6)


def test_a_doubling_of_many_subskills_delays_by_a_constant():
    onsets = COMPOSITION.onsets({**setting(), "n_subskills": np.array([200.0, 400.0])})
    # 2^(1/n) - 1 = ln 2/n (1 + ln 2/(2 n) + ...)
    expected = math.log(2) / 0.1
    assert onsets[1] - onsets[0] == pytest.approx(expected, abs=math.log(2) / 400 / 0.1)


def test_the_rarest_subskill_sets_the_onset():
    onsets = COMPOSITION.onsets({**setting(), "frequency_ratio": np.array([0.01, 0.02])})
    # The others are 1 - p = 99 e^(-0.1 t), gone by either onset.
    np.testing.assert_allclose(onsets, math.log(99) / 0.1 / np.array([0.01, 0.02]), rtol=1e-5)


def test_a_behavior_that_works_from_the_start_has_no_onset():
    with pytest.raises(NoOnset, match="half of all tries from the start"):
        COMPOSITION.onset(setting(2.0, p0=0.8))
    assert COMPOSITION.onset(setting(4.0, p0=0.8)) > 0
