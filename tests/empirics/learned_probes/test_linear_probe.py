"""The linear probe against closed forms, another optimizer, and planted problems."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp

from empirics.learned_probes.held_out import held_out_log_probabilities, level_folds
from empirics.learned_probes.linear_probe import Design, fit_linear_probe, one_hot


def planted(n=400, d=6, k=3, seed=0):
    """Correlated features of unequal size, and labels drawn from a softmax of them."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) * 10.0 ** np.arange(-3, d - 3) + 5
    standard = (features - features.mean(0)) / features.std(0)
    logits = 2.0 * standard @ rng.normal(size=(d, k))
    return features, (logits + rng.gumbel(size=(n, k))).argmax(axis=1)


def loss(weights, standard, target, ridge):
    """The loss as it is defined, on rows with a 1 before them."""
    log_q = log_softmax(standard @ weights, axis=1)
    penalty = np.r_[min(ridge, 1.0), np.full(len(weights) - 1, ridge)]
    return -(target * log_q).sum() + (penalty @ weights**2).sum() / 2


@pytest.mark.parametrize("ridge", [0.7, 20.0])
def test_its_slope_is_zero_and_another_optimizer_finds_it(ridge):
    features, labels = planted()
    target = one_hot(labels, 3)
    probe = fit_linear_probe(features, target, ridge=ridge)
    standard = np.c_[np.ones(len(labels)), (features - features.mean(0)) / features.std(0)]
    q = np.exp(log_softmax(standard @ probe.weights, axis=1))
    penalty = np.r_[min(ridge, 1.0), np.full(6, ridge)][:, None]
    slope = standard.T @ (q - target) + penalty * probe.weights
    # The whitened slope is below 1e-4; the whitening multiplies it by at most √(n d).
    assert np.abs(slope).max() < 1e-4 * math.sqrt(standard.size)
    other = minimize(
        lambda flat: loss(flat.reshape(7, 3), standard, target, ridge),
        np.zeros(21),
        method="BFGS",
        options={"gtol": 1e-4},
    )
    assert loss(probe.weights, standard, target, ridge) == pytest.approx(other.fun, abs=1e-5)
    np.testing.assert_allclose(probe.weights, other.x.reshape(7, 3), atol=2e-3)
    np.testing.assert_allclose(probe.log_probabilities(features), np.log(q), atol=1e-10)


def test_a_saturated_probe_gives_the_frequencies():
    """With a feature a type, and next to no ridge, each type has its own share of labels."""
    types = np.repeat([0, 1, 2], [10, 20, 30])
    labels = np.r_[[0] * 3, [1] * 7, [0] * 15, [1] * 5, [0] * 6, [1] * 24]
    probe = fit_linear_probe(np.eye(3)[types], one_hot(labels, 2), ridge=1e-5)
    q = np.exp(probe.log_probabilities(np.eye(3)))
    np.testing.assert_allclose(q[:, 0], [0.3, 0.75, 0.2], atol=1e-3)


def test_soft_labels_are_mixtures_of_hard_ones():
    features, labels = planted(n=60)
    target = np.full((60, 3), 0.1) + 0.7 * one_hot(labels, 3)
    soft = fit_linear_probe(features, target, ridge=0.1)
    # Ten rows for each, of which eight have the label and the others one each.
    rows = np.repeat(features, 10, axis=0)
    hard = np.concatenate([[a] * 8 + [b for b in range(3) if b != a] for a in labels])
    again = fit_linear_probe(rows, one_hot(hard, 3), ridge=1.0)
    np.testing.assert_allclose(soft.weights, again.weights, atol=2e-3)


def test_a_class_that_never_occurs_and_features_that_say_the_same():
    features, labels = planted(n=50)
    twice = np.c_[features, features, np.full(50, 0.1)]
    probe = fit_linear_probe(twice, one_hot(labels, 4))
    assert np.isfinite(probe.weights).all()
    np.testing.assert_allclose(probe.weights[1:7], probe.weights[7:13], atol=1e-3)
    assert probe.weights[13] == pytest.approx(0.0, abs=1e-12)
    assert (probe.predict(twice) != 3).all()


def test_the_weights_of_a_planted_problem_come_back():
    rng = np.random.default_rng(3)
    features = rng.normal(size=(20_000, 4))
    weights = rng.normal(size=(4, 3))
    labels = (features @ weights + rng.gumbel(size=(20_000, 3))).argmax(axis=1)
    probe = fit_linear_probe(features, one_hot(labels, 3))
    found = probe.weights[1:] / probe.scale[:, None]
    # Of weights that sum to 0, which the labels do not decide: the pseudoinverse of Fisher's.
    q = np.exp(probe.log_probabilities(features))
    inner = np.einsum("na,ab->nab", q, np.eye(3)) - np.einsum("na,nb->nab", q, q)
    fisher = np.einsum("nab,ni,nj->iajb", inner, features, features, optimize=True)
    se = np.sqrt(np.diag(np.linalg.pinv(fisher.reshape(12, 12), rcond=1e-9))).reshape(4, 3)
    true = weights - weights.mean(axis=1, keepdims=True)
    assert np.abs((found - true) / se).max() < 4
    assert se.max() < 0.03


def test_a_row_is_read_by_the_probe_of_other_levels():
    features, labels = planted(n=60)
    level = np.arange(60) // 3
    fold = level_folds(level, 3, rng=np.random.default_rng(0))
    assert all(np.unique(fold[level == each]).size == 1 for each in range(20))
    assert np.ptp([np.unique(level[fold == f]).size for f in range(3)]) <= 1
    read = held_out_log_probabilities(features, one_hot(labels, 3), fold)
    for f in range(3):
        probe = fit_linear_probe(features[fold != f], one_hot(labels, 3)[fold != f])
        np.testing.assert_array_equal(read[fold == f], probe.log_probabilities(features[fold == f]))
    np.testing.assert_allclose(logsumexp(read, axis=1), 0.0, atol=1e-12)


def test_a_design_serves_many_labels():
    features, labels = planted(n=80)
    design = Design(features)
    for wanted in (one_hot(labels, 3), one_hot(labels[::-1].copy(), 4), one_hot(labels % 2, 3)):
        again = fit_linear_probe(features, wanted)
        np.testing.assert_array_equal(design.fit(wanted).weights, again.weights)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (lambda: Design(np.zeros(3)), "the shape (rows, features); got (3,)"),
        (lambda: Design(np.full((3, 1), np.nan)), "finite"),
        (lambda: Design(np.zeros((0, 1))), "no rows"),
        (lambda: Design(np.zeros((3, 1)), ridge=0.0), "ridge must be above 0; it is 0.0"),
        (lambda: fit_linear_probe(np.zeros((3, 1)), np.eye(2)), "each of 3 rows"),
        (lambda: fit_linear_probe(np.zeros((2, 1)), 2 * np.eye(2)), "sum to 1"),
        (lambda: one_hot([0, 3], 3), "labels must be 0 to 2; one is 3"),
        (lambda: one_hot([0.0], 3), "whole numbers"),
        (lambda: level_folds([0, 0], rng=np.random.default_rng(0)), "there are 1"),
        (
            lambda: held_out_log_probabilities(np.zeros((2, 1)), np.eye(2), np.zeros(2, dtype=int)),
            "at least two different",
        ),
        (
            lambda: fit_linear_probe(np.zeros((2, 3)), np.eye(2)).predict(np.zeros((1, 2))),
            "fitted to 3 features; these rows have 2",
        ),
    ],
)
def test_bad_input_gets_one_sentence(action, words, sentence):
    assert words in sentence(action)
