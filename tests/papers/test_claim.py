"""Claims and outcomes: checked at the door, and agreement is what the tolerance says."""

import numpy as np
import pytest

from papers.claim import Claim, Kind, Outcome, compared, in_all, within

NUMBER = {
    "name": "mass",
    "statement": "It weighs so much.",
    "kind": "number",
    "locator": "Table 2",
    "numbers": {"kg": 2.0, "sd": 0.5},
    "tolerance": 0.01,
}
SHAPE = {
    "name": "falls",
    "statement": "It falls.",
    "kind": "shape",
    "locator": "Fig. 3",
    "criterion": "the last value lies below the first",
}


@pytest.mark.parametrize(
    ("base", "change", "sentence"),
    [
        (NUMBER, {"name": " "}, "a claim needs a name"),
        (NUMBER, {"statement": ""}, "needs a statement; that of 'mass' is empty"),
        (SHAPE, {"locator": ""}, "needs a locator; that of 'falls' is empty"),
        (SHAPE, {"kind": "form"}, "must be one of number, shape; it is 'form'"),
        (NUMBER, {"numbers": {"kg": float("nan")}}, "kg of claim 'mass' must be a finite number"),
        (NUMBER, {"numbers": {}}, "it needs numbers and takes no criterion"),
        (NUMBER, {"criterion": "as it should"}, "it needs numbers and takes no criterion"),
        (NUMBER, {"tolerance": None}, "must be a positive number; it is None"),
        (NUMBER, {"tolerance": 0.0}, "must be a positive number; it is 0.0"),
        (SHAPE, {"tolerance": 0.1}, "it needs a criterion and takes no tolerance"),
        (SHAPE, {"criterion": ""}, "it needs a criterion and takes no tolerance"),
    ],
)
def test_a_claim_that_says_nothing_is_refused(base, change, sentence):
    with pytest.raises(ValueError, match=sentence):
        Claim(**{**base, **change})


def test_numbers_agree_within_the_tolerance_and_not_beyond():
    claim = Claim(**NUMBER)
    assert claim.kind is Kind.NUMBER and claim.asked == "each number within 0.01"
    assert compared(claim, {"kg": 2.0099, "sd": 0.4901}).agrees is True
    outcome = compared(claim, {"kg": 2.0, "sd": 0.52}, "another scale")
    assert outcome.agrees is False
    assert outcome.content()["published"] == {"kg": 2.0, "sd": 0.5}
    assert outcome.content()["here"] == {"kg": 2.0, "sd": 0.52}
    with pytest.raises(ValueError, match="has the numbers kg, sd; what came out is named kg"):
        within(claim, {"kg": 2.0})
    with pytest.raises(ValueError, match="'falls' is of kind shape and has no tolerance"):
        within(Claim(**SHAPE), {})


def test_nobody_can_say_that_numbers_agree_which_do_not():
    claim = Claim(**NUMBER)
    for here, agrees in (({"kg": 3.0, "sd": 0.5}, True), ({"kg": 2.0, "sd": 0.5}, False)):
        with pytest.raises(ValueError, match="its numbers and the tolerance 0.01 say otherwise"):
            Outcome(claim, here, agrees, "because")
    with pytest.raises(ValueError, match="kg of claim 'mass' must be a finite number"):
        Outcome(claim, {"kg": np.inf, "sd": 0.5}, None, "because")


def test_what_differs_is_explained():
    number, shape = Claim(**NUMBER), Claim(**SHAPE)
    for claim, here, agrees in (
        (number, {"kg": 3.0, "sd": 0.5}, False),
        (number, {}, None),
        (shape, {}, True),
        (shape, {}, None),
    ):
        with pytest.raises(ValueError, match="needs an explanation"):
            Outcome(claim, here, agrees)
        assert Outcome(claim, here, agrees, "because").agrees is agrees
    truth = Outcome(shape, {}, np.bool_(True), "because").agrees
    assert truth is True


@pytest.mark.parametrize(
    ("each", "together"),
    [
        ([True, True], True),
        ([False, False], False),
        ([None, None], None),
        ([True, False], None),
        ([True, None], None),
        ([], None),
    ],
)
def test_agents_agree_together_or_it_cannot_be_told(each, together):
    assert in_all(each) is together
