"""Proposals end to end: verdicts on known truths, doubts, bad input, reproducibility."""

import pickle

import numpy as np
import pytest

from fitting.comparison import Comparison
from fitting.propose import propose
from fitting.verdict import VerdictKind
from theory.curve import Curve
from theory.family import Family
from theory.forms import FORMS
from theory.noise import NOISES

T = np.linspace(1.0, 100.0, 100)
FORMS_FEW = ("constant", "linear", "exponential_approach", "logistic", "double_logistic")


def noisy(clean: np.ndarray, seed: int, noise: str = "white", sd: float = 0.05) -> Curve:
    rng = np.random.default_rng(seed)
    truth = {"sd_white": 0.7 * sd, "sd_wander": 0.7 * sd, "correlation_time": 5.0}
    if noise == "white":
        truth["sd_white"] = sd
    psi = np.array([truth[name] for name in NOISES[noise].names])
    flat = Curve(observable="success", t=T, y=clean)
    y = NOISES[noise].simulate(clean, flat, psi, rng=rng)
    return Curve(observable="success", t=T, y=y)


def sigmoid() -> np.ndarray:
    return 0.5 * (1.0 + np.tanh(0.075 * (T - 50.0)))


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return propose(noisy(sigmoid(), 0, sd=0.02), forms=FORMS_FEW)


def test_probabilities_and_weights_sum_to_one(comparison: Comparison) -> None:
    assert sum(comparison.family_probabilities.values()) == pytest.approx(1.0)
    assert sum(score.weight for score in comparison.scores) == pytest.approx(1.0)
    for band in comparison.sensitivity.values():
        assert sum(band.values()) == pytest.approx(1.0)
    assert set(comparison.sensitivity) == {0.5, 2.0}


def test_rows_are_ordered_by_evidence(comparison: Comparison) -> None:
    evidence = [score.log_evidence for score in comparison.scores]
    assert evidence == sorted(evidence, reverse=True)
    assert len(comparison.scores) == len(FORMS_FEW) * 2


def test_a_sigmoid_is_called_a_sigmoid(comparison: Comparison) -> None:
    assert comparison.verdict.kind is VerdictKind.DECIDED
    assert comparison.verdict.families == (Family.SIGMOID,)
    assert comparison.best is not None
    assert comparison.best.form == "logistic"
    assert comparison.stages is not None
    (stage,) = comparison.stages.stages
    # 10-90 % of this logistic takes ln 81 / 0.15, and ln 81 / rate has the relative error of rate.
    sd_rate, sd_midpoint = cramer_rao(0.02)
    width = np.log(81.0) / 0.15
    for found, truth, sd in (
        (stage.midpoint, 50.0, sd_midpoint),
        (stage.width, width, width * sd_rate / 0.15),
    ):
        assert abs(found.value - truth) < 4.0 * sd
        assert 0.5 * sd < found.se < 2.0 * sd


def cramer_rao(sd: float) -> tuple[float, float]:
    """Smallest possible standard deviations of rate and midpoint of `sigmoid` under white noise."""
    logistic = FORMS["logistic"]
    jacobian = logistic.jacobian(T, [0.0, 1.0, 0.15, 50.0]) / sd
    variance = np.diag(np.linalg.inv(jacobian.T @ jacobian))
    at = [logistic.names.index(name) for name in ("rate", "midpoint")]
    return tuple(np.sqrt(variance[at]))


def test_every_missing_number_has_a_doubt(comparison: Comparison) -> None:
    for score in comparison.scores:
        text = " ".join(score.doubts)
        assert (score.elpd_loo is None) == ("elpd_loo" in text)
        assert score.elpd_loo is None or score.noise != "ou_white"
        if score.elpd_forecast is None:
            assert "elpd_forecast" in text
        if score.log_evidence_se is None:
            assert "Laplace" in text
        for estimate in score.parameters.values():
            assert estimate is None or np.isfinite(estimate.value)
            if estimate is not None and not np.isfinite(estimate.lower + estimate.upper):
                assert "intervals (lower, upper)" in text or "limit to" in text


