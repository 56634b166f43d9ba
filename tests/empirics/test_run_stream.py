from itertools import islice

import numpy as np
import pytest

from empirics.lock import LockCell
from empirics.run_stream import DRAWS_AT_ONCE, draw_on, stream_of

CELL = LockCell(0.1, 0.1)


@pytest.mark.parametrize("normal", [False, True])
def test_how_many_are_drawn_at_once_is_no_matter(normal):
    size = DRAWS_AT_ONCE // 10  # ten updates at once for one run, two for four
    together = draw_on([stream_of(CELL, seed) for seed in range(4)], (size,), normal=normal)
    alone = draw_on([stream_of(CELL, 2)], (size,), normal=normal)
    for all_of_them, one in islice(zip(together, alone, strict=True), 12):
        assert all_of_them.shape == (size, 4)
        np.testing.assert_array_equal(all_of_them[:, 2], one[:, 0])


def test_draws_are_uniform_or_normal():
    streams = [stream_of(CELL, seed) for seed in range(50)]
    u = np.stack(list(islice(draw_on(streams, (20,)), 100)))
    z = np.stack(list(islice(draw_on(streams, (20,), normal=True), 100)))
    for sample, mean, variance, fourth in ((u, 1 / 2, 1 / 12, 1 / 80), (z, 0.0, 1.0, 3.0)):
        error = np.sqrt((fourth - variance**2) / sample.size)
        assert sample.mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / sample.size))
        assert sample.var() == pytest.approx(variance, abs=4 * error)
