import pytest

from theory.curve import Curve, Schedule
from theory.ladder import Ladder


def curve(run="a", observable="p_goal", **conditions):
    return Curve(observable, t=[0.0, 1.0], y=[0.0, 1.0], run=run, conditions=conditions)


def test_rungs_are_sorted_and_hold_their_runs():
    a, b, c = curve("a", alpha=0.3), curve("b", alpha=0.1), curve("c", alpha=0.3)
    ladder = Ladder("alpha", (a, b, c))
    assert ladder.rungs == (0.1, 0.3)
    assert ladder.at(0.3) == (a, c)


def test_arms_split_by_other_conditions():
    a, b = curve("a", alpha=0.3, rule="delta"), curve("b", alpha=0.1, rule="gradient")
    arms = Ladder("alpha", (a, b)).arms(["rule"])
    assert {key: arm.curves for key, arm in arms.items()} == {("delta",): (a,), ("gradient",): (b,)}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ladder("alpha", ()), "a ladder over 'alpha' needs at least one curve."),
        (
            lambda: Ladder("alpha", (curve(beta=1, gamma=2),)),
            "run 'a' does not carry the condition 'alpha'; it carries beta, gamma.",
        ),
        (
            lambda: Ladder("alpha", (curve(alpha=1), curve(alpha=1, observable="p_proxy"))),
            "a ladder holds one observable; these curves hold p_goal, p_proxy.",
        ),
        (
            lambda: Ladder("alpha", (curve(alpha=Schedule([0.0], [1.0])),)),
            "condition 'alpha' of run 'a' drifts during training; a ladder needs one value a run.",
        ),
        (
            lambda: Ladder("alpha", (curve(alpha=0.1), curve(alpha=0.3))).at(0.2),
            "no run has alpha = 0.2; the rungs are 0.1, 0.3.",
        ),
    ],
)
def test_bad_input_gets_one_sentence(make, message):
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value) == message
