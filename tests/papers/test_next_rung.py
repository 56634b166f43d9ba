"""What `ontogeny test` says about the rung to run next."""

from types import SimpleNamespace

from fitting.ladders.next_rung import NextRung
from papers.mechanism_tests import next_said


def said(*rungs):
    return next_said(SimpleNamespace(next_rungs=rungs))


def test_the_most_informative_rung_and_the_best_for_its_length():
    far = NextRung("alpha", 0.01, 0.65, 0.01, 4000.0)
    near = NextRung("alpha", 0.1, 0.4, 0.02, 50.0)
    assert far.per_length == 0.65 / 4000
    text = said(far, near)
    assert "runs at alpha = 0.01, 4e+03 long, promise 0.65 ± 0.01 nats; next 0.1 (0.40)." in text
    assert text.endswith("For its length 0.1 promises most: 0.40 ± 0.02 nats from runs 50 long.")
    assert said(near).endswith("No other promises more for its length.")


def test_a_rung_that_promises_nothing_is_not_proposed():
    text = said(NextRung("alpha", 0.1, 0.01, 0.01, 50.0))
    assert "No rung within reach" in text
