from pathlib import Path

import pytest

from fitting.trials.record_file import read_records
from fitting.trials.threshold import error_rate_at, judged, threshold
from fitting.trials.trial import Record
from fitting.verdict import DECISIVE

STUDY = Path(__file__).parents[2] / "benchmarks" / "records" / "calibration"


def made(truth, lowest, number=1):
    """Curves whose likeliest shape is sigmoid, with at least this probability."""
    rest = (1.0 - (lowest or 0.4)) / 4
    record = Record(
        0, truth, "made up", "white", truth, "inconclusive", (), "Because.",
        (rest, rest, lowest or 0.4, rest, rest), (), (), 1.0, lowest,
    )  # fmt: skip
    return (record,) * number


def test_a_curve_is_decided_up_to_its_lowest_probability():
    records = (*made("sigmoid", 0.96), *made("transient", 0.91), *made("none", None))
    rates = {level: error_rate_at(records, level) for level in (0.9, 0.95, 0.99)}
    assert [(r.wrong, r.decided, r.number) for r in rates.values()] == [
        (1, 2, 3), (0, 1, 3), (0, 0, 3),
    ]  # fmt: skip


def test_the_threshold_is_the_smallest_at_which_few_are_wrong():
    # 1 of 60 wrong has an upper bound of 7.7 %, 2 of 130 one of 4.8 %; 59 without an error 5.0 %.
    sure, good = made("sigmoid", 0.995, 60), made("sigmoid", 0.91, 70)
    assert threshold((*sure, *good)) == pytest.approx(0.8)
    bad = made("transient", 0.86, 3)
    assert threshold((*sure, *good, *bad)) == pytest.approx(0.9)
    worse = made("transient", 0.96, 3)
    assert threshold((*sure, *good, *worse)) == pytest.approx(0.975)


def test_few_curves_give_no_threshold():
    assert threshold(made("sigmoid", 0.999, 58)) is None


def test_a_record_is_judged_anew_at_a_lower_threshold():
    (open_,) = made("sigmoid", 0.93)
    assert not judged(open_, 0.95).decided
    again = judged(open_, 0.9)
    assert again.decided and again.families == ("sigmoid",) and again.right
    (failed,) = made("sigmoid", None)
    assert judged(failed, 0.1) == failed


def test_the_threshold_in_use_is_the_one_that_the_study_gives():
    files = sorted(STUDY.glob("*.jsonl"))
    found = {record.index: record for path in files for record, _ in read_records(path)}
    assert len(found) > 500
    assert threshold(list(found.values())) == DECISIVE
