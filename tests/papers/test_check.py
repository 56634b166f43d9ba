"""What several agents say of one claim, some of which lack what it is about."""

import pytest

from empirics.probe import Reading
from papers.check import Check, answered, present
from papers.claim import Claim

CLAIM = Claim("moves", "It moves.", "shape", "p. 1", criterion="push is present")
CHECK = Check(present("push"), lambda found: {"push": found["push"].value}, "a toy", needs="push")


def agent(value):
    return {"push": Reading(value, 0.01, baselines={"no effect": 0.0})}


@pytest.mark.parametrize(
    ("judged", "agrees", "here", "count"),
    [
        ([agent(0.4), agent(0.2)], True, {"push": 0.3}, "2 of 2 agents, numbers their means;"),
        ([agent(0.0)], False, {"push": 0.0}, "0 of 1 agents"),
        ([agent(0.4), agent(0.0)], None, {"push": 0.2}, "1 of 2 agents"),
        ([agent(0.4), {}], None, {"push": 0.4}, "1 of 2 agents"),
        ([{}, {}], None, {}, "0 of 2 agents"),
    ],
)
def test_a_claim_holds_of_all_or_of_none_or_cannot_be_told(judged, agrees, here, count):
    found = answered(CLAIM, CHECK, judged)
    assert found.agrees is agrees
    assert found.here == pytest.approx(here)
    assert found.why.startswith(count) and found.why.endswith("; a toy.")
    lacking = sum(not each for each in judged)
    assert (f"{lacking} without a reading of push" in found.why) == (lacking > 0)
