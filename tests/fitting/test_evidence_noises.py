"""Evidence and point fits under every noise, against integrals and optima written apart."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import minimize
from scipy.special import logsumexp

from fitting.evidence import log_evidence
from fitting.fit import FitStatus
from fitting.point import fit
from fitting.sampling.modes import Mode, find_modes, log_target
from fitting.sampling.target import Target
from theory.curve import Curve
from theory.forms import FORMS
from theory.hypothesis import Hypothesis, center_and_extent, default_hypothesis
from theory.noise import NOISES, MeanLinked
from theory.noises.mean_linked import ends_of

Array = NDArray[np.float64]

SEEDS = (0, 1, 2)
TOLERANCE = 0.05  # nats: what the evidence promises
TRUTH = {
    "sd_white": 0.03,
    "sd_wander": 0.1,
    "window": 5.0,
    "freedom": 3.0,
    "sd_low": 0.02,
    "sd_high": 0.15,
    "overdispersion": 0.1,
}
ADDED = ("beta_binomial", "mean_linked", "moving_average", "student_t")


def noisy(noise: str, clean: Array, t: Array, seed: int) -> Curve:
    """A curve of a noise around clean values; counts are of 30 trials."""
    trials = np.full(t.size, 30) if noise == "beta_binomial" else None
    around = np.round(30 * clean) / 30 if trials is not None else clean
    psi = np.array([TRUTH[name] for name in NOISES[noise].names])
    rng = np.random.default_rng(seed)
    y = NOISES[noise].simulate(clean, Curve("x", t, around, n_trials=trials), psi, rng=rng)
    return Curve("x", t, y, n_trials=trials)


def flat(noise: str, n: int) -> Curve:
    if noise == "mean_linked":  # around a flat curve its size has nothing to follow
        t = np.linspace(0.5, 10, n)
        return noisy(noise, np.linspace(0.0, 0.5, n), t, 30)
    if noise == "moving_average":
        return noisy(noise, np.full(n, 0.4), np.arange(1.0, n + 1), 31)
    return noisy(noise, np.full(n, 0.4), np.linspace(0.5, 10, n), 30)


def sigmoid_itself(n: int = 200) -> Curve:
    t = np.linspace(1.0, 60.0, n)
    return Curve("x", t, 0.1 + 0.8 / (1 + np.exp(-0.2 * (t - 30))))


def sigmoid(noise: str, n: int = 60) -> Curve:
    clean = sigmoid_itself(n)
    return noisy(noise, clean.y, clean.t, 32)


def middles(low: float, high: float, n: int) -> tuple[Array, float]:
    """Midpoints of n equal cells and the logarithm of their width."""
    edges = np.linspace(low, high, n + 1)
    return 0.5 * (edges[1:] + edges[:-1]), float(np.log((high - low) / n))


def spreads(extent: float, n: int = 120) -> tuple[Array, float]:
    """Logarithms of a standard deviation over its whole prior, and each one's log probability."""
    log_sd, width = middles(float(np.log(1e-4 * extent)), float(np.log(extent)), n)
    return log_sd, width - float(np.log(np.log(1e4)))


# ---- a constant, by quadrature over the whole prior ---------------------------------------------


def constant_student_t(curve: Curve) -> float:
    center, extent = center_and_extent(curve)
    floors, floor_width = middles(center - 3 * extent, center + 3 * extent, 800)
    log_sds, log_sd_share = spreads(extent)
    total = []
    log_freedoms, width = middles(np.log(2.0), np.log(100.0), 24)
    for log_freedom in log_freedoms:
        freedom = np.exp(log_freedom)
        values = np.zeros((floors.size, log_sds.size))
        for y in curve.y:
            u = (y - floors[:, None]) / np.exp(log_sds)
            values += np.log1p(u**2 / freedom)
        normal = stats.t(freedom).logpdf(0.0) * curve.n_obs - curve.n_obs * log_sds
        values = -0.5 * (freedom + 1) * values + normal
        values += stats.norm(center, extent).logpdf(floors)[:, None]
        total.append(logsumexp(values))
    freedom_share = width - np.log(np.log(50.0))
    return float(logsumexp(total) + floor_width + log_sd_share + freedom_share)


