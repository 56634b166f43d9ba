"""Positions to start from, and games played against the opponent."""

import numpy as np
import pytest

from empirics.row_game.board import Board
from empirics.row_game.config import RowGameConfig
from empirics.row_game.environment import RowGame, opponent_reply
from empirics.row_game.observe import observe
from empirics.row_game.positions import KINDS, Positions, draw_positions, images
from empirics.row_game.solver import can_win, winning_moves

BOARD = Board(5, 4)
SMALL = RowGameConfig(min_stones=6, num_train_positions=20, num_held_out_positions=5)


def stones(board, squares):
    return np.array([sum(1 << square for square in squares)])


def game(own, other, *, max_moves=3, num_envs=1):
    """Games that stand at one position, with all moves left."""
    env = RowGame(
        RowGameConfig(**{**SMALL.conditions, "max_moves": max_moves}),
        num_envs,
        rng=np.random.default_rng(0),
    )
    state = env.state()
    state["own"][:], state["other"][:] = stones(BOARD, own), stones(BOARD, other)
    env.restore(state)
    return env


def test_pools_hold_what_their_kinds_say_and_no_two_images_of_one_position():
    train, held_out = SMALL.pools()
    seen = set()
    for kind in KINDS:
        every = train[kind] + held_out[kind]
        assert (len(train[kind]), len(held_out[kind])) == (20, 5)
        assert not BOARD.completing(every.other, every.own).any()
        numbers = [winning_moves(BOARD, every.own, every.other, m).sum(axis=1) for m in (1, 2, 3)]
        if kind == "none":
            assert not can_win(BOARD, every.own, every.other, 3, by_threats=True).any()
        else:
            moves = {"one": 1, "two": 2, "three": 3}[kind]
            assert (numbers[moves - 1] == 1).all()
            assert all((fewer == 0).all() for fewer in numbers[: moves - 1])
        mine, theirs = (BOARD.unpack(x).sum(axis=1) for x in (every.own, every.other))
        assert set(mine) == {6} and set(theirs - mine) <= {0, 1}
        turned = images(BOARD, every)
        names = {
            frozenset(zip(own.tolist(), other.tolist(), strict=True))
            for own, other in zip(
                turned.own.reshape(8, -1).T, turned.other.reshape(8, -1).T, strict=True
            )
        }
        assert len(names) == 25
        assert not seen & names
        seen |= names


def test_images_are_the_eight_of_a_square():
    one = Positions(stones(BOARD, [1]), stones(BOARD, [0, 24]))
    found = images(BOARD, one)
    assert sorted(BOARD.unpack(found.own).argmax(axis=1)) == [1, 3, 5, 9, 15, 19, 21, 23]
    diagonals = {(1 << 0) + (1 << 24): 4, (1 << 4) + (1 << 20): 4}
    assert {x: (found.other == x).sum() for x in diagonals} == diagonals


def test_a_board_without_such_positions_is_said():
    with pytest.raises(ValueError, match=r"only 0 of 3 positions of kind 'one' with 1 to 1"):
        draw_positions(Board(3, 3), "one", 3, stones=(1, 1), rng=np.random.default_rng(0))


def test_the_opponent_wins_if_it_can_else_blocks_else_plays_anywhere():
    rng = np.random.default_rng(0)
    own, other = [5, 6, 7], [10, 11, 12]  # three each, both open at one end
    many = 400

    def replies(own, other):
        packed = (np.repeat(stones(BOARD, squares), many) for squares in (own, other))
        taken = BOARD.unpack(opponent_reply(BOARD, *packed, rng=rng))
        assert (taken.sum(axis=1) == 1).all()
        return np.bincount(taken.argmax(axis=1), minlength=25)

    assert set(np.flatnonzero(replies(own, other))) == {13}
    assert set(np.flatnonzero(replies(own, [10, 11, 20]))) == {8}
    both = replies([6, 7, 8], [10, 11, 20])
    assert set(np.flatnonzero(both)) == {5, 9}
    # Fair: four standard deviations of a binomial.
    assert abs(both[5] - many / 2) < 4 * (many / 4) ** 0.5
    free = set(range(25)) - {5, 6, 10, 11}
    anywhere = replies([5, 6], [10, 11])
    assert set(np.flatnonzero(anywhere)) == free
    assert abs(anywhere[list(free)] - many / 21).max() < 5 * (many / 21) ** 0.5


