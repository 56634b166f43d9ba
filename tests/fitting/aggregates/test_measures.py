"""Measures, comparisons and profiles of scores: exact values, peers, and what rliable gave."""

import numpy as np
import pytest
from scipy import stats

from fitting.aggregates.improvement import improvement
from fitting.aggregates.measures import (
    GAP,
    IQM,
    MEAN,
    MEDIAN,
    interquartile_mean,
    measures,
    optimality_gap,
)
from fitting.aggregates.profile import profile
from fitting.aggregates.scores import Scores, score_of
from theory.curve import Curve

# rliable 1.2.0 (arch 7.2.0, pandas 2.3.3, numpy 2.4.6) on the scores of `drawn()`:
#   metrics.aggregate_iqm(x), aggregate_mean(x), aggregate_median(x), aggregate_optimality_gap(x, 1)
#   metrics.probability_of_improvement(x, y)
#   np.random.seed(0); library.get_interval_estimates({"x": x}, lambda s: np.array([the four]),
#                                                     reps=50000)
#   library.get_interval_estimates({"x,y": (x, y)}, metrics.probability_of_improvement, reps=20000)
#   np.random.seed(0); library.create_performance_profile({"x": x}, np.array(THRESHOLDS), reps=5000)
RLIABLE = {
    IQM: (0.584, 0.47625, 0.7145999999999999),
    MEAN: (0.660325, 0.5296243750000001, 0.806625625),
    MEDIAN: (0.6383, 0.5019500000000001, 0.8047999999999998),
    GAP: (0.41652500000000003, 0.327075, 0.5043006250000001),
}
RLIABLE_IMPROVEMENT = (0.26875000000000004, 0.153125, 0.39375)
THRESHOLDS = (0.25, 0.5, 1.0, 2.0)
RLIABLE_PROFILE = (0.8, 0.6, 0.2, 0.025)
N_RESAMPLES = 20000


def drawn() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    x = rng.gamma(2.0, 0.4, size=(10, 4)).round(3)
    return x, rng.gamma(3.0, 0.4, size=(8, 4)).round(3)


def quantile_error(lower: float, upper: float, n: int) -> float:
    """Four standard errors of a 2.5 % quantile of n draws of a normal of this 95 % interval."""
    sd = (upper - lower) / (2 * stats.norm.ppf(0.975))
    return float(4 * sd * np.sqrt(0.025 * 0.975 / n) / stats.norm.pdf(stats.norm.ppf(0.025)))


def test_interquartile_mean_by_hand() -> None:
    assert interquartile_mean(np.arange(100.0)) == np.arange(25, 75).mean() == 49.5
    assert interquartile_mean(np.array([100.0, 3.0, 2.0, 1.0, -50.0])) == 2.0
    assert interquartile_mean(np.array([1.0, 2.0, 6.0])) == 3.0


@pytest.mark.parametrize("n", [1, 4, 7, 30])
def test_interquartile_mean_against_scipy(n: int) -> None:
    values = np.random.default_rng(n).standard_normal(n)
    assert interquartile_mean(values) == pytest.approx(stats.trim_mean(values, 0.25), rel=1e-12)


def test_measures_agree_with_rliable() -> None:
    x, _ = drawn()
    found = measures(
        Scores.of_array(x), target=1.0, n_resamples=N_RESAMPLES, rng=np.random.default_rng(0)
    )
    for one in found:
        value, lower, upper = RLIABLE[one.name]
        # Both intervals are of finitely many draws.
        error = np.hypot(*(quantile_error(lower, upper, n) for n in (N_RESAMPLES, 50000)))
        assert one.value == pytest.approx(value, rel=1e-12)
        assert [one.lower, one.upper] == pytest.approx([lower, upper], abs=error)


def test_improvement_agrees_with_rliable() -> None:
    x, y = (Scores.of_array(values) for values in drawn())
    found = improvement("x", "y", x, y, n_resamples=N_RESAMPLES, rng=np.random.default_rng(0))
    value, lower, upper = RLIABLE_IMPROVEMENT
    error = np.hypot(*(quantile_error(lower, upper, n) for n in (N_RESAMPLES, 20000)))
    step = 1 / (10 * 8 * 4 * 2)  # the grid on which it lies
    assert found.value == pytest.approx(value, rel=1e-12)
    assert [found.lower, found.upper] == pytest.approx([lower, upper], abs=error + step)


def test_profile_agrees_with_rliable() -> None:
    x, _ = drawn()
    found = profile(Scores.of_array(x), np.array(THRESHOLDS), rng=np.random.default_rng(0))
    assert found.share == pytest.approx(RLIABLE_PROFILE, rel=1e-12)
    assert found.lower is not None and found.upper is not None
    assert np.all((found.lower <= found.share) & (found.share <= found.upper))


def test_improvement_is_mann_whitney_over_pairs() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 6, 9).astype(float), rng.integers(1, 7, 7).astype(float)
    u = stats.mannwhitneyu(x, y).statistic
    found = improvement(
        "x", "y", Scores(("a",), (x,)), Scores(("a",), (y,)), rng=np.random.default_rng(0)
    )
    assert found.value == pytest.approx(u / (x.size * y.size), rel=1e-12)


def test_improvement_counts_common_tasks_only() -> None:
    x = Scores(("a", "b"), (np.array([1.0, 2.0]), np.array([9.0, 9.0])))
    y = Scores(("c", "a"), (np.array([0.0, 0.0]), np.array([3.0, 4.0])))
    rng = np.random.default_rng(0)
    assert (improvement("x", "y", x, y, rng=rng).value, x.counts) == (0.0, (2, 2))
    assert improvement("x", "y", x.on(["b"]), y, rng=rng).value is None


def test_what_exceeds_the_target_does_not_close_the_gap() -> None:
    assert optimality_gap([np.array([0.5, 7.0])], 1.0) == 0.25


def test_a_single_run_has_no_interval() -> None:
    found = measures(Scores(("a",), (np.array([2.0]),)), rng=np.random.default_rng(0))
    assert [one.value for one in found] == [2.0, 2.0, 2.0, None]
    assert all(one.lower is None and one.why_not for one in found)


def test_scores_are_read_where_told() -> None:
    curve = Curve("y", np.array([0.0, 10.0, 20.0]), np.array([0.0, 4.0, 6.0]))
    assert [score_of(curve), score_of(curve, at=5.0), score_of(curve, last=0.5)] == [6.0, 2.0, 5.0]


@pytest.mark.slow
def test_intervals_of_the_mean_cover_as_theory_says() -> None:
    """With n runs a task, resampling shows (n - 1) / n of the variance; over many tasks that is
    all that is amiss, and the coverage is that of an interval so much narrower."""
    n, tasks, sets = 10, 20, 2000
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(sets):
        scores = Scores.of_array(rng.standard_normal((n, tasks)))
        one = next(m for m in measures(scores, n_resamples=1000, rng=rng) if m.name == MEAN)
        assert one.lower is not None and one.upper is not None
        covered += one.lower <= 0 <= one.upper
    expected = 2 * stats.norm.cdf(1.96 * np.sqrt((n - 1) / n)) - 1
    # The estimated variance has n_tasks (n - 1) = 180 degrees of freedom: 0.002 less than normal.
    error = 3 * np.sqrt(expected * (1 - expected) / sets) + 0.004
    assert covered / sets == pytest.approx(expected, abs=error)
