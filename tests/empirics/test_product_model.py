import math

import numpy as np
import pytest
from scipy.special import kv

from benchmarks.product_posterior import (
    BOUNDARY,
    ProductPosterior,
    resting_share,
)
from empirics.product_model import (
    ProductCell,
    gradients,
    product_onsets,
    sampled,
    train_products,
)
from empirics.run_stream import stream_of
from theory.curve import Origin, Progress
from theory.mechanisms import MECHANISMS


def cells_of_every_kind():
    """Return small cells that together go through every branch of training."""
    return [
        ProductCell(20, 0.05, initial_scale=0.4),
        ProductCell(20, 0.05, singular_value=1.5, depth=2, batch_size=4, prior_sd=0.5),
        ProductCell(30, 0.02, update_rule="langevin", prior_sd=0.3),
        ProductCell(30, 0.02, update_rule="langevin", prior_sd=0.3, batch_size=5),
        ProductCell(10, 0.02, depth=4, pretrained_samples=25, pretrained_updates=40),
    ]


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_descent_follows_the_squared_error_of_the_samples(depth):
    """Central differences of the loss over inputs that are signs."""
    rng = np.random.default_rng(depth)
    weights = rng.normal(size=(depth, 2))
    x = rng.choice([-1.0, 1.0], size=(12, 2))
    y = 0.7 * x + rng.normal(size=(12, 2))

    def loss(weights):
        return np.mean((y - weights.prod(axis=0) * x) ** 2, axis=0) / 2

    found = gradients(weights, (x * y).mean(axis=0))
    for layer in range(depth):
        step = 1e-5 * (np.arange(depth) == layer)[:, None]
        slope = (loss(weights + step) - loss(weights - step)) / 2e-5
        np.testing.assert_allclose(found[layer], slope, rtol=1e-6, atol=1e-9)


def trained_by_hand(cell, seed, updates):
    """Return the weights after each update, by loops; for cells without batches."""
    rng = stream_of(cell, seed)
    z = cell.singular_value + cell.noise_sd * rng.standard_normal(
        max(cell.samples, cell.pretrained_samples)
    )
    u = [cell.initial_scale] * cell.depth
    heat = cell.noise_sd**2 / cell.samples

    def slopes(z):
        w = math.prod(u)
        return [np.mean(w - z) * math.prod(u[:i] + u[i + 1 :]) for i in range(cell.depth)]

    for _ in range(cell.pretrained_updates):
        u = [a - cell.learning_rate * g for a, g in zip(u, slopes(z), strict=True)]
    kept = [u]
    for _ in range(updates):
        moved = []
        for a, g in zip(u, slopes(z[: cell.samples]), strict=True):
            decay = 0.0 if cell.prior_sd is None else heat * a / cell.prior_sd**2
            moved.append(a - cell.learning_rate * (g + decay))
        if cell.update_rule == "langevin":
            noise = rng.standard_normal(cell.depth)
            moved = [
                a + math.sqrt(2 * cell.learning_rate * heat) * e
                for a, e in zip(moved, noise, strict=True)
            ]
        u = moved
        kept.append(u)
    return np.array(kept)


@pytest.mark.parametrize(
    "cell", [c for c in cells_of_every_kind() if c.batch_size is None], ids=lambda cell: cell.label
)
def test_curves_are_those_of_training_by_hand(cell):
    (run,) = train_products([cell], [3], updates=120)
    strengths = trained_by_hand(cell, 3, 120).prod(axis=1)
    t = run.curve("strength").t.astype(int)
    np.testing.assert_allclose(run.curve("strength").y, strengths[t], atol=1e-12)
    shares = strengths / cell.singular_value
    np.testing.assert_allclose(run.curve("share").y, shares[t], atol=1e-12)
    losses = (strengths - cell.singular_value) ** 2 / 2
    np.testing.assert_allclose(run.curve("loss").y, losses[t], atol=1e-12)
    crossed = np.flatnonzero(shares >= 0.5)
    assert run.onset.upper == (max(crossed[0], 1) if crossed.size else math.inf)


