import numpy as np
import pytest

from theory import iteration
from theory.iteration import first_update, orbit


def doubling(now, state):
    return 2 * state


def above_one(now, state):
    return state[0] - 1


def test_an_orbit_is_constant_between_updates():
    states = orbit(doubling, np.array([1.0, 3.0]), np.array([0.0, 0.99, 1.0, 3.5]))
    assert states.tolist() == [[1.0, 3.0], [1.0, 3.0], [2.0, 6.0], [8.0, 24.0]]


def test_the_first_passage_is_a_whole_update():
    start = np.array([[0.3, 0.25, 1e-9, 2.0]])
    # 0.3 · 2² > 1, 0.25 · 2² = 1, 1e-9 · 2^30 > 1; 2 starts above and never falls below.
    found = first_update(doubling, above_one, start, horizon=100)
    assert found.tolist() == [2.0, 2.0, 30.0, np.inf]


def test_a_setting_that_starts_above_has_to_fall_first():
    found = first_update(lambda n, x: 3.0 - x, lambda n, x: x[0] - 1.4, np.array([[2.0]]))
    assert found.tolist() == [2.0]  # 2, 1, 2


@pytest.mark.parametrize(
    "step", [lambda n, x: 0.5 * x, lambda n, x: -x], ids=["to a fixed point", "in a cycle of two"]
)
def test_states_that_repeat_never_pass(step):
    assert first_update(step, above_one, np.array([[0.5]]), horizon=1e12).tolist() == [np.inf]


def test_a_map_that_drifts_may_pass_after_it_rested():
    def late(now, state):
        return state if now < 10 else state + 1.0

    start = np.array([[0.5]])
    assert first_update(late, above_one, start, steady=False).tolist() == [11.0]
    assert first_update(late, above_one, start).tolist() == [np.inf]


def test_what_takes_too_long_or_breaks_down_is_nan(monkeypatch):
    monkeypatch.setattr(iteration, "MOST_UPDATES", 50)
    creep = first_update(lambda n, x: x + 1e-3, above_one, np.array([[0.5]]), horizon=1e12)
    assert np.isnan(creep).all()
    with np.errstate(invalid="ignore"):
        broken = first_update(lambda n, x: np.log(x), above_one, np.array([[-0.5]]))
    assert np.isnan(broken).all()
