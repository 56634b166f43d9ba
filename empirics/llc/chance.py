"""The random numbers of chains: each center has its own stream, whatever runs beside it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import final

import numpy as np
import torch
from torch import Tensor

from empirics.llc.sampler import Chance, Sampler

Draw = Callable[..., Tensor]

BLOCK = 32
"""Moves whose numbers are drawn at once."""


@final
class Streams:
    """Random numbers for the chains of several centers.

    Parameters
    ----------
    seeds : sequence of numpy.random.SeedSequence
        One a center.
    num_chains, num_parameters : int
    num_rows : int or None
        Rows of data that minibatches are drawn from, with replacement.
    like : (C, 1, d) tensor
        Whose type and device the numbers get.
    """

    def __init__(
        self,
        seeds: list[np.random.SeedSequence],
        num_chains: int,
        num_parameters: int,
        num_rows: int | None,
        like: Tensor,
    ) -> None:
        self._generators = [
            torch.Generator(like.device).manual_seed(int(seed.generate_state(1, np.uint64)[0] >> 1))
            for seed in seeds
        ]
        self._num_chains, self._num_parameters = num_chains, num_parameters
        self._num_rows, self._like = num_rows, like

    def rows(self, count: int, batch_size: int) -> Tensor:
        """Return minibatches, (count, C, K, B)."""
        if self._num_rows is None:
            raise ValueError("this potential has no rows to draw minibatches from; use all of it.")
        shape = (count, self._num_chains, batch_size)
        return torch.stack(
            [
                torch.randint(self._num_rows, shape, generator=each, device=self._like.device)
                for each in self._generators
            ],
            dim=1,
        )

    def moves(self, sampler: Sampler, step_size: Tensor, num_burnin_steps: int) -> Iterator[Chance]:
        """Yield the random numbers of one move after another, without end."""
        chains, d, size = self._num_chains, self._num_parameters, sampler.batch_size
        for made in itertools.count():
            i = made % BLOCK
            if i == 0:
                normal = self._drawn(torch.randn, (BLOCK, 1, chains, d))
                uniform = self._drawn(torch.rand, (BLOCK, 2, 1, chains), axis=2)
                rows = None if size is None else self.rows(BLOCK, size)
            yield Chance(
                normal[i],
                uniform[i],
                None if rows is None else rows[i],
                step_size,
                made < num_burnin_steps,
            )

    def _drawn(self, draw: Draw, shape: tuple[int, ...], axis: int = 1) -> Tensor:
        """Return numbers of every generator, together along an axis of length 1."""
        like = self._like
        each = [
            draw(shape, generator=generator, dtype=like.dtype, device=like.device)
            for generator in self._generators
        ]
        return torch.cat(each, dim=axis)
