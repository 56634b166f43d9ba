"""What a policy does on given observations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from empirics.probe import Policy

BATCH = 2048
"""Observations a forward pass: larger ones leave the processor's cache."""


def action_probabilities(policy: Policy, observation: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the policy's action probabilities, (n, num_actions); see `action_logits`."""
    return torch.softmax(torch.from_numpy(action_logits(policy, observation)), dim=-1).numpy()


def action_logits(policy: Policy, observation: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the policy's logits, (n, num_actions).

    Runs in evaluation mode without gradients and leaves the policy's mode as it was.

    Parameters
    ----------
    policy : Policy
    observation : (n, *observation_shape) float32 array
    """
    device = _device(policy)
    parts = []
    with torch.inference_mode(), _evaluation(policy):
        for start in range(0, len(observation), BATCH):
            batch = torch.from_numpy(observation[start : start + BATCH]).to(device)
            logits, _ = policy(batch)
            parts.append(logits.double().cpu().numpy())
    found: NDArray[np.float64] = np.concatenate(parts)
    return found


def _device(policy: Policy) -> torch.device:
    if isinstance(policy, nn.Module):
        for parameter in policy.parameters():
            return parameter.device
    return torch.device("cpu")


@contextmanager
def _evaluation(policy: Policy) -> Iterator[None]:
    if not isinstance(policy, nn.Module) or not any(each.training for each in policy.modules()):
        yield
        return
    training = policy.training
    policy.eval()
    try:
        yield
    finally:
        policy.train(training)