def test_same_seed_same_result() -> None:
    forms = ("linear", "logistic")
    comparison, again = (propose(noisy(sigmoid(), 0, sd=0.02), forms=forms) for _ in range(2))
    other = propose(noisy(sigmoid(), 0, sd=0.02), forms=forms, seed=1)
    assert again.family_probabilities == comparison.family_probabilities
    assert again.scores[0].log_evidence == comparison.scores[0].log_evidence
    ours, theirs = (c.score("logistic", "white").log_evidence for c in (comparison, other))
    assert ours != theirs
    # Their standard errors are near 0.015 each.
    assert ours == pytest.approx(theirs, abs=0.1)
    assert other.verdict.families == comparison.verdict.families


def test_comparisons_can_be_pickled(comparison: Comparison) -> None:
    restored = pickle.loads(pickle.dumps(comparison))
    assert restored.family_probabilities == comparison.family_probabilities
    assert restored.scores[0].parameters["gain"] == comparison.scores[0].parameters["gain"]
    assert restored.score("logistic", "white").name == "logistic × white"
    with pytest.raises(ValueError, match="no candidate is 'spline'"):
        restored.score("spline")


@pytest.mark.parametrize(
    ("t", "y", "words"),
    [
        ([1.0], [0.5], "at least 3 points"),
        ([1.0, 2.0], [0.5, 0.7], "at least 3 points"),
        ([1.0, 2.0, 3.0, 4.0], [0.3] * 4, "vary"),
    ],
)
def test_curves_that_cannot_be_fitted_have_a_sentence(
    t: list[float], y: list[float], words: str
) -> None:
    found = propose(Curve(observable="success", t=t, y=y))
    assert found.scores == ()
    assert found.verdict.kind is VerdictKind.INCONCLUSIVE
    assert words in found.verdict.reason


@pytest.mark.parametrize("n", [3, 5, 8])
def test_short_curves_are_inconclusive_without_an_exception(n: int) -> None:
    y = np.array([0.1, 0.9, 0.2, 0.8, 0.4, 0.3, 0.5, 0.6])[:n]
    found = propose(Curve(observable="success", t=np.arange(1.0, n + 1.0), y=y), forms=FORMS_FEW)
    assert found.verdict.kind is not VerdictKind.DECIDED
    assert any("points" in doubt for score in found.scores for doubt in score.doubts)


def test_unknown_names_list_the_choices() -> None:
    data = noisy(sigmoid(), 0)
    with pytest.raises(ValueError, match="no form is called 'spline'; choose from"):
        propose(data, forms=["spline"])
    with pytest.raises(ValueError, match="no noise is called 'pink'; choose from"):
        propose(data, noises=["pink"])


def called(clean: np.ndarray, noise: str, sd: float, seeds: range) -> list[tuple[Family, ...]]:
    """Families decided on, one tuple a curve; empty or two where undecided."""
    found = [propose(noisy(clean, s, noise, sd), forms=FORMS_FEW).verdict for s in seeds]
    return [v.families if v.kind is VerdictKind.DECIDED else () for v in found]


def test_one_stage_with_wandering_noise_is_not_called_two() -> None:
    verdicts = called(sigmoid(), "ou_white", 0.08, range(10, 12))
    assert (Family.MULTISTAGE,) not in verdicts


@pytest.mark.slow
@pytest.mark.parametrize(("noise", "sd"), [("white", 0.03), ("ou_white", 0.04)])
def test_verdicts_on_sigmoids_are_right_where_decided(noise: str, sd: float) -> None:
    verdicts = called(sigmoid(), noise, sd, range(20, 40))
    decided = [families for families in verdicts if families]
    wrong = [families for families in decided if families != (Family.SIGMOID,)]
    # At a true error rate of 2 % two or more wrong of 20 have probability 0.06.
    assert len(wrong) <= 1
    assert len(decided) >= 5
