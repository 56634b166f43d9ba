import math

import numpy as np
import pytest
from scipy.stats import kstest, norm

from empirics.linear_network import (
    LinearNetworkCell,
    gradients,
    initial_layers,
    linear_network_onsets,
    train_linear_networks,
)
from theory.curve import Origin, Progress
from theory.ladder import Ladder


def cells_of_every_kind():
    """Return small cells that together go through every branch of training."""
    return [
        LinearNetworkCell(1.0, 0.05, 0.1),
        LinearNetworkCell(1.5, 0.05, 0.1, hidden_units=4, n_modes=3, mode_ratio=0.6),
        LinearNetworkCell(1.0, 0.05, 0.4, depth=3, hidden_units=5),
        LinearNetworkCell(1.0, 0.05, 0.3, depth=3, n_modes=2, balanced=True),
    ]


def product(layers):
    whole = layers[0]
    for layer in layers[1:]:
        whole = layer @ whole
    return whole


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_descent_follows_the_mean_squared_error_of_a_regression(depth):
    """Central differences of the loss over white inputs and their labels."""
    rng = np.random.default_rng(depth)
    widths = [2, *[3] * (depth - 1), 2]
    layers = [rng.normal(size=(1, o, i)) for i, o in zip(widths, widths[1:], strict=False)]
    target = rng.normal(size=(1, 2, 2))
    inputs = math.sqrt(10) * np.linalg.qr(rng.normal(size=(10, 2)))[0].T
    labels = target[0] @ inputs

    def loss():
        return np.mean(np.sum((product([w[0] for w in layers]) @ inputs - labels) ** 2, axis=0)) / 2

    for layer, gradient in zip(layers, gradients(layers, target), strict=True):
        for index in np.ndindex(layer.shape):
            kept = layer[index]
            layer[index] = kept + 1e-5
            above = loss()
            layer[index] = kept - 1e-5
            below = loss()
            layer[index] = kept
            assert gradient[index] == pytest.approx((above - below) / 2e-5, rel=1e-6, abs=1e-8)


def test_a_map_of_other_directions_is_learned_alike():
    rng = np.random.default_rng(0)
    left, right = (np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in range(2))
    layers = [rng.normal(size=(1, 4, 3)), rng.normal(size=(1, 3, 4))]
    target = np.diag([3.0, 2.0, 1.0])[None]
    plain = gradients(layers, target)
    turned = gradients([layers[0] @ right.T, left @ layers[1]], left @ target @ right.T)
    np.testing.assert_allclose(turned[0], plain[0] @ right.T, atol=1e-12)
    np.testing.assert_allclose(turned[1], left @ plain[1], atol=1e-12)


def trained_by_hand(cell, seed, updates):
    """Return the products after each update, of explicit loops over layers and entries."""
    layers = [layer.copy() for layer in initial_layers(cell, seed)]
    target = np.diag(cell.singular_values)
    kept = [product(layers)]
    for _ in range(updates):
        error = product(layers) - target
        moves = []
        for index in range(len(layers)):
            before = product([np.eye(cell.n_modes), *layers[:index]])
            after = product([np.eye(layers[index].shape[0]), *layers[index + 1 :]])
            moves.append(np.einsum("ia,ij,bj->ab", after, error, before))
        layers = [w - cell.learning_rate * m for w, m in zip(layers, moves, strict=True)]
        kept.append(product(layers))
    return np.array(kept)


@pytest.mark.parametrize("cell", cells_of_every_kind(), ids=lambda cell: cell.label)
def test_curves_are_those_of_training_by_hand(cell):
    (run,) = train_linear_networks([cell], [3], updates=150)
    kept = trained_by_hand(cell, 3, 150)
    t = run.curve("strength").t.astype(int)
    shares = np.diagonal(kept, axis1=1, axis2=2) / cell.singular_values
    np.testing.assert_allclose(run.curve("strength").y, kept[t, 0, 0], atol=1e-12)
    np.testing.assert_allclose(run.curve("share").y, shares[t, 0], atol=1e-12)
    for mode in range(1, cell.n_modes):
        np.testing.assert_allclose(run.curve(f"share_{mode + 1}").y, shares[t, mode], atol=1e-12)
    errors = np.sum((kept - np.diag(cell.singular_values)) ** 2, axis=(1, 2)) / 2
    np.testing.assert_allclose(run.curve("loss").y, errors[t], atol=1e-12)
    crossed = np.flatnonzero(shares[:, 0] >= 0.5)
    assert run.onset.upper == (crossed[0] if crossed.size else math.inf)
    assert len(run.curves) == cell.n_modes + 2


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_balanced_modes_are_one_number_each(depth):
    cell = LinearNetworkCell(0.8, 0.05, 0.4, depth=depth, n_modes=2, balanced=True)
    (run,) = train_linear_networks([cell], [0], updates=200)
    for name, s in (("share", 0.8), ("share_2", 0.4)):
        w, strengths = 0.4, [0.4**depth]
        for _ in range(200):
            w += 0.05 * w ** (depth - 1) * (s - w**depth)
            strengths.append(w**depth)
        t = run.curve(name).t.astype(int)
        np.testing.assert_allclose(run.curve(name).y, np.array(strengths)[t] / s, rtol=1e-10)


