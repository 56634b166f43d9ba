"""Partial pooling against known populations, quadrature and the unpooled fits."""

from types import SimpleNamespace

import numpy as np
import pymc as pm
import pytest
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import kstest

from fitting.fit import FitStatus
from fitting.runs.hierarchical import PooledFit, pool
from fitting.runs.pooled_model import Scale, pooled_model, scale_of
from fitting.runs.population import Population, populations
from theory.curve import Curve
from theory.forms import FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import White
from theory.parameter import Kind

Array = NDArray[np.float64]

LOGISTIC = FORMS["logistic"]
T = np.linspace(1.0, 100.0, 40)
# Population: floor, gain, ln rate, ln midpoint.
MEANS = np.array([0.1, 0.8, np.log(0.15), np.log(45.0)])
SDS = np.array([0.03, 0.08, 0.25, 0.2])


def logistic_runs(
    seed: int, noise: list[float], t: Array = T, *, even: bool = False
) -> tuple[list[Curve], Array]:
    """Runs of the population, one for each noise, and their parameters (R, 4).

    Even ones are quantiles of the population in random order, of exactly its mean and sd, so that
    a sample of eight does not itself lie far off.
    """
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((len(noise), 4))
    if even:
        quantiles = ndtri((np.arange(len(noise)) + 0.5) / len(noise))
        z = rng.permuted(np.tile(quantiles[:, None] / quantiles.std(ddof=1), (1, 4)), axis=0)
    theta = MEANS + SDS * z
    theta[:, 2:] = np.exp(theta[:, 2:])
    clean = np.asarray(LOGISTIC(t, theta))
    y = clean + np.array(noise)[:, None] * rng.standard_normal(clean.shape)
    return [Curve("success", t, row, run=f"seed {i}") for i, row in enumerate(y)], theta


@pytest.fixture(scope="module")
def mixed() -> tuple[PooledFit, Array]:
    """Four runs that say much and four that say little, in one fit."""
    curves, theta = logistic_runs(3, [0.03] * 4 + [0.25] * 4, even=True)
    # Longer steps than the default's 95 % acceptance allows, and so shorter trajectories.
    short = {"draws": 150, "tune": 200, "chains": 2, "target_accept": 0.8}
    return pool(LOGISTIC, curves, rng=np.random.default_rng(0), **short), theta


def medians(fitted: PooledFit, name: str) -> Array:
    return np.median(fitted.draws[..., fitted.names.index(name)], axis=0)


def alone(fitted: PooledFit, name: str) -> Array:
    return np.array([one.theta[fitted.names.index(name)] for one in fitted.unpooled])


def test_a_known_population_is_recovered(mixed: tuple[PooledFit, Array]) -> None:
    fitted, _ = mixed
    assert fitted.status in (FitStatus.OK, FitStatus.NOT_MIXED)  # short chains
    assert fitted.rhat < 1.1
    center, spread = fitted.population["midpoint"], fitted.population_sd["midpoint"]
    assert center is not None and spread is not None
    assert center.lower < 45.0 < center.upper
    assert spread.lower < 0.2 < spread.upper
    # Eight known places alone would leave the center uncertain by 0.2 / sqrt(8) in ln, and the
    # spread by about a quarter: intervals are neither wider than twice nor narrower than half.
    assert 0.5 < np.log(center.upper / center.lower) / (2 * 1.96 * 0.2 / np.sqrt(8)) < 2.0
    assert spread.upper - spread.lower < 0.5
    # Noise is each run's own.
    noise = medians(fitted, "sd_white")
    np.testing.assert_allclose(noise, [0.03] * 4 + [0.25] * 4, rtol=4.0 / np.sqrt(2 * 36))


