import json

import numpy as np
import pytest

from fitting.propose import propose
from fitting.recovery import FAMILIES, OUTCOMES, Recovery, recover
from fitting.trials.license import licensed
from fitting.trials.own_design import own_design, possible_families
from fitting.trials.record_file import append_record, read_records
from fitting.trials.scatter import PriorScatter
from fitting.trials.trial import Design, Record, StageRecord
from fitting.trials.truths import OUTSIDE
from fitting.verdict import Verdict, VerdictKind
from theory.curve import Curve
from theory.family import Family
from theory.forms import FORMS
from theory.noise import White


def made(truth, *families, kind="", index=0, asked="", stages=((), ())):
    kind = kind or ("decided", "tied")[len(families) - 1]
    probabilities = [0.0] * 5
    for family in families or FAMILIES:
        probabilities[FAMILIES.index(family)] = 1 / len(families or FAMILIES)
    return Record(
        index, asked or truth, "made up", "white", truth, kind, families, "Because.",
        tuple(probabilities), *stages, 1.0,
    )  # fmt: skip


RECORDS = (
    made("sigmoid", "sigmoid"),
    made("sigmoid", "sigmoid"),
    made("sigmoid", "multistage"),
    made("sigmoid", kind="inconclusive"),
    made("saturating", "saturating", "sigmoid"),
    made("saturating", "sigmoid", "transient"),
    made("transient", "transient"),
    made("multistage", "sigmoid", asked=OUTSIDE),
)


def test_confusion_counts_what_was_said_of_each_truth():
    found = Recovery(RECORDS)
    row = dict(zip(OUTCOMES, found.confusion[FAMILIES.index("sigmoid")], strict=True))
    assert row == {
        "none": 0, "saturating": 0, "sigmoid": 2, "multistage": 1, "transient": 0,
        "tied": 0, "inconclusive": 1,
    }  # fmt: skip
    assert found.confusion.sum() == len(RECORDS)


def test_inversion_gives_all_truths_the_same_weight_beforehand():
    inversion = Recovery(RECORDS).inversion
    said_sigmoid = dict(zip(FAMILIES, inversion[OUTCOMES.index("sigmoid")], strict=True))
    # P(said sigmoid | sigmoid) = 1/2, P(said sigmoid | multistage) = 1
    assert said_sigmoid["sigmoid"] == pytest.approx(1 / 3)
    assert said_sigmoid["multistage"] == pytest.approx(2 / 3)
    sums = inversion.sum(axis=1)
    assert np.all(np.isclose(sums, 1.0) | (sums == 0.0))


def test_rates_count_decided_verdicts_only():
    found = Recovery(RECORDS)
    assert (found.error_rate.wrong, found.error_rate.decided, found.error_rate.number) == (2, 5, 8)
    of_sigmoid = found.error_rate_of("sigmoid")
    assert (of_sigmoid.wrong, of_sigmoid.decided) == (1, 3)
    assert found.tied_without_truth.count == 1
    assert found.recognized("sigmoid").value == pytest.approx(0.5)
    # Truths of one stage: four sigmoid, two saturating; one of them was called multistage.
    assert found.spurious_second_stage.value == pytest.approx(1 / 6)


def test_calibration_leaves_out_truths_that_no_prior_gave():
    found = Recovery(RECORDS).calibration
    assert found is not None
    assert found.number == 7


def test_stages_are_held_against_those_of_the_truth():
    true = (StageRecord(1.0, 0.5, 0.5), StageRecord(3.0, 0.5, 0.5))
    seen = (StageRecord(1.1, 0.5, 0.5, 0.9, 1.2), StageRecord(3.3, 0.5, 0.5, 3.1, 3.5))
    found = Recovery(
        (
            made("multistage", "multistage", stages=(true, seen)),
            made("multistage", "multistage", stages=(true, seen[:1])),
            made("multistage", kind="inconclusive", stages=(true, seen)),
        )
    )
    assert found.stages_counted.value == 0.5
    assert (found.midpoints_covered.count, found.midpoints_covered.number) == (1, 2)


SIGMOID = Verdict(VerdictKind.DECIDED, (Family.SIGMOID,), ("logistic",), "It is sigmoid.")


def test_a_good_record_is_said():
    records = (*(made("sigmoid", "sigmoid") for _ in range(31)), made("sigmoid", kind="tied"))
    verdict, found = licensed(SIGMOID, Recovery(records))
    assert verdict.kind is VerdictKind.DECIDED
    assert verdict.families == SIGMOID.families
    # 1 - 0.05^(1/31) = 9.2 %
    assert (
        "At this design a DECIDED verdict was right in 31 of 31 simulated curves "
        "(95 % upper bound of the error rate 9.2 %)" in verdict.reason
    )
    assert "A curve whose shape is sigmoid was recognized in 31 of 32." in verdict.reason
    assert found.failed == ""


