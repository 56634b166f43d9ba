"""Activations as features of rows: those at the mouse, or those of every place."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import unfold

from empirics.activations.site import Site
from empirics.policies.at_mouse import at_mouse
from empirics.probe import Policy
from empirics.probes.edited_behavior import activations

FloatArray = NDArray[np.float64]


def read_at_mouse(policy: Policy, site: Site, observation: NDArray[np.float32]) -> FloatArray:
    """Return what a layer holds where the mouse is, (n, channels); of a dense layer, all.

    Raises
    ------
    ValueError
        If the layer's places are neither the squares nor the cells of the maze.
    """
    found = activations(policy, site, observation)
    if found.ndim > 2:
        stride = place_stride(site, found.shape[2:], observation.shape[2:])
        found = at_mouse(found, torch.from_numpy(observation).to(found), stride)
    return found.double().cpu().numpy()


def read_places(policy: Policy, site: Site, observation: NDArray[np.float32]) -> FloatArray:
    """Return what a layer holds at each of its places, (n, places², channels).

    Raises
    ------
    ValueError
        If the layer's places are neither the squares nor the cells of the maze.
    """
    found = activations(policy, site, observation)
    place_stride(site, found.shape[2:], observation.shape[2:])
    return found.flatten(2).movedim(1, 2).double().cpu().numpy()


def observed_places(observation: NDArray[np.float32], stride: int) -> FloatArray:
    """Return the square of each place with the eight around it, (n, places², 9 · planes)."""
    around = unfold(torch.from_numpy(observation), 3, padding=1, stride=stride)
    return around.movedim(1, 2).double().numpy()


def place_stride(site: Site, places: tuple[int, ...], squares: tuple[int, ...]) -> int:
    """Return 1 where the places of a layer are the squares of the maze, 2 where they are cells.

    Raises
    ------
    ValueError
        If they are neither.
    """
    if tuple(places) == tuple(squares):
        return 1
    if tuple(places) == tuple((side + 1) // 2 for side in squares):
        return 2
    raise ValueError(
        f"the places of {site} are {tuple(places)}, neither the squares {tuple(squares)} of the "
        "maze nor its cells; name a convolutional layer that keeps them."
    )
