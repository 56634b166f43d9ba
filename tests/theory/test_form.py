"""What a form and its parameters refuse, and what they derive."""

import math
import pickle
import subprocess
import sys

import numpy as np
import pytest
import sympy
from sympy import Symbol, exp, log

from theory.form import TIME, Form
from theory.parameter import Kind, Parameter
from theory.stable import NUMPY as NUMPY_FUNCTIONS
from theory.stable import SMALLEST, clamped_log, differentiate, plain, softplus

floor = Parameter("floor", "start", "y", Kind.FLOOR)
gain = Parameter("gain", "change", "y", Kind.GAIN)
rate = Parameter("rate", "speed", "1/t", Kind.RATE)
early = Parameter("early", "a time", "t", Kind.MIDPOINT)
late = Parameter("late", "a time", "t", Kind.MIDPOINT)

T = TIME
F, G, R = floor.symbol, gain.symbol, rate.symbol


def form(expression, *parameters, **options):
    return Form("example", expression, parameters, "nobody", **options)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("lambda", "m", "t", Kind.MIDPOINT), "must be a Python identifier"),
        (("t", "m", "t", Kind.MIDPOINT), "must be a Python identifier"),
        (("rate", "m", "t", Kind.RATE), "the unit of a rate is '1/t'; got 't'"),
        (("a", "m", "t", Kind.MIDPOINT, 2.0, 1.0), "lower must be less than upper"),
        (("a", "m", "t", Kind.TIMESCALE, 0.0, 9.0, 0.0), "width_factor must be positive"),
        (("a", "m", "", Kind.EXPONENT), "only an exponent, has a default_range"),
        (("a", "m", "", Kind.SHARE, 0, 1, 1.0, (0.1, 1)), "only an exponent"),
        (("a", "m", "", Kind.EXPONENT, 0, 9, 1.0, (2.0, 1.0)), "must increase strictly"),
        (("a", "m", "", Kind.EXPONENT, 0, 9, 1.0, (0.0, 1.0)), "must increase strictly"),
    ],
)
def test_parameter_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        Parameter(*arguments)


def test_parameter_knows_the_bounds_of_its_kind():
    share = Parameter("share", "part", "", Kind.SHARE)
    assert (share.lower, share.upper) == (0.0, 1.0)
    assert rate.lower == 0.0
    assert (gain.lower, gain.upper) == (-math.inf, math.inf)


@pytest.mark.parametrize(
    ("expression", "parameters", "options", "message"),
    [
        (F + G * T, (floor,), {}, "used but not declared: gain"),
        (F + T, (floor, gain, rate), {}, "declared but not used: gain, rate"),
        (F + T, (floor, floor), {}, "declared twice"),
        (2 * F + T, (floor,), {}, "must enter with coefficient 1; it is 2"),
        (F + G**2 * T, (floor, gain), {}, "gain must enter linearly"),
        (F + sympy.Function("g")(T), (floor,), {}, "undefined functions in it: g"),
        (F + T, (floor,), {"breakpoints": ("onset",)}, "onset; choose from floor"),
        (F + G * T, (floor, gain), {"ordered": (("floor", "gain"),)}, "two or more midpoints"),
        (F + early.symbol, (floor, early), {"ordered": (("early",),)}, "two or more midpoints"),
        (F + T, (floor,), {"domain": (1.0, 1.0)}, "domain must increase"),
    ],
)
def test_form_refuses(expression, parameters, options, message):
    with pytest.raises(ValueError, match=message):
        form(expression, *parameters, **options)


def test_symbols_are_matched_by_name():
    f, g, r, t = sympy.symbols("floor gain rate t")
    assert form(f + g * exp(-r * t), floor, gain, rate) == form(
        F + G * exp(-R * T), floor, gain, rate
    )


def test_linear_parameters_are_jointly_linear():
    share = Parameter("share", "part", "", Kind.SHARE)
    mixed = form(
        F + G * (share.symbol + (1 - share.symbol) * exp(-R * T)), floor, gain, share, rate
    )
    assert mixed.linear == ("floor", "gain")
    assert mixed.nonlinear == ("share", "rate")


def test_a_form_with_a_fixed_part_has_no_linear_parameters():
    assert form(1 - G * exp(-R * T), gain, rate).linear == ()


