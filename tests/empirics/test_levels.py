import pickle
import time

import networkx as nx
import numpy as np
import pytest

from empirics.levels import (
    LevelPools,
    Levels,
    distances,
    first_steps,
    generate,
    level_pools,
)


def graph_of(levels, i):
    """The open squares of one level and which touch which, without the code under test."""
    size = levels.size
    grid = nx.grid_2d_graph(size, size)
    grid.remove_nodes_from([node for node in list(grid) if levels.walls[i][node]])
    return nx.relabel_nodes(grid, {node: node[0] * size + node[1] for node in grid})


@pytest.mark.parametrize("cells", [2, 3, 5, 7])
def test_every_maze_is_a_spanning_tree_with_every_square_reachable(cells):
    levels = generate(40, cells, rng=np.random.default_rng(cells))
    assert levels.size == 2 * cells - 1
    for i in range(len(levels)):
        graph = graph_of(levels, i)
        assert nx.is_tree(graph)
        assert graph.number_of_nodes() == 2 * cells**2 - 1 == levels.num_open
        assert not levels.walls[i][::2, ::2].any()
        assert sorted(graph) == levels.open_squares[i].tolist()


@pytest.mark.parametrize("cells", [2, 5, 7])
def test_labels_equal_plain_breadth_first_search(cells):
    levels = generate(12, cells, rng=np.random.default_rng(0))
    targets = levels.open_squares[np.arange(12), np.arange(12) % levels.num_open]
    steps, first = distances(levels, targets), first_steps(levels, targets)
    moves = (-levels.size, 1, levels.size, -1)
    for i, target in enumerate(targets):
        graph = graph_of(levels, i)
        paths = nx.single_source_shortest_path(graph, target)
        for square in range(levels.size**2):
            if square not in paths:
                assert steps[i, square] == first[i, square] == -1
            elif square == target:
                assert (steps[i, square], first[i, square]) == (0, -1)
            else:
                assert steps[i, square] == len(paths[square]) - 1
                assert square + moves[first[i, square]] == paths[square][-2]


def test_moves_lead_to_open_neighbors_or_nowhere():
    levels = generate(5, 5, rng=np.random.default_rng(2))
    moves = (-levels.size, 1, levels.size, -1)
    for i in range(5):
        graph = graph_of(levels, i)
        for square in graph:
            for action, move in enumerate(moves):
                there = levels.next_square[i, square, action]
                # A step off the right edge must not come back in on the left.
                expected = square + move if graph.has_edge(square, square + move) else square
                assert there == expected


def test_pools_are_distinct_and_counted():
    pools = level_pools(400, 100, 4, rng=np.random.default_rng(0))
    digests = pools.train.digests + pools.held_out.digests
    assert (len(pools.train), len(pools.held_out)) == (400, 100)
    assert len(set(digests)) == 500
    assert pools.num_rejected > 0  # 4 x 4 cells repeat among 500 depth-first mazes
    with pytest.raises(ValueError, match="levels must be distinct; 100 are repeated"):
        LevelPools(pools.held_out, pools.held_out, 0)


def test_common_mazes_go_to_either_pool_alike():
    # Depth-first search makes some 90 mazes of 3 × 3 cells, of which 75 are used; how often it
    # makes each is found from 40,000 draws. Split at random, the pools' means of that differ by
    # a draw without replacement, whose variance is known.
    common = generate(40_000, 3, rng=np.random.default_rng(0))
    digests, counts = np.unique(common.digests, return_counts=True)
    share = dict(zip(digests.tolist(), counts.tolist(), strict=True))
    lead, variance = 0.0, 0.0
    for seed in range(20):
        pools = level_pools(50, 25, 3, rng=np.random.default_rng(seed))
        train, held_out = (
            np.array([share.get(digest, 0) for digest in pool.digests])
            for pool in (pools.train, pools.held_out)
        )
        lead += train.mean() - held_out.mean()
        variance += np.r_[train, held_out].var(ddof=1) * (1 / 50 + 1 / 25)
    assert abs(lead) < 4.5 * np.sqrt(variance)


def test_the_full_pools_take_less_than_two_seconds():
    start = time.process_time()
    pools = level_pools(5000, 1000, 5, rng=np.random.default_rng(0))
    assert time.process_time() - start < 2.0
    assert (len(pools.train), len(pools.held_out)) == (5000, 1000)


def test_same_seed_same_pools_other_seed_others():
    one, same, other = (
        level_pools(20, 10, 5, rng=np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert one == same and hash(one.train) == hash(same.train)
    assert one.train != other.train


def test_two_by_two_mazes_come_out_equally_often():
    # Each of the four spanning trees of a square lacks one edge; by symmetry p = 1/4.
    n = 8000
    levels = generate(n, 2, rng=np.random.default_rng(0))
    _, counts = np.unique(levels.walls.reshape(n, -1), axis=0, return_counts=True)
    assert counts.size == 4
    assert np.all(np.abs(counts - n / 4) < 4.5 * np.sqrt(n * 0.25 * 0.75))


def test_levels_stay_locked_through_pickling():
    levels = generate(3, 3, rng=np.random.default_rng(0))
    again = pickle.loads(pickle.dumps(levels))
    assert again == levels and not again.walls.flags.writeable
    with pytest.raises(ValueError):
        again.walls[0] = True


def test_bad_levels_are_refused():
    walls = generate(3, 3, rng=np.random.default_rng(0)).walls
    with pytest.raises(ValueError, match=r"3 × 3 cells has 17 open squares; level 1 has 25"):
        Levels(np.where(np.arange(3)[:, None, None] == 1, False, walls))
    with pytest.raises(ValueError, match="odd size; its shape is"):
        Levels(np.zeros((1, 4, 4), dtype=bool))
    with pytest.raises(ValueError, match="cells must be at least 2; it is 1"):
        generate(1, 1, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="5 distinct mazes of 2 × 2 cells were asked for"):
        level_pools(4, 1, 2, rng=np.random.default_rng(0))
    # The right number of open squares, but a ring and an island: no tree.
    ring = np.ones((1, 5, 5), dtype=bool)
    ring[0, ::2, ::2] = False
    for passage in [(0, 1), (1, 0), (1, 2), (2, 1), (0, 3), (3, 0), (2, 3), (3, 2)]:
        ring[0][passage] = False
    with pytest.raises(ValueError, match="level 0 is not a tree of 3 × 3 cells"):
        Levels(ring)


def test_a_wall_cannot_be_a_target():
    levels = generate(1, 3, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"targets\[0\] = 6 is a wall"):
        distances(levels, np.array([6]))
