"""Reading features where the mouse is."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import max_pool2d

MOUSE_PLANE = 1


def at_mouse(features: Tensor, observation: Tensor, stride: int) -> Tensor:
    """Return the features at the mouse; of a mouse between two cells, the sum over both.

    Parameters
    ----------
    features : (B, channels, places, places) Tensor
        With stride 2 a place is a cell, with stride 1 a square.
    observation : (B, planes, size, size) Tensor
    stride : int

    Returns
    -------
    (B, channels) Tensor
    """
    mouse = observation[:, MOUSE_PLANE : MOUSE_PLANE + 1]
    if stride == 2:
        mouse = max_pool2d(mouse, 3, stride=2, padding=1)
    return (features * mouse).sum(dim=(2, 3))
