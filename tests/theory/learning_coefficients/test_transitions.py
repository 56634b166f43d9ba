"""Transitions between the phases of the toy model: printed numbers, identities, sampling."""

import math

import numpy as np
import pytest

from theory.learning_coefficients import toy_model
from theory.learning_coefficients.k_gons import k_gon, name_by_shape
from theory.learning_coefficients.transitions import (
    Phase,
    laplace_crossing,
    leading_crossing,
    leading_free_energy,
    log_dead_volume,
    log_evidence,
    phase,
    phase_weights,
)
from theory.mechanisms.free_energy import COMPLEXITY, CRITICAL, LOSS, VOLUME

C = 6
FIVE, FIVE_PLUS, SIX = (phase(k_gon(*of)) for of in ((5, C), (5, C, 1), (6, C)))


def test_leading_crossings_as_printed():
    assert round(leading_crossing(FIVE, SIX)) == 601
    assert round(leading_crossing(FIVE, SIX, prior=False)) == 445
    assert round(leading_crossing(FIVE, FIVE_PLUS)) == 1593
    # At equal coefficients nothing but the prior is paid.
    expected = (SIX.half_norm - FIVE_PLUS.half_norm) / (FIVE_PLUS.loss - SIX.loss)
    assert leading_crossing(FIVE_PLUS, SIX) == pytest.approx(expected)


def test_the_leading_crossing_is_where_the_free_energies_meet_and_the_mechanism_says_the_same():
    n = leading_crossing(FIVE, SIX)
    assert leading_free_energy(FIVE, n) == pytest.approx(leading_free_energy(SIX, n), rel=1e-12)
    gaps = {
        LOSS: FIVE.loss - SIX.loss,
        COMPLEXITY: 1.5,
        VOLUME: SIX.half_norm - FIVE.half_norm,
    }
    assert float(CRITICAL.subs(gaps).evalf()) == pytest.approx(n, rel=1e-9)


def test_crossings_by_laplace():
    # Published to one digit or two: near 250 and 500, about 780.
    whole = laplace_crossing([FIVE, FIVE_PLUS], [SIX])
    assert whole == pytest.approx(250, rel=0.05)
    assert laplace_crossing([FIVE, FIVE_PLUS], [SIX], 0.5) == pytest.approx(2 * whole, rel=1e-9)
    assert laplace_crossing([FIVE], [FIVE_PLUS]) == pytest.approx(780, rel=0.02)


@pytest.mark.parametrize(("n", "published"), [(150, 0.25), (250, 0.48), (400, 0.88), (600, 0.99)])
def test_the_weight_of_the_hexagon_against_parallel_tempering(n, published):
    found = phase_weights([FIVE, FIVE_PLUS, SIX], n)
    assert found.sum() == pytest.approx(1)
    # Laplace's method leaves out of ln Z what is of the order of Σ 1/(n h), on both sides.
    correction = sum(np.sum(1 / (n * side.curvatures)) for side in (FIVE, SIX))
    rounding = 0.005
    assert abs(found[2] - published) < published * (1 - published) * correction + rounding


@pytest.mark.parametrize("n", [0.0, 250.0, 600.0])
def test_the_dead_unit_s_integral_by_sampling_the_prior(n):
    rng = np.random.default_rng(0)
    unit, beta = rng.normal(size=(200_000, 2)), -np.abs(rng.normal(size=200_000))
    near = np.hypot(*unit.T) < 0.9
    unit, beta = unit[near], beta[near]
    w = np.broadcast_to(FIVE.weights, (len(unit), 2, C)).copy()
    b = np.broadcast_to(FIVE.bias, (len(unit), C)).copy()
    w[:, :, 5], b[:, 5] = unit, beta
    values = np.zeros(200_000)
    values[: len(unit)] = np.exp(-n * (toy_model.loss(w, b) - FIVE.loss)) / 2
    se = values.std() / math.sqrt(values.size)
    assert abs(math.exp(log_dead_volume(FIVE, n)) - values.mean()) < 4 * se


def test_without_data_the_dead_unit_s_integral_is_the_prior_s_mass():
    mass = (1 - math.exp(-(0.9**2) / 2)) / 2
    assert log_dead_volume(FIVE, 0.0) == pytest.approx(math.log(mass), abs=1e-8)


def test_the_evidence_of_a_hexagon_by_importance_sampling_around_its_circle():
    # n is large, so that Laplace's own error, of the order of Σ 1/(n h), is small.
    n, size, rng = 2e5, 20_000, np.random.default_rng(1)
    hessian = toy_model.hessian(SIX.weights, SIX.bias)
    h, axes = np.linalg.eigh(hessian)
    spread = axes[:, 1:] / np.sqrt(n * h[1:])
    noise = rng.normal(size=(size, 17))
    theta = np.concatenate([SIX.weights.ravel(), SIX.bias]) + noise @ spread.T
    w, b = theta[:, :12].reshape(-1, 2, C), theta[:, 12:]
    log_target = -n * (toy_model.loss(w, b) - SIX.loss) - np.sum(theta**2, axis=1) / 2
    log_proposal = -np.sum(noise**2, axis=1) / 2
    ratio = np.exp(log_target - log_proposal + SIX.half_norm)
    # The slice across the circle: what remains of the formula is its length and the copies.
    circle = math.log(120 * 2 * math.pi * np.linalg.norm(SIX.weights))
    gaussian = 17 / 2 * math.log(2 * math.pi) - np.sum(np.log(n * h[1:])) / 2
    prior = -9 * math.log(2 * math.pi) - SIX.half_norm
    sampled = circle + gaussian + prior - n * SIX.loss + math.log(ratio.mean())
    tolerance = 4 * ratio.std() / ratio.mean() / math.sqrt(size) + np.sum(1 / (n * h[1:]))
    assert log_evidence(SIX, n) == pytest.approx(sampled, abs=tolerance)


