"""What a policy does on given observations while its activations are edited."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from empirics.activations.cached import cached
from empirics.activations.edit import Add
from empirics.activations.edited import edited
from empirics.activations.site import Site
from empirics.probe import Policy
from empirics.probes.behavior import BATCH, action_probabilities


def activations(policy: Policy, site: Site, observation: NDArray[np.float32]) -> Tensor:
    """Return the activations at a site, (n, channels, ...), one row an observation."""
    network = _network(policy)
    parts = []
    for start in range(0, len(observation), BATCH):
        with cached(network, [site]) as found:
            action_probabilities(policy, observation[start : start + BATCH])
        parts.append(found[site])
    return torch.cat(parts)


def probabilities_with(
    policy: Policy, site: Site, observation: NDArray[np.float32], vector: Tensor
) -> NDArray[np.float64]:
    """Return action probabilities, (n, num_actions), with a vector added at a site.

    Parameters
    ----------
    policy : Policy
        A network.
    site : Site
    observation : (n, *observation_shape) float32 array
    vector : (n, channels, ...) Tensor
        One a row.
    """
    network = _network(policy)
    parts = []
    for start in range(0, len(observation), BATCH):
        rows = slice(start, start + BATCH)
        with edited(network, [Add(site, vector[rows])]):
            parts.append(action_probabilities(policy, observation[rows]))
    return np.concatenate(parts)


def _network(policy: Policy) -> nn.Module:
    if not isinstance(policy, nn.Module):
        raise ValueError(
            f"activations are those of a torch network; the policy is a {type(policy).__name__}."
        )
    return policy
