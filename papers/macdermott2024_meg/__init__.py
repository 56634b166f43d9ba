"""MacDermott et al. (2024) on measuring goal-directedness, re-executed."""