def test_a_full_board_has_no_reply():
    full = BOARD.full >> 1
    reply = opponent_reply(
        BOARD, np.array([1]), np.array([full << 1]), rng=np.random.default_rng(0)
    )
    assert reply == [0]


@pytest.mark.parametrize(("own", "other", "action", "reward"), [
    ([5, 6, 7], [0, 1], 8, 1.0),  # fills a line
    ([5, 6], [0, 1, 2], 24, -1.0),  # leaves the opponent's line open
    ([5, 6], [0, 1], 5, -1.0),  # on a stone
])  # fmt: skip
def test_games_end_as_they_are_won_and_lost(own, other, action, reward):
    after = game(own, other).step(np.array([action]))
    assert after.reward == [reward] and after.terminated == [True] and after.truncated == [False]
    assert after.observation[0, 2].min() == 1.0  # a new game has all its moves left


def test_a_forced_reply_is_seen_and_the_game_goes_on():
    env = game([5, 6], [0, 24])
    after = env.step(np.array([7]))
    assert after.reward == [0.0] and after.terminated == [False]
    expected = observe(BOARD, stones(BOARD, [5, 6, 7]), stones(BOARD, [0, 24, 8]), 2 / 3)
    np.testing.assert_allclose(after.observation, expected, atol=1e-7)


def test_games_are_drawn_when_the_moves_are_over():
    env = game([5], [0, 1], max_moves=1)
    after = env.step(np.array([24]))
    assert after.reward == [0.0] and after.terminated == [True]
    assert after.final_observation[0, 0, 4, 4] == 1.0 and after.final_observation[0, 2].max() == 0.0


def test_state_and_restore_go_on_exactly():
    env, rng = SMALL.make(16, 3), np.random.default_rng(0)
    env.reset()
    kept, played = env.state(), rng.integers(25, size=(6, 16))
    first = [env.step(actions) for actions in played]
    env.restore(kept)
    again = [env.step(actions) for actions in played]
    for one, other in zip(first, again, strict=True):
        assert all(np.array_equal(vars(one)[name], vars(other)[name]) for name in vars(one))


def test_starts_are_training_positions_in_their_shares():
    config = RowGameConfig(
        **{**SMALL.conditions, "one_share": 0.0, "two_share": 1.0, "three_share": 0.0}
    )
    seen = config.make(64, 0).reset()
    own, other = (BOARD.pack(seen[:, plane].reshape(64, 25) == 1) for plane in (0, 1))
    train = images(BOARD, config.pools()[0]["two"])
    assert set(zip(own, other, strict=True)) <= set(zip(train.own, train.other, strict=True))
    assert SMALL.shares == pytest.approx({"none": 0.1, "one": 0.2, "two": 0.3, "three": 0.4})


@pytest.mark.parametrize(("changes", "said"), [
    ({"three_share": 0.9}, "parts of all starts, .* they are 0.2, 0.3, 0.9"),
    ({"one_share": -0.1}, "at least 0 .* they are -0.1"),
    ({"max_stones": 12}, "max_stones must be from min_stones to 11, .* are 6 and 12"),
    ({"max_moves": 0}, "max_moves must be at least 1; it is 0"),
    ({"size": 9}, "a board has 2 to 5 squares a side"),
])  # fmt: skip
def test_bad_settings_are_said(changes, said):
    with pytest.raises(ValueError, match=said):
        RowGameConfig(**{**SMALL.conditions, **changes})


def test_bad_actions_are_said():
    with pytest.raises(ValueError, match="actions must be 1 integers from 0 to 24; .* from 25"):
        game([5], [0]).step(np.array([25]))
    with pytest.raises(ValueError, match="the state is of 1 environments; this one has 2"):
        game([5], [0], num_envs=2).restore(game([5], [0]).state())
    with pytest.raises(ValueError, match="num_envs must be at least 1; it is 0"):
        SMALL.make(0, 0)
