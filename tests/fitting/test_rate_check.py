import numpy as np
import pytest
from scipy.special import expit

from fitting.propose import propose
from fitting.rate_check import checked, pause_probability, smooth_fit
from fitting.stages import stages
from fitting.verdict import Verdict, VerdictKind
from theory.curve import Curve
from theory.family import Family, family_grid
from theory.hypothesis import center_and_extent
from theory.noise import Binomial, OUWhite, White

T = np.linspace(1.0, 100.0, 80)
TWO = Verdict(VerdictKind.DECIDED, (Family.MULTISTAGE,), ("double_logistic",), "Two stages.")


def two_steps(t):
    return 0.5 * expit((t - 30) / 3) + 0.5 * expit((t - 70) / 3)


def one_step(t):
    return expit((t - 50) / 15)


def claimed():
    grid = family_grid(T)
    return stages(grid, two_steps(grid)[None], scale=1.0).stages


def noisy(shape, seed, sd=0.05):
    y = shape(T) + sd * np.random.default_rng(seed).standard_normal(T.size)
    return Curve("y", T, y)


def test_rates_are_those_of_the_dense_gaussian_process():
    curve = noisy(two_steps, 0)
    fit = smooth_fit(curve, White())
    center, extent = center_and_extent(curve)
    stretches = np.array([[25.0, 35.0], [48.0, 52.0]])
    everything = np.concatenate((T, stretches.ravel()))
    u = (everything - 1.0) / 99.0 - 0.5
    apart = (u[:, None] - u) ** 2
    kernel = (3 * extent) ** 2 * (1 + np.outer(u, u))
    kernel = kernel + fit.size**2 * np.exp(-0.5 * apart / fit.length**2)
    known, asked = slice(0, T.size), slice(T.size, None)
    gain = np.linalg.solve(
        kernel[known, known] + fit.psi[0] ** 2 * np.eye(T.size), kernel[known, asked]
    ).T
    mean = gain @ (curve.y - center)
    cov = kernel[asked, asked] - gain @ kernel[known, asked]
    rates = np.array([[-1, 1, 0, 0], [0, 0, -1, 1]]) / np.diff(stretches, axis=1)
    found_mean, found_cov = fit.mean_rates(stretches)
    # The basis ends a quarter beyond the window, several lengths away, and its highest frequency
    # has weight exp(-(134 l)^2 / 2): what is left out is far below a hundredth of the posterior sd.
    sd = np.sqrt(np.diag(rates @ cov @ rates.T))
    assert 0.04 < fit.length < 0.15
    assert np.all(np.abs(found_mean - rates @ mean) < 0.01 * sd)
    assert np.sqrt(np.diag(found_cov)) == pytest.approx(sd, rel=0.01)


@pytest.mark.parametrize("noise", [White(), OUWhite()])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_pause_is_seen_where_there_is_one(noise, sign):
    rng = np.random.default_rng(0)
    grid = family_grid(T)
    found = stages(grid, sign * two_steps(grid)[None], scale=1.0).stages
    there = smooth_fit(noisy(lambda t: sign * two_steps(t), 1), noise)
    absent = smooth_fit(noisy(lambda t: sign * one_step(t), 1), noise)
    assert pause_probability(there, found, rng=rng) > 0.95
    assert pause_probability(absent, found, rng=rng) < 0.5


def test_a_verdict_that_is_not_borne_out_gets_a_doubt():
    rng = np.random.default_rng(0)
    verdict = checked(TWO, noisy(one_step, 2), claimed(), [White()], rng=rng)
    assert verdict.kind is VerdictKind.DECIDED
    assert verdict.reason.startswith("Two stages. A Gaussian process")
    assert checked(TWO, noisy(two_steps, 2), claimed(), [White()], rng=rng) == TWO


def test_other_verdicts_are_left_alone():
    rng = np.random.default_rng(0)
    one = Verdict(VerdictKind.DECIDED, (Family.SIGMOID,), ("logistic",), "One stage.")
    assert checked(one, noisy(one_step, 2), claimed(), [White()], rng=rng) == one
    assert checked(TWO, noisy(one_step, 2), claimed()[:1], [White()], rng=rng) == TWO
    assert checked(TWO, noisy(one_step, 2), claimed(), [Binomial()], rng=rng) == TWO


def test_a_proposal_of_two_stages_is_checked(monkeypatch):
    monkeypatch.setattr("fitting.rate_check.pause_probability", lambda *_, rng: 0.4)
    forms = ["logistic", "double_logistic"]
    found = propose(noisy(two_steps, 3, 0.02), forms=forms, noises=["white"])
    assert found.verdict.families == (Family.MULTISTAGE,)
    assert found.verdict.reason.endswith(
        "sees a pause between all stages with probability 0.40 only."
    )