def test_batches_are_drawn_from_the_samples():
    """One update from equal weights: mean and variance over runs of what the batch adds."""
    cell = ProductCell(6, 0.1, initial_scale=1.0, batch_size=3)
    runs = train_products([cell], range(4000), updates=1, checkpoints=2)
    weight = np.cbrt([run.curve("strength").y[1] for run in runs])
    seen = 1.0 - (1.0 - weight) / 0.1  # mean z of the batch
    data = np.array([sampled(cell, stream_of(cell, seed)) for seed in range(4000)])
    standard = (seen - data.mean(axis=1)) / np.sqrt(data.var(axis=1) / 3)
    assert abs(standard.mean()) < 4 / math.sqrt(4000)
    # Batches of three out of six have a kurtosis below the normal's.
    assert abs(standard.var() - 1) < 4 * math.sqrt(2 / 4000)


def brute_force(posterior, mean, span=7.0, n=141):
    """Return log evidence, chance of a learned product and mean product on a grid of weights."""
    axis = np.linspace(-span, span, n) * posterior.prior_sd
    grid = np.meshgrid(*[axis] * posterior.depth, indexing="ij", sparse=True)
    w = math.prod(grid)
    cell = (axis[1] - axis[0]) / (math.sqrt(2 * math.pi) * posterior.prior_sd)
    v = posterior.noise_sd**2 / posterior.samples
    log = -sum(u**2 for u in grid) / (2 * posterior.prior_sd**2) - (mean - w) ** 2 / (2 * v)
    density = np.exp(log - log.max()) * cell**posterior.depth
    total = density.sum()
    above = density[w >= BOUNDARY * posterior.singular_value].sum()
    evidence = math.log(total) + log.max() - math.log(2 * math.pi * v) / 2
    return evidence, above / total, (density * w).sum() / total


@pytest.mark.parametrize(
    ("posterior", "mean", "n"),
    [
        (ProductPosterior(12, 0.6, noise_sd=1.5), 0.9, 221),
        (ProductPosterior(20, 0.5), 0.2, 221),
        (ProductPosterior(15, 0.7, singular_value=1.4, depth=2), 1.1, 1501),
    ],
)
def test_quadrature_is_that_over_all_weights(posterior, mean, n):
    found = [float(part[0]) for part in posterior.given(mean)]
    known = brute_force(posterior, mean, n=n)
    assert found[0] == pytest.approx(known[0], abs=1e-6)
    # The grid of weights cuts the boundary in steps.
    assert found[1] == pytest.approx(known[1], abs=2e-3)
    assert found[2] == pytest.approx(known[2], abs=1e-6)


def test_critical_samples_are_where_half_of_the_weight_is_learned():
    posterior = ProductPosterior(63, 0.2)
    critical = posterior.critical_samples(of_population=True)
    at = ProductPosterior(critical, 0.2)
    assert at.given(1.0)[1][0] == pytest.approx(0.5, abs=1e-9)
    # Only noise_sd² and prior_sd relative to the singular value set the number.
    larger = ProductPosterior(1.0, 0.2 * 2 ** (1 / 3), singular_value=2.0, noise_sd=3.0)
    assert larger.critical_samples(of_population=True) == pytest.approx(critical * 9 / 4, rel=1e-9)


def test_volume_gap_is_of_the_prior_density_at_the_singular_value():
    """Of two weights the density of the product is K_0(s/prior_sd²)/(π prior_sd²)."""
    posterior = ProductPosterior(10, 0.6, singular_value=1.3, noise_sd=2.0, depth=2)
    density = kv(0, 1.3 / 0.36) / (math.pi * 0.36)
    known = -math.log(density * math.sqrt(2 * math.pi) * 2.0)
    assert posterior.volume_gap() == pytest.approx(known, abs=1e-10)


@pytest.mark.parametrize("rate", [0.02, 0.005])
def test_langevin_samples_the_posterior(rate):
    """Within four standard errors and the bias of finite steps, which falls with the rate."""
    cell = ProductCell(16, rate, update_rule="langevin", prior_sd=0.45, initial_scale=0.4)
    updates = int(60 / rate)
    runs = train_products([cell], range(150), updates=updates, checkpoints=400)
    t = runs[0].curve("strength").t
    kept = t > updates / 5
    strength = np.array([run.curve("strength").y[kept] for run in runs])
    data = np.array([sampled(cell, stream_of(cell, run.seed)).mean() for run in runs])
    _, learned, mean = ProductPosterior.of(cell).given(data)
    # The stiffest direction is too wide by the share depth · rate / 2.
    bias = cell.depth * rate / 2
    for seen, known in (
        ((strength >= BOUNDARY).mean(axis=1) - learned, learned),
        (strength.mean(axis=1) - mean, mean),
    ):
        se = seen.std(ddof=1) / math.sqrt(len(runs))
        assert se < 0.03
        assert abs(seen.mean()) < 4 * se + bias * known.mean()


