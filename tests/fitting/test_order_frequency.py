"""Frequencies of an order over runs, and ranks of runs, against quadrature and enumeration."""

from itertools import permutations, product

import numpy as np
import pytest
from scipy.integrate import quad

from fitting.runs.order import Order
from fitting.runs.order_frequency import (
    frequency_posterior,
    mixture_weights,
    order_frequency,
    poisson_binomial,
)
from fitting.runs.precedence import Precedence, Times
from fitting.runs.ranks import ranks_of

RUNS = ([0.9, 0.2, 0.6, 0.97], [1.0, 1.0, 0.99], [0.5], [0.0, 0.3, 0.8, 0.8, 0.1, 0.7, 0.95])


@pytest.mark.parametrize("p", RUNS)
def test_theta_agrees_with_quadrature(p: list[float]) -> None:
    """The posterior is the product over runs of what their orders make of theta."""

    def density(theta: float) -> float:
        return float(np.prod([theta * q + (1.0 - theta) * (1.0 - q) for q in p]))

    whole = quad(density, 0.0, 1.0)[0]
    found = frequency_posterior(p)
    mean = quad(lambda theta: theta * density(theta), 0.0, 1.0)[0] / whole
    assert found.expected == pytest.approx(mean, abs=1e-7)
    assert found.above_half == pytest.approx(quad(density, 0.5, 1.0)[0] / whole, abs=1e-7)
    assert quad(density, 0.0, found.lower)[0] / whole == pytest.approx(0.025, abs=1e-7)
    assert quad(density, 0.0, found.upper)[0] / whole == pytest.approx(0.975, abs=1e-7)


def test_known_orders_give_the_beta_distribution_and_half_says_nothing() -> None:
    assert frequency_posterior([1.0] * 7 + [0.0] * 2).expected == pytest.approx(8.0 / 11.0)
    one, more = frequency_posterior([0.9]), frequency_posterior([0.9, 0.5, 0.5])
    assert more.expected == pytest.approx(one.expected)
    assert (more.lower, more.upper) == pytest.approx((one.lower, one.upper))
    assert frequency_posterior([0.5, 0.5]).above_half == pytest.approx(0.5)


def test_theta_of_the_other_order_is_its_complement() -> None:
    p = np.array(RUNS[0])
    one, other = frequency_posterior(p), frequency_posterior(1.0 - p)
    assert one.expected == pytest.approx(1.0 - other.expected)
    assert one.lower == pytest.approx(1.0 - other.upper)


def test_simulated_runs_are_covered() -> None:
    """Theta from its prior, known orders: 95 % intervals hold it in 95 % of the worlds."""
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(400):
        theta = rng.random()
        z = (rng.random(12) < theta).astype(float)
        # Each run tells its order with odds of 4 to 1, right as often as it says.
        p = np.where(rng.random(12) < 0.8, 0.8 * z + 0.2 * (1 - z), 0.2 * z + 0.8 * (1 - z))
        found = frequency_posterior(p)
        inside += found.lower <= theta <= found.upper
    assert inside / 400 == pytest.approx(0.95, abs=4.0 * np.sqrt(0.95 * 0.05 / 400))


def test_poisson_binomial_by_enumeration() -> None:
    p = np.array([[0.2, 0.7, 0.5], [0.9, 0.1, 1.0]])
    exact = np.zeros((2, 4))
    for outcome in product([0, 1], repeat=3):
        z = np.array(outcome)
        exact[:, z.sum()] += np.prod(np.where(z, p, 1.0 - p), axis=1)
    np.testing.assert_allclose(poisson_binomial(p), exact, atol=1e-15)
    assert mixture_weights(np.full(2000, 0.5)).sum() == pytest.approx(1.0)


def order(p: float, lowest: float | None = 0.9, a: str = "p_proxy") -> Order:
    found = Precedence(p, 1.0 - p, 0.0)
    return Order(a, "p_goal", "onset", found, 0.0, ((0.5, found), (2.0, found)), lowest, None)


def test_a_frequency_is_said() -> None:
    found = order_frequency([order(0.999)] * 6 + [order(0.2, None)])
    assert (found.runs, found.left_out) == (6, 1)
    assert found.sentence.startswith(
        "p_proxy forms before p_goal in most of the runs that these 6 stand for, with "
        "probability 0.99 (by onset; expected frequency 0.87, "
    )
    assert found.sentence.endswith("1 more cannot be judged and does not count.")
    turned = order_frequency([order(0.4), order(0.3)])
    assert turned.sentence.startswith("Whether p_goal forms before p_proxy in most of the runs")


@pytest.mark.parametrize(
    ("orders", "sentence"),
    [
        ([order(0.5), order(0.5, a="llc")], "a frequency is of one order"),
        ([order(0.5), order(0.5, None)], "of 2 there is 1: give more runs"),
        ([], "of 0 there are 0: give more runs"),
    ],
)
def test_what_has_no_frequency_is_one_sentence(orders: list[Order], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        order_frequency(orders)


def test_probabilities_must_be_some() -> None:
    with pytest.raises(ValueError, match=r"probabilities must lie in \[0, 1\]; \[1\] is 1\.5"):
        frequency_posterior([0.5, 1.5])


def times(draws: list[float]) -> Times:
    n = len(draws)
    code = np.zeros(n, dtype=np.int64)
    return Times(np.array(draws), np.full(n, 1.0 / n), code, np.zeros(5), float(n))


def test_ranks_by_enumeration() -> None:
    runs = [[1.0, 4.0, np.inf], [2.0, 3.0], [2.5, np.inf, np.inf]]
    exact = np.zeros((3, 3))
    for draw in product(*runs):
        # Every order of those that never form is as probable as any other.
        n = 0
        found = np.zeros((3, 3))
        for tie in permutations(range(3)):
            place = sorted(range(3), key=lambda r: (draw[r], tie[r]))
            for rank, r in enumerate(place):
                found[r, rank] += 1.0
            n += 1
        exact += found / n
    exact /= 3 * 2 * 3
    for rank, probability in zip(ranks_of([times(draws) for draws in runs]), exact, strict=True):
        assert rank.expected == pytest.approx(probability @ [1.0, 2.0, 3.0])
        assert rank.first == pytest.approx(probability[0])
        sums = np.cumsum(probability)
        assert rank.lower == int(np.argmax(sums >= 0.025)) + 1
        assert rank.upper == int(np.argmax(sums >= 0.975)) + 1


def test_known_times_have_known_ranks() -> None:
    found = ranks_of([times([5.0]), times([1.0]), times([3.0])])
    assert [rank.expected for rank in found] == [3.0, 1.0, 2.0]
    assert [(rank.lower, rank.upper) for rank in found] == [(3, 3), (1, 1), (2, 2)]
    assert sum(rank.first for rank in found) == 1.0