def constant_mean_linked(curve: Curve) -> float:
    center, extent = center_and_extent(curve)
    low, high = np.quantile(curve.y, [0.025, 0.975])
    floors, floor_width = middles(center - 3 * extent, center + 3 * extent, 1000)
    log_sds, share = spreads(extent)
    total = []
    for floor in floors:
        place = np.interp(floor, [low, high], [0.0, 1.0])
        log_sd = (1 - place) * log_sds[:, None] + place * log_sds
        square = np.sum((curve.y - floor) ** 2)
        value = -0.5 * square * np.exp(-2 * log_sd) - curve.n_obs * (
            log_sd + 0.5 * np.log(2 * np.pi)
        )
        total.append(logsumexp(value) + stats.norm(center, extent).logpdf(floor))
    return float(logsumexp(total) + floor_width + 2 * share)


def constant_moving_average(curve: Curve) -> float:
    """The floor by hand; wander and white from the eigenvectors of each window's covariance."""
    center, extent = center_and_extent(curve)
    log_sds, share = spreads(extent, 60)
    wander, white = np.exp(2 * log_sds)[:, None, None], np.exp(2 * log_sds)[:, None]
    distance = np.abs(curve.t[:, None] - curve.t)
    low, high = np.diff(curve.t).min(), curve.t[-1]
    log_windows, width = middles(np.log(low), np.log(high), 120)
    total = []
    for window in np.exp(log_windows):
        power, vectors = np.linalg.eigh(np.maximum(0.0, 1 - distance / window))
        one, rest = vectors.T @ np.ones(curve.n_obs), vectors.T @ (curve.y - center)
        variance = wander * power + white
        weight = 1 / variance
        inner = extent**-2 + weight @ one**2
        square = weight @ rest**2 - (weight @ (one * rest)) ** 2 / inner
        log_det = np.log(variance).sum(axis=-1) + np.log(inner * extent**2)
        total.append(logsumexp(-0.5 * (square + log_det)))
    total_width = width - np.log(np.log(high / low)) + 2 * share
    return float(logsumexp(total) + total_width - 0.5 * curve.n_obs * np.log(2 * np.pi))


def constant_beta_binomial(curve: Curve) -> float:
    assert curve.n_trials is not None
    center, extent = center_and_extent(curve)
    chances, p_width = middles(0.0, 1.0, 300)
    log_rhos, width = middles(np.log(1e-3), np.log(0.5), 50)
    size = 1 / np.exp(log_rhos) - 1
    values = np.broadcast_to(stats.norm(center, extent).logpdf(chances)[:, None], (300, 50)).copy()
    for y, trials in zip(curve.y, curve.n_trials, strict=True):
        law = stats.betabinom(trials, chances[:, None] * size, (1 - chances[:, None]) * size)
        values += law.logpmf(round(y * trials)) + np.log(trials)
    return float(logsumexp(values) + p_width + width - np.log(np.log(500.0)))


EXACT = {
    "student_t": constant_student_t,
    "mean_linked": constant_mean_linked,
    "moving_average": constant_moving_average,
}


@pytest.mark.parametrize("noise", EXACT)
def test_evidence_of_a_constant_agrees_with_quadrature(noise: str) -> None:
    curve = flat(noise, 24)
    want = EXACT[noise](curve)
    hypothesis = default_hypothesis(FORMS["constant"], NOISES[noise], curve)
    for seed in SEEDS:
        found = log_evidence(hypothesis, curve, rng=np.random.default_rng(seed))
        assert found.status is FitStatus.OK
        assert found.log_evidence == pytest.approx(want, abs=TOLERANCE)


def test_evidence_of_a_beta_binomial_constant_agrees_with_quadrature() -> None:
    curve = flat("beta_binomial", 24)
    hypothesis = default_hypothesis(FORMS["constant"], NOISES["beta_binomial"], curve)
    target = Target(hypothesis, curve)
    start = hypothesis.standard(np.array([curve.y.mean(), TRUTH["overdispersion"]]))
    height = float(log_target(target, start[None])[0])
    mode = Mode(start, np.diag([0.1, 0.3]), height, height)
    want = constant_beta_binomial(curve)
    for seed in SEEDS:
        found = log_evidence(hypothesis, curve, rng=np.random.default_rng(seed), modes=[mode])
        assert found.status is FitStatus.OK
        assert found.log_evidence == pytest.approx(want, abs=TOLERANCE)


@pytest.mark.parametrize("form", ["constant", "logistic"])
def test_the_search_finds_the_mode_of_beta_binomial_noise(form: str) -> None:
    curve = flat("beta_binomial", 24) if form == "constant" else sigmoid("beta_binomial")
    hypothesis = default_hypothesis(FORMS[form], NOISES["beta_binomial"], curve)
    modes = find_modes(Target(hypothesis, curve))
    best = fit(hypothesis, curve).log_likelihood
    assert max(mode.log_likelihood for mode in modes) > best - 4
    found = [
        log_evidence(hypothesis, curve, rng=np.random.default_rng(seed), modes=modes)
        for seed in SEEDS
    ]
    assert all(one.status is FitStatus.OK for one in found)
    assert np.ptp([one.log_evidence for one in found]) < 2 * TOLERANCE


