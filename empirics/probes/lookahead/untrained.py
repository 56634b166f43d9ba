"""The same network before it learned anything, as it comes or as decided as a trained one."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from empirics.networks import initialize
from empirics.policies.maze_policy import MazePolicy
from empirics.policies.recurrent_policy import AbstractRecurrentPolicy, start_small
from empirics.probe import Policy

TRAINED_SPREAD = 3.0
"""About as far as logits vary from square to square in trained agents of mazes; measured in
`benchmarks/trained_agents.md`, where a network as training begins stands beside them."""


def untrained(network: nn.Module, *, rng: np.random.Generator) -> nn.Module:
    """Return a copy with weights drawn anew, as training begins with them, frozen.

    Every module that can do so resets its own parameters, and the policies of this package start
    as they do (`initialize`, `start_small`); the global generator is left alone.
    """
    fresh = copy.deepcopy(network)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**63)))
        for module in fresh.modules():
            reset = getattr(module, "reset_parameters", None)
            if callable(reset):
                reset()
        if isinstance(fresh, MazePolicy):
            initialize(fresh, rng=rng)
        if isinstance(fresh, AbstractRecurrentPolicy):
            start_small(fresh)
    return fresh.eval().requires_grad_(False)


def decided(
    policy: nn.Module, seen: NDArray[np.float32], *, spread: float = TRAINED_SPREAD
) -> nn.Module:
    """Return a policy whose logits vary so far around 0 over what is seen; it is changed itself.

    A policy that is nearly uniform moves little whatever is done to it, and one that prefers the
    same action everywhere moves as little.

    Raises
    ------
    ValueError
        If the policy has no linear layer `actor`.
    """
    actor = getattr(policy, "actor", None)
    if not isinstance(actor, nn.Linear):
        raise ValueError(f"a {type(policy).__name__} has no linear layer 'actor' to be scaled.")
    with torch.no_grad():
        actor.weight.mul_(spread / logit_spread(policy, seen))
        actor.bias.sub_(policy(torch.from_numpy(seen))[0].mean(dim=0))
    return policy


def logit_spread(policy: Policy, seen: NDArray[np.float32]) -> float:
    """Return the standard deviation of a logit over what is seen, the mean over actions."""
    with torch.no_grad():
        return float(policy(torch.from_numpy(seen))[0].std(dim=0).mean())
