"""The conditional logit against known weights, scipy, drawn levels and exact collinearity."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from empirics.probes.conditional_logit import fit_conditional_logit, variance_inflation


@pytest.fixture
def choices():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 4, 3))
    available = rng.random((200, 4)) < 0.7
    available[~available.any(axis=1), :2] = True
    return features, available, rng


def chosen(features, available, weights):
    return softmax(np.where(available, features @ weights, -np.inf), axis=1)


def test_weights_of_a_product_of_experts_are_given_back_exactly(choices):
    features, available, _ = choices
    weights = np.array([5.0, -0.5, 0.0])
    target = chosen(features, available, weights)
    fit = fit_conditional_logit(features, available, target, np.arange(200), penalty=0.0)
    np.testing.assert_allclose(fit.weights, weights, atol=1e-6)
    np.testing.assert_allclose(fit.se, 0.0, atol=1e-6)
    assert fit.explained == pytest.approx(1.0, abs=1e-9)


def test_any_probabilities_are_fitted_as_a_minimizer_of_divergence_does(choices):
    features, available, rng = choices
    target = np.where(available, rng.gamma(0.3, size=available.shape) + 1e-9, 0.0)
    target /= target.sum(axis=1, keepdims=True)
    count = rng.integers(0, 3, size=200).astype(float)

    def loss(w):
        log_q = log_softmax(np.where(available, features @ w, -1e9), axis=1)
        return -(count[:, None] * target * log_q).sum() + 0.5 * 2.0 * w @ w

    fit = fit_conditional_logit(
        features, available, target, np.arange(200), count=count, penalty=2.0
    )
    np.testing.assert_allclose(fit.weights, minimize(loss, np.zeros(3)).x, atol=1e-5)


def test_errors_are_those_of_levels_drawn_anew():
    """Choices of a level share a taste that the model does not have."""
    rng = np.random.default_rng(1)
    weights, errors = [], []
    for _ in range(200):
        level = np.repeat(np.arange(40), 5)
        features = rng.normal(size=(200, 2, 1))
        own = 1.0 + rng.normal(size=40)[level]
        target = softmax(features[:, :, 0] * own[:, None], axis=1)
        fit = fit_conditional_logit(features, np.ones((200, 2), bool), target, level)
        weights.append(fit.weights[0])
        errors.append(fit.se[0])
    # The standard deviation of 200 draws is known to 5 %; the sandwich is too small by 1/40.
    assert np.mean(errors) == pytest.approx(np.std(weights), rel=0.15)


def test_features_that_say_the_same_are_said(choices):
    features, available, _ = choices
    twice = np.concatenate([features[:, :, :1], features[:, :, :1] + 7.0], axis=2)
    assert np.isinf(variance_inflation(twice, available)).all()
    target = chosen(features, available, np.ones(3))
    with pytest.raises(ValueError, match="say the same as others"):
        fit_conditional_logit(
            np.repeat(np.round(features[:, :, :1]), 2, axis=2),
            available,
            target,
            np.arange(200),
            penalty=0.0,
        )
    shared = fit_conditional_logit(twice, available, target, np.arange(200), penalty=1e-3)
    assert shared.weights[0] == pytest.approx(shared.weights[1], rel=1e-3)


def test_inflation_of_correlated_features_is_that_of_their_correlation():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(50_000, 1))
    y = 0.8 * x + 0.6 * rng.normal(size=x.shape)
    pair = np.stack([np.column_stack([x, y]), np.zeros((x.size, 2))], axis=1)
    # 1 / (1 - 0.8²); the correlation of 50,000 pairs is known to 0.002.
    np.testing.assert_allclose(
        variance_inflation(pair, np.ones((x.size, 2), bool)), 2.78, rtol=0.03
    )


def test_probabilities_that_do_not_sum_to_one_are_refused(choices):
    features, available, _ = choices
    with pytest.raises(ValueError, match="must sum to 1; they do not in 0"):
        fit_conditional_logit(features, available, np.full((200, 4), 0.3), np.arange(200))