def test_shapes_follow_theta_and_t():
    example = form(F + G * exp(-R * T), floor, gain, rate)
    t = np.linspace(0, 1, 5)
    theta = np.ones((2, 3, 3))
    assert isinstance(example(0.5, [0, 1, 2]), float)
    assert isinstance(example.derivative(0.5, [0, 1, 2]), float)
    assert example(t, [0, 1, 2]).shape == (5,)
    assert example(0.5, theta).shape == (2, 3)
    assert example(t, theta).shape == (2, 3, 5)
    assert example.derivative(t, theta).shape == (2, 3, 5)
    assert example.jacobian(t, theta).shape == (2, 3, 5, 3)
    assert example.jacobian(0.5, [0, 1, 2]).shape == (3,)
    assert example.design(t, np.ones((2, 3, 1))).shape == (2, 3, 5, 2)
    assert example(t, np.ones((0, 3))).shape == (0, 5)
    assert example(np.array([]), [0, 1, 2]).shape == (0,)


def test_blocks_do_not_show():
    example = form(F + G * exp(-R * T), floor, gain, rate)
    t = np.linspace(0, 1, 1000)
    theta = np.random.default_rng(0).uniform(size=(100, 3))
    one_by_one = np.stack([example(t, row) for row in theta])
    np.testing.assert_array_equal(example(t, theta), one_by_one)


def test_the_value_is_never_the_time_array_itself():
    t = np.arange(3.0)
    form(T, domain=(0, 1))(t, np.empty(0))[0] = 9.0
    assert t[0] == 0.0


@pytest.mark.parametrize(
    ("t", "theta", "message"),
    [
        (1.0, [1.0, 2.0], r"takes 3 parameters \(floor, gain, rate\).*the shape is \(2,\)"),
        (1.0, 1.0, r"the shape is \(\)"),
        (np.ones((2, 2)), [1.0, 2.0, 3.0], r"its shape is \(2, 2\)"),
    ],
)
def test_wrong_shapes_are_named(t, theta, message):
    with pytest.raises(ValueError, match=message):
        form(F + G * exp(-R * T), floor, gain, rate)(t, theta)


def test_pickling_drops_compiled_functions():
    example = form(F + G * exp(-R * T), floor, gain, rate)
    before = pickle.dumps(example)
    value = example(0.5, [0, 1, 2])
    assert len(pickle.dumps(example)) == len(before)
    again = pickle.loads(pickle.dumps(example))
    assert again == example
    assert hash(again) == hash(example)
    assert again(0.5, [0, 1, 2]) == value


def test_print_reads_as_a_person_writes():
    example = form(F - G * (1 - exp(-R * (T - early.symbol))), floor, gain, rate, early)
    assert example.python == "floor - gain*(1 - exp(-rate*(t - early)))"
    assert r"\mathrm{gain} \, " in example.latex


@pytest.mark.parametrize("x", [-2000.0, -30.0, 0.0, 1e-9, 30.0, 2000.0])
def test_softplus_is_exact_and_never_overflows(x):
    symbol = Symbol("x", real=True)
    numeric = sympy.lambdify(symbol, softplus(symbol), modules=[NUMPY_FUNCTIONS, "numpy"])
    truth = softplus(sympy.Float(x, 50)).evalf(50)
    assert numeric(x) == pytest.approx(float(truth), rel=1e-15, abs=1e-300)
    slope = sympy.lambdify(symbol, softplus(symbol).diff(symbol), [NUMPY_FUNCTIONS, "numpy"])
    with np.errstate(all="raise", under="ignore"):
        assert slope(x) == pytest.approx(1 / (1 + math.exp(min(700, -x))), abs=1e-15)


def test_clamped_log_is_a_logarithm_with_a_floor():
    assert NUMPY_FUNCTIONS["clamped_log"](0.0) == math.log(SMALLEST)
    assert NUMPY_FUNCTIONS["clamped_log"](2.0) == math.log(2.0)


def test_derivatives_merge_exponentials():
    x = Symbol("x", real=True)
    assert differentiate(exp(-exp(x)), x) == -exp(x - exp(x))


def test_plain_writes_powers():
    x, n = Symbol("x", positive=True), Symbol("n", positive=True)
    assert plain(exp(n * clamped_log(x))) == x**n
    assert plain(exp(-softplus(-n * clamped_log(x)))) == 1 / (1 + x**-n)
    assert plain(softplus(x)) == log(1 + exp(x))


def test_the_forms_package_is_light_until_asked():
    code = "import sys, theory.forms; sys.exit('sympy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_importing_the_registry_compiles_nothing():
    code = (
        "from theory.forms import FORMS\n"
        "import sys\n"
        "sys.exit(any('_value' in form.__dict__ for form in FORMS.values()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
