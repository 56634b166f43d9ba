"""What one curve tells: the published ranks, and names for what it does not."""

import numpy as np
import pytest
import sympy

from theory.derivation.identifiability import identify
from theory.derivation.series import FUNCTIONS, Series, number, run
from theory.derivation.story import NotDerived

P = sympy.Symbol("p", positive=True)
C, START, M, A, H = sympy.symbols("c p0 m A H", positive=True)
RATE, GAP, ARMS = sympy.symbols("eta Delta K", positive=True)
TYPICAL = {
    "c": 0.3,
    "p0": 0.05,
    "m": 1.7,
    "A": 2.3,
    "H": 3.0,
    "eta": 0.1,
    "Delta": 0.8,
    "K": 10.0,
}
SPEED = RATE * GAP * ARMS / (ARMS - 1)


def told(drift, observable=P, **options):
    return identify((P,), (drift,), (START,), observable, TYPICAL, **options)


@pytest.mark.parametrize(
    ("drift", "observable", "rank", "n"),
    [
        (SPEED * (P * (1 - P)) ** 2, P, 2, 4),
        (C * (P * (1 - P)) ** M, P, 3, 3),
        (C * (P * (1 - P)) ** M, A * P, 4, 4),  # the whole curve
        (C * P**M, A * P, 3, 4),  # the plateau alone
        (C * P ** (H + 1) * (1 - P) ** 2, P, 3, 3),
        (C * P ** (H + 1) * (1 - P) ** 2, P**H, 3, 3),
    ],
)
def test_the_published_ranks(drift, observable, rank, n):
    found = told(drift, observable)
    assert (found.rank, len(found.parameters)) == (rank, n)


def test_a_policy_gradient_tells_its_speed_and_start_only():
    found = told(SPEED * (P * (1 - P)) ** 2, candidates=(RATE / GAP, RATE * GAP, SPEED))
    assert found.known == ("p0",)
    assert found.combinations == (SPEED,)
    assert found.unnamed == 0
    assert found.words == (
        "of 4 parameters one curve tells 2: p0 by itself; of Delta, K and eta only "
        "Delta*K*eta/(K - 1) matters."
    )
    unnamed = told(SPEED * (P * (1 - P)) ** 2)
    assert unnamed.words.endswith("of Delta, K and eta only 1 combination matters.")


def test_products_of_powers_are_read_off_the_jacobian():
    found = told(RATE**2 * GAP * P * (1 - P))
    (combination,) = found.combinations
    assert str(combination) in ("sqrt(Delta)*eta", "Delta*eta**2")


def test_from_the_plateau_alone_scale_and_speed_are_one():
    found = told(C * P**M, A * P, candidates=(A * START, C * START ** (M - 1)))
    assert found.known == ("m",)
    assert [str(one) for one in found.combinations] == ["A*p0", "c*p0**(m - 1)"]


def test_two_states_and_a_sum():
    q = sympy.Symbol("q", positive=True)
    rates = (C * P * (1 - P), RATE * GAP * q * (1 - q))
    two = identify((P, q), rates, (START, START), P * q, TYPICAL)
    assert two.known == ("c", "p0")
    assert [str(one) for one in two.combinations] == ["Delta*eta"]


def test_no_taylor_series_at_the_start_is_said():
    with pytest.raises(NotDerived, match="no Taylor coefficients"):
        identify((P,), (C,), (sympy.Integer(0),), P**M, TYPICAL)
    with pytest.raises(ValueError, match="no typical number for speed"):
        told(sympy.Symbol("speed") * P)


@pytest.mark.parametrize(
    "expression",
    [
        "exp(2*p)",
        "log(1 + p)",
        "sqrt(2 + p)",
        "tanh(p)/3",
        "1/cosh(p)",
        "acos(p/3)",
        "p**1.7",
        "1.3**p",
        "p**p",
        "(2 - p)**3 - 4/p",
    ],
)
def test_series_of_functions_are_their_derivatives(expression):
    formula = sympy.sympify(expression, locals={"p": P})
    compiled = sympy.lambdify([P], formula, modules=[dict(FUNCTIONS)])
    found = compiled(Series([number(x) for x in (0.6, 1, 0, 0, 0)]))
    exact = [
        float(sympy.diff(formula, P, k).subs(P, sympy.Float(0.6, 40))) / float(sympy.factorial(k))
        for k in range(5)
    ]
    np.testing.assert_allclose([float(x) for x in found.c], exact, rtol=1e-12)


def test_a_run_as_a_series_is_the_logistic():
    (path,) = run([lambda p: 0.5 * p * (1 - p)], [number(0.2)], 6)
    t = sympy.Symbol("t")
    logistic = sympy.series(1 / (1 + 4 * sympy.exp(-t / 2)), t, 0, 7).removeO()
    exact = [float(logistic.coeff(t, k)) for k in range(7)]
    np.testing.assert_allclose([float(x) for x in path.c], exact, rtol=1e-13, atol=1e-17)
