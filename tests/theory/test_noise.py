"""Noises: exact densities against dense Gaussians, limits, and simulation."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom, multivariate_normal

from theory.curve import Curve
from theory.noise import NOISES, Noise, noises_for

Array = NDArray[np.float64]

N = 30


def make_curve(*, with_se: bool) -> Curve:
    rng = np.random.default_rng(3)
    t = np.cumsum(rng.exponential(size=N))  # uneven
    return Curve("x", t, rng.normal(size=N), y_se=rng.uniform(0.1, 0.5, N) if with_se else None)


def covariance(noise: Noise, curve: Curve, psi: Array) -> Array:
    known = np.zeros(N) if curve.y_se is None else curve.y_se**2
    values = dict(zip(noise.names, psi, strict=True))
    clock = np.arange(N) if noise.name == "ar1_white" else curve.t
    dense = np.diag(known + values.get("sd_white", 0.0) ** 2)
    if "sd_wander" in values:
        distance = np.abs(clock[:, None] - clock)
        dense += values["sd_wander"] ** 2 * np.exp(-distance / values["correlation_time"])
    return dense


@pytest.mark.parametrize("with_se", [False, True])
@pytest.mark.parametrize("name", ["white", "known_se", "ou_white", "ar1_white"])
def test_likelihood_is_the_dense_gaussian(name: str, with_se: bool) -> None:
    noise, curve = NOISES[name], make_curve(with_se=with_se)
    if name == "known_se" and not with_se:
        pytest.skip("needs y_se")
    rng = np.random.default_rng(4)
    psi = np.exp(rng.normal(size=(7, len(noise.names))))
    y_hat = rng.normal(size=(7, N))
    got = noise.log_likelihood(y_hat, curve, psi)
    want = [
        multivariate_normal(mean, covariance(noise, curve, p)).logpdf(curve.y)
        for mean, p in zip(y_hat, psi, strict=True)
    ]
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["white", "ou_white", "ar1_white"])
def test_whitened_columns_have_the_inner_products_of_the_precision(name: str) -> None:
    noise, curve = NOISES[name], make_curve(with_se=True)
    rng = np.random.default_rng(5)
    psi = np.exp(rng.normal(size=(4, len(noise.names))))
    columns = rng.normal(size=(4, 3, N))
    whitened, half_log_det = noise.whiten(columns, curve, psi)
    for b in range(4):
        dense = covariance(noise, curve, psi[b])
        want = columns[b] @ np.linalg.solve(dense, columns[b].T)
        np.testing.assert_allclose(whitened[b] @ whitened[b].T, want, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(half_log_det[b], 0.5 * np.linalg.slogdet(dense)[1], atol=1e-10)


def test_shared_columns_broadcast_over_draws() -> None:
    curve = make_curve(with_se=False)
    psi = np.exp(np.random.default_rng(6).normal(size=(5, 3)))
    column = np.random.default_rng(7).normal(size=(1, 2, N))
    shared, _ = NOISES["ou_white"].whiten(column, curve, psi)
    repeated, _ = NOISES["ou_white"].whiten(np.repeat(column, 5, axis=0), curve, psi)
    np.testing.assert_array_equal(shared, repeated)


@pytest.mark.parametrize("name", ["ou_white", "ar1_white"])
def test_wander_without_memory_is_white(name: str) -> None:
    curve = make_curve(with_se=False)
    y_hat = np.zeros((1, N))
    short = NOISES[name].log_likelihood(y_hat, curve, np.array([[0.3, 1e-9, 0.4]]))
    white = NOISES["white"].log_likelihood(y_hat, curve, np.array([[0.5]]))
    np.testing.assert_allclose(short, white, rtol=0, atol=1e-10)


def test_no_wander_is_white_and_no_white_is_a_random_walk_in_the_limit() -> None:
    curve = make_curve(with_se=False)
    y_hat = np.zeros((1, N))
    none = NOISES["ou_white"].log_likelihood(y_hat, curve, np.array([[1e-12, 1.0, 0.5]]))
    white = NOISES["white"].log_likelihood(y_hat, curve, np.array([[0.5]]))
    np.testing.assert_allclose(none, white, rtol=0, atol=1e-10)
    # Ornstein-Uhlenbeck alone is Markov: increments given the past are N(phi y, s^2 (1 - phi^2)).
    got = NOISES["ou_white"].log_likelihood(y_hat, curve, np.array([[1.3, 2.0, 0.0]]))[0]
    phi = np.exp(-np.diff(curve.t) / 2.0)
    spread = 1.3 * np.sqrt(1 - phi**2)
    steps = (curve.y[1:] - phi * curve.y[:-1]) / spread
    want = -0.5 * np.sum(steps**2) - np.log(spread).sum() - 0.5 * N * np.log(2 * np.pi)
    want += -0.5 * (curve.y[0] / 1.3) ** 2 - np.log(1.3)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-9)


def test_ou_and_ar1_agree_on_an_even_grid_and_ou_keeps_its_law_when_points_are_left_out() -> None:
    t = 0.25 * np.arange(1, 41)
    y = np.random.default_rng(8).normal(size=40)
    even, thin = Curve("x", t, y), Curve("x", t[::4], y[::4])
    zero = np.zeros((1, 40))
    ou = NOISES["ou_white"].log_likelihood(zero, even, np.array([[0.7, 1.5, 0.2]]))
    ar = NOISES["ar1_white"].log_likelihood(zero, even, np.array([[0.7, 6.0, 0.2]]))
    np.testing.assert_allclose(ou, ar, rtol=0, atol=1e-10)
    ou = NOISES["ou_white"].log_likelihood(zero[:, :10], thin, np.array([[0.7, 1.5, 0.2]]))
    ar = NOISES["ar1_white"].log_likelihood(zero[:, :10], thin, np.array([[0.7, 1.5, 0.2]]))
    np.testing.assert_allclose(ou, ar, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["white", "known_se", "ou_white", "ar1_white"])
def test_simulated_noise_has_its_covariance(name: str) -> None:
    noise, curve = NOISES[name], make_curve(with_se=True)
    psi = np.array([0.6, 2.0, 0.3])[: len(noise.names)]
    rng = np.random.default_rng(9)
    y_hat = np.linspace(0, 1, N)
    draws = np.array([noise.simulate(y_hat, curve, psi, rng=rng) for _ in range(4000)]) - y_hat
    dense = covariance(noise, curve, psi)
    got = draws.T @ draws / len(draws)
    # Isserlis: var of a product of Gaussians; 900 entries, so 4.5 standard errors.
    se = np.sqrt((dense**2 + np.outer(np.diag(dense), np.diag(dense))) / len(draws))
    assert np.max(np.abs(got - dense) / se) < 4.5


def test_same_seed_same_noise() -> None:
    curve = make_curve(with_se=False)
    psi = np.array([0.6, 2.0, 0.3])
    first, again, other = (
        NOISES["ou_white"].simulate(np.zeros(N), curve, psi, rng=np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert np.all(first != other)


def test_binomial_is_a_density_of_the_proportion() -> None:
    trials = np.array([5, 20, 50])
    counts = np.array([1, 13, 50])
    curve = Curve("x", np.array([1.0, 2, 3]), counts / trials, n_trials=trials)
    y_hat = np.array([[0.3, 0.5, 0.9], [0.3, 0.5, 1.0], [0.3, 0.5, 1.1], [0.3, 1.0, 0.9]])
    got = NOISES["binomial"].log_likelihood(y_hat, curve, np.empty((4, 0)))
    want = [binom.logpmf(counts, trials, p).sum() + np.log(trials).sum() for p in y_hat[:2]]
    np.testing.assert_allclose(got[:2], want, rtol=1e-12)
    np.testing.assert_array_equal(got[2:], [-np.inf, -np.inf])
    with pytest.raises(ValueError, match="cannot be whitened"):
        NOISES["binomial"].whiten(np.ones((1, 1, 3)), curve, np.empty((1, 0)))


def test_binomial_and_known_se_say_what_they_lack() -> None:
    curve = make_curve(with_se=False)
    none = np.empty((1, 0))
    with pytest.raises(ValueError, match="needs n_trials"):
        NOISES["binomial"].log_likelihood(np.full((1, N), 0.5), curve, none)
    with pytest.raises(ValueError, match="positive y_se at every point"):
        NOISES["known_se"].log_likelihood(np.zeros((1, N)), curve, none)


def test_noises_for_a_curve_follow_its_columns() -> None:
    t, y = np.arange(1.0, 5), np.array([0.0, 0.5, 0.5, 1.0])
    names = lambda curve: [noise.name for noise in noises_for(curve)]  # noqa: E731
    assert names(Curve("x", t, y)) == ["white", "ou_white"]
    with_se = Curve("x", t, y, y_se=np.full(4, 0.1))
    assert names(with_se) == ["known_se", "white", "ou_white"]
    assert names(Curve("x", t, y, y_se=np.array([0, 0.1, 0.1, 0.1]))) == ["white", "ou_white"]
    counted = Curve("x", t, y, n_trials=np.full(4, 10))
    assert names(counted) == ["white", "ou_white", "binomial"]
    odd = Curve("x", t, y, n_trials=np.full(4, 7))  # 0.5 is no proportion of 7
    assert names(odd) == ["white", "ou_white"]
