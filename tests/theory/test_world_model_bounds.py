"""Bounds on world models against exact agents that choose as badly as they may."""

import numpy as np
import pytest
from scipy.stats import binom

from theory.world_model_bounds import (
    below_a_line,
    beyond_transition_bound,
    transition_error_bound,
)


def estimates(probability, n_trials, failure_rate):
    """Return every estimate that an agent with this failure rate may betray.

    Asked for "at most r times" or "more often" in `n_trials`, it may choose either whose chance is
    at least 1 - failure_rate of the better one. The first r for which it chooses the former, over
    the number of trials, is the estimate.
    """
    r = np.arange(n_trials + 1)
    few, many = binom.cdf(r, n_trials, probability), binom.sf(r, n_trials, probability)
    least = (1 - failure_rate) * np.maximum(few, many) - 1e-15
    may_stop = few >= least
    may_reach = np.concatenate([[True], np.logical_and.accumulate(many >= least)[:-1]])
    return r[may_stop & may_reach] / n_trials


def test_no_agent_that_keeps_its_failure_rate_breaks_the_bound():
    tightest = 0.0
    for n_trials in (1, 2, 5, 20, 100, 500):
        for failure_rate in (0.0, 0.1, 0.5, 0.9, 0.99):
            for probability in (0.001, 0.02, 0.1, 0.3, 0.5, 0.8, 0.99):
                found = estimates(probability, n_trials, failure_rate)
                depth = 2 * n_trials + 1
                assert not np.any(beyond_transition_bound(found, probability, depth, failure_rate))
                bound = transition_error_bound(probability, depth, failure_rate)
                tightest = max(tightest, np.abs(found - probability).max() / bound)
    assert tightest > 0.7  # the bound is not an idle one


def test_a_worse_agent_breaks_the_bound_of_a_better_one():
    found = estimates(0.3, 100, 0.999)
    assert beyond_transition_bound(found, 0.3, 201, 0.0).any()
    assert not beyond_transition_bound(found, 0.3, 201, 0.999).any()


def test_the_bound_by_hand_and_its_scaling():
    assert transition_error_bound(0.5, 9, 0.75) == pytest.approx(0.5)  # sqrt(0.5 / (8 / 4))
    depth = np.array([11.0, 101.0, 1001.0])
    found = transition_error_bound(0.2, depth, 0.1)
    np.testing.assert_allclose(found[:-1] / found[1:], np.sqrt(10))
    np.testing.assert_array_equal(transition_error_bound([0.0, 1.0], 5, 0.5), [0.0, 0.0])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((1.2, 5, 0.1), "probability must lie between 0 and 1; it is 1.2"),
        ((0.2, [5, 1], 0.1), "depth must be at least 2; it is 1.0"),
        ((0.2, 5, 1.0), "failure_rate must be at least 0 and below 1; it is 1.0"),
        ((np.nan, 5, 0.1), "it is nan"),
    ],
)
def test_what_is_no_probability_depth_or_rate_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        transition_error_bound(*arguments)


REGRET = np.geomspace(1e-3, 0.3, 12)


@pytest.mark.parametrize(("exponent", "contradicted"), [(0.5, True), (1.0, False), (2.0, False)])
def test_errors_that_fall_more_slowly_than_a_line_contradict_it(exponent, contradicted):
    found = below_a_line(REGRET, 0.7 * REGRET**exponent)
    assert found.contradicted is contradicted
    assert found.slope == pytest.approx(exponent)
    assert found.steepest == pytest.approx(0.7 * np.max(REGRET ** (exponent - 1)))


def test_a_line_with_noise_is_seldom_contradicted_and_a_root_nearly_always_is():
    rng = np.random.default_rng(1)
    n = 400
    scatter = np.exp(0.3 * rng.normal(size=(n, REGRET.size)))
    line = np.mean([below_a_line(REGRET, REGRET * s).contradicted for s in scatter])
    root = np.mean([below_a_line(REGRET, REGRET**0.5 * s).contradicted for s in scatter])
    # One side, two standard errors of Student's t with 10 degrees of freedom: 3.7 %.
    assert line == pytest.approx(0.0367, abs=4 * np.sqrt(0.0367 / n))
    assert root > 0.99


def test_the_slope_is_that_of_least_squares():
    rng = np.random.default_rng(2)
    error = REGRET * np.exp(rng.normal(size=REGRET.size))
    found = below_a_line(REGRET, error)
    coefficients, covariance = np.polyfit(np.log(REGRET), np.log(error), 1, cov=True)
    assert found.slope == pytest.approx(coefficients[0])
    assert found.slope_se == pytest.approx(np.sqrt(covariance[0, 0]))


def test_what_cannot_be_told_is_said():
    few = below_a_line(REGRET[:4], REGRET[:4])
    assert few.contradicted is None and few.slope is None and few.steepest == pytest.approx(1.0)
    assert any("both above 0: 4" in doubt for doubt in few.doubts)
    near = below_a_line(np.linspace(0.1, 0.5, 9), np.linspace(0.1, 0.5, 9))
    assert near.contradicted is None
    assert any("factor of 5; a slope needs 10" in doubt for doubt in near.doubts)
    nothing = below_a_line([0.0, 0.0], [0.0, 0.0])
    assert nothing.contradicted is None and nothing.steepest is None


def test_doubts_go_with_the_data():
    plain = below_a_line(REGRET, REGRET)
    assert len(plain.doubts) == 2 and "unmediated" in plain.doubts[0]
    floor = below_a_line(REGRET, REGRET + 0.01)  # an error that stays when the regret is gone
    assert any("slope changes" in doubt for doubt in floor.doubts)
    gone = below_a_line(REGRET, np.where(REGRET < 0.002, 0.0, REGRET))
    assert any("without any error, left out of the slope: 2" in doubt for doubt in gone.doubts)


def test_an_error_without_regret_is_above_every_line():
    found = below_a_line([0.1, 0.0], [0.1, 0.01])
    assert found.contradicted is True and "above every line" in found.doubts[1]


def test_what_is_no_trajectory_is_refused():
    with pytest.raises(ValueError, match="one length; they have 2 and 1"):
        below_a_line([0.1, 0.2], [0.1])
    with pytest.raises(ValueError, match="regret must not be negative; the least is -0.1"):
        below_a_line([0.1, -0.1], [0.1, 0.1])
    with pytest.raises(ValueError, match="error must be finite"):
        below_a_line([0.1, 0.2], [0.1, np.inf])
