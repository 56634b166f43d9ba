"""Laws that hold for every form of the registry."""

import pickle

import mpmath
import numpy as np
import pytest
import sympy

from theory.form import TIME
from theory.forms import FORMS
from theory.parameter import Kind
from theory.stable import gradient_rise

WINDOW = 10.0
T = np.array([0.01, 0.7, 2.0, 5.0, 9.9])
every_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


def draw(form, size, rng, *, extreme=False):
    """Parameters of every order of magnitude that a curve on [0, WINDOW] could ask for."""
    decades = 6.0 if extreme else 1.5
    theta = np.empty((size, len(form.names)))
    for i, parameter in enumerate(form.parameters):
        spread = 10 ** rng.uniform(-decades, decades, size)
        match parameter.kind:
            case Kind.MIDPOINT:
                theta[:, i] = rng.uniform(0.02, 1.5, size) * WINDOW * (spread if extreme else 1)
            case Kind.TIMESCALE:
                theta[:, i] = WINDOW * spread
            case Kind.RATE:
                theta[:, i] = spread / WINDOW
            case Kind.EXPONENT:
                theta[:, i] = np.exp(rng.uniform(*np.log(parameter.default_range), size))
            case Kind.SHARE:
                theta[:, i] = rng.uniform(size=size)
            case _:
                theta[:, i] = rng.normal(size=size) * (spread if extreme else 1)
    for group in form.ordered:
        columns = [form.names.index(name) for name in group]
        theta[:, columns] = np.sort(theta[:, columns], axis=-1)
    return theta


def solved_gradient_rise(x):
    """By its implicit equation: what has no textbook writing keeps its name in `plain`."""
    u = mpmath.findroot(lambda u: u + mpmath.sinh(u) - 2 * x, mpmath.asinh(x))
    return 1 / (1 + mpmath.exp(-u))


def exact(form):
    """The textbook expression in 50-digit arithmetic, of (t, *theta)."""
    names = {"gradient_rise": solved_gradient_rise}
    return sympy.lambdify((TIME, *form.symbols), form.plain, [names, "mpmath"])


def size_of(form, theta):
    """What rounding errors of a value are relative to: the sum of what it is made of."""
    columns = [i for i, p in enumerate(form.parameters) if p.unit in ("y", "y/t")]
    return 1 + np.abs(theta[columns]).sum() * WINDOW


def test_the_registry_is_complete_and_read_only():
    assert len(FORMS) >= 30
    assert all(form.name == key for key, form in FORMS.items())
    with pytest.raises(TypeError):
        FORMS["mine"] = FORMS["linear"]


@every_form
def test_declared_parameters_are_the_free_symbols(form):
    assert form.expression.free_symbols - {TIME} == set(form.symbols)
    assert all(p.meaning for p in form.parameters)
    assert form.reference


@every_form
def test_finite_on_the_domain(form):
    theta = draw(form, 2000, np.random.default_rng(1), extreme=True)
    t = np.array([0.0, 1e-12, 1e-3, 1.0, WINDOW, 1e4, 1e12])
    assert np.isfinite(form(t, theta)).all()
    assert np.isfinite(form.derivative(t, theta)).all()
    assert np.isfinite(form.jacobian(t, theta)).all()
    nonlinear = theta[:, [form.names.index(name) for name in form.nonlinear]]
    assert np.isfinite(form.design(t, nonlinear)).all()


@every_form
def test_value_is_the_expression(form):
    rng = np.random.default_rng(2)
    with mpmath.workdps(50):
        for theta in draw(form, 5, rng):
            truth = [float(exact(form)(mpmath.mpf(t), *map(mpmath.mpf, theta))) for t in T]
            error = np.abs(form(T, theta) - truth).max()
            assert error <= 1e-12 * size_of(form, theta)


@every_form
def test_expression_evaluates_in_sympy(form):
    theta = draw(form, 1, np.random.default_rng(3))[0]
    at = {TIME: sympy.Float(2, 40)} | {
        symbol: sympy.Float(value, 40) for symbol, value in zip(form.symbols, theta, strict=True)
    }
    assert float(form.expression.subs(at).evalf(30)) == pytest.approx(form(2.0, theta), rel=1e-12)


@every_form
def test_derivative_is_the_finite_difference(form):
    # In 50 digits mpmath's difference quotients are exact to far more than double precision.
    rng = np.random.default_rng(4)
    with mpmath.workdps(50):
        for theta in draw(form, 3, rng):
            value = exact(form)
            numbers = [mpmath.mpf(x) for x in theta]
            truth = [float(mpmath.diff(lambda s, v=value, n=numbers: v(s, *n), t)) for t in T]
            np.testing.assert_allclose(
                form.derivative(T, theta), truth, rtol=1e-10, atol=1e-12 * np.abs(truth).max()
            )


@every_form
def test_jacobian_is_the_finite_difference(form):
    rng = np.random.default_rng(5)
    with mpmath.workdps(50):
        for theta in draw(form, 2, rng):
            jacobian = form.jacobian(T, theta)
            for i in range(len(theta)):
                truth = [_partial(exact(form), t, theta, i) for t in T]
                # θ·∂y/∂θ is rounded like y itself.
                rounding = 1e-13 * size_of(form, theta) / abs(theta[i])
                np.testing.assert_allclose(jacobian[:, i], truth, rtol=1e-9, atol=rounding)


