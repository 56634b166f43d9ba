"""Scores, selectivity and description length against counting, resampling and brute force."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax

from empirics.learned_probes.held_out import held_out_log_probabilities, level_folds
from empirics.learned_probes.linear_probe import one_hot
from empirics.learned_probes.online_code import online_code
from empirics.learned_probes.score import accuracy, class_f1, information, macro_f1
from empirics.learned_probes.selectivity import control_labels, selectivity


def test_scores_of_a_table_counted_by_hand():
    labels, told = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 0, 1])
    level = np.array([0, 0, 1, 1, 2, 2])
    assert accuracy(labels, told, level).value == 3 / 6
    each = [class_f1(labels, told, level, c).value for c in range(3)]
    assert each == [pytest.approx(2 * 2 / 6), pytest.approx(2 * 1 / 5), 0.0]
    assert macro_f1(labels, told, level).value == pytest.approx(np.mean(each))
    # A class told but never true only costs the others.
    assert macro_f1([0, 0, 1], [0, 2, 1], [0, 1, 2]).value == pytest.approx((2 / 3 + 1) / 2)


def counts(labels, told):
    """Rows of each of 120 levels that are told rightly, labeled and told so, (120, 9)."""
    has, said = one_hot(labels, 3), one_hot(told, 3)
    return np.concatenate([has * said, has, said], axis=1).reshape(120, 5, 9).sum(axis=1)


def f1_of_counts(drawn):
    return (2 * drawn[:, :3] / (drawn[:, 3:6] + drawn[:, 6:])).mean(axis=1)


def test_standard_errors_are_those_of_drawing_levels_anew():
    """The bootstrap over levels, of a score and of a difference, within its Monte-Carlo error."""
    rng = np.random.default_rng(1)
    level = np.repeat(np.arange(120), 5)
    labels = rng.integers(3, size=120)[level]
    good = np.where(rng.random(600) < 0.8, labels, rng.integers(3, size=600))
    poor = np.where(rng.random(120)[level] < 0.5, good, rng.integers(3, size=120)[level])
    score = macro_f1(labels, good, level)
    difference = score - macro_f1(labels, poor, level)
    times = rng.multinomial(120, np.full(120, 1 / 120), size=4000)  # each level, in each draw
    again = [f1_of_counts(times @ counts(labels, told)) for told in (good, poor)]
    # A standard deviation of 4,000 draws has a relative error of 1/√8000, 1.1 %; 5 of them.
    expected = np.std([again[0], again[0] - again[1]], axis=1)
    np.testing.assert_allclose([score.se, difference.se], expected, rtol=0.055)
    assert (score - score).se == 0.0


def test_one_level_has_no_standard_error():
    assert accuracy([0, 1], [0, 0], [3, 3]).se is None


def test_information_is_the_divergence_from_the_shares():
    target = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.5, 0.5]])
    gain = information(np.log(np.full((4, 2), 0.5)), target, np.arange(4))
    assert gain.value == pytest.approx(0.0, abs=1e-12)
    sure = np.log(np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5], [0.5, 0.5]]))
    expected = 1.0 + (2 * math.log2(0.9) + 2 * math.log2(0.5)) / 4
    assert information(sure, target, np.arange(4)).value == pytest.approx(expected)


def random_problem(seed, num_levels=100, of_each=4):
    rng = np.random.default_rng(seed)
    level = np.repeat(np.arange(num_levels), of_each)
    labels = rng.integers(4, size=level.size)
    return rng.normal(size=(level.size, 8)), labels, level, rng


def test_random_labels_are_told_by_chance_and_not_compressed():
    scores, compressions = [], []
    for seed in range(8):
        features, labels, level, rng = random_problem(seed)
        fold = level_folds(level, rng=rng)
        log_q = held_out_log_probabilities(features, one_hot(labels, 4), fold)
        told = log_q.argmax(axis=1)
        scores.append([accuracy(labels, told, level).value, macro_f1(labels, told, level).value])
        assert information(log_q, one_hot(labels, 4), level).value < 0.01
        compressions.append(online_code(features, labels, 4, level, rng=rng).compression)
    # 3,200 rows: the standard error of a share of a quarter is 0.008.
    np.testing.assert_allclose(np.mean(scores, axis=0), 0.25, atol=4 * 0.008)
    assert 0.8 < np.mean(compressions) < 1.0


def test_a_planted_problem_is_told_compressed_and_selective():
    features, _, level, rng = random_problem(0, num_levels=200)
    labels = features[:, :4].argmax(axis=1)
    fold = level_folds(level, rng=rng)
    told = held_out_log_probabilities(features, one_hot(labels, 4), fold).argmax(axis=1)
    assert macro_f1(labels, told, level).value > 0.9
    assert online_code(features, labels, 4, level, rng=rng).compression > 2.0
    # No row is like another: types say nothing, and the control is told by chance.
    chosen = selectivity(features, labels, np.arange(level.size), level, fold, rng=rng)
    at_chance = accuracy(labels, told, level).value - 0.25
    assert chosen.value == pytest.approx(at_chance, abs=4 * math.sqrt(0.25 * 0.75 / level.size))


def test_a_probe_that_knows_the_types_by_heart_is_not_selective():
    """One-hot types tell any label of a type; the control costs nothing."""
    rng = np.random.default_rng(2)
    level, types = np.repeat(np.arange(60), 10), np.tile(np.arange(10), 60)
    features, fold = np.eye(10)[types], level_folds(level, rng=rng)
    found = selectivity(features, types % 2, types, level, fold, rng=rng)
    assert found.value == 0.0
    control = control_labels(types, types % 2, rng=rng)
    assert all(np.unique(control[types == each]).size == 1 for each in range(10))


def test_the_online_code_of_a_tiny_problem_by_brute_force():
    """Three blocks of two levels; each probe by another optimizer, straight from the definition."""
    features, labels, level, _ = random_problem(5, num_levels=6, of_each=2)
    features, labels = features[:, :2], labels % 3
    found = online_code(
        features, labels, 3, level, fractions=(1 / 3, 2 / 3, 1.0), rng=np.random.default_rng(9)
    )
    order = np.random.default_rng(9).permutation(6)  # of each level, its place in the row
    bits = 4 * math.log2(3)
    for begin in (2, 4):
        before = order[level] < begin
        now = (order[level] >= begin) & (order[level] < begin + 2)
        mean, scale = features[before].mean(0), features[before].std(0)
        rows = np.c_[np.ones(12), (features - mean) / scale]

        def loss(flat, rows=rows, before=before):
            log_q = log_softmax(rows[before] @ flat.reshape(3, 3), axis=1)
            return -log_q[np.arange(before.sum()), labels[before]].sum() + flat @ flat / 2

        weights = minimize(loss, np.zeros(9), options={"gtol": 1e-7}).x.reshape(3, 3)
        log_q = log_softmax(rows[now] @ weights, axis=1)
        bits -= log_q[np.arange(now.sum()), labels[now]].sum() / math.log(2)
    assert found.bits == pytest.approx(bits, abs=1e-3)
    assert found.uniform_bits == pytest.approx(12 * math.log2(3))


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (lambda: class_f1([0], [0], [0], 1), "class 1 does not occur"),
        (lambda: accuracy([0], [0], [0]) - accuracy([0, 1], [0, 0], [0, 1]), "1 and 2"),
        (
            lambda: online_code([[0.0]], [0], 2, [0], fractions=(0.5,), rng=None),
            "fractions must increase to 1; they are (0.5,)",
        ),
        (lambda: online_code([[0.0]], [0], 1, [0], rng=None), "at least 2; it is 1"),
    ],
)
def test_bad_input_gets_one_sentence(action, words, sentence):
    assert words in sentence(action)