def test_descent_rests_where_the_flow_ends():
    for cell in (ProductCell(63, prior_sd=0.2), ProductCell(40, prior_sd=0.2, depth=2)):
        for mean in (0.7, 0.9, 1.0, 1.3):
            for start in (0.1, 1.0):
                decay = 1 / (cell.samples * 0.2**2)
                u = start
                for _ in range(40_000):
                    u -= 0.02 * ((u**cell.depth - mean) * u ** (cell.depth - 1) + decay * u)
                assert resting_share(cell, mean, start) == pytest.approx(u**cell.depth, abs=1e-6)
    assert resting_share(ProductCell(63), 0.9, 0.1) == pytest.approx(0.9, abs=1e-9)


def test_descent_leaves_the_saddle_when_the_mechanism_says():
    """Without noise of labels every run is the mean field, but for whole steps."""
    mechanism = MECHANISMS["deeper_linear"]
    for rate in (0.002, 0.008):
        cell = ProductCell(5, rate, noise_sd=1e-9)
        (onset,) = product_onsets(cell, 1, 0, 20_000)
        assert onset == pytest.approx(mechanism.onset(cell.conditions(0)), rel=0.01)


def test_a_run_does_not_depend_on_its_company():
    together = train_products(cells_of_every_kind(), range(4), updates=150)
    for run in together[2::4]:
        (alone,) = train_products([run.cell], [run.seed], updates=150)
        assert alone == run
        assert [c.digest for c in alone.curves] == [c.digest for c in run.curves]
    assert len({run.run_id for run in together}) == len({run.run for run in together}) == 20


def test_onsets_are_those_of_whole_runs():
    for cell in cells_of_every_kind():
        onsets = product_onsets(cell, 5, 3, 80)
        runs = train_products([cell], range(3, 8), updates=80)
        np.testing.assert_array_equal(np.maximum(onsets, 1.0), [run.onset.upper for run in runs])


def test_a_curve_says_what_shaped_it():
    (run,) = train_products([ProductCell(20)], [1], updates=30)
    curve = run.curve("share")
    assert curve.support is None
    assert curve.progress is Progress.UPDATES and curve.origin is Origin.MEASURED
    assert dict(curve.conditions) == {
        "samples": 20,
        "learning_rate": 0.01,
        "singular_value": 1.0,
        "noise_sd": 1.0,
        "initial_scale": 0.1,
        "depth": 3,
        "update_rule": "gradient_descent",
        "pretrained_samples": 0,
        "pretrained_updates": 0,
        "balanced": True,
        "exact_gradient": True,
        "seed": 1,
    }
    assert ProductCell(20, batch_size=2).conditions(0)["exact_gradient"] is False


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": 0}, "samples must be at least 1; it is 0"),
        ({"samples": 2.5}, "samples must be a whole number; it is 2.5"),
        ({"depth": 1}, "depth must be at least 2; it is 1"),
        ({"batch_size": 0}, "batch_size must be at least 1; it is 0"),
        ({"noise_sd": 0.0}, "noise_sd must be positive; it is 0.0"),
        ({"prior_sd": -1.0}, "prior_sd must be positive; it is -1.0"),
        ({"update_rule": "adam"}, "no update_rule 'adam'; choose from gradient_descent, langevin"),
        ({"update_rule": "langevin"}, "langevin samples a posterior, which needs a prior_sd"),
        ({"pretrained_updates": 5}, "act together; they are 0 and 5"),
        ({"pretrained_updates": 5, "pretrained_samples": 9}, "must be at least samples, 10"),
        ({"learning_rate": 0.7}, "learning_rate must be less than .* 0.6667 at singular value 1"),
    ],
)
def test_wrong_cells_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        ProductCell(**{"samples": 10, **changes})


def test_wrong_requests_are_refused():
    cell = ProductCell(10)
    with pytest.raises(ValueError, match="updates must be at least 1; it is 0"):
        train_products([cell], [0], updates=0)
    with pytest.raises(ValueError, match="training diverged, .* make learning_rate smaller"):
        train_products([ProductCell(10, 0.6, initial_scale=9.0)], [0], updates=60)
    with pytest.raises(ValueError, match="depth must be 2 or 3 for this quadrature; it is 4"):
        ProductPosterior(10, 0.3, depth=4).learned()
    with pytest.raises(ValueError, match="a posterior needs a prior_sd; it is None"):
        ProductPosterior.of(cell)