def _partial(value, t, theta, i):
    numbers = [mpmath.mpf(x) for x in theta]
    return float(
        mpmath.diff(lambda x: value(mpmath.mpf(t), *numbers[:i], x, *numbers[i + 1 :]), theta[i])
    )


@every_form
def test_at_zero_value_and_jacobian_are_the_limit(form):
    # At 1e-200 of the window every curve is at its limit, also under the smallest exponents.
    theta = draw(form, 200, np.random.default_rng(6))
    size = np.abs(theta).sum(axis=-1) + 1
    at_zero, near = form(0.0, theta), form(1e-150, theta)
    assert (np.abs(at_zero - near) <= 1e-12 * size).all()
    jacobian = form.jacobian(0.0, theta)
    assert (np.abs(jacobian - form.jacobian(1e-150, theta)).max(axis=-1) <= 1e-10 * size).all()


@every_form
def test_design_times_linear_parameters_is_the_curve(form):
    theta = draw(form, 50, np.random.default_rng(7))
    linear = theta[:, [form.names.index(name) for name in form.linear]]
    nonlinear = theta[:, [form.names.index(name) for name in form.nonlinear]]
    t = np.concatenate([[0.0], T])
    curves = np.einsum("bnq,bq->bn", form.design(t, nonlinear), linear)
    np.testing.assert_allclose(curves, form(t, theta), rtol=1e-11, atol=1e-11)


@every_form
def test_floor_gains_and_slope_are_the_linear_parameters(form):
    linear = tuple(p.name for p in form.parameters if p.kind in (Kind.FLOOR, Kind.GAIN, Kind.SLOPE))
    assert form.linear == linear
    assert form.linear[0] == "floor"


@every_form
@pytest.mark.parametrize(("a", "b", "c"), [(1e6, 2.5, -3.0), (1e-3, -40.0, 7.0)])
def test_equivariance(form, a, b, c):
    """t → a·t and y → b·y + c maps each parameter by its unit, and gives the same curve."""
    theta = draw(form, 100, np.random.default_rng(8))
    factor = {"y": b, "t": a, "1/t": 1 / a, "y/t": b / a, "": 1.0}
    mapped = theta * [factor[p.unit] for p in form.parameters]
    mapped[:, form.names.index("floor")] += c
    t = np.concatenate([[0.0], T])
    np.testing.assert_allclose(
        form(a * t, mapped), b * form(t, theta) + c, rtol=1e-9, atol=1e-10 * abs(b)
    )


@every_form
def test_float_in_float_out(form):
    theta = draw(form, 1, np.random.default_rng(9))[0]
    assert isinstance(form(1.0, theta), float)
    assert isinstance(form.derivative(1, theta), float)
    assert form(1.0, theta) == form(np.array([1.0]), theta)[0]


@every_form
def test_source_reads_back(form):
    names = {symbol.name: symbol for symbol in form.symbols} | {"t": TIME}
    names["gradient_rise"] = gradient_rise
    again = sympy.sympify(form.python, locals=names)
    at = dict(zip(form.symbols, draw(form, 1, np.random.default_rng(10))[0], strict=True))
    difference = (again - form.plain).subs(at | {TIME: 3.0})
    assert again.free_symbols == form.expression.free_symbols
    assert abs(float(difference)) < 1e-12
    assert form.latex.startswith(r"\mathrm{floor}")


def test_the_logistic_prints_as_promised():
    assert FORMS["logistic"].python == "floor + gain*(1 + tanh(rate*(t - midpoint)/2))/2"


@every_form
def test_pickling_keeps_equality(form):
    again = pickle.loads(pickle.dumps(form))
    assert again == form
    assert again.python == form.python


@every_form
def test_columns_keep_their_digits_where_they_are_tiny(form):
    # A column whose values are rounding alone is noise, which a fit would take for a shape.
    symbols = dict(zip(form.names, form.symbols, strict=True))
    columns = [sympy.diff(form.plain, symbols[name]) for name in form.linear]
    arguments = (TIME, *(symbols[name] for name in form.nonlinear))
    names = {"gradient_rise": solved_gradient_rise}
    truth = sympy.lambdify(arguments, columns, [names, "mpmath"])
    theta = draw(form, 60, np.random.default_rng(11))
    places = [form.names.index(name) for name in form.nonlinear]
    theta[:, [p.kind is Kind.MIDPOINT for p in form.parameters]] *= 5.0  # most after the window
    for row in theta[:, places]:
        found = np.atleast_2d(form.design(T, row))
        with mpmath.workdps(350):
            exactly = [truth(mpmath.mpf(t), *map(mpmath.mpf, row)) for t in T]
        exactly = np.array([[float(value) for value in values] for values in exactly])
        largest = np.abs(exactly).max(axis=0)
        known = largest > 1e-250
        error = np.abs(found - exactly).max(axis=0)
        assert np.all(error[known] <= 1e-9 * largest[known])
