"""Evidence: against closed forms, dense quadrature, and independent importance sampling."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, multivariate_t, norm

from fitting.evidence import log_evidence
from fitting.fit import FitStatus
from fitting.sampling.modes import find_modes
from fitting.sampling.pareto import pareto_k
from fitting.sampling.target import Target
from theory.curve import Curve
from theory.forms import FORMS
from theory.hypothesis import Hypothesis, default_hypothesis
from theory.noise import NOISES
from theory.prior import Normal, ScaleMixture

Array = NDArray[np.float64]

SEEDS = (0, 1, 2)
TOLERANCE = 0.05  # nats: what the evidence promises


def sigmoid_curve(*, n: int, last: float, sd: float, seed: int = 11) -> Curve:
    """A logistic with midpoint 5 and rate 1.2, seen up to ``last``."""
    t = np.linspace(last / n, last, n)
    noise = sd * np.random.default_rng(seed).standard_normal(n)
    return Curve("x", t, 0.1 + 0.9 / (1 + np.exp(-1.2 * (t - 5))) + noise)


PLATEAU_SEEN = sigmoid_curve(n=200, last=10.0, sd=0.05)
PLATEAU_UNSEEN = sigmoid_curve(n=25, last=4.2, sd=0.03)


# ---- closed forms -----------------------------------------------------------------------------


def linear_gaussian(hypothesis: Hypothesis, curve: Curve, covariance: Array) -> float:
    """Log density of y, its linear parameters integrated by hand: a mixture of dense Gaussians."""
    design = FORMS[hypothesis.form.name].design(curve.t)
    parts = []
    for w0, m0, s0 in hypothesis.priors["floor"].gaussians:
        for w1, m1, s1 in hypothesis.priors["slope"].gaussians:
            mean = design @ [m0, m1]
            dense = covariance + design @ np.diag([s0**2, s1**2]) @ design.T
            residual = curve.y - mean
            square = residual @ np.linalg.solve(dense, residual)
            log_det = np.linalg.slogdet(2 * np.pi * dense)[1]
            parts.append(np.log(w0 * w1) - 0.5 * (square + log_det))
    return float(logsumexp(parts))


def make_line(n: int = 30, seed: int = 5) -> Curve:
    rng = np.random.default_rng(seed)
    t = np.sort(rng.uniform(0.1, 8, n))
    return Curve("x", t, 0.3 * t + 0.4 * rng.standard_normal(n), y_se=rng.uniform(0.3, 0.5, n))


def test_linear_gaussian_evidence_is_exact() -> None:
    curve = make_line()
    assert curve.y_se is not None
    hypothesis = default_hypothesis(FORMS["linear"], NOISES["known_se"], curve)
    fit = log_evidence(hypothesis, curve, rng=np.random.default_rng(0))
    want = linear_gaussian(hypothesis, curve, np.diag(curve.y_se**2))
    assert fit.log_evidence == pytest.approx(want, abs=1e-9)
    assert fit.log_evidence_se == 0.0
    for scale, value in fit.scaled_log_evidence.items():
        wide = default_hypothesis(FORMS["linear"], NOISES["known_se"], curve, scale=scale)
        want = linear_gaussian(wide, curve, np.diag(curve.y_se**2))
        assert value == pytest.approx(want, abs=1e-9)


def test_linear_gaussian_posterior_is_exact() -> None:
    curve = make_line()
    assert curve.y_se is not None
    default = default_hypothesis(FORMS["linear"], NOISES["known_se"], curve)
    priors = {"floor": Normal(0.0, 1.0), "slope": Normal(0.0, 0.5)}
    fit = log_evidence(replace(default, priors=priors), curve, rng=np.random.default_rng(0))
    design = FORMS["linear"].design(curve.t)
    precision = design.T @ (design / curve.y_se[:, None] ** 2) + np.diag([1.0, 4.0])
    covariance = np.linalg.inv(precision)
    mean = covariance @ design.T @ (curve.y / curve.y_se**2)
    error = (fit.draws.mean(axis=0) - mean) / np.sqrt(np.diag(covariance) / len(fit.draws))
    assert np.max(np.abs(error)) < 4
    np.testing.assert_allclose(np.cov(fit.draws.T), covariance, rtol=0.2)
    best = multivariate_normal(design @ mean, np.diag(curve.y_se**2)).logpdf(curve.y)
    assert best - 0.5 < fit.log_likelihood_max < best + 1.0


@pytest.mark.parametrize("seed", SEEDS)
def test_fitted_white_noise_agrees_with_one_dimensional_quadrature(seed: int) -> None:
    curve = replace(make_line(), y_se=None)
    hypothesis = default_hypothesis(FORMS["linear"], NOISES["white"], curve)
    prior = hypothesis.priors["sd_white"]

    def log_density(z: float) -> float:
        variance = float(prior.transport(z)) ** 2 * np.eye(curve.n_obs)
        return linear_gaussian(hypothesis, curve, variance) + float(norm.logpdf(z))

    peak = max(log_density(z) for z in np.linspace(-2, 2, 81))
    area = quad(lambda z: np.exp(log_density(z) - peak), -3, 3, limit=200)[0]
    fit = log_evidence(hypothesis, curve, rng=np.random.default_rng(seed))
    assert fit.status is FitStatus.OK
    assert fit.log_evidence == pytest.approx(peak + np.log(area), abs=TOLERANCE)
    assert fit.log_evidence_se is not None and fit.log_evidence_se < 0.02


# ---- the sigmoid, by dense quadrature -----------------------------------------------------------


def collapsed_white(curve: Curve, hypothesis: Hypothesis) -> Callable[[Array], Array]:
    """Log of prior times likelihood at z = (rate, midpoint, sd), (B, 3); floor and gain by hand.

    Written apart from the estimator: dense algebra on the data's own inner products.
    """
    names = ("rate", "midpoint", "sd_white")
    (_, center, floor_sd), *_ = hypothesis.priors["floor"].gaussians

    def log_density(z: Array) -> Array:
        theta = hypothesis.transport(z, names)
        shape = 1 / (1 + np.exp(np.clip(-theta[:, :1] * (curve.t - theta[:, 1:2]), -700, 700)))
        design = np.stack([np.ones_like(shape), shape], axis=-1)
        residual = curve.y - center
        gram = np.swapaxes(design, 1, 2) @ design
        right = residual @ design
        variance = theta[:, 2] ** 2
        parts = []
        for weight, _, gain_sd in hypothesis.priors["gain"].gaussians:
            precision = np.diag([1 / floor_sd**2, 1 / gain_sd**2])
            inner = gram / variance[:, None, None] + precision
            pull = right / variance[:, None]
            gain = np.einsum("bi,bi->b", pull, np.linalg.solve(inner, pull[..., None])[..., 0])
            log_det = np.linalg.slogdet(inner)[1] - np.linalg.slogdet(precision)[1]
            log_det += curve.n_obs * np.log(2 * np.pi * variance)
            square = residual @ residual / variance - gain
            parts.append(np.log(weight) - 0.5 * (square + log_det))
        return np.asarray(logsumexp(parts, axis=0) + norm.logpdf(z).sum(axis=1))

    return log_density


def by_quadrature(log_density: Callable[[Array], Array], points: tuple[int, int, int]) -> float:
    """Trapezoidal rule on a box that is narrowed to where the density is within 30 nats."""
    low, high = np.full(3, -5.0), np.full(3, 5.0)
    for n in ((40, 40, 40), (30, 30, 30), (30, 30, 30), (30, 30, 30), points):
        axes = [np.linspace(a, b, m) for a, b, m in zip(low, high, n, strict=True)]
        mesh = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        value = np.concatenate([log_density(part) for part in np.array_split(mesh, 60)])
        near = mesh[value > value.max() - 30]
        cell = (high - low) / (np.array(n) - 1)
        volume = float(np.log(cell).sum())
        low, high = near.min(axis=0) - cell, near.max(axis=0) + cell
    return float(logsumexp(value) + volume)


@pytest.fixture(scope="module", params=["seen", "unseen"])
def sigmoid_case(request: pytest.FixtureRequest) -> tuple[Curve, float]:
    curve = PLATEAU_SEEN if request.param == "seen" else PLATEAU_UNSEEN
    log_density = collapsed_white(
        curve, default_hypothesis(FORMS["logistic"], NOISES["white"], curve)
    )
    # The prior of the midpoint has a corner at every sampled time: where it is wide, fine steps.
    grids = {"seen": ((24, 24, 24), (32, 32, 32)), "unseen": ((60, 100, 24), (60, 200, 24))}
    coarse, fine = (by_quadrature(log_density, points) for points in grids[request.param])
    assert abs(coarse - fine) < 0.005  # the truth is known better than it is tested
    return curve, fine


@pytest.mark.parametrize("seed", SEEDS)
def test_sigmoid_evidence_agrees_with_quadrature(
    sigmoid_case: tuple[Curve, float], seed: int
) -> None:
    curve, want = sigmoid_case
    hypothesis = default_hypothesis(FORMS["logistic"], NOISES["white"], curve)
    fit = log_evidence(hypothesis, curve, rng=np.random.default_rng(seed))
    assert fit.status is FitStatus.OK
    assert fit.log_evidence == pytest.approx(want, abs=TOLERANCE)
    assert fit.log_evidence_se is not None and fit.log_evidence_se < 0.02


# ---- wander, by importance sampling written apart -----------------------------------------------


def log_spaced_curve() -> Curve:
    """White noise on a grid where wander can hide: it may be forgotten between most points."""
    t = np.geomspace(1, 1000, 25)
    return Curve("x", t, 0.07 * np.random.default_rng(12).standard_normal(25))


@pytest.fixture(scope="module")
def constant_wander() -> float:
    """Evidence of a constant under wander plus white noise: floor by hand, the rest on a grid."""
    curve = log_spaced_curve()
    hypothesis = default_hypothesis(FORMS["constant"], NOISES["ou_white"], curve)
    ((_, center, floor_sd),) = hypothesis.priors["floor"].gaussians
    axes = [np.linspace(-4, 4, m) for m in (161, 33, 161)]
    total = []
    for z0 in axes[0]:
        z = np.stack(np.meshgrid([z0], *axes[1:], indexing="ij"), axis=-1).reshape(-1, 3)
        psi = hypothesis.transport(z, hypothesis.noise.names)
        columns = np.stack([curve.y - center, np.ones(curve.n_obs)])[None]
        whitened, half_log_det = hypothesis.noise.whiten(columns, curve, psi)
        gram = np.einsum("bin,bjn->bij", whitened, whitened)
        inner = 1 / floor_sd**2 + gram[:, 1, 1]
        square = gram[:, 0, 0] - gram[:, 0, 1] ** 2 / inner
        log_det = half_log_det + 0.5 * np.log(inner * floor_sd**2)
        constant = 0.5 * curve.n_obs * np.log(2 * np.pi)
        total.append(logsumexp(-0.5 * square - log_det - constant + norm.logpdf(z).sum(axis=1)))
    return float(logsumexp(total) + 2 * np.log(8 / 160) + np.log(8 / 32))


@pytest.mark.parametrize("seed", SEEDS)
def test_wander_that_hides_as_white_noise_is_found(constant_wander: float, seed: int) -> None:
    curve = log_spaced_curve()
    hypothesis = default_hypothesis(FORMS["constant"], NOISES["ou_white"], curve)
    fit = log_evidence(hypothesis, curve, rng=np.random.default_rng(seed))
    assert fit.status is FitStatus.OK
    assert fit.log_evidence == pytest.approx(constant_wander, abs=TOLERANCE)


@pytest.mark.slow
def test_wander_evidence_agrees_with_independent_importance_sampling() -> None:
    """All 7 parameters at once, dense covariances, one wide t and the prior as proposal."""
    curve = sigmoid_curve(n=24, last=10.0, sd=0.1)
    hypothesis = default_hypothesis(FORMS["logistic"], NOISES["ou_white"], curve)
    guide = log_evidence(hypothesis, curve, rng=np.random.default_rng(100), draws=4000)
    rng = np.random.default_rng(1000)
    z_guide = hypothesis.standard(guide.draws)
    d, size = z_guide.shape[1], 800_000
    wide = multivariate_t(z_guide.mean(axis=0), 1.5 * np.cov(z_guide.T), df=5, seed=rng)
    z = np.where(rng.random((size, 1)) < 0.3, rng.standard_normal((size, d)), wide.rvs(size))
    log_prior = norm.logpdf(z).sum(axis=1)
    log_proposal = np.logaddexp(np.log(0.3) + log_prior, np.log(0.7) + wide.logpdf(z))
    theta = hypothesis.transport(z)
    value = np.concatenate(
        [dense_ou(hypothesis, curve, part) for part in np.array_split(theta, 300)]
    )
    log_weight = log_prior + value - log_proposal
    want = logsumexp(log_weight) - np.log(size)
    share = np.exp(log_weight - logsumexp(log_weight))
    white = hypothesis.names.index("sd_white")

    def tail(deviates: Array) -> Array:
        """Whether the white part is small, so that wander of short memory stands in for it."""
        return np.asarray(deviates[:, [white]] < -1.0, dtype=np.float64)

    assert np.sqrt(np.sum(share**2)) < 0.02
    for seed in SEEDS:
        fit = log_evidence(hypothesis, curve, rng=np.random.default_rng(seed))
        assert fit.status is FitStatus.OK
        assert fit.log_evidence == pytest.approx(want, abs=TOLERANCE)
        draws = hypothesis.standard(fit.draws)
        size_drawn = min(fit.ess, len(draws))
        for there, here in ((z, draws), (tail(z), tail(draws))):
            mean = share @ there
            square = (there - mean) ** 2
            error = np.sqrt(share @ square / size_drawn + share**2 @ square)
            assert np.all(np.abs(here.mean(axis=0) - mean) < 4 * error)


def dense_ou(hypothesis: Hypothesis, curve: Curve, theta: Array) -> Array:
    floor, gain, rate, midpoint, sd_wander, time, sd_white = (
        theta[:, hypothesis.names.index(name)]
        for name in (
            "floor",
            "gain",
            "rate",
            "midpoint",
            "sd_wander",
            "correlation_time",
            "sd_white",
        )
    )
    steep = np.clip(rate[:, None] * (curve.t - midpoint[:, None]), -700, 700)
    residual = curve.y - floor[:, None] - gain[:, None] / (1 + np.exp(-steep))
    distance = np.abs(curve.t[:, None] - curve.t)
    covariance = sd_wander[:, None, None] ** 2 * np.exp(-distance / time[:, None, None])
    covariance += sd_white[:, None, None] ** 2 * np.eye(curve.n_obs)
    factor = np.linalg.cholesky(covariance)
    whitened = np.linalg.solve(factor, residual[..., None])[..., 0]
    log_det = np.log(np.einsum("bii->bi", factor)).sum(axis=1)
    constant = 0.5 * curve.n_obs * np.log(2 * np.pi)
    return np.asarray(-0.5 * np.sum(whitened**2, axis=1) - log_det - constant)


# ---- laws ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("a", "b", "c"), [(7.0, 3.0, -2.0), (0.01, -250.0, 1000.0)])
@pytest.mark.parametrize(
    ("form", "noise"), [("logistic", "white"), ("logistic", "ou_white"), ("bump", "white")]
)
def test_evidence_is_equivariant(form: str, noise: str, a: float, b: float, c: float) -> None:
    curve = sigmoid_curve(n=60, last=10.0, sd=0.05)
    moved = Curve("x", a * curve.t, b * curve.y + c)
    here, there = (
        log_evidence(
            default_hypothesis(FORMS[form], NOISES[noise], one), one, rng=np.random.default_rng(4)
        )
        for one in (curve, moved)
    )
    assert here.log_evidence is not None and there.log_evidence is not None
    shift = -curve.n_obs * np.log(abs(b))
    assert there.log_evidence - here.log_evidence - shift == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("noise", ["white", "ou_white"])
def test_scaled_evidence_is_that_of_scaled_priors(noise: str) -> None:
    curve = sigmoid_curve(n=60, last=10.0, sd=0.05)
    fit = log_evidence(
        default_hypothesis(FORMS["logistic"], NOISES[noise], curve),
        curve,
        rng=np.random.default_rng(1),
    )
    for scale, value in fit.scaled_log_evidence.items():
        wide = default_hypothesis(FORMS["logistic"], NOISES[noise], curve, scale=scale)
        direct = log_evidence(wide, curve, rng=np.random.default_rng(2))
        assert value == pytest.approx(direct.log_evidence, abs=TOLERANCE)


def test_same_seed_same_fit_other_seed_other_draws() -> None:
    curve = sigmoid_curve(n=60, last=10.0, sd=0.05)
    hypothesis = default_hypothesis(FORMS["logistic"], NOISES["ou_white"], curve)
    first, again, other = (
        log_evidence(hypothesis, curve, rng=np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first.log_evidence == again.log_evidence
    np.testing.assert_array_equal(first.draws, again.draws)
    assert first.log_evidence != other.log_evidence


def test_standard_error_is_the_spread_over_seeds() -> None:
    curve = sigmoid_curve(n=40, last=10.0, sd=0.1)
    hypothesis = default_hypothesis(FORMS["logistic"], NOISES["white"], curve)
    fits = [log_evidence(hypothesis, curve, rng=np.random.default_rng(s)) for s in range(30)]
    values = np.array([fit.log_evidence for fit in fits])
    se = np.sqrt(np.mean([float(fit.log_evidence_se or 0) ** 2 for fit in fits]))
    # Chi distribution with 29 degrees of freedom: 0.6 and 1.45 are its 0.1 and 99.9 % points.
    assert 0.6 < values.std(ddof=1) / se < 1.45


def two_stages(*, n: int = 150) -> Curve:
    t = np.linspace(10 / n, 10, n)
    y = 0.1 + 0.4 / (1 + np.exp(-3 * (t - 3))) + 0.6 / (1 + np.exp(-3 * (t - 7)))
    return Curve("x", t, y + 0.05 * np.random.default_rng(8).standard_normal(n))


def test_two_stages_agree_with_a_long_run_and_beat_one() -> None:
    curve = two_stages()
    hypothesis = default_hypothesis(FORMS["double_logistic"], NOISES["white"], curve)
    long = log_evidence(
        hypothesis, curve, rng=np.random.default_rng(50), draws=12_000, precision=0.004
    )
    for seed in SEEDS:
        fit = log_evidence(hypothesis, curve, rng=np.random.default_rng(seed))
        assert fit.status is FitStatus.OK
        assert fit.log_evidence == pytest.approx(long.log_evidence, abs=TOLERANCE)
        shares = fit.draws[:, fit.names.index("share")]
        assert abs(shares.mean() - 0.4) < 0.05
    one = default_hypothesis(FORMS["logistic"], NOISES["white"], curve)
    single = log_evidence(one, curve, rng=np.random.default_rng(0))
    assert fit.log_evidence is not None and single.log_evidence is not None
    assert fit.log_evidence > single.log_evidence + 20


@pytest.mark.slow
@pytest.mark.parametrize("form", ["double_logistic", "signed_double_logistic"])
def test_a_second_stage_that_is_not_there_is_priced_within_its_standard_error(form: str) -> None:
    """Most of the posterior then is broad and in several lobes; walkers have to find them."""
    hypothesis = default_hypothesis(FORMS[form], NOISES["white"], PLATEAU_SEEN)
    long = log_evidence(
        hypothesis, PLATEAU_SEEN, rng=np.random.default_rng(50), draws=20_000, precision=0.004
    )
    assert long.log_evidence is not None and long.log_evidence_se is not None
    for seed in SEEDS:
        fit = log_evidence(hypothesis, PLATEAU_SEEN, rng=np.random.default_rng(seed))
        assert fit.log_evidence is not None and fit.log_evidence_se is not None
        assert fit.log_evidence_se < 0.12
        error = abs(fit.log_evidence - long.log_evidence)
        assert error < TOLERANCE + 3 * np.hypot(fit.log_evidence_se, long.log_evidence_se)


def test_truth_lies_in_the_interval_at_the_nominal_rate() -> None:
    """90 % intervals of a sigmoid's midpoint and gain, over 60 simulated curves."""
    inside, widths = np.zeros(2), []
    for seed in range(60):
        curve = sigmoid_curve(n=40, last=10.0, sd=0.1, seed=200 + seed)
        hypothesis = default_hypothesis(FORMS["logistic"], NOISES["white"], curve)
        fit = log_evidence(hypothesis, curve, rng=np.random.default_rng(seed), draws=500)
        columns = [fit.names.index("midpoint"), fit.names.index("gain")]
        low, high = np.quantile(fit.draws[:, columns], [0.05, 0.95], axis=0)
        inside += (low < [5.0, 0.9]) & (np.array([5.0, 0.9]) < high)
        widths.append(high - low)
    # Binomial(60, 0.9): fewer than 46 has probability 0.1 %; all 60 has 0.2 %.
    assert np.all(inside >= 46)
    # Cramer-Rao: 90 % of the midpoint is about 3.29 sd * sqrt(spacing * rate * 3) / gain / rate.
    bound = 3.29 * 0.1 * np.sqrt(0.25 * 1.2 * 6) / 0.9 / 1.2
    assert np.median(widths, axis=0)[0] < 2 * bound


