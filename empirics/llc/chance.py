"""The random numbers of chains: each center has its own stream, whatever runs beside it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Protocol, final

import numpy as np
import torch
from torch import Tensor

from empirics.llc.sampler import Chance, Sampler

BLOCK = 32
"""Moves whose numbers are drawn at once."""

Shape = tuple[int, ...]


class Source(Protocol):
    """Where the numbers of one center come from."""

    def normal(self, shape: Shape) -> Tensor:
        """Return standard normal numbers."""

    def uniform(self, shape: Shape) -> Tensor:
        """Return numbers uniform on [0, 1)."""

    def rows(self, num_rows: int, shape: Shape) -> Tensor:
        """Return whole numbers from 0 to before `num_rows`."""


@final
class OnProcessor:
    """numpy's generator, which takes half the time of torch's."""

    def __init__(self, seed: np.random.SeedSequence) -> None:
        self._rng = np.random.default_rng(seed)

    def normal(self, shape: Shape) -> Tensor:
        """Return standard normal numbers."""
        return torch.from_numpy(self._rng.standard_normal(shape))

    def uniform(self, shape: Shape) -> Tensor:
        """Return numbers uniform on [0, 1)."""
        return torch.from_numpy(self._rng.random(shape))

    def rows(self, num_rows: int, shape: Shape) -> Tensor:
        """Return whole numbers from 0 to before `num_rows`."""
        return torch.from_numpy(self._rng.integers(num_rows, size=shape))


@final
class OnDevice:
    """torch's generator, whose numbers are where the particles are."""

    def __init__(self, seed: np.random.SeedSequence, device: torch.device) -> None:
        state = int(seed.generate_state(1, np.uint64)[0] >> 1)
        self._device, self._generator = device, torch.Generator(device).manual_seed(state)

    def normal(self, shape: Shape) -> Tensor:
        """Return standard normal numbers."""
        return torch.randn(shape, generator=self._generator, device=self._device)

    def uniform(self, shape: Shape) -> Tensor:
        """Return numbers uniform on [0, 1)."""
        return torch.rand(shape, generator=self._generator, device=self._device)

    def rows(self, num_rows: int, shape: Shape) -> Tensor:
        """Return whole numbers from 0 to before `num_rows`."""
        return torch.randint(num_rows, shape, generator=self._generator, device=self._device)


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
        device = like.device
        self._sources: list[Source] = [
            OnProcessor(seed) if device.type == "cpu" else OnDevice(seed, device) for seed in seeds
        ]
        self._num_chains, self._num_parameters = num_chains, num_parameters
        self._num_rows, self._dtype = num_rows, like.dtype

    def rows(self, count: int, batch_size: int) -> Tensor:
        """Return minibatches, (count, C, K, B)."""
        if self._num_rows is None:
            raise ValueError("this potential has no rows to draw minibatches from; use all of it.")
        shape = (count, self._num_chains, batch_size)
        return torch.stack([each.rows(self._num_rows, shape) for each in self._sources], dim=1)

    def moves(self, sampler: Sampler, step_size: Tensor, num_burnin_steps: int) -> Iterator[Chance]:
        """Yield the random numbers of one move after another, without end."""
        size, shape = sampler.batch_size, (BLOCK, self._num_chains, self._num_parameters)
        for made in itertools.count():
            i = made % BLOCK
            if i == 0:
                normal = torch.stack([each.normal(shape) for each in self._sources], dim=1)
                pairs = [each.uniform((BLOCK, 2, self._num_chains)) for each in self._sources]
                normal, uniform = normal.to(self._dtype), torch.stack(pairs, 2).to(self._dtype)
                rows = None if size is None else self.rows(BLOCK, size)
            yield Chance(
                normal[i],
                uniform[i],
                None if rows is None else rows[i],
                step_size,
                made < num_burnin_steps,
            )
