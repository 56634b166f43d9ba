"""Exponents at both ends of a mean field."""

import numpy as np
import pytest
import sympy

from theory.derivation.exponents import expand
from theory.derivation.moments import onset_moments
from theory.derivation.solving import solve
from theory.derivation.story import NotDerived, Story
from theory.mechanisms.entropy_bonus import ENTROPY_BONUS
from theory.mechanisms.lock import ESCAPE, LOCK

P = sympy.Symbol("p", positive=True)
C, START, M = sympy.symbols("c p0 m", positive=True)
T = sympy.Symbol("t", positive=True)
HALF = sympy.Rational(1, 2)


def family(m, p0=0.05):
    return Story(P, START, {"c": 0.3, "p0": p0, "m": 1.7}, flow=C * (P * (1 - P)) ** m)


@pytest.mark.parametrize("m", [sympy.Rational(3, 2), sympy.Integer(2), sympy.Integer(3), M])
def test_the_two_exponents_of_the_family_have_the_product_1(m):
    found = expand(family(m))
    assert sympy.simplify(found.plateau_exponent + m - 1) == 0
    assert sympy.simplify(found.tail_exponent + 1 / (m - 1)) == 0
    assert found.product == 1


def test_at_1_the_wait_is_logarithmic_and_the_tail_exponential():
    found = expand(family(1))
    assert found.plateau_exponent == 0 and found.tail_exponent == -sympy.oo
    assert found.product is None
    assert found.escape == sympy.log(1 / START) / C
    assert found.gap == sympy.exp(-C * T)


@pytest.mark.parametrize("m", [sympy.Rational(3, 2), sympy.Integer(2), sympy.Integer(3)])
def test_leading_terms_are_reached(m):
    """Ratios to the time to one half, and to the last gap, from quadrature and the solver."""
    found, ratios = expand(family(m)), []
    for p0 in (1e-3, 1e-6):
        story = family(m, p0)
        exact, _ = onset_moments(story, HALF).numbers()
        ratios.append(exact / story.number(found.escape))
    assert abs(ratios[1] - 1) < 0.005
    assert abs(ratios[1] - 1) < abs(ratios[0] - 1) / 5
    story = family(m)
    near = 1 - sympy.Float("1e-8", 30)
    late = story.number(solve(story).elapsed.subs(P, near))
    assert story.number(found.gap, t=late) == pytest.approx(1e-8, rel=0.01)


def test_a_lock_waits_for_its_power():
    story = Story(P, LOCK.start[0], LOCK.suggested(), flow=LOCK.dynamics[0])
    found = expand(story)
    assert str(found.plateau_exponent) == "-horizon"
    assert found.tail_exponent == -1
    expected = float(ESCAPE.subs({s: LOCK.suggested()[s.name] for s in ESCAPE.free_symbols}))
    assert story.number(found.escape) == pytest.approx(expected, rel=1e-12)


def test_an_entropy_bonus_makes_the_tail_exponential():
    suggested = ENTROPY_BONUS.suggested()
    story = Story(P, ENTROPY_BONUS.start[0], suggested, flow=ENTROPY_BONUS.dynamics[0])
    found = expand(story)
    assert found.plateau_exponent == -1 and found.escape is None  # a logarithm beside the power
    assert found.tail_exponent == -sympy.oo
    rate = ENTROPY_BONUS.implications[0].where["rate"]
    number = float(rate.subs({s: suggested[s.name] for s in rate.free_symbols}))
    assert story.number(found.tail.coefficient) == pytest.approx(number, rel=1e-10)


def test_a_start_that_does_not_matter_in_the_limit():
    story = Story(P, START, {"c": 0.3, "p0": 0.01}, flow=C * sympy.sqrt(P) * (1 - P))
    assert expand(story).plateau_exponent == 0
    times = [
        solve(Story(P, START, {"c": 0.3, "p0": x}, flow=C * sympy.sqrt(P))) for x in (1e-4, 1e-8)
    ]
    halves = [s.story.number(s.elapsed.subs(P, HALF)) for s in times]
    assert np.ptp(halves) < 0.02 * halves[0]


def test_a_clock_has_no_exponents():
    with pytest.raises(NotDerived, match="neither leaves from near 0 nor comes to rest"):
        expand(Story(P, sympy.Integer(1), {"c": 0.3}, flow=C))
