"""The guard of mean curves: it must warn of runs that differ in kind, and of no others."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from fitting.aggregates.likeness import likeness
from fitting.aggregates.run_shape import Kind, kinds, run_shape
from fitting.trials.error_rate import ErrorRate
from theory.curve import Curve

T = np.linspace(0.0, 100.0, 61)
FALSE_ALARMS = 0.02


def logistic(midpoint: float, scale: float) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-(T - midpoint) / scale)))


def bump() -> np.ndarray:
    return np.asarray(np.exp(-0.5 * ((T - 50) / 12) ** 2))


def noisy(means: Sequence[np.ndarray], sd: float, rng: np.random.Generator) -> list[Curve]:
    return [Curve("y", T, mean + sd * rng.standard_normal(T.size)) for mean in means]


def lasting(means: Sequence[np.ndarray], sd: float, rng: np.random.Generator) -> list[Curve]:
    """Return runs with noise of correlation 0.8 from point to point."""
    found = []
    for mean in means:
        noise = np.empty(T.size)
        noise[0], *steps = rng.standard_normal(T.size)
        for i, step in enumerate(steps, start=1):
            noise[i] = 0.8 * noise[i - 1] + 0.6 * step
        found.append(Curve("y", T, mean + sd * noise))
    return found


SAME: dict[str, Callable[[np.random.Generator], list[Curve]]] = {
    "logistic": lambda rng: noisy([logistic(50, 8)] * 8, 0.1, rng),
    "steep, much noise": lambda rng: noisy([logistic(50, 3)] * 8, 0.3, rng),
    "lasting noise": lambda rng: lasting([logistic(50, 5)] * 8, 0.1, rng),
    "saturating": lambda rng: noisy([1 - np.exp(-T / 20)] * 5, 0.1, rng),
    "transient": lambda rng: noisy([bump()] * 5, 0.1, rng),
    "no change": lambda rng: noisy([0 * T] * 8, 0.3, rng),
}
DIFFERENT: dict[str, Callable[[np.random.Generator], list[Curve]]] = {
    "steps at random onsets": lambda rng: noisy(
        [1.0 * (m < T) for m in rng.logistic(50, 8, 10)], 0.05, rng
    ),
    "transient and sigmoid": lambda rng: noisy(
        [logistic(50, 5)] * 5 + [bump()] * 3, 0.05, rng
    ),
    "failed runs": lambda rng: noisy([logistic(50, 5)] * 5 + [0 * T] * 2, 0.05, rng),
}  # fmt: skip


def warned(make: Callable[[np.random.Generator], list[Curve]], number: int) -> int:
    rng = np.random.default_rng(0)
    return sum(likeness(make(rng)).differ is True for _ in range(number))


@pytest.mark.slow
@pytest.mark.parametrize("name", SAME)
def test_the_same_curve_with_noise_raises_no_alarm(name: str) -> None:
    found = ErrorRate(warned(SAME[name], 150), 150, 150)
    assert found.upper_bound <= FALSE_ALARMS


@pytest.mark.parametrize("name", SAME)
def test_a_few_sets_of_the_same_curve_raise_no_alarm(name: str) -> None:
    assert warned(SAME[name], 5) == 0


@pytest.mark.parametrize("name", DIFFERENT)
def test_runs_that_differ_in_kind_are_warned_of(name: str) -> None:
    assert warned(DIFFERENT[name], 10) == 10


def test_the_mean_of_sharp_steps_looks_like_a_logistic_and_is_warned_of() -> None:
    """Steps at the 400 quantiles of a logistic distribution have a logistic mean."""
    p = (np.arange(400) + 0.5) / 400
    steps = [1.0 * (50 + 8 * np.log(q / (1 - q)) < T) for q in p]
    mean, truth = np.mean(steps, axis=0), logistic(50, 8)
    assert 1 - np.sum((mean - truth) ** 2) / np.sum((truth - truth.mean()) ** 2) > 0.998
    some = likeness([Curve("y", T, y) for y in steps[10::40]])
    assert some.differ and some.spread is not None and some.rise is not None
    # The distribution of the steps has the standard deviation pi 8 / sqrt(3) = 14.5.
    assert some.spread > 5 * some.rise


def test_the_spread_is_that_of_the_midpoints() -> None:
    midpoints = np.array([40.0, 45.0, 50.0, 55.0, 60.0])
    found = likeness([Curve("y", T, logistic(m, 3)) for m in midpoints])
    assert found.spread == pytest.approx(midpoints.std(ddof=1), rel=0.01)
    assert found.rise == pytest.approx(np.pi * 3 / np.sqrt(3), rel=0.01)


def test_kinds_of_clear_runs() -> None:
    clear = [logistic(50, 5), 1 - logistic(50, 5), bump(), -bump(), 0 * T]
    found = kinds([run_shape(Curve("y", T, y)) for y in clear])
    assert found == (Kind.RISES, Kind.FALLS, Kind.TURNS, Kind.TURNS, Kind.STAYS)


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_runs_or_points_cannot_be_told(n: int) -> None:
    assert likeness([Curve("y", T, logistic(50, 5))] * n).differ is None
    assert likeness([Curve("y", T[:7], T[:7])] * 5).differ is None
