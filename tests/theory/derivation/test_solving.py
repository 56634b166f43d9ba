"""Mean fields solved in closed form, against a numerical solver and published solutions."""

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp
from scipy.special import lambertw

from theory.derivation.fixed_point import fixed_point
from theory.derivation.integral import integral
from theory.derivation.solving import solve
from theory.derivation.story import NotDerived, Story

P = sympy.Symbol("p", positive=True)
LOGIT = sympy.Symbol("z", real=True)
C, START, S = sympy.symbols("c p0 s", positive=True)
TYPICAL = {"c": 0.3, "p0": 0.05, "s": 1.7}
LOGIT_START = sympy.log(START)


def flow(drift, state=P, start=START):
    return Story(state, start, TYPICAL, flow=drift)


def integrated(story, t):
    rate = sympy.lambdify(
        story.state,
        story.drift.subs({"c": 0.3}).xreplace(
            {s: TYPICAL[s.name] for s in story.drift.free_symbols - {story.state}}
        ),
    )
    path = solve_ivp(
        lambda _, y: [rate(y[0])],
        (0, t[-1]),
        [story.number(story.start)],
        "LSODA",
        t,
        rtol=1e-11,
        atol=1e-13,
    )
    return path.y[0]


EXPLICIT = [
    flow(C * P * (1 - P)),
    flow(C * (P * (1 - P)) ** sympy.Rational(3, 2)),
    flow(C * P**2),
    flow(C * P**2 * (1 - P)),  # Lambert's W of a falling exponential
    flow(C * P * (1 - P) ** 2),
    flow(C * P * (S - P**2)),
    flow(C * sympy.sqrt(P)),
    flow(C * (S - P)),
    flow(-C * P * S),
    flow(C / (1 + sympy.exp(LOGIT)), LOGIT, LOGIT_START),
    flow(C * (1 + sympy.tanh(LOGIT / 2)), LOGIT, LOGIT_START),
]


@pytest.mark.parametrize("story", EXPLICIT, ids=lambda s: str(s.drift))
def test_closed_forms_are_what_a_solver_finds(story):
    solution = solve(story)
    t = np.linspace(0.0, 12.0, 13)
    assert solution.explicit is not None
    explicit = [story.number(solution.explicit, t=float(x)) for x in t]
    np.testing.assert_allclose(explicit, integrated(story, t), rtol=1e-7)
    np.testing.assert_allclose(solution(t), explicit, rtol=1e-9)


@pytest.mark.parametrize("drift", [C * (P * (1 - P)) ** 2, C * P**5 * (1 - P) ** 2])
def test_where_there_is_none_the_time_is_inverted_numerically(drift):
    story = flow(drift)
    solution = solve(story)
    assert solution.explicit is None
    t = np.array([0.0, 10.0, 60.0, 90.0])
    np.testing.assert_allclose(solution(t), integrated(story, t), rtol=1e-7)
    assert solution(30.0, p0=0.2) > solution(30.0)


def test_the_published_implicit_solution_of_the_softmax_policy_gradient():
    solution = solve(flow(C * (P * (1 - P)) ** 2))
    published = 1 / (1 - P) - 1 / P + 2 * sympy.log(P / (1 - P))
    published = (published - published.subs(P, START)) / C
    for p in (0.06, 0.4, 0.97):
        difference = (solution.elapsed - published).subs(P, p)
        assert solution.story.number(difference) == pytest.approx(0.0, abs=1e-9)


def test_the_published_solution_at_three_halves():
    solution = solve(flow(C * (P * (1 - P)) ** sympy.Rational(3, 2)))
    y = (2 * 0.05 - 1) / np.sqrt(0.05 * 0.95) + 0.3 * 7.0 / 2
    value = solution.story.number(solution.explicit, t=7.0)
    assert value == pytest.approx((1 + y / np.sqrt(4 + y**2)) / 2, rel=1e-12)


@pytest.mark.parametrize(("power", "half"), [(4, 911.5), (3, 56.8), (2, 6.22)])
def test_the_reference_times_to_one_half(power, half):
    """Ten arms, unit step size and reward, from one in a thousand."""
    story = flow(C * (P * (1 - P)) ** sympy.Rational(power, 2))
    elapsed = solve(story).elapsed.subs(P, sympy.Rational(1, 2))
    assert story.number(elapsed, c=10 / 9, p0=1e-3) == pytest.approx(half, rel=1e-3)


def test_lambert_is_the_principal_branch():
    solution = solve(flow(C * P / (1 + P)))
    assert solution.explicit.has(sympy.LambertW)
    expected = lambertw(0.05 * np.exp(0.05 + 0.3 * 4)).real
    assert solution.story.number(solution.explicit, t=4.0) == pytest.approx(expected, rel=1e-12)


def test_what_is_not_tried_is_refused_with_a_reason():
    with pytest.raises(NotDerived, match="no closed form among those that are tried"):
        solve(flow(C * P * sympy.log(2 + P)))
    with pytest.raises(NotDerived, match="at rest"):
        solve(flow(C * (P - START)))


def test_a_wrong_antiderivative_is_not_returned():
    """Partial fractions over the reals leave out the complex pair of roots of s - p³."""
    assert integral(1 / (P**2 * (S - P**3)), flow(C * P**2 * (S - P**3))) is None


def test_the_nearest_fixed_point_ahead_is_found():
    assert fixed_point(flow(C * P * (S - P**2))) == sympy.sqrt(S)
    assert fixed_point(flow(-C * P * (S - P**2))) == 0
    assert fixed_point(flow(C * P)) is None
    assert fixed_point(flow(C * (1 - 3 * P) * (1 - P) * (1 + P))) == sympy.Rational(1, 3)
    undecided = fixed_point(flow(C * P * (S - sympy.log(9 * P / (1 - P)))))
    assert flow(C).number(undecided) == pytest.approx(1 / (1 + 9 * np.exp(-1.7)), rel=1e-12)


def test_a_parameter_needs_a_typical_number():
    with pytest.raises(ValueError, match="speed needs a typical number"):
        flow(sympy.Symbol("speed") * P)
