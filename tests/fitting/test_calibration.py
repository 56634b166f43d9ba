import numpy as np
import pytest

from fitting.trials.calibration import calibration, calibration_error


def test_the_error_is_the_weighted_gap_of_the_bins():
    claimed = np.array([0.92, 0.96, 0.98, 0.54])
    hit = np.array([1.0, 0.0, 1.0, 0.0])
    # Guo et al. 2017, eq. 3: 3/4 |2.86/3 - 2/3| + 1/4 |0.54 - 0|
    assert calibration_error(claimed, hit) == pytest.approx(0.75 * 0.86 / 3 + 0.25 * 0.54)


def test_probabilities_of_one_are_in_the_last_bin():
    assert calibration_error(np.array([1.0, 1.0]), np.array([1.0, 1.0])) == 0.0


def test_chance_is_what_fair_coins_show():
    n = 400
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=n)
    probabilities = np.zeros((n, 5))
    probabilities[:, :2] = 0.5
    found = calibration(probabilities, truth, rng=rng)
    assert found is not None
    # All claims in one bin: E |mean - 1/2| = sqrt(2/pi) / (2 sqrt n); 500 replicates.
    expected = np.sqrt(2 / np.pi) * 0.5 / np.sqrt(n)
    assert found.chance == pytest.approx(expected, abs=4 * 0.5 / np.sqrt(n) / np.sqrt(500))
    assert found.error < 4 * 0.5 / np.sqrt(n)
    assert np.all(np.abs(found.overall[:2]) < 4 * found.overall_se[:2])
    assert sum(one.number for one in found.bins) == 5 * n


def test_overclaiming_shows():
    probabilities = np.tile([0.96, 0.01, 0.01, 0.01, 0.01], (200, 1))
    truth = np.arange(200) % 5
    found = calibration(probabilities, truth, rng=np.random.default_rng(0))
    assert found is not None
    assert found.error == pytest.approx(0.76)
    assert found.overall[0] == pytest.approx(0.76)
    assert found.chance < 0.03


def test_without_curves_there_is_none():
    empty = np.zeros((0, 5))
    assert calibration(empty, np.zeros(0, dtype=np.intp), rng=np.random.default_rng(0)) is None