def test_half_of_the_dead_unit_s_integral_is_rim_at_five_thousand_samples():
    rise, log_weight = FIVE.dead_grid
    share = np.exp(log_weight - 5000 * rise - log_dead_volume(FIVE, 5000))
    assert share[rise < -1e-15].sum() == pytest.approx(0.5, abs=0.1)


def test_copies_are_orders_around_the_circle_times_choices():
    assert (FIVE.num_copies, FIVE_PLUS.num_copies, SIX.num_copies) == (6 * 24, 6 * 24, 120)
    assert phase(k_gon(5, 5)).num_copies == 24


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: phase(k_gon(5, 7)), "may have one free dead feature, for two interact; 5 has 2"),
        (lambda: phase(k_gon(4, 5, 1)), "known for 5 to 8 vertices, and this is a 4-gon"),
        (lambda: leading_crossing(SIX, FIVE), "5 must fit better than 6"),
        (lambda: laplace_crossing([SIX], [SIX]), "must change places between 20 and 100000"),
    ],
)
def test_mistakes_are_named(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_a_phase_that_fits_badly_enough_has_no_crossing():
    long = Phase("long", 2 * FIVE.weights, FIVE.bias, FIVE.probability, 1)
    with pytest.raises(ValueError, match="6 is better than long at every n"):
        leading_crossing(long, SIX)


@pytest.mark.slow
def test_the_weight_of_the_hexagon_by_parallel_tempering():
    """Langevin steps and exchanges over temperatures from the prior to n = 400, 16 replicas."""
    samples = np.array([0, 2, 5, 9, 15, 24, 36, 52, 72, 100, 135, 175, 210, 250, 295, 345, 400.0])
    weights = tempered_weights(samples, num_replicas=16, num_steps=12_000)
    for n in (250.0, 400.0):
        found = weights[:, samples == n].ravel()
        laplace = phase_weights([FIVE, FIVE_PLUS, SIX], n)[2]
        correction = sum(np.sum(1 / (n * side.curvatures)) for side in (FIVE, SIX))
        correction *= laplace * (1 - laplace)
        # Replicas exchange within their own ladder only, and are independent of each other.
        se = found.std(ddof=1) / math.sqrt(found.size)
        assert abs(found.mean() - laplace) < correction + 4 * se


def tempered_weights(samples, num_replicas, num_steps):
    """Return the share of hexagons among 5, 5+ and 6, (replicas, temperatures)."""
    rng = np.random.default_rng(0)
    shape = (len(samples), num_replicas)
    theta, step = rng.normal(size=(*shape, 18)), np.full(shape[0], 0.3)
    hits, seen = np.zeros(shape), np.zeros(shape)

    def parts(x):
        return x[..., :12].reshape(*x.shape[:-1], 2, C), x[..., 12:]

    def force(x):
        slope = [g.reshape(*x.shape[:-1], -1) for g in toy_model.gradient(*parts(x))]
        return -samples[:, None, None] * np.concatenate(slope, axis=-1) - x

    loss, pull = toy_model.loss(*parts(theta)), force(theta)
    for number in range(num_steps):
        e = step[:, None, None]
        moved = theta + e**2 / 2 * pull + e * rng.normal(size=theta.shape)
        new_loss, new_pull = toy_model.loss(*parts(moved)), force(moved)
        ahead = ((moved - theta - e**2 / 2 * pull) ** 2).sum(-1) / (2 * step[:, None] ** 2)
        back = ((theta - moved - e**2 / 2 * new_pull) ** 2).sum(-1) / (2 * step[:, None] ** 2)
        rise = samples[:, None] * (new_loss - loss) + ((moved**2 - theta**2).sum(-1)) / 2
        yes = np.log(rng.random(shape)) < ahead - back - rise
        theta, pull = (
            np.where(yes[..., None], new, old) for new, old in ((moved, theta), (new_pull, pull))
        )
        loss = np.where(yes, new_loss, loss)
        if number < num_steps // 4:
            step = step * np.exp(0.02 * (yes.mean(axis=1) - 0.6))
        low = np.arange(number % 2, shape[0] - 1, 2)
        odds = (samples[low + 1] - samples[low])[:, None] * (loss[low + 1] - loss[low])
        at, of = np.nonzero(np.log(rng.random(odds.shape)) < odds)
        for values in (theta, loss):
            upper, lower = values[low[at] + 1, of].copy(), values[low[at], of].copy()
            values[low[at], of], values[low[at] + 1, of] = upper, lower
        pull = force(theta)
        if number >= num_steps // 4 and number % 20 == 0:
            names = name_by_shape(*parts(theta))
            hits, seen = hits + (names == "6"), seen + np.isin(names, ["5", "5+", "6"])
    return (hits / np.maximum(seen, 1)).T