@pytest.mark.parametrize(
    ("wrong", "right", "kind"),
    [
        # Lower bounds of wrong/decided: 4 of 20 gives 7.1 %, 3 of 20 gives 4.2 %.
        (4, 16, VerdictKind.INCONCLUSIVE),
        (3, 17, VerdictKind.DECIDED),
    ],
)
def test_a_verdict_is_withdrawn_where_such_verdicts_break_their_promise(wrong, right, kind):
    records = (
        *(made("saturating", "transient") for _ in range(wrong)),
        *(made("sigmoid", "sigmoid") for _ in range(right)),
    )
    verdict, found = licensed(SIGMOID, Recovery(records))
    assert verdict.kind is kind
    assert bool(found.failed) == (kind is VerdictKind.INCONCLUSIVE)
    if found.failed:
        assert "wrong in 4 of 20 simulated curves" in verdict.reason


def test_a_verdict_is_withdrawn_where_its_own_family_is_mistaken():
    records = (
        *(made("saturating", "saturating") for _ in range(60)),
        *(made("multistage", "sigmoid") for _ in range(2)),
        made("sigmoid", "sigmoid"),
    )
    verdict, _ = licensed(SIGMOID, Recovery(records))
    assert verdict.kind is VerdictKind.INCONCLUSIVE
    assert "the verdict that the shape is sigmoid was wrong in 2 of 3" in verdict.reason
    other = Verdict(VerdictKind.DECIDED, (Family.SATURATING,), (), "It is saturating.")
    assert licensed(other, Recovery(records))[0].kind is VerdictKind.DECIDED


def test_undecided_verdicts_keep_their_kind():
    tied = Verdict(VerdictKind.INCONCLUSIVE, (), (), "No shape leads.")
    verdict, found = licensed(tied, Recovery(RECORDS[3:4]))
    assert verdict.kind is VerdictKind.INCONCLUSIVE
    assert verdict.reason.startswith("No shape leads. At this design none of 1 simulated curves")
    assert found.failed == ""


def test_records_come_back_from_a_file_that_was_cut_off(tmp_path):
    path = tmp_path / "records.jsonl"
    first = made("sigmoid", "sigmoid", index=1, stages=((StageRecord(1, 2, 1),), ()))
    append_record(path, first, code="a")
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"code": "a", "record": first.content()})[:40])
    append_record(path, RECORDS[0], code="b")
    assert read_records(path) == [(first, "a"), (RECORDS[0], "b")]
    assert read_records(tmp_path / "nothing.jsonl") == []


@pytest.fixture(scope="module")
def design():
    t = np.linspace(0.5, 20.0, 30)
    forms = tuple(FORMS[name] for name in ("constant", "linear", "logistic"))
    kinds = ("none", "sigmoid", OUTSIDE)
    scatter = PriorScatter((White(),))
    return Design(Curve("y", t, t), scatter, 10.0, kinds, forms, (White(),))


def test_a_study_goes_on_where_it_stopped(design):
    whole = recover(design, 3, seed=1)
    records = [record.content() | {"seconds": 0.0} for record in whole.records]
    known = [Record.of(json.loads(json.dumps(whole.records[i].content()))) for i in (0, 2)]
    again = recover(design, 3, seed=1, known=known)
    assert [r.content() | {"seconds": 0.0} for r in again.records] == records
    assert [r.asked for r in whole.records] == list(design.kinds)
    assert again.records[0] is known[0]


def test_the_own_design_is_the_curves_times_size_and_noise():
    t = np.linspace(0.5, 20.0, 40)
    rng = np.random.default_rng(0)
    y = 3 + 10 / (1 + np.exp(-(t - 10))) + 0.2 * rng.standard_normal(40)
    found = propose(Curve("y", t, y), forms=["constant", "logistic"], noises=["white"])
    own = own_design(found, (White(),))
    assert own is not None
    assert own.template is found.curve
    assert own.size == pytest.approx(10, abs=4 * 0.2)
    assert {form.name for form in own.forms} == {"constant", "logistic"}
    assert OUTSIDE in own.kinds and "transient" not in own.kinds and "sigmoid" in own.kinds
    assert own_design(propose(Curve("y", t, np.ones(40)))) is None


def test_which_shapes_forms_can_have():
    t = np.linspace(0.5, 20.0, 40)
    assert possible_families((FORMS["constant"], FORMS["linear"]), Curve("y", t, t)) == ("none",)
