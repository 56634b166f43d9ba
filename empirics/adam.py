"""Adam on rows of parameters, one row a seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from torch import Tensor


@final
class Adam:
    """Adam (Kingma and Ba, 2015) on rows, each seed with its own clock; ε = 1e-5."""

    betas = (0.9, 0.999)
    eps = 1e-5

    def __init__(self, parameters: Tensor) -> None:
        self.parameters = parameters
        self.mean = torch.zeros_like(parameters)
        self.square = torch.zeros_like(parameters)
        self.count = np.zeros(len(parameters), dtype=np.int64)

    @torch.no_grad()
    def step(self, gradient: Tensor, learning_rate: float, active: Sequence[bool]) -> None:
        """Move the active rows against their (S, P) gradient."""
        rows = slice(None) if all(active) else [s for s, go in enumerate(active) if go]
        self.count[rows] += 1
        first, second = (
            torch.from_numpy((1 - beta ** self.count[rows, None]).astype(np.float32)).to(gradient)
            for beta in self.betas
        )
        gradient, mean, square = gradient[rows], self.mean[rows], self.square[rows]
        mean.lerp_(gradient, 1 - self.betas[0])
        square.mul_(self.betas[1]).addcmul_(gradient, gradient, value=1 - self.betas[1])
        size = torch.sqrt(square).div_(second.sqrt()).add_(self.eps)
        self.parameters[rows] -= mean.mul(learning_rate / first).div_(size)
        if rows != slice(None):  # a list of rows copies, a slice does not
            self.mean[rows], self.square[rows] = mean, square