# ---- other forms, by importance sampling written apart ------------------------------------------


def direct_log_likelihood(hypothesis: Hypothesis, curve: Curve, theta: Array) -> Array:
    """Log density by scipy, (B,)."""
    p = len(hypothesis.form.names)
    y_hat = np.asarray(hypothesis.form(curve.t, theta[:, :p]))
    one, two = theta[:, p, None], theta[:, p + 1, None]
    if hypothesis.noise.name == "student_t":
        return np.asarray(stats.t.logpdf(curve.y, two, y_hat, one).sum(axis=1))
    low, high = np.quantile(curve.y, [0.025, 0.975])
    sd = one * (two / one) ** np.interp(y_hat, [low, high], [0.0, 1.0])
    return np.asarray(stats.norm.logpdf(curve.y, y_hat, sd).sum(axis=1))


@pytest.mark.parametrize("noise", ["student_t", "mean_linked"])
@pytest.mark.parametrize("form", ["linear", "logistic"])
def test_evidence_agrees_with_independent_importance_sampling(form: str, noise: str) -> None:
    """All parameters at once, one wide t and the prior as proposal."""
    curve = sigmoid(noise, n=24)
    hypothesis = default_hypothesis(FORMS[form], NOISES[noise], curve)
    found = [log_evidence(hypothesis, curve, rng=np.random.default_rng(s)) for s in SEEDS]
    rng = np.random.default_rng(1000)
    guide = hypothesis.standard(np.concatenate([one.draws for one in found]))
    d, size = guide.shape[1], 60_000
    wide = stats.multivariate_t(guide.mean(axis=0), 1.3 * np.cov(guide.T), df=5, seed=rng)
    z = np.where(rng.random((size, 1)) < 0.2, rng.standard_normal((size, d)), wide.rvs(size))
    log_prior = stats.norm.logpdf(z).sum(axis=1)
    log_proposal = np.logaddexp(np.log(0.2) + log_prior, np.log(0.8) + wide.logpdf(z))
    theta = hypothesis.transport(z)
    parts = np.array_split(theta, 20)
    with np.errstate(all="ignore"):
        value = np.concatenate([direct_log_likelihood(hypothesis, curve, part) for part in parts])
    log_weight = log_prior + np.nan_to_num(value, nan=-np.inf) - log_proposal
    want = logsumexp(log_weight) - np.log(size)
    assert np.sqrt(np.sum(np.exp(log_weight - logsumexp(log_weight)) ** 2)) < 0.02
    for one in found:
        assert one.status is FitStatus.OK
        assert one.log_evidence == pytest.approx(want, abs=TOLERANCE)


# ---- laws ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", ["mean_linked", "moving_average", "student_t"])
@pytest.mark.parametrize("form", ["constant", "logistic"])
def test_evidence_moves_with_the_units(form: str, noise: str) -> None:
    curve = sigmoid(noise, n=40)
    here, scaled, turned = (
        log_evidence(
            default_hypothesis(FORMS[form], NOISES[noise], one), one, rng=np.random.default_rng(4)
        )
        for one in (
            curve,
            Curve("x", 7 * curve.t, 3 * curve.y - 2),
            Curve("x", 0.01 * curve.t, 1000 - 250 * curve.y),
        )
    )
    assert None not in (here.log_evidence, scaled.log_evidence, turned.log_evidence)
    shift = here.log_evidence - curve.n_obs * np.log(3)
    # Where the likelihood has kinks, the search's steps from them amplify rounding: the draws are
    # not the same ones, and the evidence is the same to its own error.
    kinked = form == "logistic" and noise != "student_t"
    assert scaled.log_evidence == pytest.approx(shift, abs=TOLERANCE if kinked else 1e-6)
    # Turned upside down the draws are others: the same evidence, to its own error.
    shift = here.log_evidence - curve.n_obs * np.log(250)
    assert turned.log_evidence == pytest.approx(shift, abs=TOLERANCE)


# ---- point fits ---------------------------------------------------------------------------------


