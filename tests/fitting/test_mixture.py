import numpy as np
import pytest

from fitting.mixture import mixture_draws
from fitting.propose import propose
from theory.curve import Curve

T = np.linspace(0.0, 10.0, 40)


def comparison(y):
    return propose(Curve("y", T, y, run="a"), forms=["constant", "linear"], noises=["white"])


def test_draws_come_in_proportion_to_weight():
    rng = np.random.default_rng(1)
    # The weight of "linear" is that of a slope the data half support.
    found = comparison(0.05 * T + rng.standard_normal(T.size))
    weight = found.score("linear").weight
    assert 0.02 < weight < 0.98
    draws = mixture_draws(found, T, number=400)
    sloped = np.abs(draws[:, -1] - draws[:, 0]) > 1e-9
    assert len(draws) == pytest.approx(400, abs=1)
    assert sloped.mean() == pytest.approx(weight, abs=1 / 400)


def test_the_mixture_of_a_certain_line_is_the_line():
    rng = np.random.default_rng(2)
    draws = mixture_draws(comparison(2.0 + 3.0 * T + 0.1 * rng.standard_normal(T.size)), T)
    # Least squares has sd .1 · sqrt(1/40 + (t - 5)²/S), at most .1 · .32 at the ends.
    assert np.abs(draws.mean(axis=0) - (2.0 + 3.0 * T)).max() < 4 * 0.032


def test_without_draws_it_says_why():
    with pytest.raises(ValueError, match="'y' of run 'a' has no posterior draws; .*vary"):
        mixture_draws(comparison(np.full(T.size, 0.5)), T)
