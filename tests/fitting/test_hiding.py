"""What is done changing before something else forms hides it; known courses."""

import numpy as np
import pytest

from fitting.comparison import Comparison
from fitting.propose import propose
from fitting.runs.hiding import hiding
from theory.curve import Curve, Progress


def fitted(observable: str, course: np.ndarray, t: np.ndarray, seed: int = 0) -> Comparison:
    y = course + 0.02 * np.random.default_rng(seed).standard_normal(t.size)
    curve = Curve(observable, t, y, progress=Progress.UPDATES, run="seed 1")
    return propose(curve, forms=["constant", "logistic"], noises=["white"])


T = np.linspace(0.0, 20.0, 40)


@pytest.fixture(scope="module")
def early() -> Comparison:
    # A logistic of rate 2 around 5 has done 90 % of its change at 5 + ln(9)/2 = 6.1.
    return fitted("success", 1.0 / (1.0 + np.exp(-2.0 * (T - 5.0))), T)


@pytest.mark.parametrize(
    ("midpoint", "hides"),
    [(12.0, True), (7.0, True), (5.2, False)],
    ids=["long after", "just after", "before it is done"],
)
def test_a_behavior_hides_what_forms_after_it_is_done(
    early: Comparison, midpoint: float, hides: bool
) -> None:
    late = fitted("p_goal", 1.0 / (1.0 + np.exp(-2.0 * (T - midpoint))), T, seed=1)
    found = hiding(early, late)
    assert (found.behavior, found.mechanism) == ("success", "p_goal")
    assert found.hides is hides
    assert found.hidden + found.shown + found.never == pytest.approx(1.0, abs=1e-9)
    # Seen from the other side: the later one never hides the earlier.
    assert hiding(late, early).hides is False


def test_what_never_forms_is_not_hidden(early: Comparison) -> None:
    flat = fitted("p_goal", np.zeros(40), T, seed=2)
    found = hiding(early, flat)
    assert found.hides is not True and found.never > 0.5
    assert found.hidden == pytest.approx(1.0 - found.never - found.shown, abs=1e-9)


def test_what_rises_first_and_is_lost_later_is_not_hidden(early: Comparison) -> None:
    # Up by .3 around 3, down by .5 around 14: the fall comes after the behavior is done.
    y = 0.3 / (1.0 + np.exp(-4.0 * (T - 3.0))) - 0.5 / (1.0 + np.exp(-3.0 * (T - 14.0)))
    y += 0.005 * np.random.default_rng(3).standard_normal(T.size)
    curve = Curve("p_proxy", T, y, progress=Progress.UPDATES, run="seed 1")
    proxy = propose(curve, forms=["constant", "signed_double_logistic"], noises=["white"])
    found = hiding(early, proxy)
    assert found.hides is False and found.shown > 0.95


def test_curves_that_cannot_be_ordered_are_refused(early: Comparison) -> None:
    with pytest.raises(ValueError, match="an order needs two curves"):
        hiding(early, early)