# ---- noise that is not Gaussian, and failure -----------------------------------------------------


def binomial_curve() -> Curve:
    rng = np.random.default_rng(9)
    t = np.linspace(0.5, 10, 20)
    trials = np.full(20, 30)
    p = 0.2 + 0.6 / (1 + np.exp(-1.5 * (t - 5)))
    return Curve("p", t, rng.binomial(trials, p) / trials, n_trials=trials)


@pytest.mark.parametrize("seed", SEEDS)
def test_binomial_evidence_agrees_with_quadrature(seed: int) -> None:
    curve = binomial_curve()
    hypothesis = default_hypothesis(FORMS["constant"], NOISES["binomial"], curve)

    def log_density(p: float) -> float:
        theta = np.array([[p]])
        return float((hypothesis.log_likelihood(theta, curve) + hypothesis.log_prior(theta))[0])

    peak = max(log_density(p) for p in np.linspace(0.01, 0.99, 99))
    area = quad(lambda p: np.exp(log_density(p) - peak), 0, 1, points=[0.3, 0.5, 0.7])[0]
    fit = log_evidence(hypothesis, curve, rng=np.random.default_rng(seed))
    assert fit.log_evidence == pytest.approx(peak + np.log(area), abs=TOLERANCE)


def test_binomial_sigmoid_is_fitted_and_stays_in_bounds() -> None:
    curve = binomial_curve()
    hypothesis = default_hypothesis(FORMS["logistic"], NOISES["binomial"], curve)
    fits = [log_evidence(hypothesis, curve, rng=np.random.default_rng(s)) for s in SEEDS]
    for fit in fits:
        assert fit.status is FitStatus.OK
        y_hat = np.asarray(hypothesis.form(curve.t, fit.draws[:, : len(hypothesis.form.names)]))
        assert np.all((y_hat >= 0) & (y_hat <= 1))
        assert abs(np.median(fit.draws[:, fit.names.index("midpoint")]) - 5) < 0.7
    assert np.ptp([fit.log_evidence for fit in fits]) < 2 * TOLERANCE


