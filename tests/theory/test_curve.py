import copy
import dataclasses
import pickle

import numpy as np
import pytest

from theory.curve import Curve, Origin, Progress, Schedule


def curve(**changes):
    fields = {"observable": "p_goal", "t": [0.0, 1.0, 3.0], "y": [0.1, 0.5, 0.9]}
    return Curve(**{**fields, **changes})


def test_arrays_are_copied_and_locked():
    t = np.array([0.0, 1.0, 3.0])
    c = curve(t=t)
    t[0] = 7.0
    assert c.t[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        c.y[0] = 1.0


@pytest.mark.parametrize("copied", [lambda c: pickle.loads(pickle.dumps(c)), copy.deepcopy])
def test_a_copied_curve_is_equal_and_locked_again(copied):
    c = curve(
        y_se=[0.1, 0.1, 0.1],
        conditions={"alpha": 0.1, "lr": Schedule([0.0, 1.0], [1e-3, 0.0])},
    )
    again = copied(c)
    assert again == c and hash(again) == hash(c) and again.digest == c.digest
    for name in ("t", "y", "y_se"):
        assert not getattr(again, name).flags.writeable
    assert not again.conditions["lr"].t.flags.writeable
    with pytest.raises(TypeError):
        again.conditions["alpha"] = 1.0


@pytest.mark.parametrize(
    "changes",
    [
        {"observable": "p_proxy"},
        {"t": [0.0, 1.0, 3.1]},
        {"y": [0.1, 0.5, 0.8]},
        {"y_se": [0.1, 0.1, 0.1]},
        {"n_trials": [5, 5, 5]},
        {"run": "b"},
        {"run_id": "b"},
        {"unit": "nats"},
        {"window": 100},
        {"origin": Origin.MEASURED},
        {"progress": Progress.UPDATES},
        {"support": (0.0, 1.0)},
        {"conditions": {"alpha": 0.1}},
        {"conditions": {"alpha": Schedule([0.0], [0.1])}},
    ],
)
def test_every_field_is_part_of_the_digest(changes):
    assert curve(**changes) != curve()


def test_the_order_of_conditions_is_not_part_of_the_digest():
    assert curve(conditions={"a": 1, "b": 2}) == curve(conditions={"b": 2, "a": 1})


def test_negative_zero_equals_zero():
    assert curve(y=[-0.0, 0.5, 0.9]) == curve(y=[0.0, 0.5, 0.9])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"t": [1.0, 2.0, 1.0]}, "t must be strictly increasing; t[1] = 2.0 is followed by 1.0."),
        ({"t": [1.0, 2.0, 2.0]}, "t must be strictly increasing; t[1] = 2.0 is followed by 2.0."),
        ({"t": [-1.0, 2.0, 3.0]}, "t must not be negative; t[0] = -1.0."),
        ({"t": [0.0, np.inf, 3.0]}, "t must be finite; t[1] = inf."),
        ({"y": [0.1, np.nan, np.nan]}, "y must be finite; y[1] = nan and 1 more are not finite."),
        ({"y": [0.1, 0.2]}, "y must be as long as t; y has 2, t has 3."),
        ({"t": [], "y": []}, "a curve needs at least one point; 'p_goal' has none."),
        ({"t": [[0.0, 1.0, 2.0]]}, "t must be one-dimensional; its shape is (1, 3)."),
        ({"y": ["a", "b", "c"]}, "y must hold numbers; could not convert string to float: 'a'."),
        ({"y_se": [0.1, -0.1, 0.1]}, "y_se must not be negative; y_se[1] = -0.1."),
        ({"n_trials": [1, 2.5, 2]}, "n_trials must hold whole numbers; n_trials[1] = 2.5."),
        ({"n_trials": [1, np.inf, 2]}, "n_trials must hold whole numbers; n_trials[1] = inf."),
        ({"n_trials": [1, 2, np.nan]}, "n_trials must hold whole numbers; n_trials[2] = nan."),
        ({"n_trials": [1e30, 2, 3]}, "n_trials must be at most 2**53; n_trials[0] = 1e+30."),
        ({"n_trials": [-1e30, 2, 3]}, "n_trials must be at most 2**53; n_trials[0] = -1e+30."),
        ({"n_trials": [1, 0, 2]}, "n_trials must be at least 1; n_trials[1] = 0."),
        (
            {"y": [0.1, 1.5, 0.2], "n_trials": [1, 1, 2]},
            "y must be a proportion where n_trials is given; y[1] = 1.5.",
        ),
        ({"support": (0.0, 0.5)}, "y must lie in its support (0.0, 0.5); y[2] = 0.9."),
        ({"window": 0}, "window must be at least 1; it is 0."),
        (
            {"conditions": {"alpha": float("nan")}},
            "condition 'alpha' must be finite; it is nan.",
        ),
        (
            {"conditions": {"alpha": [1]}},
            "condition 'alpha' must be a bool, float, int, str or Schedule; it is a list.",
        ),
    ],
)
def test_bad_input_gets_one_sentence(changes, message):
    with pytest.raises(ValueError) as caught:
        curve(**changes)
    assert str(caught.value) == message


def test_a_curve_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        curve().y = np.zeros(3)
