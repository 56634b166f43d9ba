"""Noises: exact densities against dense Gaussians, limits, laws of units, and simulation."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.stats import binom, multivariate_normal

from theory.curve import Curve
from theory.noise import NOISES, MeanLinked, Noise, NoiseKind, noises_for
from theory.noises.mean_linked import ends_of

Array = NDArray[np.float64]

N = 30
COUNTED = ("beta_binomial", "binomial")
GAUSSIAN = ("ar1_white", "known_se", "moving_average", "ou_white", "white")
UNCORRELATED = ("known_se", "mean_linked", "student_t", "white", *COUNTED)
GRIDS = {
    "even": 0.25 * np.arange(1.0, N + 1),
    "uneven": np.cumsum(np.random.default_rng(3).exponential(size=N)),
    "geometric": np.geomspace(1e-2, 1e4, N),
}


def make_curve(*, with_se: bool) -> Curve:
    rng = np.random.default_rng(3)
    t = np.cumsum(rng.exponential(size=N))  # uneven
    return Curve("x", t, rng.normal(size=N), y_se=rng.uniform(0.1, 0.5, N) if with_se else None)


def covariance(noise: Noise, curve: Curve, psi: Array) -> Array:
    known = np.zeros(N) if curve.y_se is None else curve.y_se**2
    values = dict(zip(noise.names, psi, strict=True))
    clock = np.arange(N) if noise.name == "ar1_white" else curve.t
    dense = np.diag(known + values.get("sd_white", 0.0) ** 2)
    distance = np.abs(clock[:, None] - clock)
    if "window" in values:
        dense += values["sd_wander"] ** 2 * np.maximum(0.0, 1 - distance / values["window"])
    elif "sd_wander" in values:
        dense += values["sd_wander"] ** 2 * np.exp(-distance / values["correlation_time"])
    return dense


def counted_curve() -> Curve:
    rng = np.random.default_rng(13)
    trials = rng.integers(2, 60, size=N)
    return Curve("x", GRIDS["uneven"], rng.binomial(trials, 0.4) / trials, n_trials=trials)


def suited(noise: Noise) -> Curve:
    """A curve with the columns that the noise needs."""
    return counted_curve() if noise.name in COUNTED else make_curve(with_se=True)


def draw_psi(noise: Noise, size: int, rng: np.random.Generator) -> Array:
    spread = {kind: lambda n: np.exp(rng.normal(size=n)) for kind in NoiseKind}
    spread[NoiseKind.FREEDOM] = lambda n: np.exp(rng.uniform(0.7, 4.6, size=n))
    spread[NoiseKind.OVERDISPERSION] = lambda n: np.exp(rng.uniform(-7, -0.7, size=n))
    columns = [spread[parameter.kind](size) for parameter in noise.parameters]
    return np.column_stack(columns) if columns else np.empty((size, 0))


# ---- Gaussian noises ----------------------------------------------------------------------------


@pytest.mark.parametrize("with_se", [False, True])
@pytest.mark.parametrize("name", ["white", "known_se", "ou_white", "ar1_white", "moving_average"])
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


@pytest.mark.parametrize("name", ["white", "ou_white", "ar1_white", "moving_average"])
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


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("name", GAUSSIAN)
def test_whitening_makes_the_covariance_the_identity(name: str, grid: str) -> None:
    """``L^-1 S L^-T = I``, and ``L`` looks only back: whitened residuals are prediction errors."""
    noise = NOISES[name]
    y_se = np.linspace(0.1, 0.4, N)
    curve = Curve("x", GRIDS[grid], np.zeros(N), y_se=y_se)
    psi = draw_psi(noise, 5, np.random.default_rng(15))
    inverse = noise.whiten(np.eye(N)[None], curve, psi)[0].swapaxes(1, 2)
    for b in range(5):
        identity = inverse[b] @ covariance(noise, curve, psi[b]) @ inverse[b].T
        np.testing.assert_allclose(identity, np.eye(N), rtol=0, atol=1e-10)
        np.testing.assert_allclose(np.triu(inverse[b], 1), 0, rtol=0, atol=1e-12)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("name", GAUSSIAN)
def test_shared_columns_broadcast_over_draws(name: str, grid: str) -> None:
    noise, curve = NOISES[name], Curve("x", GRIDS[grid], np.zeros(N), y_se=np.full(N, 0.1))
    psi = draw_psi(noise, 5, np.random.default_rng(6))
    column = np.random.default_rng(7).normal(size=(1, 2, N))
    shared, _ = noise.whiten(column, curve, psi)
    repeated, _ = noise.whiten(np.repeat(column, 5, axis=0), curve, psi)
    np.testing.assert_array_equal(shared, repeated)


@pytest.mark.parametrize("name", sorted(set(NOISES) - set(GAUSSIAN)))
def test_noise_that_is_not_gaussian_is_not_whitened(name: str) -> None:
    noise = NOISES[name]
    assert not noise.gaussian
    psi = draw_psi(noise, 1, np.random.default_rng(0))
    with pytest.raises(ValueError, match=f"{name} noise cannot be whitened"):
        noise.whiten(np.ones((1, 1, N)), suited(noise), psi)


# ---- logs that are moving averages --------------------------------------------------------------


@pytest.mark.parametrize("se", ["none", "equal", "unequal"])
@pytest.mark.parametrize("grid", GRIDS)
def test_moving_average_is_the_dense_gaussian_on_any_grid(grid: str, se: str) -> None:
    """Also with next to no white noise, where the covariance is nearly singular."""
    noise, t = NOISES["moving_average"], GRIDS[grid]
    y_se = {"none": None, "equal": np.full(N, 1e-4), "unequal": np.linspace(1e-4, 0.2, N)}[se]
    smallest, longest = np.diff(t).min(), t[-1] - t[0]
    windows = [0.5 * smallest, smallest, 3.3 * smallest, 0.2 * longest, 0.7 * longest, 5 * longest]
    psi = np.array([[1.0, window, sd] for window in windows for sd in (0.3, 1e-4)])
    rng = np.random.default_rng(16)
    for p in psi:
        flat = Curve("x", t, np.zeros(N), y_se=y_se)
        curve = Curve("x", t, noise.simulate(np.zeros(N), flat, p, rng=rng), y_se=y_se)
        got = noise.log_likelihood(np.zeros((1, N)), curve, p[None])[0]
        want = multivariate_normal(np.zeros(N), covariance(noise, curve, p)).logpdf(curve.y)
        np.testing.assert_allclose(got, want, rtol=1e-8, atol=1e-6)


@pytest.mark.parametrize("grid", GRIDS)
def test_moving_average_stays_positive_definite(grid: str) -> None:
    """White noise a ten-thousandth of the averaged one, as small as its prior lets it be."""
    t = np.interp(np.linspace(0, N - 1, 300), np.arange(N), GRIDS[grid])
    curve = Curve("x", t, np.zeros(300))
    windows = np.geomspace(np.diff(t).min(), t[-1], 40)
    psi = np.column_stack((np.ones(40), windows, np.full(40, 1e-4)))
    whitened, half_log_det = NOISES["moving_average"].whiten(np.ones((1, 1, 300)), curve, psi)
    assert np.all(np.isfinite(whitened)) and np.all(np.isfinite(half_log_det))
    # No eigenvalue is below sd_white^2, none above the trace.
    assert np.all(half_log_det > 300 * np.log(1e-4))
    assert np.all(half_log_det < 150 * np.log(1 + 1e-8) + 1e-6)


@pytest.mark.parametrize("window", [1, 2, 7, N + 5])
def test_a_mean_of_the_last_points_has_the_covariance_of_moving_average_noise(window: int) -> None:
    gap, sd = 0.25, 0.8
    average = np.zeros((N, N + window - 1))
    for i in range(N):
        average[i, i : i + window] = 1 / window
    psi = np.array([sd / math.sqrt(window), window * gap, 0.0])
    curve = Curve("x", GRIDS["even"], np.zeros(N))
    dense = sd**2 * average @ average.T
    np.testing.assert_allclose(covariance(NOISES["moving_average"], curve, psi), dense, atol=1e-15)
    y = average @ np.random.default_rng(17).normal(size=N + window - 1)
    curve = Curve("x", GRIDS["even"], y)
    psi[2] = 0.1
    got = NOISES["moving_average"].log_likelihood(np.zeros((1, N)), curve, psi[None])[0]
    want = multivariate_normal(np.zeros(N), dense + 0.01 * np.eye(N)).logpdf(y)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-10)


@pytest.mark.parametrize("with_se", [False, True])
def test_a_window_shorter_than_every_gap_is_white(with_se: bool) -> None:
    curve = make_curve(with_se=with_se)
    short = float(np.diff(curve.t).min())  # averages that share nothing
    y_hat = np.zeros((1, N))
    got = NOISES["moving_average"].log_likelihood(y_hat, curve, np.array([[0.3, short, 0.4]]))
    white = NOISES["white"].log_likelihood(y_hat, curve, np.array([[0.5]]))
    np.testing.assert_allclose(got, white, rtol=0, atol=1e-10)


def test_moving_average_keeps_its_law_when_points_are_left_out() -> None:
    """The precision of a subset is that of its own rows of the covariance, whatever the grid."""
    t = GRIDS["even"]
    kept = np.array([0, 1, 2, 5, 11, 12, 20, 29])
    psi = np.array([[0.7, 1.9, 0.2]])
    y = np.random.default_rng(18).normal(size=N)
    thin, whole = Curve("x", t[kept], y[kept]), Curve("x", t, y)
    got = NOISES["moving_average"].log_likelihood(np.zeros((1, kept.size)), thin, psi)[0]
    dense = covariance(NOISES["moving_average"], whole, psi[0])[np.ix_(kept, kept)]
    np.testing.assert_allclose(got, multivariate_normal(cov=dense).logpdf(y[kept]), atol=1e-10)


# ---- wander -------------------------------------------------------------------------------------


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


# ---- heavy tails --------------------------------------------------------------------------------


@pytest.mark.parametrize("with_se", [False, True])
def test_student_t_is_that_of_scipy(with_se: bool) -> None:
    noise, curve = NOISES["student_t"], make_curve(with_se=with_se)
    rng = np.random.default_rng(19)
    psi, y_hat = draw_psi(noise, 7, rng), rng.normal(scale=20.0, size=(7, N))
    known = 0.0 if curve.y_se is None else curve.y_se
    want = [
        stats.t(freedom, mean, np.hypot(scale, known)).logpdf(curve.y).sum()
        for mean, (scale, freedom) in zip(y_hat, psi, strict=True)
    ]
    np.testing.assert_allclose(noise.log_likelihood(y_hat, curve, psi), want, rtol=1e-12)


def test_student_t_of_many_degrees_of_freedom_is_white() -> None:
    curve, y_hat = make_curve(with_se=True), np.zeros((1, N))
    got = NOISES["student_t"].log_likelihood(y_hat, curve, np.array([[0.5, 1e10]]))
    white = NOISES["white"].log_likelihood(y_hat, curve, np.array([[0.5]]))
    np.testing.assert_allclose(got, white, rtol=0, atol=1e-7)


# ---- noise that grows with the curve ------------------------------------------------------------


@pytest.mark.parametrize("with_se", [False, True])
@pytest.mark.parametrize("support", [None, (-6.0, 9.0)])
def test_mean_linked_is_an_independent_gaussian_of_its_own_size(
    support: tuple[float, float] | None, with_se: bool
) -> None:
    plain = make_curve(with_se=with_se)
    curve = Curve("x", plain.t, plain.y, y_se=plain.y_se, support=support)
    low, high = support or np.quantile(plain.y, [0.025, 0.975])
    rng = np.random.default_rng(20)
    psi, y_hat = draw_psi(NOISES["mean_linked"], 7, rng), rng.normal(scale=5.0, size=(7, N))
    known = 0.0 if plain.y_se is None else plain.y_se
    want = []
    for mean, (sd_low, sd_high) in zip(y_hat, psi, strict=True):
        sd = sd_low * (sd_high / sd_low) ** np.interp(mean, [low, high], [0.0, 1.0])
        want.append(stats.norm(mean, np.hypot(sd, known)).logpdf(plain.y).sum())
    got = NOISES["mean_linked"].log_likelihood(y_hat, curve, psi)
    np.testing.assert_allclose(got, want, rtol=1e-12)


def test_mean_linked_of_two_equal_sizes_is_white() -> None:
    curve, y_hat = make_curve(with_se=True), np.linspace(-1, 1, N)[None]
    got = NOISES["mean_linked"].log_likelihood(y_hat, curve, np.array([[0.4, 0.4]]))
    white = NOISES["white"].log_likelihood(y_hat, curve, np.array([[0.4]]))
    np.testing.assert_allclose(got, white, rtol=1e-13)


def test_ends_of_mean_linked_noise_can_be_held_for_a_part_of_the_curve() -> None:
    curve = make_curve(with_se=False)
    part = Curve("x", curve.t[:12], curve.y[:12])
    psi, y_hat = np.array([[0.1, 0.7]]), np.linspace(-2, 2, N)[None]
    held = MeanLinked().anchored(curve)
    assert held.ends == ends_of(curve) and held.anchored(part) is not None
    assert held.anchored(part).ends == held.ends
    sd = 0.1 * 7.0 ** np.interp(y_hat[0], ends_of(curve), [0.0, 1.0])
    want = stats.norm(y_hat[0, :12], sd[:12]).logpdf(part.y).sum()
    got = held.log_likelihood(y_hat[:, :12], part, psi)[0]
    np.testing.assert_allclose(got, want, rtol=1e-12)
    assert got != MeanLinked().log_likelihood(y_hat[:, :12], part, psi)[0]
    np.testing.assert_array_equal(
        held.log_likelihood(y_hat, curve, psi), MeanLinked().log_likelihood(y_hat, curve, psi)
    )


def test_ends_are_refused_where_they_are_none() -> None:
    flat = Curve("reward", np.arange(1.0, 5), np.full(4, 2.0))
    with pytest.raises(ValueError, match="reward is 2.0 everywhere"):
        NOISES["mean_linked"].log_likelihood(np.zeros((1, 4)), flat, np.ones((1, 2)))
    with pytest.raises(ValueError, match=r"must increase; they are \(1.0, 1.0\)"):
        MeanLinked((1.0, 1.0))
    spike = np.where(np.arange(200) == 17, 3.0, 0.0)
    assert ends_of(Curve("x", np.arange(1.0, 201), spike)) == (0.0, 3.0)


# ---- counts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("trials", [1, 2, 30, 700])
def test_beta_binomial_is_that_of_scipy(trials: int) -> None:
    rng = np.random.default_rng(21)
    n_trials = np.full(N, trials)
    counts = rng.integers(0, trials + 1, size=N)
    curve = Curve("x", GRIDS["even"], counts / trials, n_trials=n_trials)
    psi, y_hat = draw_psi(NOISES["beta_binomial"], 7, rng), rng.uniform(0.01, 0.99, size=(7, N))
    want = []
    for p, (rho,) in zip(y_hat, psi, strict=True):
        size = 1 / rho - 1
        log_mass = stats.betabinom(trials, p * size, (1 - p) * size).logpmf(counts)
        want.append(log_mass.sum() + N * np.log(trials))
    got = NOISES["beta_binomial"].log_likelihood(y_hat, curve, psi)
    np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("rho", [1e-14, 1e-9, 1e-5, 1e-3, 0.1, 0.5, 0.999])
@pytest.mark.parametrize("p", [0.0, 1e-9, 0.3, 1 - 1e-9, 1.0])
def test_beta_binomial_is_the_product_of_its_factors(p: float, rho: float) -> None:
    theta = rho / (1 - rho)

    def logs(start: float, count: int) -> list[float]:
        factors = [start + i * theta for i in range(count)]
        return [math.log(f) if f > 0 else -math.inf for f in factors]

    for successes, trials in [(0, 40), (1, 40), (17, 40), (40, 40), (2500, 10_000)]:
        curve = Curve("x", np.array([1.0]), np.array([successes / trials]), n_trials=[trials])
        terms = logs(p, successes) + logs(1 - p, trials - successes)
        terms += [-x for x in logs(1.0, trials)]
        log_choose = sum(math.log((trials - i) / (i + 1)) for i in range(successes))
        want = (
            math.fsum(terms) + log_choose + math.log(trials)
            if math.inf not in map(abs, terms)
            else -math.inf
        )
        got = NOISES["beta_binomial"].log_likelihood(np.array([[p]]), curve, np.array([[rho]]))[0]
        np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-10)


def test_beta_binomial_without_overdispersion_is_binomial() -> None:
    curve = counted_curve()
    y_hat = np.random.default_rng(22).uniform(0, 1, size=(50, N))
    y_hat[0, curve.y == 0], y_hat[1, curve.y == 1] = 0.0, 1.0
    got = NOISES["beta_binomial"].log_likelihood(y_hat, curve, np.full((50, 1), 1e-15))
    want = NOISES["binomial"].log_likelihood(y_hat, curve, np.empty((50, 0)))
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize("rho", [1e-3, 0.05, 0.5])
@pytest.mark.parametrize("trials", [1, 7, 100])
def test_beta_binomial_is_a_density_of_the_proportion(trials: int, rho: float) -> None:
    total = 0.0
    for successes in range(trials + 1):
        curve = Curve("x", np.array([1.0]), np.array([successes / trials]), n_trials=[trials])
        density = NOISES["beta_binomial"].log_likelihood(
            np.array([[0.37]]), curve, np.array([[rho]])
        )
        total += float(np.exp(density[0])) / trials  # a cell is 1 / trials wide
    np.testing.assert_allclose(total, 1.0, rtol=1e-12)


def test_beta_binomial_outside_the_unit_interval_is_impossible() -> None:
    curve = Curve("x", np.array([1.0, 2]), np.array([0.0, 0.5]), n_trials=[10, 10])
    y_hat = np.array([[-1e-9, 0.5], [0.5, 1.5], [np.nan, 0.5], [0.0, 0.5]])
    got = NOISES["beta_binomial"].log_likelihood(y_hat, curve, np.full((4, 1), 0.1))
    np.testing.assert_array_equal(got[:3], np.full(3, -np.inf))
    assert np.isfinite(got[3])


# ---- laws of all noises -------------------------------------------------------------------------


@pytest.mark.parametrize("name", NOISES)
def test_points_of_independent_noise_sum_to_the_curve(name: str) -> None:
    noise = NOISES[name]
    curve = suited(noise)
    rng = np.random.default_rng(6)
    psi = draw_psi(noise, 5, rng)
    y_hat = np.clip(rng.normal(0.5, 0.2, (5, curve.n_obs)), 0.05, 0.95)
    if any(p.kind in (NoiseKind.TIME, NoiseKind.COUNT) for p in noise.parameters):
        with pytest.raises(ValueError, match="a point depends on the others"):
            noise.pointwise(y_hat, curve, psi)
        return
    each = noise.pointwise(y_hat, curve, psi)
    assert each.shape == (5, curve.n_obs)
    np.testing.assert_allclose(each.sum(axis=1), noise.log_likelihood(y_hat, curve, psi), rtol=1e-9)


@pytest.mark.parametrize("name", NOISES)
def test_noises_are_registered_by_name_and_name_their_parameters_once(name: str) -> None:
    noise = NOISES[name]
    assert noise.name == name
    assert len(set(noise.names)) == len(noise.parameters)
    assert noise.gaussian == (name in GAUSSIAN)


@pytest.mark.parametrize("support", [None, (-20.0, 30.0)])
@pytest.mark.parametrize(("a", "b", "c"), [(7.0, 3.0, -2.0), (0.01, -250.0, 1000.0)])
@pytest.mark.parametrize("name", NOISES)
def test_likelihoods_move_with_the_units(
    name: str, a: float, b: float, c: float, support: tuple[float, float] | None
) -> None:
    """Under t -> a t, y -> b y + c the log density shifts by -n ln|b|.

    Proportions know no units: they are exchanged with those of failures at most.
    """
    noise = NOISES[name]
    curve = suited(noise)
    if name in COUNTED:
        b, c, support = math.copysign(1.0, b), float(b < 0), None
    moved = Curve(
        "x",
        a * curve.t,
        b * curve.y + c,
        y_se=None if curve.y_se is None else abs(b) * curve.y_se,
        n_trials=curve.n_trials,
        support=support and tuple(sorted(b * end + c for end in support)),
    )
    curve = Curve("x", curve.t, curve.y, y_se=curve.y_se, n_trials=curve.n_trials, support=support)
    rng = np.random.default_rng(23)
    psi, y_hat = draw_psi(noise, 20, rng), rng.uniform(0, 1, size=(20, N))
    units = {NoiseKind.SD: abs(b), NoiseKind.TIME: a}
    scales = [units.get(parameter.kind, 1.0) for parameter in noise.parameters]
    moved_psi = psi * scales
    if name == "mean_linked" and b < 0:
        moved_psi = moved_psi[:, ::-1]  # the low end becomes the high one
    here = noise.log_likelihood(y_hat, curve, psi)
    there = noise.log_likelihood(b * y_hat + c, moved, moved_psi)
    np.testing.assert_allclose(there - here, -N * np.log(abs(b)), rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize("name", ["white", "known_se", "ou_white", "ar1_white", "moving_average"])
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


def exact_moments(noise: Noise, curve: Curve, y_hat: Array, psi: Array) -> tuple[Array, Array]:
    """Variance and fourth central moment of every point, (n,)."""
    if noise.name in COUNTED:
        assert curve.n_trials is not None
        rho = psi[0] if noise.names else 1e-12
        trials, size = curve.n_trials, 1 / rho - 1
        law = stats.betabinom(trials, y_hat * size, (1 - y_hat) * size)
        _, variance, _, excess = law.stats(moments="mvsk")
        return variance / trials**2, (excess + 3) * variance**2 / trials**4
    known = 0.0 if curve.y_se is None else curve.y_se**2
    sd = np.full(N, psi[0]) if noise.names else np.zeros(N)
    if noise.name == "mean_linked":
        sd = psi[0] * (psi[1] / psi[0]) ** np.interp(y_hat, ends_of(curve), [0.0, 1.0])
    variance, kurtosis = sd**2 + known, 3.0
    if noise.name == "student_t":
        variance, kurtosis = variance * psi[1] / (psi[1] - 2), 3 + 6 / (psi[1] - 4)
    return variance, kurtosis * variance**2


@pytest.mark.parametrize("name", UNCORRELATED)
def test_simulated_scatter_has_its_moments(name: str) -> None:
    noise = NOISES[name]
    curve = suited(noise)
    psi = {"student_t": [0.6, 9.0], "mean_linked": [0.1, 0.8], "white": [0.6]}.get(name, [0.2])
    psi = np.array(psi[: len(noise.names)])
    y_hat = np.linspace(0.05, 0.9, N)
    rng = np.random.default_rng(24)
    draws = np.array([noise.simulate(y_hat, curve, psi, rng=rng) for _ in range(6000)]) - y_hat
    variance, fourth = exact_moments(noise, curve, y_hat, psi)
    # 30 points and two moments: 4.5 standard errors.
    assert np.max(np.abs(draws.mean(axis=0)) / np.sqrt(variance / len(draws))) < 4.5
    se = np.sqrt((fourth - variance**2) / len(draws))
    assert np.max(np.abs(np.mean(draws**2, axis=0) - variance) / se) < 4.5
    products = draws[:, 1:] * draws[:, :-1]
    se = np.sqrt(variance[1:] * variance[:-1] / len(draws))
    assert np.max(np.abs(products.mean(axis=0)) / se) < 4.5


def test_beta_binomial_curves_may_be_certain() -> None:
    curve = counted_curve()
    y_hat = np.where(np.arange(N) < 10, 0.0, 1.0)
    drawn = NOISES["beta_binomial"].simulate(
        y_hat, curve, np.array([0.3]), rng=np.random.default_rng(0)
    )
    np.testing.assert_array_equal(drawn, y_hat)


@pytest.mark.parametrize("name", NOISES)
def test_same_seed_same_noise(name: str) -> None:
    noise = NOISES[name]
    curve, y_hat = suited(noise), np.full(N, 0.4)
    psi = draw_psi(noise, 1, np.random.default_rng(25))[0]
    first, again, other = (
        noise.simulate(y_hat, curve, psi, rng=np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert np.mean(first != other) > (0.5 if name in COUNTED else 0.99)


def test_binomial_is_a_density_of_the_proportion() -> None:
    trials = np.array([5, 20, 50])
    counts = np.array([1, 13, 50])
    curve = Curve("x", np.array([1.0, 2, 3]), counts / trials, n_trials=trials)
    y_hat = np.array([[0.3, 0.5, 0.9], [0.3, 0.5, 1.0], [0.3, 0.5, 1.1], [0.3, 1.0, 0.9]])
    got = NOISES["binomial"].log_likelihood(y_hat, curve, np.empty((4, 0)))
    want = [binom.logpmf(counts, trials, p).sum() + np.log(trials).sum() for p in y_hat[:2]]
    np.testing.assert_allclose(got[:2], want, rtol=1e-12)
    np.testing.assert_array_equal(got[2:], [-np.inf, -np.inf])


def test_counts_and_known_se_say_what_they_lack() -> None:
    curve = make_curve(with_se=False)
    none = np.empty((1, 0))
    for name in COUNTED:
        psi = np.full((1, len(NOISES[name].names)), 0.1)
        with pytest.raises(ValueError, match=f"^{name} noise needs n_trials"):
            NOISES[name].log_likelihood(np.full((1, N), 0.5), curve, psi)
        odd = Curve("x", curve.t, np.full(N, 0.5), n_trials=np.full(N, 7))
        with pytest.raises(ValueError, match=f"^{name} noise needs y to be a proportion"):
            NOISES[name].log_likelihood(np.full((1, N), 0.5), odd, psi)
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
    assert names(Curve("x", t, y, window=100)) == ["white", "ou_white", "moving_average"]


@pytest.mark.parametrize("name", ["white", "known_se", "ou_white", "ar1_white", "moving_average"])
def test_what_lies_ahead_is_the_conditional_distribution_of_a_gaussian(name: str) -> None:
    rng = np.random.default_rng(5)
    t = np.cumsum(rng.uniform(0.5, 2.0, 14))
    curve = Curve("x", t, rng.standard_normal(14), y_se=rng.uniform(0.1, 0.3, 14))
    noise = NOISES[name]
    psi = rng.uniform(0.5, 2.0, (3, len(noise.parameters)))
    residual = rng.standard_normal((3, 9))
    mean, sd = noise.ahead(residual, curve, psi)
    for b in range(3):
        lower = np.linalg.inv(noise.whiten(np.eye(14)[None], curve, psi[b : b + 1])[0][0].T)
        covariance = lower @ lower.T
        along = covariance[9:, :9] @ np.linalg.inv(covariance[:9, :9])
        np.testing.assert_allclose(mean[b], along @ residual[b], atol=1e-10)
        rest = covariance[9:, 9:] - along @ covariance[:9, 9:]
        np.testing.assert_allclose(sd[b], np.sqrt(np.diag(rest)), rtol=1e-9)