def test_a_gross_outlier_is_an_answer_or_a_status_never_a_crash() -> None:
    curve = sigmoid_curve(n=60, last=10.0, sd=0.05)
    spiked = replace(curve, y=np.where(np.arange(60) == 30, 1e6, curve.y))
    for form in ("logistic", "gompertz", "double_logistic"):
        hypothesis = default_hypothesis(FORMS[form], NOISES["white"], spiked)
        fit = log_evidence(hypothesis, spiked, rng=np.random.default_rng(0))
        assert fit.log_evidence is None or np.isfinite(fit.log_evidence)
        assert fit.log_evidence is not None or fit.status is not FitStatus.OK


def test_modes_found_before_give_the_same_fit() -> None:
    curve = sigmoid_curve(n=60, last=10.0, sd=0.05)
    hypothesis = default_hypothesis(FORMS["logistic"], NOISES["white"], curve)
    modes = find_modes(Target(hypothesis, curve))
    given = log_evidence(hypothesis, curve, rng=np.random.default_rng(0), modes=modes)
    found = log_evidence(hypothesis, curve, rng=np.random.default_rng(0))
    assert given.log_evidence == found.log_evidence


def test_no_support_is_a_status_not_a_number() -> None:
    curve = binomial_curve()
    default = default_hypothesis(FORMS["constant"], NOISES["binomial"], curve)
    impossible = replace(default, priors={"floor": ScaleMixture((1.0,), 50.0, (0.1,))})
    fit = log_evidence(impossible, curve, rng=np.random.default_rng(0))
    assert fit.status is FitStatus.NO_SUPPORT
    assert fit.log_evidence is None and fit.log_evidence_se is None
    assert fit.draws.shape == (0, 1)


@pytest.mark.parametrize("k", [0.2, 0.5, 0.9])
def test_pareto_k_finds_the_tail_index(k: float) -> None:
    rng = np.random.default_rng(10)
    log_weights = np.log((rng.random((20, 20_000)) ** -k - 1) / k)
    got = np.array([pareto_k(row) for row in log_weights])
    # se of the shape from 424 tail draws is (1 + k) / sqrt(424), and 20 curves are averaged;
    # the prior pulls by 10 / 434 of the distance to 0.5.
    want = (424 * k + 10 * 0.5) / 434
    assert abs(got.mean() - want) < 4 * (1 + k) / np.sqrt(424 * 20) + 0.01
    assert pareto_k(np.zeros(1000)) == -np.inf
