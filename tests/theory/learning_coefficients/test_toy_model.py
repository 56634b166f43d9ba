"""The toy model of superposition: against its integral, finite differences and printed numbers."""

import numpy as np
import pytest

from theory.learning_coefficients import toy_model
from theory.learning_coefficients.k_gons import (
    k_gon,
    k_gons,
    name_by_loss,
    name_by_shape,
    polygon,
)

C = 6
RNG = np.random.default_rng(0)
WEIGHTS, BIAS = RNG.normal(size=(5, 2, C)), 0.5 * RNG.normal(size=(5, C))
PROBABILITY = RNG.dirichlet(np.ones(C))


def flat(theta):
    return theta[..., : 2 * C].reshape(*theta.shape[:-1], 2, C), theta[..., 2 * C :]


THETA = np.concatenate([WEIGHTS.reshape(5, -1), BIAS], axis=-1)


def differences(function, theta, step=1e-6):
    ahead = [function(theta + step * unit) for unit in np.eye(3 * C)]
    behind = [function(theta - step * unit) for unit in np.eye(3 * C)]
    return (np.stack(ahead, -1) - np.stack(behind, -1)) / (2 * step)


def flat_gradient(theta):
    by_weights, by_bias = toy_model.gradient(*flat(theta), PROBABILITY)
    return np.concatenate([by_weights.reshape(*theta.shape[:-1], -1), by_bias], axis=-1)


def test_the_loss_is_the_mean_squared_error_of_the_network():
    cells = 20_000
    mu = (np.arange(cells) + 0.5) / cells  # the midpoint rule errs by (1/cells)² times a curvature
    for w, b in zip(WEIGHTS, BIAS, strict=True):
        x = mu[:, None, None] * np.eye(C)
        output = np.maximum(x @ (w.T @ w) + b, 0)
        error = ((x - output) ** 2).sum(-1).mean(0) @ PROBABILITY
        assert toy_model.loss(w, b, PROBABILITY) == pytest.approx(error, abs=1e-6)


def test_gradient_and_hessian_are_its_derivatives():
    found = differences(lambda t: toy_model.loss(*flat(t), PROBABILITY), THETA)
    np.testing.assert_allclose(flat_gradient(THETA), found, atol=1e-7)
    found = differences(flat_gradient, THETA)
    np.testing.assert_allclose(toy_model.hessian(*flat(THETA), PROBABILITY), found, atol=1e-7)


def test_rotations_and_relabelings_change_nothing():
    order, turn = RNG.permutation(C), np.array([[0.6, -0.8], [0.8, 0.6]])
    expected = toy_model.loss(WEIGHTS, BIAS, PROBABILITY)
    turned = toy_model.loss(turn @ WEIGHTS, BIAS, PROBABILITY)
    np.testing.assert_allclose(turned, expected, rtol=1e-12)
    again = toy_model.loss(WEIGHTS[..., order], BIAS[..., order], PROBABILITY[order])
    np.testing.assert_allclose(again, expected, rtol=1e-12)


def test_silence_costs_the_second_moment_and_one_batch_holds_many():
    silent = toy_model.loss(np.zeros((3, 4, 2, C)), -np.ones(C))
    np.testing.assert_allclose(silent, np.full((3, 4), 1 / 3))


SIDES = {  # k: l, b, h_k
    4: (1.0, 0.0, 0.0),
    5: (1.17046, -0.28230, 0.23738),
    6: (1.32053, -0.61814, 0.86746),
    7: (1.44839, -0.96691, 1.74870),
    8: (1.55045, -1.29119, 2.77310),
}


@pytest.mark.parametrize(("k", "numbers"), SIDES.items())
def test_sides_and_levels_as_printed(k, numbers):
    point = k_gon(k, k)
    found = point.length, point.level, 3 * k * point.loss
    np.testing.assert_allclose(found, numbers, rtol=0, atol=0.5e-5 + 1e-12)


@pytest.mark.parametrize("num_features", [4, 5, 6, 7, 8])
def test_every_k_gon_is_critical_and_at_its_level(num_features):
    for point in k_gons(num_features):
        by_weights, by_bias = toy_model.gradient(point.weights, point.bias)
        assert np.abs(by_weights).max() < 1e-15
        assert np.abs(by_bias).max() < 1e-15
        k, s = point.num_vertices, point.num_positive
        h = 3 * k * k_gon(k, k).loss
        level = (h + num_features - k) / (3 * num_features) - s / (4 * num_features**2)
        assert point.loss == pytest.approx(level, abs=1e-15)


