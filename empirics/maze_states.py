"""States of the maze, frozen: what an energy of a maze agent's checkpoint is a mean over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from empirics.llc.potentials.freeze_states import FrozenStates
from empirics.maze import MazeConfig, draw_situations, observe


def held_out_states(
    environment: MazeConfig, num_states: int, *, rng: np.random.Generator
) -> FrozenStates:
    """Return beginnings of episodes on held-out levels, the cheese anywhere.

    They depend on the levels alone, not on α: all checkpoints of all runs of a ladder share them.
    """
    levels = environment.pools().held_out
    level = rng.integers(len(levels), size=num_states)
    anywhere = replace(environment, alpha=1.0)
    seen = observe(levels, draw_situations(levels, level, anywhere, rng=rng), anywhere)
    source = f"{num_states} beginnings of episodes on held-out levels, the cheese anywhere"
    return FrozenStates(seen, np.full(num_states, 1 / num_states), source, num_states)


def visited_states(
    policy: nn.Module, environment: MazeConfig, num_states: int, *, rng: np.random.Generator
) -> FrozenStates:
    """Return states that a policy visits as it explores on its training levels.

    Each is from an environment of its own, at a moment drawn uniformly from the first
    `max_steps`, so that they are independent.
    """
    mazes = environment.make(num_states, int(rng.integers(2**63)))
    when = rng.integers(environment.max_steps, size=num_states)
    now = mazes.reset()
    kept = np.empty_like(now)
    for moment in range(int(when.max()) + 1):
        kept[when == moment] = now[when == moment]
        with torch.no_grad():
            logits = policy(torch.from_numpy(now))[0].numpy()
        now = mazes.step((logits + rng.gumbel(size=logits.shape)).argmax(-1)).observation
    source = f"{num_states} states that the policy visits on its training levels"
    return FrozenStates(kept, np.full(num_states, 1 / num_states), source, num_states)
