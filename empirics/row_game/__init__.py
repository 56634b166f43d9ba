"""A game of k in a row on a small board, with an exact solver: puzzles whose replies are forced."""
