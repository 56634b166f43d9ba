"""The maze of 7 × 7 squares, in which a small network learns in minutes what there is to learn."""

from __future__ import annotations

from empirics.maze import MazeConfig
from empirics.policies.maze_policy import MazeNetwork

MAZE = MazeConfig(cells=4, num_train_levels=2_800, num_held_out_levels=700)
"""The smallest of which there are enough to hold some out: the generator reaches some 3,800 mazes
of 4 × 4 cells, and of 3 × 3 (5 × 5 squares) only 88."""

NETWORK = MazeNetwork(width=32, depth=5)