def test_runs_that_say_little_shrink_towards_the_population(
    mixed: tuple[PooledFit, Array],
) -> None:
    fitted, theta = mixed
    for place, name in enumerate(("floor", "gain", "rate", "midpoint")):
        pooled, own = medians(fitted, name)[4:], alone(fitted, name)[4:]
        true = theta[4:, place]
        if name in ("rate", "midpoint"):
            pooled, own, true = np.log(pooled), np.log(own), np.log(true)
        assert pooled.var() < own.var(), name
        assert np.mean((pooled - true) ** 2) < np.mean((own - true) ** 2), name
    said = fitted.run("seed 0")["midpoint"], fitted.run("seed 7")["midpoint"]
    assert said[0] is not None and said[1] is not None
    assert said[0].upper - said[0].lower < 0.5 * (said[1].upper - said[1].lower)
    # What a run says well by itself stays: within two of its own standard errors.
    se = np.array([one.se[3] for one in fitted.unpooled[:4]])
    assert np.all(np.abs(medians(fitted, "midpoint") - alone(fitted, "midpoint"))[:4] < 2 * se)


def test_sampling_variables_leave_runs_normal_around_the_center() -> None:
    """Whatever the weights between centered and non-centered."""
    curves, _ = logistic_runs(0, [0.1] * 3, T[::8])
    priors = populations(LOGISTIC, curves)
    weights = np.array([[0.0, 0.3, 1.0, 0.8], [1.0, 0.5, 0.0, 0.5], [0.2, 0.1, 0.6, 1.0]])
    errors = np.ones((3, 4))
    origin, unit = np.array([0.2, 0.7, -2.0, 3.5]), np.array([0.1, 0.2, 0.5, 0.3])
    scale = Scale(origin, unit, errors, errors, weights)
    model = pooled_model(LOGISTIC, curves, priors, scale)
    wanted = [model["centers"], model["spreads"], model["runs"]]
    n = 2000
    # Compiling takes longer than drawing.
    centers, spreads, runs = pm.draw(wanted, draws=n, random_seed=1, mode="FAST_COMPILE")
    runs = runs[..., :4]
    centers[:, 2:], runs[..., 2:] = np.log(centers[:, 2:]), np.log(runs[..., 2:])
    z = (runs - centers[:, None]) / spreads[:, None]
    for row in z.reshape(n, -1).T:
        assert kstest(row, "norm").pvalue > 1e-4
    for i, prior in enumerate(priors):
        assert kstest((centers[:, i] - prior.mean) / prior.sd, "norm").pvalue > 1e-4
        assert kstest(spreads[:, i] / prior.spread, "halfnorm").pvalue > 1e-4


def test_chains_start_within_reach_of_the_prior() -> None:
    """Also where the fit of a run cut off early has run away, with a standard error."""
    curves, _ = logistic_runs(0, [0.1] * 3)
    fits = [
        SimpleNamespace(theta=np.array(theta), se=np.array(se))
        for theta, se in (
            ([0.1, 0.8, 0.15, 45.0, 0.1], [0.03, 0.1, 0.02, 2.0, 0.01]),
            ([0.2, 0.7, 0.20, 40.0, 0.1], [0.03, 0.1, 0.02, 2.0, 0.01]),
            ([0.1, 2e14, 0.07, 500.0, 0.1], [0.03, 1e15, 0.02, np.nan, 0.01]),
        )
    ]
    scale = scale_of(populations(LOGISTIC, curves), fits)
    assert scale.starts[2, 1] == scale.starts[2, 3] == 0.0
    assert np.isinf(scale.errors[2, [1, 3]]).all() and not scale.weights[2, [1, 3]].any()
    np.testing.assert_allclose(scale.origin[1] + scale.unit[1] * scale.starts[:2, 1], [0.8, 0.7])
    assert np.exp(scale.origin[2] + scale.unit[2] * scale.starts[2, 2]) == pytest.approx(0.07)


def poolable() -> list[str]:
    speeds = ({Kind.RATE}, {Kind.TIMESCALE})
    one_step = [{Kind.FLOOR, Kind.GAIN, Kind.MIDPOINT} | speed for speed in speeds]
    forms = [form for form in FORMS.values() if len(form.parameters) == 4]
    return [form.name for form in forms if {p.kind for p in form.parameters} in one_step]


