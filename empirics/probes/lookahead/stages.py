"""Where in a network, and how far into its computation, states are read and edited."""

from __future__ import annotations

from torch import nn

from empirics.activations.site import Site
from empirics.policies.maze_policy import MazePolicy
from empirics.policies.recurrent_policy import AbstractRecurrentPolicy
from empirics.probe import Policy

STAGES = ("early", "middle", "end")
"""After a third, half and all of the ticks, or of the layers."""

_SHARES = {"early": 1 / 3, "middle": 1 / 2, "end": 1.0}


def stage_site(policy: Policy, stage: str) -> Site:
    """Return the site of the state at a stage: a tick of a recurrent policy, else a layer.

    Raises
    ------
    ValueError
        If the policy is neither a `MazePolicy` nor recurrent.
    """
    if isinstance(policy, AbstractRecurrentPolicy):
        return Site("cell", tick=_index(policy.ticks, stage))
    if isinstance(policy, MazePolicy):
        return Site(f"stream.{_index(len(policy.stream), stage)}")
    raise ValueError(
        "look-ahead is read in the states of a MazePolicy or a recurrent policy; this is a "
        f"{type(policy).__name__}."
    )


def stride_of(policy: Policy) -> int:
    """Return how many squares apart the places of the policy's states are."""
    return policy.stride if isinstance(policy, MazePolicy | AbstractRecurrentPolicy) else 1


def network_of(policy: Policy) -> nn.Module:
    """Return the policy as a network.

    Raises
    ------
    ValueError
        If it is none.
    """
    if isinstance(policy, nn.Module):
        return policy
    raise ValueError(f"states are those of a torch network; this is a {type(policy).__name__}.")


def _index(number: int, stage: str) -> int:
    return max(1, round(_SHARES[stage] * number)) - 1
