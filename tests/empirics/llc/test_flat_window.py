import numpy as np
import pytest

from empirics.llc.flat_window import flat_window, members, middle


def window(table, se=0.0, usable=True):
    table = np.asarray(table, dtype=np.float64)
    values = table.reshape(-1, 1)
    good = np.broadcast_to(usable, table.shape).ravel()
    return flat_window(table.shape, values, np.full(values.shape, se), good)


def test_the_largest_box_that_agrees():
    table = [[9.0, 1.00, 1.01, 1.02], [8.0, 1.00, 1.02, 1.01], [7.0, 6.00, 5.00, 4.00]]
    box = window(table)
    assert box == ((0, 1), (1, 3))
    assert members((3, 4), box).tolist() == [1, 2, 3, 5, 6, 7]
    assert middle((3, 4), box) == 2


def test_a_slow_drift_is_not_flat_over_its_length():
    """Neighbors differ by 2 %; four in a row by more than 5 %."""
    assert window([0.98 ** np.arange(8)] * 2) == ((0, 1), (5, 7))


def test_a_window_is_wide_along_every_axis_that_is_swept():
    assert window([[1.0, 1.0, 1.0], [2.0, 3.0, 4.0]]) is None
    assert window([[1.0, 1.0, 1.0]]) == ((0, 0), (0, 2))


def test_a_cell_that_is_not_usable_is_in_no_window():
    usable = np.ones((3, 3), dtype=bool)
    usable[0, 1] = False
    assert window(np.ones((3, 3)), usable=usable) == ((1, 2), (0, 2))
    assert window(np.ones((3, 3)), usable=False) is None


def test_standard_errors_widen_what_agrees():
    """Values that differ by 0.2, three standard errors of their difference from 0.0472 on."""
    table = [[1.0, 1.2], [1.2, 1.0]]
    assert window(table, se=0.048) == ((0, 1), (0, 1))
    assert window(table, se=0.047) is None


def test_of_boxes_as_large_the_closest():
    assert window([[1.0, 1.04, 9.0, 1.0, 1.01], [1.0, 1.04, 9.0, 1.0, 1.01]]) == ((0, 1), (3, 4))


def test_every_checkpoint_must_agree():
    values = np.array([[1.0, 1.0], [1.0, 1.5], [1.0, 1.5]])
    usable = np.ones(3, dtype=bool)
    assert flat_window((3,), values, np.zeros((3, 2)), usable) == ((1, 2),)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_what_trying_every_box_finds(seed):
    rng = np.random.default_rng(seed)
    table = 1 + 0.03 * rng.integers(0, 4, size=(3, 4, 2)).cumsum(1)
    best = 0
    for i, j, k in np.ndindex(3, 4, 2):
        for a, b, c in np.ndindex(3, 4, 2):
            part = table[i : a + 1, j : b + 1, k : c + 1]
            if min(part.shape) > 1 and np.ptp(part) <= 0.05 * part.max():
                best = max(best, part.size)
    box = window(table)
    found = 0 if box is None else members(table.shape, box).size
    assert found == best