def test_weights_begin_normal():
    cell = LinearNetworkCell(1.0, initial_scale=0.2, depth=3, hidden_units=3, n_modes=2)
    drawn = [initial_layers(cell, seed) for seed in range(300)]
    assert [layer.shape for layer in drawn[0]] == [(3, 2), (3, 3), (2, 3)]
    for index in range(3):
        weights = np.ravel([layers[index] for layers in drawn])
        assert kstest(weights, norm(scale=0.2).cdf).pvalue > 1e-3


def test_strong_modes_come_first():
    cell = LinearNetworkCell(1.0, 0.05, 0.01, hidden_units=10, n_modes=3)
    for run in train_linear_networks([cell], range(5), updates=4000):
        halves = [
            curve.t[np.argmax(curve.y >= 0.5)]
            for curve in map(run.curve, ("share", "share_2", "share_3"))
        ]
        assert 0 < halves[0] < halves[1] < halves[2]
        assert run.curve("loss").y[-1] < 1e-3


def test_a_run_does_not_depend_on_its_company():
    cells = cells_of_every_kind()
    together = train_linear_networks(cells, range(4), updates=250)
    for run in together[2::4]:
        (alone,) = train_linear_networks([run.cell], [run.seed], updates=250)
        assert alone == run
        assert [c.digest for c in alone.curves] == [c.digest for c in run.curves]
    assert len({run.run_id for run in together}) == len({run.run for run in together}) == 16


def test_onsets_are_those_of_whole_runs():
    for cell in cells_of_every_kind():
        onsets = linear_network_onsets(cell, 5, 3, 80)
        runs = train_linear_networks([cell], range(3, 8), updates=80)
        np.testing.assert_array_equal(onsets, [run.onset.upper for run in runs])
        for run in runs:
            y, t = run.curve("share").y, run.curve("share").t
            assert np.all(y[t <= run.onset.lower] < 0.5)


def test_a_curve_says_what_shaped_it():
    cells = [LinearNetworkCell(s) for s in (1.0, 2.0)]
    runs = train_linear_networks(cells, [0, 1], updates=30)
    assert Ladder("singular_value", [run.curve("share") for run in runs]).rungs == (1.0, 2.0)
    curve = runs[-1].curve("share")
    assert curve.support is None
    assert curve.progress is Progress.UPDATES and curve.origin is Origin.MEASURED
    assert dict(curve.conditions) == {
        "singular_value": 2.0,
        "learning_rate": 0.01,
        "initial_scale": 0.03,
        "depth": 2,
        "hidden_units": 1,
        "n_modes": 1,
        "balanced": False,
        "update_rule": "gradient_descent",
        "exact_gradient": True,
        "seed": 1,
    }
    balanced = LinearNetworkCell(1.0, n_modes=2, balanced=True).conditions(0)
    assert "hidden_units" not in balanced and balanced["mode_ratio"] == 0.5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"singular_value": 0.0}, "singular_value must be positive; it is 0.0"),
        ({"initial_scale": -1.0}, "initial_scale must be positive; it is -1.0"),
        ({"depth": 1}, "depth must be at least 2; it is 1"),
        ({"hidden_units": 0}, "hidden_units must be at least 1; it is 0"),
        ({"n_modes": 2.5}, "n_modes must be a whole number; it is 2.5"),
        ({"balanced": True, "hidden_units": 3}, "hidden_units does not act on balanced layers"),
        ({"mode_ratio": 2.0}, "mode_ratio does not act on one mode; it is 2.0"),
        ({"learning_rate": 1.0}, "learning_rate must be less than .* 1 at singular value 1, for"),
        ({"learning_rate": 0.3, "n_modes": 3, "mode_ratio": 2.0}, "0.25 at singular value 4"),
    ],
)
def test_wrong_cells_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        LinearNetworkCell(**{"singular_value": 1.0, **changes})


def test_wrong_requests_are_refused():
    cell = LinearNetworkCell(1.0)
    with pytest.raises(ValueError, match="updates must be at least 1; it is 0"):
        train_linear_networks([cell], [0], updates=0)
    with pytest.raises(ValueError, match="n_seeds must be at least 1; it is 0"):
        linear_network_onsets(cell, 0, 0, 10)
    with pytest.raises(ValueError, match="training diverged, .* make learning_rate smaller"):
        train_linear_networks([LinearNetworkCell(1.0, 0.9, 9.0)], [0], updates=60)
