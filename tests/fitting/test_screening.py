"""What is left out of a comparison: only what its own likelihood rules out."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from fitting.log_sum_exp import log_sum_exp
from fitting.point import fit
from fitting.sampling.modes import find_modes, log_target
from fitting.sampling.starts import Profile
from fitting.sampling.target import Target
from fitting.screening import LAPLACE, posteriors, rough
from fitting.trials.trial import Design, draw_truth
from theory.curve import Curve
from theory.family import Family
from theory.forms import FORMS
from theory.hypothesis import Hypothesis, default_hypothesis
from theory.noise import NOISES, White

Array = NDArray[np.float64]
MARGIN = 7.0


def flat(seed: int) -> Curve:
    t = np.linspace(1.0, 120.0, 100)
    return Curve("x", t, 0.1 * np.random.default_rng(seed).standard_normal(100))


def screened(curve: Curve, hypotheses: list[Hypothesis]) -> list[tuple[float | None, str]]:
    rngs = [np.random.default_rng(k) for k in range(len(hypotheses))]
    found = posteriors(curve, hypotheses, rngs=rngs, margin=MARGIN, precision=0.03)
    return [(posterior.log_evidence, posterior.sampler) for posterior, _ in found]


@pytest.mark.parametrize("seed", [0, 2, 3])
def test_stages_that_nothing_asks_for_are_judged_by_their_whole_posterior(seed: int) -> None:
    """Two places that may meet leave an edge, which must not pass for a narrow peak."""
    curve = flat(seed)
    hypotheses = [
        default_hypothesis(FORMS[f], NOISES["white"], curve)
        for f in ("constant", "double_logistic")
    ]
    _, (log_evidence, sampler) = screened(curve, hypotheses)
    want, se = by_prior(hypotheses[1], curve)
    assert sampler != LAPLACE
    assert log_evidence == pytest.approx(want, abs=4.0 * se + 0.05)


def by_prior(hypothesis: Hypothesis, curve: Curve, size: int = 40_000) -> tuple[float, float]:
    """Mean likelihood of prior draws, and the standard error of its logarithm."""
    target = Target(hypothesis, curve)
    z = np.random.default_rng(99).standard_normal((size, target.dimension))
    value = target.log_likelihood(target.sums(z))
    log_mean = float(log_sum_exp(value) - np.log(size))
    return log_mean, float(np.std(np.exp(value - log_mean)) / np.sqrt(size))


@pytest.mark.parametrize(
    ("truth", "trials", "form"), [("exp", 1000, "exponential_approach"), ("sigmoid", 50, "linear")]
)
def test_the_edge_of_what_counts_allow_is_no_narrow_peak(
    truth: str, trials: int, form: str
) -> None:
    t = np.linspace(0.02, 1.0, 30)
    p = {"exp": 1 - np.exp(-5 * t), "sigmoid": 1 / (1 + np.exp(-15 * (t - 0.5)))}[truth]
    y = np.random.default_rng(0).binomial(trials, p) / trials
    curve = Curve("x", t, y, n_trials=np.full(30, trials), support=(0.0, 1.0))
    hypothesis = default_hypothesis(FORMS[form], NOISES["binomial"], curve)
    ((log_evidence, _),) = screened(curve, [hypothesis])
    guess = rough(hypothesis, curve)
    # An edge that passed for a peak left Laplace's approximation 16 and 10 nats too low.
    assert log_evidence is not None and guess.log_evidence is not None
    assert log_evidence < guess.bound
    assert guess.log_evidence > log_evidence - 8.0


def test_what_is_left_out_could_not_have_mattered() -> None:
    t = np.linspace(1.0, 100.0, 80)
    y = 1 / (1 + np.exp(-0.2 * (t - 50))) + 0.03 * np.random.default_rng(1).standard_normal(80)
    curve = Curve("x", t, y)
    names = ("constant", "linear", "exponential_approach", "hyperbolic", "logistic", "gompertz")
    hypotheses = [default_hypothesis(FORMS[f], NOISES["white"], curve) for f in names]
    found = screened(curve, hypotheses)
    best = max(value for value, sampler in found if value is not None and sampler != LAPLACE)
    left_out = [h for h, (_, sampler) in zip(hypotheses, found, strict=True) if sampler == LAPLACE]
    assert left_out
    for hypothesis in left_out:
        want, _ = by_prior(hypothesis, curve)
        assert want < best - MARGIN


def test_stages_too_far_away_to_be_seen_do_no_harm() -> None:
    """Their columns are tiny, down to nothing at all, and no gain makes a curve of them."""
    curve = flat(0)
    for name in ("logistic", "double_logistic", "signed_double_logistic"):
        profile = Profile(Target(default_hypothesis(FORMS[name], NOISES["white"], curve), curve))
        z = 3.0 * np.random.default_rng(1).standard_normal((4000, len(profile.free)))
        score, residual = profile(z)
        assert not np.isnan(score).any()
        assert np.isfinite(residual[np.isfinite(score)]).all()
        assert np.isfinite(score).mean() > 0.99


def quiet(values: Array, template: Curve, rng: np.random.Generator) -> tuple[str, Array]:
    """White noise from a thousandth of the change to all of it."""
    return "white", White().simulate(values, template, np.array([1e-3 ** rng.uniform()]), rng=rng)


def test_a_change_before_the_first_points_does_not_hide_the_second() -> None:
    # A fall that is nearly over before the second of 500 points, and a second one at t = 90: from
    # its own starts the search saw one of them, 600 nats below, and a verdict was sure and wrong.
    t = np.linspace(1.0, 100.0, 500)
    kinds = tuple(str(family) for family in Family)
    template = Curve("y", t, np.linspace(0.0, 1.0, 500))
    truth = draw_truth(Design(template, quiet, 1.0, kinds), 13, seed=20)
    assert truth is not None
    hypothesis = default_hypothesis(FORMS["signed_double_logistic"], White(), truth.curve)
    target = Target(hypothesis, truth.curve)
    point = fit(hypothesis, truth.curve)
    theta = point.theta[[hypothesis.names.index(name) for name in target.names]]

    def depth(z: Array) -> float:
        return -float(log_target(target, z[None])[0])

    # Another optimizer, from the fit that does see both.
    start = hypothesis.standard(theta[None], target.names)[0]
    reached = minimize(depth, start, method="Nelder-Mead", options={"maxfev": 4000})
    assert max(mode.log_density for mode in find_modes(target)) >= -reached.fun - 1.0