@pytest.mark.parametrize("name", poolable())
def test_the_likelihood_is_that_of_each_run_with_white_noise(name: str) -> None:
    """Of runs of unequal length and with known errors too."""
    form = FORMS[name]
    curves, _ = logistic_runs(6, [0.1] * 3)
    short = Curve("success", T[::3], curves[1].y[::3], run="short")
    known = Curve("success", T, curves[2].y, y_se=np.linspace(0.01, 0.3, 40), run="known")
    runs = [curves[0], short, known]
    priors = populations(form, runs)
    scale = Scale(MEANS, SDS, np.zeros((3, 4)), np.zeros((3, 4)), np.full((3, 4), 0.5))
    model = pooled_model(form, runs, priors, scale)
    wanted = [model["runs"], model["likelihood"]]
    theta, total = pm.draw(wanted, draws=5, random_seed=1, mode="FAST_COMPILE")
    parts = [
        default_hypothesis(form, White(), curve).log_likelihood(theta[:, i], curve)
        for i, curve in enumerate(runs)
    ]
    np.testing.assert_allclose(total, np.sum(parts, axis=0), rtol=1e-9)


def test_priors_move_with_the_units() -> None:
    curves, _ = logistic_runs(1, [0.05] * 3)
    moved = [Curve("success", 7.0 * c.t, 3.0 - 2.0 * c.y) for c in curves]
    for a, b in zip(populations(LOGISTIC, curves), populations(LOGISTIC, moved), strict=True):
        assert a.because and a.center.because and a.log is b.log
        match a.name:
            case "floor":
                want = (3.0 - 2.0 * a.mean, 2.0 * a.sd, 2.0 * a.spread)
            case "gain":
                want = (-2.0 * a.mean, 2.0 * a.sd, 2.0 * a.spread)
            case "rate":
                want = (a.mean - np.log(7.0), a.sd, a.spread)
            case _:
                want = (a.mean + np.log(7.0), a.sd, a.spread)
        np.testing.assert_allclose((b.mean, b.sd, b.spread), want, rtol=1e-12, atol=1e-12)


@pytest.mark.slow
def test_draws_are_reproducible_and_short_runs_say_so() -> None:
    curves, _ = logistic_runs(2, [0.1] * 3, T[::2])
    short = {"draws": 15, "tune": 30, "chains": 2}
    a, b, c = (
        pool(LOGISTIC, curves, rng=np.random.default_rng(seed), **short) for seed in (1, 1, 2)
    )
    assert np.array_equal(a.draws, b.draws)
    assert np.array_equal(a.spreads, b.spreads)
    assert not np.array_equal(a.draws, c.draws)
    assert a.draws.shape == (30, 3, 5)
    assert a.status is FitStatus.NOT_MIXED
    assert a.doubts[0] == str(FitStatus.NOT_MIXED)
    with pytest.raises(ValueError, match="no run is 'seed 9'; choose from"):
        a.run("seed 9")


@pytest.mark.parametrize("name", ["constant", "exponential_approach", "hill", "double_logistic"])
def test_forms_that_are_not_one_step_are_refused(name: str) -> None:
    curves, _ = logistic_runs(0, [0.1] * 3)
    with pytest.raises(ValueError, match=f"one midpoint and one rate or timescale; {name} has"):
        pool(FORMS[name], curves, rng=np.random.default_rng(0))


def test_runs_that_are_no_population_are_refused() -> None:
    curves, _ = logistic_runs(0, [0.1] * 3)
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="at least 3 runs to be estimated; got 2"):
        pool(LOGISTIC, curves[:2], rng=rng)
    with pytest.raises(ValueError, match="share their observable; got 'success' and 'llc'"):
        pool(LOGISTIC, [*curves, Curve("llc", T, T)], rng=rng)
    with pytest.raises(ValueError, match="seed 3: y must vary"):
        pool(LOGISTIC, [*curves, Curve("success", T, 0 * T, run="seed 3")], rng=rng)