def test_student_t_fit_is_that_of_scipy() -> None:
    curve = flat("student_t", 80)
    found = fit(default_hypothesis(FORMS["constant"], NOISES["student_t"], curve), curve)
    freedom, location, scale = stats.t.fit(curve.y)
    assert found.status is FitStatus.OK
    np.testing.assert_allclose(found.theta, [location, scale, freedom], rtol=1e-2)
    best = stats.t(freedom, location, scale).logpdf(curve.y).sum()
    assert found.log_likelihood == pytest.approx(best, abs=1e-3)


def test_beta_binomial_fit_is_that_of_a_plain_search() -> None:
    curve = flat("beta_binomial", 60)
    found = fit(default_hypothesis(FORMS["constant"], NOISES["beta_binomial"], curve), curve)
    counts = np.round(30 * curve.y)

    def cost(x: Array) -> float:
        p, size = x[0], 1 / x[1] - 1
        law = stats.betabinom(30, p * size, (1 - p) * size)
        return -float(law.logpmf(counts).sum() + 60 * np.log(30))

    best = minimize(cost, [0.5, 0.05], bounds=[(0.01, 0.99), (1e-3, 0.5)])
    np.testing.assert_allclose(found.theta, best.x, rtol=1e-3)
    assert found.log_likelihood == pytest.approx(-best.fun, abs=1e-4)


@pytest.mark.parametrize("noise", ADDED)
def test_point_fits_recover_the_curve_and_its_noise(noise: str) -> None:
    curve = sigmoid(noise, n=200)
    hypothesis = default_hypothesis(FORMS["logistic"], NOISES[noise], curve)
    if noise == "mean_linked":  # the ends it was made with, not those of the noisy curve
        hypothesis = replace(hypothesis, noise=MeanLinked(ends_of(sigmoid_itself())))
    truth = {"floor": 0.1, "gain": 0.8, "rate": 0.2, "midpoint": 30.0} | TRUTH
    values = np.array([truth[name] for name in hypothesis.names])
    # The likelihood of a window has a peak between every two multiples of the gap.
    starts = values[None] if noise == "moving_average" else None
    found = fit(hypothesis, curve, starts=starts)
    assert found.status is FitStatus.OK
    # Twice the excess over the truth is chi-squared, 5 to 7 degrees of freedom: 99.9 % below 24.
    excess = found.log_likelihood - float(hypothesis.log_likelihood(values[None], curve)[0])
    assert -1e-6 < excess < 12
    assert np.all(np.abs(found.theta - values) < 4 * found.se)
    assert np.all(found.se < np.abs(values))


def test_the_window_of_a_log_is_read_off_its_scatter() -> None:
    """Means over the last ten points and nothing else, which wander cannot explain."""
    steps = np.random.default_rng(33).normal(size=109)
    y = np.convolve(steps, np.full(10, 0.1), "valid")
    curve = Curve("x", 50.0 * np.arange(1.0, 101), y)
    hypothesis = default_hypothesis(FORMS["constant"], NOISES["moving_average"], curve)
    found = log_evidence(hypothesis, curve, rng=np.random.default_rng(0))
    assert found.status is FitStatus.OK
    window = found.draws[:, found.names.index("window")]
    assert np.quantile(window, 0.025) < 500 < np.quantile(window, 0.975)
    assert np.ptp(np.quantile(window, [0.025, 0.975])) < 50
    for name in ("ou_white", "white"):
        other = default_hypothesis(FORMS["constant"], NOISES[name], curve)
        rival = log_evidence(other, curve, rng=np.random.default_rng(0))
        assert found.log_evidence is not None and rival.log_evidence is not None
        assert found.log_evidence > rival.log_evidence + 10
    best = fit(hypothesis, curve)
    assert best.theta[best.names.index("window")] == pytest.approx(500, rel=0.02)


def test_heavy_tails_ignore_an_outlier() -> None:
    clean = sigmoid("student_t")
    spiked = replace(clean, y=np.where(np.arange(60) == 45, clean.y + 3.0, clean.y))
    moved, evidence = {}, {}
    for noise in ("student_t", "white"):
        one, two = (
            default_hypothesis(FORMS["logistic"], NOISES[noise], curve) for curve in (clean, spiked)
        )
        before, after = fit(one, clean), fit(two, spiked)
        place = before.names.index("gain")
        moved[noise] = abs(after.theta[place] - before.theta[place]) / before.se[place]
        rng = np.random.default_rng(6)
        evidence[noise] = log_evidence(two, spiked, rng=rng).log_evidence
    assert moved["student_t"] < 1 < moved["white"]
    assert evidence["student_t"] > evidence["white"] + 30
