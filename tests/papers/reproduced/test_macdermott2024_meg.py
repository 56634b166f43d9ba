"""MacDermott et al. 2024: exact worlds, and a report of them by the command's own way."""

import math

import numpy as np
import pytest

from empirics.goal_directedness.episodes import earned
from papers.macdermott2024_meg.reproduce import run
from papers.macdermott2024_meg.worlds import (
    cliff_utility,
    corner_grid,
    grid,
    optimal,
    returns_of_random_play,
    strayed,
)
from papers.published import PAPERS

PUBLICATION = PAPERS["macdermott2024_meg"].publication


def test_every_claim_comes_out_and_training_is_followed(maze_store, tmp_path):
    found = run(
        PUBLICATION,
        out=tmp_path,
        seed=0,
        scale="quick",
        store=maze_store,
        progress=lambda *_: None,
    )
    assert [each.claim.name for each in found.outcomes if not each.agrees] == []
    (table,) = found.pages[0].tables
    assert [row[2] for row in table.rows] == [0, 64, 0, 64]
    for _, _, _, goal, proxy, _, unknown, evidence, _ in table.rows:
        assert evidence == pytest.approx(goal - proxy, abs=1e-6)
        assert unknown >= max(goal, proxy) - 1e-9


def test_random_play_meets_the_corner_by_1008_sequences():
    returns, counts = returns_of_random_play(corner_grid())
    assert sum(counts) == 4**12 and max(returns) == 3
    assert counts[returns.index(3)] == math.comb(10, 5) * 2 * 2


def test_the_optimal_policies_earn_the_most_and_straying_costs():
    world = corner_grid()
    both = [optimal(world, ties=ties) for ties in (True, False)]
    for policy in both:
        np.testing.assert_allclose(policy.sum(axis=-1), 1)
        assert earned(world, policy)[0, 0] == pytest.approx(3.0, abs=1e-6)
    assert set(np.unique(both[1])) == {0.0, 1.0}
    assert earned(world, strayed(both[0], 0.1))[0, 0] < 2.9
    np.testing.assert_array_equal(strayed(both[0], 1.0), np.full_like(both[0], 0.25))


def test_the_cliff_lies_between_start_and_goal():
    worth = cliff_utility(5, 3, 2).reshape(3, 5)
    np.testing.assert_array_equal(worth, [[0, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0, -1, -1, -1, 1]])
    world = grid(worth.reshape(1, -1), 3, 5, 10, start=10)
    best = earned(world, optimal(world, ties=False))[0, 0]
    assert best == 10 - 4  # around the cliff: up, four right; then it is paid every step