def known_values(x: Array, prior: Population) -> tuple[Array, Array]:
    """Posterior mean and sd of center and spread from values known exactly, by quadrature."""
    center = np.linspace(x.mean() - 3 * x.std() - 1e-9, x.mean() + 3 * x.std(), 801)[:, None]
    spread = np.exp(np.linspace(np.log(x.std() / 6), np.log(x.std() * 20), 801))[None]
    square = ((x[:, None, None] - center) ** 2).sum(axis=0)
    log_density = -0.5 * square / spread**2 - len(x) * np.log(spread)
    log_density += -0.5 * ((center - prior.mean) / prior.sd) ** 2
    log_density += -0.5 * (spread / prior.spread) ** 2 + np.log(spread)  # even in ln spread
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    both = [center + 0 * spread, spread + 0 * center]
    means = np.array([(weight * v).sum() for v in both])
    squares = np.array([(weight * v**2).sum() for v in both])
    return means, np.sqrt(squares - means**2)


@pytest.mark.slow
def test_runs_that_say_all_are_left_alone_and_show_the_population() -> None:
    curves, _ = logistic_runs(4, [0.002] * 8)
    fitted = pool(LOGISTIC, curves, rng=np.random.default_rng(0), draws=600, tune=600, chains=2)
    assert fitted.rhat < 1.02
    errors = 4.0 / np.sqrt(fitted.ess)
    for place, prior in enumerate(fitted.priors):
        own, se = alone(fitted, prior.name), np.array([u.se[place] for u in fitted.unpooled])
        draws = fitted.draws[..., place]
        # The population pulls by se^2 / spread^2 of the distance: a few hundredths of an se here.
        assert np.all(np.abs(draws.mean(axis=0) - own) < (0.08 + errors) * se), prior.name
        # The mle of the noise is too small by sqrt(1 - 4 / 40), and t is wider than normal.
        np.testing.assert_allclose(draws.std(axis=0), se, rtol=0.2)
        centers, spreads = fitted.centers[:, place], fitted.spreads[:, place]
        values = np.log(own) if prior.log else own
        centers = np.log(centers) if prior.log else centers
        mean, sd = known_values(values, prior)
        assert abs(centers.mean() - mean[0]) < (errors + 0.02) * sd[0], prior.name
        assert abs(spreads.mean() - mean[1]) < (errors + 0.02) * sd[1], prior.name
        np.testing.assert_allclose([centers.std(), spreads.std()], sd, rtol=0.25)


@pytest.mark.slow
def test_intervals_cover_known_populations() -> None:
    covered = []
    for seed in range(12):
        curves, theta = logistic_runs(100 + seed, [0.05, 0.1, 0.2] * 2, T[::2])
        fitted = pool(
            LOGISTIC, curves, rng=np.random.default_rng(seed), draws=250, tune=250, chains=2
        )
        center, spread = fitted.population["midpoint"], fitted.population_sd["midpoint"]
        assert center is not None and spread is not None
        covered += [center.lower < 45.0 < center.upper, spread.lower < 0.2 < spread.upper]
        for run, true in zip(fitted.runs, theta[:, 3], strict=True):
            own = fitted.run(run)["midpoint"]
            assert own is not None
            covered.append(own.lower < true < own.upper)
    # Of 96 intervals at 95 %, 84 or fewer cover with a probability of 0.2 % if independent.
    assert sum(covered) > 84


@pytest.mark.slow
def test_the_default_chains_mix() -> None:
    curves, _ = logistic_runs(5, [0.03, 0.05, 0.1, 0.2, 0.3])
    fitted = pool(LOGISTIC, curves, rng=np.random.default_rng(0))
    assert fitted.status is FitStatus.OK
    assert fitted.rhat <= 1.01
    assert fitted.ess >= 400
    assert fitted.divergent <= 0.01
