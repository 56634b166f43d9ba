"""A player made by hand, which keeps the square of the third move in its state, and there alone."""

import numpy as np
import pytest
import torch
from torch import nn

from empirics.policies.recurrent_board_policy import NEVER
from empirics.policies.recurrent_policy import AbstractRecurrentPolicy
from empirics.row_game.board import Board
from empirics.row_game.config import RowGameConfig
from empirics.row_game.forced_line import forced_lines
from empirics.row_game.positions import Positions
from empirics.row_game.solver import winning_moves

BOARD = Board(5, 4)
SURE = 5.0
CONFIG = RowGameConfig(min_stones=6, max_stones=6, num_train_positions=5, num_held_out_positions=60)


def solved(observation):
    """Return wins within two moves and at once, (n, 25), and {row: (first, third)} of lines."""
    own, other = (BOARD.pack(observation[:, plane].flatten(1).numpy() > 0.5) for plane in (0, 1))
    pairs, row = np.unique(np.stack([own, other], axis=1), axis=0, return_inverse=True)
    found = forced_lines(BOARD, Positions(*pairs.T))
    columns = (found.positions.own, found.positions.other, found.first, found.third)
    moves = {
        (own, other): move
        for own, other, *move in zip(*map(np.ndarray.tolist, columns), strict=True)
    }
    of_pair = [moves.get(tuple(pair)) for pair in pairs.tolist()]
    lines = {i: of_pair[k] for i, k in enumerate(row.ravel()) if of_pair[k]}
    wins, now = (torch.from_numpy(winning_moves(BOARD, *pairs.T, m)[row.ravel()]) for m in (2, 1))
    return wins, now, lines


class Search(nn.Module):
    """A cell whose state is 1 on the third moves of forced lines, and on wins within two."""

    def forward(self, state, drive):
        wins, _, lines = solved(drive)
        plan = wins.float()
        for i, (_, third) in lines.items():
            plan[i, third] = 1.0
        result = torch.zeros_like(state)
        result[:, 0] = plan.reshape(-1, 5, 5)
        return result


class Player(AbstractRecurrentPolicy):
    """Plays what begins the plan: the logit of a first move is `SURE` times the state at the third.

    A player that does not know lines gives no first move of one a logit, whatever its state.
    """

    def __init__(self, knows=True):
        super().__init__(3, 3, ticks=1, stride=1)
        for layer in (self.encoder, self.drive):
            layer.weight.data.zero_()
            for plane in range(3):
                layer.weight.data[plane, plane, 1, 1] = 1.0
        self.encoder.bias.data.zero_()
        self.cell, self.knows = Search(), knows
        self.eval().requires_grad_(False)

    def forward(self, observation):
        state = self.last_state(observation)[:, 0].flatten(1)
        wins, now, lines = solved(observation)
        logits = SURE * (state * wins + now)
        for i, (first, third) in lines.items():
            logits[i, first] = SURE * state[i, third] * self.knows
        taken = observation[:, :2].any(dim=1).flatten(1)
        return logits.masked_fill(taken, NEVER), torch.zeros(len(observation))


@pytest.fixture(scope="session")
def board():
    return BOARD


@pytest.fixture(scope="session")
def config():
    return CONFIG


@pytest.fixture(scope="session")
def player():
    return Player
