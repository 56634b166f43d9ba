"""The solver, against positions solved by hand and a search without shortcuts."""

from functools import cache

import numpy as np
import pytest

from empirics.row_game.board import Board
from empirics.row_game.forced_line import forced_lines
from empirics.row_game.positions import Positions, draw_positions
from empirics.row_game.solver import can_win, winning_moves

FIVE = Board(5, 4)


def position(board, text):
    """Pack a drawing: x is to move, o the other one."""
    squares = np.array(list("".join(text.split())))
    return board.pack(squares[None] == "x"), board.pack(squares[None] == "o")


def moves_of(board, text, moves, **options):
    return set(np.flatnonzero(winning_moves(board, *position(board, text), moves, **options)[0]))


@cache
def lines_of(size, length):
    """Every line as a set of squares, by walking over the board."""
    found = set()
    for row in range(size):
        for column in range(size):
            for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
                line = [(row + i * down, column + i * right) for i in range(length)]
                if all(0 <= r < size and 0 <= c < size for r, c in line):
                    found.add(frozenset(r * size + c for r, c in line))
    return found


def wins_by_hand(board, own, other, moves):
    """The winning moves by plain minimax over sets: all moves, all replies, no shortcut."""
    lines, area = lines_of(board.size, board.length), board.area

    def wins(mine, theirs, move, left):
        after = mine | {move}
        if any(line <= after for line in lines):
            return True
        replies = set(range(area)) - after - theirs
        if left == 1 or not replies:
            return False
        for reply in replies:
            answered = theirs | {reply}
            if any(line <= answered for line in lines):
                return False
            free = set(range(area)) - after - answered
            if not any(wins(after, answered, again, left - 1) for again in free):
                return False
        return True

    return {m for m in set(range(area)) - own - other if wins(own, other, m, moves)}


@pytest.mark.parametrize(
    ("size", "length", "number"), [(5, 4, 28), (4, 3, 24), (3, 3, 8), (2, 2, 6)]
)
def test_a_board_has_the_lines_that_can_be_walked(size, length, number):
    board = Board(size, length)
    assert {frozenset(np.flatnonzero(x)) for x in board.unpack(board.lines)} == lines_of(
        size, length
    )
    assert len(board.lines) == number


@pytest.mark.parametrize(("size", "length", "moves", "stones", "number"), [
    (3, 3, 3, 2, 40), (4, 3, 2, 2, 25), (4, 3, 3, 3, 12), (4, 4, 3, 5, 15)])  # fmt: skip
def test_it_agrees_with_minimax_over_sets(size, length, moves, stones, number):
    board, rng, found = Board(size, length), np.random.default_rng(0), 0
    for _ in range(number):
        order = rng.permutation(board.area)
        mine, theirs = set(order[:stones].tolist()), set(order[stones : 2 * stones].tolist())
        if any(line <= mine or line <= theirs for line in lines_of(size, length)):
            continue
        own, other = (np.array([sum(1 << i for i in s)]) for s in (mine, theirs))
        expected = wins_by_hand(board, mine, theirs, moves)
        assert set(np.flatnonzero(winning_moves(board, own, other, moves)[0])) == expected
        found += bool(expected)
    assert found > 2


def test_one_move_fills_a_line():
    text = """
    . . . . .
    . o . . .
    x x . x o
    . o . . .
    . . . . ."""
    assert moves_of(FIVE, text, 1) == {12}


def test_a_move_that_threatens_two_squares_wins_within_two():
    """The open three: a fourth stone at either end."""
    text = """
    . . . . .
    . . o . .
    . x x . .
    . o . . .
    . . . . ."""
    assert moves_of(FIVE, text, 1) == set()
    assert moves_of(FIVE, text, 2) == {13}


def test_the_opponent_who_can_win_first_is_not_overlooked():
    text = """
    o o o . x
    . . . . .
    . x x . .
    . . . . .
    . . . . ."""
    assert moves_of(FIVE, text, 2) == set()


def test_a_line_of_forced_play_by_hand():
    """The diagonal forces the block; the third move then makes an open three in the column."""
    text = """
    x o . . .
    o x . . .
    o . . . .
    . o x . .
    x . . . ."""
    lines = forced_lines(FIVE, Positions(*position(FIVE, text)))
    assert moves_of(FIVE, text, 2) == set()
    assert moves_of(FIVE, text, 3) == moves_of(FIVE, text, 3, by_threats=True) == {12}
    assert (lines.first, lines.reply, lines.third) == ([12], [18], [7])
    # With an end of that three taken, or the stone gone that both lines need, nothing wins.
    for square, stone in ((2, "o"), (22, "o"), (17, ".")):
        letters = list("".join(text.split()))
        letters[square] = stone
        assert moves_of(FIVE, "".join(letters), 3, by_threats=True) == set()


def test_lines_of_play_are_forced_move_by_move():
    rng = np.random.default_rng(4)
    lines = forced_lines(FIVE, draw_positions(FIVE, "three", 8, stones=(6, 6), rng=rng))
    assert len(lines) >= 3
    for i in range(len(lines)):
        own, other = (
            set(np.flatnonzero(FIVE.unpack(packed)[i]).tolist())
            for packed in (lines.positions.own, lines.positions.other)
        )
        first, reply, third = int(lines.first[i]), int(lines.reply[i]), int(lines.third[i])
        assert wins_by_hand(FIVE, own, other, 2) == set()
        own.add(first)
        assert wins_by_hand(FIVE, own, other, 1) == {reply}
        assert wins_by_hand(FIVE, other, own, 1) == set()
        other.add(reply)
        assert wins_by_hand(FIVE, own, other, 2) == {third}
        own.add(third)
        assert len(wins_by_hand(FIVE, own, other, 1)) > 1


def test_wins_by_threats_are_those_whose_moves_but_the_last_threaten():
    """A quiet move that wins is found by the whole search alone."""
    rng = np.random.default_rng(0)
    rank = rng.random((120, 25)).argsort(axis=1).argsort(axis=1)
    own, other = FIVE.pack(rank < 5), FIVE.pack((rank >= 5) & (rank < 10))
    kept = (FIVE.completing(other, own) | FIVE.completing(own, other)) == 0
    kept &= ~FIVE.has_line(own) & ~FIVE.has_line(other)
    own, other = own[kept], other[kept]
    every = winning_moves(FIVE, own, other, 3)
    by_threats = winning_moves(FIVE, own, other, 3, by_threats=True)
    assert (by_threats <= every).all() and (every & ~by_threats).any()
    row, square = np.nonzero(every & ~by_threats)
    assert (FIVE.completing(own[row] | (1 << square), other[row]) == 0).all()
    row, square = np.nonzero(by_threats)
    assert (FIVE.completing(own[row] | (1 << square), other[row]) != 0).all()


def test_nothing_is_won_on_a_full_board():
    full = """
    x o x
    x o o
    o x x"""
    board = Board(3, 3)
    assert not can_win(board, *position(board, full), 3)[0]


@pytest.mark.parametrize(("make", "said"), [
    (lambda: Board(6, 4), "a board has 2 to 5 squares a side, .*; size is 6, length 4"),
    (lambda: Board(3, 4), "rows no longer than that; size is 3, length 4"),
    (lambda: Board(3, 1), "length must be at least 2; it is 1"),
    (lambda: winning_moves(FIVE, *position(FIVE, "." * 25), 0), "moves must be at least 1"),
])  # fmt: skip
def test_bad_input_is_said(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_positions_are_locked():
    found = Positions(np.array([1]), np.array([2]))
    with pytest.raises(ValueError, match="read-only"):
        found.own[0] = 3
