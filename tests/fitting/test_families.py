"""Family probabilities: the formula by hand, duplicates, calibration of the parts."""

from dataclasses import replace

import numpy as np
import pytest

from fitting.compare import compare
from fitting.families import FamilyTable, family_shares, prior_shapes, prior_shares
from fitting.redundancy import redundancy_weights, similarities
from theory.curve import Curve
from theory.family import Family, classify, family_grid
from theory.forms import FORMS
from theory.hypothesis import Hypothesis, default_hypothesis
from theory.noise import NOISES

T = np.linspace(1.0, 120.0, 120)
NAMES = ("constant", "linear", "exponential_approach", "logistic", "gompertz", "double_logistic")


def sigmoid(seed: int = 0, sd: float = 0.1) -> Curve:
    rng = np.random.default_rng(seed)
    y = 0.5 * (1.0 + np.tanh(0.06 * (T - 60.0))) + sd * rng.standard_normal(T.size)
    return Curve(observable="success", t=T, y=y)


def hypotheses(data: Curve, names: tuple[str, ...] = NAMES) -> list[Hypothesis]:
    return [default_hypothesis(FORMS[name], NOISES["white"], data) for name in names]


def copy_of(hypothesis: Hypothesis, name: str) -> Hypothesis:
    form = replace(hypothesis.form, name=name)
    return Hypothesis(form, hypothesis.noise, hypothesis.priors)


def test_formula_by_hand() -> None:
    table = FamilyTable(
        form_of=np.array([0, 0, 1]),
        log_evidence=np.log([2.0, 4.0, 1.0]),
        log_evidence_se=np.zeros(3),
        posterior=np.array(
            [[0, 0.5, 0.5, 0, 0], [0, 0, 1, 0, 0], [0, 1, 0, 0, 0]], dtype=np.float64
        ),
        prior=np.array([[0, 0.25, 0.75, 0, 0], [0, 1, 0, 0, 0]], dtype=np.float64),
        # The second form is wholly said by the first, and does not match it: weights 1 and 1/2.
        similarity=np.array([[1.0, 0.0], [1.0, 1.0]]),
        draws=np.full(3, 1000.0),
    )
    # Z of the first form is the mean over its noises; numerators over denominators of each family.
    saturating = (1.0 * (2 * 0.5) / 2 + 0.5 * 1.0) / (1.0 * 0.25 + 0.5 * 1.0)
    sigmoid_ = (1.0 * (2 * 0.5 + 4 * 1.0) / 2) / (1.0 * 0.75)
    expected = np.array([0, saturating, sigmoid_, 0, 0]) / (saturating + sigmoid_)
    assert table.probabilities() == pytest.approx(expected, rel=1e-12)
    assert table.joint().sum() == pytest.approx(1.0, rel=1e-12)


def test_candidates_without_evidence_do_not_count() -> None:
    table = FamilyTable(
        np.array([0, 1]),
        np.array([-np.inf, 0.0]),
        np.zeros(2),
        np.array([[0, 1, 0, 0, 0], [0, 0, 1, 0, 0]], dtype=np.float64),
        np.array([[0, 1, 0, 0, 0], [0, 0, 1, 0, 0]], dtype=np.float64),
        np.eye(2),
        np.full(2, 1000.0),
    )
    assert table.probabilities() == pytest.approx([0, 0, 1, 0, 0])
    empty = replace(table, log_evidence=np.full(2, -np.inf))
    assert empty.probabilities().sum() == 0.0


def test_shares_are_weighted_counts() -> None:
    assert family_shares([1, 1, 2, 4]) == pytest.approx([0, 0.5, 0.25, 0, 0.25])
    weighted = family_shares([1, 2], np.array([3.0, 1.0]))
    assert weighted == pytest.approx([0, 0.75, 0.25, 0, 0])


def test_prior_shares_agree_with_independent_draws() -> None:
    data = sigmoid()
    for hypothesis in hypotheses(data, tuple(FORMS)):
        grid = family_grid(T)
        shares = prior_shares(prior_shapes(hypothesis, T), T, scale=1.0)
        p = len(hypothesis.form.names)
        theta = hypothesis.draw_prior(4000, rng=np.random.default_rng(1))[:, :p]
        plain = family_shares(classify(grid, np.asarray(hypothesis.form(grid, theta)), scale=1.0))
        # Four sds of shares of 4000 independent and 1024 well-spread draws are at most 0.06.
        assert shares == pytest.approx(plain, abs=0.06)


def test_every_form_matches_itself_and_weights_are_fractions() -> None:
    everything = hypotheses(sigmoid(), tuple(FORMS))
    similarity = similarities(everything, T)
    assert np.all(np.diag(similarity) == 1.0)
    weights = redundancy_weights(similarity)
    assert np.all((weights > 0.0) & (weights <= 1.0))
    assert weights[list(FORMS).index("constant")] == 1.0


def test_special_cases_are_recognized() -> None:
    two = hypotheses(sigmoid(), ("logistic", "double_logistic"))
    similarity = similarities(two, T)
    # A double logistic with a tiny second step is a logistic, but few are.
    assert similarity[0, 1] > 0.8
    assert similarity[1, 0] < 0.7


def test_k_copies_share_the_weight_of_one() -> None:
    plain = hypotheses(sigmoid(), ("logistic", "gompertz", "exponential_approach"))
    alone = redundancy_weights(similarities(plain, T))
    more = [*plain, copy_of(plain[0], "verhulst"), copy_of(plain[0], "s")]
    crowd = redundancy_weights(similarities(more, T))
    assert crowd[[0, 3, 4]] == pytest.approx(np.full(3, alone[0] / 3), rel=1e-12)
    assert crowd[[1, 2]] == pytest.approx(alone[[1, 2]], rel=1e-12)


def test_a_duplicate_form_changes_nothing() -> None:
    data = sigmoid(sd=0.3)
    plain = hypotheses(data)
    rng = np.random.default_rng
    before = compare(data, plain, rng=rng(0), with_forecast=False)
    after = compare(data, [*plain, copy_of(plain[3], "verhulst")], rng=rng(0), with_forecast=False)
    for family in Family:
        gap = abs(before.family_probabilities[family] - after.family_probabilities[family])
        error = np.hypot(before.family_se[family], after.family_se[family])
        assert gap <= 3.0 * error + 1e-6
    assert sum(after.family_probabilities.values()) == pytest.approx(1.0)
    assert sum(score.weight for score in after.scores) == pytest.approx(1.0)
