"""Probes of look-ahead on a player whose state is known, on uniform play and on random networks."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from empirics.policies.recurrent_board_policy import RecurrentBoardNetwork
from empirics.probes.forced_replies.draw_inputs import draw_reply_inputs, undoing_stones
from empirics.probes.forced_replies.first_moves import FirstMoves
from empirics.probes.forced_replies.patching import GROUPS, ReplyPatching
from empirics.probes.forced_replies.plan import ForcedRepliesPlan
from empirics.probes.forced_replies.third_move import draw_third_move
from empirics.probes.forced_replies.win_rate import WinRate, drawn
from empirics.probes.lookahead.draw_inputs import NoInputs
from empirics.row_game.config import RowGameConfig
from empirics.row_game.forced_line import forced_lines
from empirics.row_game.solver import can_win

NETWORK = RecurrentBoardNetwork(width=8, ticks=2, hidden=8)
SURE = 5.0


@pytest.fixture(scope="module")
def three(config):
    return config.pools()[1]["three"]


@pytest.fixture(scope="module")
def inputs(config, three, player):
    return draw_reply_inputs(
        config, three, weak=player(knows=False), strong=player(), num_inputs=12
    )


def fresh(seed=0):
    return NETWORK.build((3, 5, 5), 25, rng=np.random.default_rng(seed)).eval()


def free_squares(board, positions):
    return board.unpack(board.full & ~(positions.own | positions.other)).sum(axis=1)


def test_corruptions_change_one_stone_far_off_and_leave_only_the_threat(inputs, board):
    assert len(inputs) == 12
    lines, after = inputs.lines, inputs.corrupted
    bits = (lines.positions.own ^ after.own) | (lines.positions.other ^ after.other)
    np.testing.assert_array_equal(bits, 1 << inputs.changed)
    row, column = (
        np.abs(f(inputs.changed, 5) - f(lines.first, 5)) for f in (np.floor_divide, np.mod)
    )
    assert np.maximum(row, column).min() >= 2
    moved, replied = after.own | 1 << lines.first, 1 << lines.reply
    np.testing.assert_array_equal(board.completing(moved, after.other), replied)
    assert not can_win(board, after.own, after.other, 3, by_threats=True).any()
    assert not can_win(board, moved, after.other | replied, 2).any()


def test_every_position_is_counted_once(inputs, three):
    assert sum(inputs.fallen.values()) + len(inputs) == len(three)


def test_every_undoing_stone_is_found_once(inputs, board):
    row, after, changed = undoing_stones(board, inputs.lines, 2)
    named = {
        (int(i), int(own), int(other))
        for i, own, other in zip(row, after.own, after.other, strict=True)
    }
    assert len(named) == len(row)
    lines, found = inputs.lines, set()
    for i in range(len(lines)):
        own, other = int(lines.positions.own[i]), int(lines.positions.other[i])
        for square in set(range(25)) - {int(lines.reply[i]), int(lines.third[i])}:
            bit = 1 << square
            for mine, theirs in (
                (own & ~bit, other & ~bit),
                (own | bit, other),
                (own, other | bit),
            ):
                away = max(
                    abs(a - b)
                    for a, b in zip(divmod(square, 5), divmod(int(lines.first[i]), 5), strict=True)
                )
                if away < 2 or mine & theirs or (mine, theirs) == (own, other):
                    continue
                pair = np.array([mine]), np.array([theirs])
                first = pair[0] | 1 << lines.first[i]
                quiet = not board.completing(*pair)[0] and not board.completing(*pair[::-1])[0]
                quiet &= not board.has_line(pair[0])[0] and not board.has_line(pair[1])[0]
                threat = board.completing(first, pair[1])[0] == 1 << lines.reply[i]
                if quiet and threat and not can_win(board, *pair, 3, by_threats=True)[0]:
                    found.add((i, mine, theirs))
    assert named == found


def test_patching_the_third_square_takes_the_players_move_away(inputs, player):
    """The state at the third square is all that the first move hangs on: the logit falls by 5."""
    found = ReplyPatching(inputs)(player())
    expected = {
        "third_move_patching": SURE,
        "patching_changed_stone": 0.0,
        "patching_first_move": 0.0,
        "patching_reply": 0.0,
        "patching_third_move": SURE,
        "patching_other_squares": 0.0,
    }
    assert {name: reading.value for name, reading in found.items()} == pytest.approx(
        expected, abs=1e-5
    )
    assert found["third_move_patching"].se == pytest.approx(0.0, abs=1e-5)


def test_patching_finds_nothing_in_a_player_that_does_not_use_its_state(inputs, player):
    found = ReplyPatching(inputs)(player(knows=False))
    assert all(reading.value == 0.0 for reading in found.values())


def test_groups_are_apart_and_cover_the_board(inputs):
    groups = ReplyPatching(inputs)._groups()
    assert tuple(groups) == GROUPS
    assert (sum(where.astype(int) for where in groups.values()) == 1).all()
    assert all((groups[name].sum(axis=1) == 1).all() for name in GROUPS[:-1])


def test_the_third_move_is_told_from_a_state_that_holds_it(board, three, player):
    policy = player()
    probe = draw_third_move(board, three, fresh(), rng=np.random.default_rng(0))
    found = probe(policy)
    assert found["third_move_accuracy"].value == 1.0
    assert found["third_move"].value == 1 - max(found["third_move_accuracy"].baselines.values())
    chance = (1 / (free_squares(board, probe.lines.positions) - 1)).mean()
    baselines = found["third_move_accuracy"].baselines
    assert baselines["an empty square at random"] == pytest.approx(chance)
    # The network that it is measured against knows as much as it does itself.
    own = probe.fresh
    assert probe(own)["third_move_accuracy"].value == baselines["random network"]


def test_observations_show_the_stones_around_a_square_and_where_it_is(board, three):
    probe = draw_third_move(board, three, fresh(), rng=np.random.default_rng(0))
    around = probe._seen_around
    own, other = board.unpack(probe.lines.positions.own), board.unpack(probe.lines.positions.other)
    for i, square in ((0, 0), (1, 12), (2, 24)):
        row, column = divmod(square, 5)
        expected = []
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                r, c = row + down, column + right
                inside = 0 <= r < 5 and 0 <= c < 5
                at = 5 * r + c
                expected += [own[i, at], other[i, at], 0] if inside else [0, 0, 1]
        assert around[i, square].tolist() == [*map(float, expected), row, column]


def test_first_moves_of_the_player_and_of_uniform_play(board, config, player, three):
    _, pools = config.pools()
    probe = FirstMoves(board, config.max_moves, pools)
    knows, ignores = probe(player()), probe(player(knows=False))
    is_line = np.isin(three.own, forced_lines(board, three).positions.own)
    free = free_squares(board, three)
    sure = np.exp(SURE) / (np.exp(SURE) + free - 1)
    expected = np.where(is_line, sure, 1 / free)
    assert knows["p_win_three"].value == pytest.approx(expected.mean(), abs=1e-6)
    assert ignores["p_win_three"].value == pytest.approx((1 / free).mean(), abs=1e-6)
    later = np.exp(SURE) / (np.exp(SURE) + free[is_line] - 3)
    assert knows["p_line_three"].value == pytest.approx((sure[is_line] * later).mean(), abs=1e-6)
    for kind in ("one", "two"):
        chance = (1 / free_squares(board, pools[kind])).mean()
        assert knows[f"p_win_{kind}"].baselines["a legal move at random"] == pytest.approx(chance)
    assert list(knows) == list(probe.observables)


def test_players_win_as_often_as_forced_lines_say(config, player, three, board):
    """The player that knows lines wins those; so it wins more than by wins within two alone."""
    _, pools = config.pools()
    probe = WinRate(config, pools)
    knows, ignores = probe(player()), probe(player(knows=False))
    first_moves = FirstMoves(board, config.max_moves, pools)(player())
    num_lines = len(forced_lines(board, three)) / len(three)
    # The last move is made with P > .9: a line that is played to there is won nearly always.
    least = 0.9 * first_moves["p_line_three"].value * num_lines
    assert knows["win_rate_three"].value > least - 3 * (0.25 / len(three)) ** 0.5
    assert knows["win_rate_three"].value > ignores["win_rate_three"].value + 0.2
    shares = config.shares
    mixed = sum(shares[kind] * knows[f"win_rate_{kind}"].value for kind in shares)
    assert knows["win_rate"].value == pytest.approx(mixed)
    assert knows["win_rate"].value + knows["loss_rate"].value <= 1


def test_actions_are_drawn_by_their_probabilities():
    p = np.tile([0.0, 0.2, 0.0, 0.8], (4000, 1))
    counts = np.bincount(drawn(p, rng=np.random.default_rng(0)), minlength=4)
    assert counts[0] == counts[2] == 0
    assert abs(counts[1] - 800) < 4 * (4000 * 0.2 * 0.8) ** 0.5


def test_random_networks_do_not_look_ahead(inputs):
    """None of 30 by patching, with an actor of gain 1 so that states move the logits at all."""
    probe = ReplyPatching(inputs)
    gains = []
    for seed in range(30):
        policy = fresh(seed)
        with torch.no_grad():
            policy.actor.weight *= 100
        found = probe(policy)["third_move_patching"]
        gains.append(found.above_baseline - 1.96 * found.se)
    assert max(gains) < 0.02


def test_the_plan_makes_the_probes_of_play():
    plan = ForcedRepliesPlan(play_seed=3)
    small = RowGameConfig(min_stones=6, num_train_positions=5, num_held_out_positions=60)
    first_moves, win_rate = plan.probes(small)
    assert isinstance(first_moves, FirstMoves) and isinstance(win_rate, WinRate)
    assert win_rate.seed == 3


def test_agents_for_whom_nothing_is_hard_or_solved_are_said(config, three, player):
    for agents, counted in (
        ({"weak": player(), "strong": player()}, "not hard for the weak agent: "),
        ({"weak": fresh(), "strong": fresh()}, "not solved by the strong agent: "),
    ):
        with pytest.raises(NoInputs, match=f"no position is hard .*{counted}"):
            draw_reply_inputs(config, three, **agents)
    with pytest.raises(ValueError, match="20 positions at least; [0-3] of 3 are"):
        draw_third_move(config.board, three[:3], fresh(), rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="num_reply_inputs must be at least 8; it is 3"):
        replace(ForcedRepliesPlan(), num_reply_inputs=3)
