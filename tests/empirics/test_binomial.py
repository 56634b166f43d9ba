import numpy as np
import pytest
from scipy.stats import binom

from empirics.binomial import LARGEST, binomial, binomial_of

CELLS = 200_000


@pytest.mark.parametrize("trials", [1, 3, 64, LARGEST])
@pytest.mark.parametrize("p", [0.0, 1e-9, 0.02, 0.37, 0.5, 0.81, 1 - 1e-9, 1.0])
def test_each_count_gets_its_share_of_the_uniform_numbers(trials, p):
    # The counts are steps along u, so on a grid of midpoints each is found in its probability's
    # share of the cells, up to one cell at either end of its step.
    u = (np.arange(CELLS) + 0.5) / CELLS
    for counts in (
        binomial(u, np.full(CELLS, float(trials)), np.full(CELLS, p)),
        binomial_of(u, trials, p),
    ):
        share = np.bincount(counts.astype(int), minlength=trials + 1) / CELLS
        expected = binom.pmf(np.arange(trials + 1), trials, p)
        np.testing.assert_allclose(share, expected, atol=1.01 / CELLS)


def test_counts_of_different_trials_and_chances_do_not_mix():
    rng = np.random.default_rng(0)
    u, trials, p = rng.random(500), rng.integers(0, 70, 500), rng.random(500)
    together = binomial(u, trials, p)
    alone = [binomial(*(x[i : i + 1] for x in (u, trials, p)))[0] for i in range(500)]
    np.testing.assert_array_equal(together, alone)


def test_no_trials_no_successes():
    assert binomial(np.array([0.0, 0.9]), np.zeros(2), np.array([0.5, 1.0])).tolist() == [0, 0]


def test_the_last_uniform_number_is_still_a_count():
    u = np.full(2, np.nextafter(1.0, 0.0))
    assert binomial(u, np.full(2, 512.0), np.array([0.3, 0.7])).tolist()[0] <= 512
    assert binomial_of(u, 512, 0.3).max() <= 512