LEVELS = {  # name: loss, half of the squared norm
    "4": (0.11111, 2.00000),
    "4+": (0.10417, 2.00347),
    "4++": (0.09722, 2.00694),
    "5": (0.06874, 3.62417),
    "5+": (0.06180, 3.62764),
    "6": (0.04819, 6.37767),
}


def test_levels_and_norms_of_six_features_as_printed():
    points = {point.name: point for point in k_gons(6)}
    assert list(points) == list(LEVELS)
    for name, (level, half_norm) in LEVELS.items():
        point = points[name]
        assert point.loss == pytest.approx(level, abs=0.5e-5 + 1e-12)
        # The norms were printed from sides rounded to five digits.
        rounding = 0.5e-5 * (1 + point.num_vertices * (point.length - point.level))
        assert point.half_norm == pytest.approx(half_norm, abs=rounding)


@pytest.mark.parametrize(
    ("k", "c", "value"),
    [(4, 4, 0.0), (4, 5, 0.06667), (5, 5, 0.01583), (7, 7, 0.08327), (8, 8, 0.11555)],
)
def test_losses_of_other_numbers_of_features_as_printed(k, c, value):
    assert k_gon(k, c).loss == pytest.approx(value, abs=0.5e-5)


@pytest.mark.parametrize(
    ("k", "c", "s", "rank"),
    [(5, 5, 0, 14), (6, 6, 0, 17), (7, 7, 0, 20), (8, 8, 0, 23), (5, 6, 0, 14), (5, 6, 1, 17)],
)
def test_ranks_and_coefficients(k, c, s, rank):
    point = k_gon(k, c, s)
    eigenvalues = np.linalg.eigvalsh(toy_model.hessian(point.weights, point.bias))
    assert eigenvalues[0] > -1e-14  # a minimum in every direction that bends
    assert eigenvalues[3 * c - rank] > 1e-3
    assert point.hessian_rank == rank
    assert point.coefficient.value == rank / 2
    assert point.coefficient.multiplicity == 1


def test_a_dead_feature_is_exactly_flat_near_the_k_gon():
    point = k_gon(5, 6)
    near = RNG.uniform(-0.17, 0.17, size=(1000, 3))  # w · W_j stays below -b = 0.282
    w, b = np.tile(point.weights, (1000, 1, 1)), np.tile(point.bias, (1000, 1))
    w[:, :, 5] = near[:, :2]
    b[:, 5] += near[:, 2]
    np.testing.assert_array_equal(toy_model.loss(w, b), point.loss)


def test_names_by_loss_and_by_shape():
    points = k_gons(6)
    names = [point.name for point in points]
    assert name_by_loss([point.loss for point in points], 6).tolist() == names
    assert name_by_loss([0.05, 0.0619], 6).tolist() == ["", "5+"]
    w = np.stack([point.weights for point in points])
    b = np.stack([point.bias for point in points])
    assert name_by_shape(w, b).tolist() == names
    turn = np.array([[0.6, -0.8], [-0.8, -0.6]])
    noise = 0.05 * RNG.normal(size=w.shape)
    order = RNG.permutation(6)
    assert name_by_shape(turn @ w[..., order] + noise, b[..., order]).tolist() == names


def test_half_a_polygon_and_a_dent_have_no_name():
    half = np.array([[1.0, 0.0, -1.0, 0.1], [0.0, 1.0, 0.2, 1.2]])
    dent = polygon(5) * np.array([1.0, 1.0, 1.0, 1.0, 0.6])
    dent[:, 4] = 0.45 * (dent[:, 0] + dent[:, 3])
    assert name_by_shape(half, np.zeros(4)) == ""
    assert name_by_shape(2 * dent, np.zeros(5)) == ""


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: toy_model.loss(np.zeros((3, 6)), np.zeros(6)), r"weights must be \(..., 2, c\)"),
        (lambda: toy_model.loss(WEIGHTS, BIAS, [0.5, 0.5]), "probability must be 6 numbers"),
        (lambda: toy_model.loss(WEIGHTS, BIAS, [0.5] * 6), "that sum to 1"),
        (lambda: k_gon(3, 6), "num_vertices must be from 4 to 16; it is 3"),
        (lambda: k_gon(5, 6, 2), "num_positive must be from 0 to .* = 1; it is 2"),
        (lambda: k_gon(4, 6).coefficient, "known for 5 to 8 vertices, and this is a 4-gon"),
    ],
)
def test_mistakes_are_named(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
