"""Stages matched to known transitions: hits, lags, misses and false alarms."""

import pytest

from papers.llc_ladder.detector import Detection, detect, score

CASES = [
    ([], [], Detection(0, (), 0)),
    ([], [10.0], Detection(1, (), 0)),
    ([10.0], [], Detection(0, (), 1)),
    ([11.0], [10.0], Detection(1, (1.0,), 0)),
    ([13.0], [10.0], Detection(1, (), 1)),
    ([9.0, 30.0], [10.0, 20.0], Detection(2, (-1.0,), 1)),
    # 11 is closer to 12 than to 10, but each of both transitions gets a stage of its own
    ([11.0, 13.0], [10.0, 12.0], Detection(2, (1.0, 1.0), 0)),
    # the nearest stage of two is the hit
    ([9.5, 11.0], [10.0], Detection(1, (-0.5,), 1)),
    # two hits are better than one close one
    ([10.0, 12.0], [8.5, 10.5], Detection(2, (1.5, 1.5), 0)),
]


@pytest.mark.parametrize(("found", "transitions", "expected"), CASES)
def test_matches_are_one_to_one_and_within_the_tolerance(found, transitions, expected):
    assert detect(found, transitions, tolerance=2.0) == expected


def test_scores_are_sums_over_runs_and_name_those_not_judged():
    total = score("loss", [Detection(2, (1.0, -3.0), 1), None, Detection(1, (2.0,), 0)])
    assert (total.runs, total.transitions, total.hits, total.false_alarms) == (3, 3, 3, 1)
    assert total.median_lag == 1.0
    assert total.not_judged == 1
    assert score("llc", [Detection(1, (), 0)]).median_lag is None


def test_a_tolerance_must_be_positive():
    with pytest.raises(ValueError, match="tolerance must be positive; it is 0"):
        detect([1.0], [1.0], tolerance=0.0)
