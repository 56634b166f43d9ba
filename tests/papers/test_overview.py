import pytest

from papers.sections.overview import forms_said, overview, when


def test_when_says_the_interval(make_curve):
    assert when(make_curve()) == "half 200k [189k, 209k]"


def test_a_peak_is_said_by_its_kind(make_curve, make_peak):
    assert when(make_curve(peak=make_peak())) == "peak 76k [54k, 137k]"
    assert when(make_curve(peak=make_peak(-1))) == "trough 76k [54k, 137k]"


def undecided(curve, **probabilities):
    verdict = {"kind": "inconclusive", "families": [], "forms": [], "reason": "Cannot tell."}
    return curve | {"verdict": verdict, "family_probabilities": probabilities}


@pytest.mark.parametrize(
    ("probabilities", "said"),
    [
        ({"sigmoid": 0.7, "none": 0.3}, "if sigmoid: half 200k [189k, 209k]"),
        ({"sigmoid": 0.4, "none": 0.3, "transient": 0.3}, "–"),
        ({"none": 0.7, "sigmoid": 0.3}, "–"),
    ],
)
def test_without_a_decision_a_time_is_a_condition_or_nothing(make_curve, probabilities, said):
    assert when(undecided(make_curve(), **probabilities)) == said


def test_no_change_happens_at_no_time(make_curve):
    curve = make_curve(family_probabilities={"none": 0.97, "sigmoid": 0.03})
    curve["verdict"] |= {"families": ["none"]}
    assert when(curve) == "–"


def test_forms_are_those_whose_curves_have_the_shape(make_curve):
    curve = make_curve()
    for candidate in curve["candidates"]:
        is_logistic = candidate["form"] == "logistic"
        candidate |= {"family": "sigmoid" if is_logistic else "none", "weight": 0.1}
    assert forms_said(curve) == "logistic"


def test_three_forms_and_how_many_more(make_curve):
    curve = make_curve()
    for candidate in curve["candidates"]:
        candidate |= {"family": "sigmoid", "weight": 0.1}
    assert forms_said(curve) == "logistic, gompertz, exponential approach, +2"


def test_a_row_does_not_contradict_itself(make_curve):
    (row,) = overview([undecided(make_curve(), none=0.6, sigmoid=0.4)]).rows
    assert row[3:] == ("inconclusive", "no change or steady drift", 0.6, "–", "–")
