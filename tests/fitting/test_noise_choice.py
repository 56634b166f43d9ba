"""Which noises compete: what the residuals of simulated curves call for."""

import numpy as np
import pytest
from scipy import stats

from fitting.doubts import whitened_residuals
from fitting.fit import PointFit
from fitting.noise_choice import ENOUGH, choose_noises
from fitting.propose import propose
from theory.curve import Curve
from theory.forms import COMMON, FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import NOISES, AR1White, MeanLinked, Noise, OUWhite, StudentT, White

FORMS_TRIED = [FORMS[name] for name in ("linear", "exponential_approach", "logistic")]
T = np.linspace(1.0, 100.0, 200)
TRUTH = 1 / (1 + np.exp(-(T - 50) / 8))


def simulated(noise: Noise, psi: list[float], seed: int) -> Curve:
    rng = np.random.default_rng(seed)
    template = Curve("y", T, TRUTH)
    return Curve("y", T, noise.simulate(TRUTH, template, np.array(psi), rng=rng))


def names(curve: Curve) -> list[str]:
    return [noise.name for noise in choose_noises(curve, FORMS_TRIED).noises]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("noise", "psi"),
    [(StudentT(), [0.03, 2.5]), (MeanLinked((0.0, 1.0)), [0.01, 0.08])],
    ids=["student_t", "mean_linked"],
)
def test_a_noise_that_made_the_curve_is_let_in(noise: Noise, psi: list[float], seed: int) -> None:
    # The expected gain, n times the relative entropy to the nearest white noise, is above 20 nats.
    assert noise.name in names(simulated(noise, psi, seed))


@pytest.mark.parametrize(
    ("noise", "psi"),
    [(White(), [0.05]), (OUWhite(), [0.05, 8.0, 0.02])],
    ids=["white", "ou_white"],
)
def test_a_noise_that_is_not_needed_comes_in_as_rarely_as_chance_lets_it(
    noise: Noise, psi: list[float]
) -> None:
    # For each of two noises with one parameter too many (Wilks), at most in this share of curves.
    chance = 2 * stats.chi2.sf(2 * ENOUGH, 1)
    let_in = sum(len(names(simulated(noise, psi, seed))) > 2 for seed in range(12))
    assert let_in <= stats.binom.ppf(0.9999, 12, chance)


def test_memory_in_points_is_let_in_on_uneven_grids() -> None:
    t = np.geomspace(1.0, 100.0, 200)
    truth = 1 / (1 + np.exp(-(t - 50) / 8))
    psi, rng = np.array([0.05, 4.5, 0.0]), np.random.default_rng(2)
    y = AR1White().simulate(truth, Curve("y", t, truth), psi, rng=rng)
    assert "ar1_white" in names(Curve("y", t, y))
    even = choose_noises(simulated(White(), [0.05], 0), FORMS_TRIED)
    assert {noise.name for noise, _ in even.gains} == {"student_t", "mean_linked"}


def test_the_gain_is_the_log_likelihood_ratio_of_the_residuals() -> None:
    curve = simulated(StudentT(), [0.03, 2.5], 0)
    choice = choose_noises(curve, [FORMS["logistic"]])
    gain = {noise.name: value for noise, value in choice.gains}["student_t"]
    residual = curve.y - TRUTH
    freedom, _, scale = stats.t.fit(residual, floc=0.0)
    expected = stats.t.logpdf(residual, freedom, 0.0, scale).sum()
    expected -= stats.norm.logpdf(residual, 0.0, np.sqrt(np.mean(residual**2))).sum()
    # Four fitted parameters take half a chi-squared of four from either side; the looks end within
    # a hundredth.
    assert gain == pytest.approx(expected, abs=0.5 * stats.chi2.ppf(0.9999, 4))


def test_what_was_looked_at_is_said_and_short_curves_are_left_alone() -> None:
    curve = simulated(StudentT(), [0.03, 2.5], 0)
    found = propose(curve, forms=["linear", "logistic"])
    assert {score.noise for score in found.scores} == {"white", "ou_white", "student_t"}
    (note,) = [note for note in found.notes if note.startswith("Further noises.")]
    assert "Let in, because the residuals call for it: student_t (+" in note
    assert "Not called for by the residuals: mean_linked (" in note
    short = Curve("y", T[::20], curve.y[::20])
    assert choose_noises(short, FORMS_TRIED).sentence == ""
    assert names(short) == ["white", "ou_white"]


def test_every_noise_can_be_looked_at_on_a_curve_with_all_columns() -> None:
    rng = np.random.default_rng(3)
    trials = np.full(T.size, 20)
    y = rng.binomial(trials, TRUTH) / trials
    curve = Curve("p", T, y, n_trials=trials)
    choice = choose_noises(curve, [FORMS[name] for name in COMMON])
    assert [noise.name for noise in choice.noises] == ["white", "ou_white", "binomial"]
    looked = {noise.name: gain for noise, gain in choice.gains}
    assert set(looked) == {"student_t", "mean_linked", "beta_binomial"} <= set(NOISES)
    # The least overdispersion adds r = 1.9 % to the variance: the log likelihood ratio is about
    # r / 2 times the sum of 200 centered squares, of standard deviation 0.19.
    assert -4 * 0.19 < looked["beta_binomial"] < ENOUGH


@pytest.mark.parametrize(
    ("noise", "psi"),
    [(StudentT(), [0.03, 2.5]), (MeanLinked((0.0, 1.0)), [0.01, 0.08])],
    ids=["student_t", "mean_linked"],
)
def test_standardized_residuals_of_the_true_noise_are_standard_normal(
    noise: Noise, psi: list[float]
) -> None:
    curve = simulated(noise, psi, 5)
    hypothesis = default_hypothesis(FORMS["logistic"], noise, curve)
    values = {"floor": 0.0, "gain": 1.0, "rate": 1 / 8, "midpoint": 50.0}
    theta = np.array([*(values[name] for name in hypothesis.form.names), *psi])
    p = theta.size
    point = PointFit(
        hypothesis, curve, hypothesis.names, theta, np.zeros(p), np.zeros((p, p)), 0.0, T.size, p
    )
    white = whitened_residuals(curve, point)
    assert white is not None
    assert stats.kstest(white, "norm").pvalue > 1e-3
    assert np.sign(white).tolist() == np.sign(curve.y - TRUTH).tolist()
