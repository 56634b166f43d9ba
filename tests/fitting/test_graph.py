"""PyTensor expressions of the forms against numpy."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from fitting.sampling.graph import graph
from theory.forms import FORMS
from theory.parameter import Kind

T = np.array([0.0, 1e-6, 0.3, 1.0, 2.5, 5.0, 9.0])


def draw(form, size, spread, rng):
    theta = np.exp(rng.normal(0.0, spread, (size, len(form.names))))
    for i, parameter in enumerate(form.parameters):
        if parameter.kind is Kind.EXPONENT:
            theta[:, i] = np.exp(rng.uniform(*np.log(parameter.default_range), size))
        if parameter.kind is Kind.SHARE:
            theta[:, i] = rng.uniform(size=size)
    return theta


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_value_and_gradient_are_those_of_numpy(form):
    vector, weights = pt.dvectors("theta", "weights")
    value = graph(form, T, {name: vector[i] for i, name in enumerate(form.names)})
    gradient = pt.grad((weights * value).sum(), vector)
    function = pytensor.function([vector, weights], [value, gradient], mode="FAST_COMPILE")
    rng = np.random.default_rng(0)
    for spread in (1.0, 6.0):
        for theta in draw(form, 5, spread, rng):
            w = rng.normal(size=T.size)
            y, gradient = function(theta, w)
            np.testing.assert_allclose(y, form(T, theta), rtol=1e-10, atol=1e-12)
            assert np.isfinite(gradient).all()
            terms = w[:, None] * form.jacobian(T, theta)
            size = 1 + np.abs(terms).sum(axis=0)
            assert (np.abs(gradient - terms.sum(axis=0)) <= 1e-10 * size).all()


def test_a_constant_takes_the_shape_of_t():
    value = graph(FORMS["constant"], T, {"floor": pt.constant(3.0)})
    np.testing.assert_array_equal(value.eval(), np.full(T.shape, 3.0))


def test_batches_broadcast():
    values = {"floor": np.zeros((3, 1)), "gain": np.ones((3, 1)), "rate": np.ones((3, 1))}
    value = graph(FORMS["exponential_approach"], T, values).eval()
    assert value.shape == (3, len(T))


def test_wrong_names_are_named():
    with pytest.raises(ValueError, match="takes the parameters floor, slope; got floor"):
        graph(FORMS["linear"], T, {"floor": 0.0})
