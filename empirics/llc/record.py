"""What is kept of chains, and the particles that stop being finite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from empirics.llc.sampler import State
from empirics.llc.target import Point, Target

Floats = NDArray[np.float64]

LARGEST = 1e100
"""From here on a chain has diverged: the squares of what it draws could not be summed."""

AT_ONCE = 2_000_000
"""Parameters of all particles at which rows of the data are evaluated at once."""


@final
@dataclass(frozen=True, eq=False)
class Chains:
    """What was kept of the draws around C centers, K chains each, T draws a chain.

    Attributes
    ----------
    excess : (C, K, T) array
        Energy above that of the center.
    square_distance : (C, K, T) array
        From the center, in the scales.
    virial : (C, K, T) array
        (w - center) · ∇U, whose mean is d in equilibrium.
    along_slope : (C, K, T) array
        (w - center) · g, g the whole energy's gradient at the center; 0 at a minimum.
    accepted : (C, K) array
        Mean probability with which a move was, or would have been, accepted; NaN unknown.
    diverged : (C, K) boolean array
        Chains whose energy or gradient stopped being finite (or passed `LARGEST`), or was not at
        the center; their draws from then on are NaN.
    init_energy : (C,) array
        The whole energy at the centers.
    gradient_norm : (C,) array
        Norm of the whole energy's gradient there, in the scales.
    nbeta, localization, step_size : (C,) arrays
    final : (C, K, d) array
        The last positions.
    positions : (C, K, T, d) array or None
        Every draw, if asked for.
    """

    excess: Floats
    square_distance: Floats
    virial: Floats
    along_slope: Floats
    accepted: Floats
    diverged: NDArray[np.bool_]
    init_energy: Floats
    gradient_norm: Floats
    nbeta: Floats
    localization: Floats
    step_size: Floats
    final: Floats
    positions: Floats | None = None


@final
class Record:
    """What is kept while the chains run."""

    def __init__(
        self,
        target: Target,
        init: Tensor,
        slope: Tensor,
        *,
        shape: tuple[int, int, int],
        num_burnin_steps: int,
        num_steps_bw_draws: int,
        on_minibatches: bool,
        keep_positions: bool,
    ) -> None:
        d, chains = target.centers.shape[2], shape[2]
        self._burnin, self._steps = num_burnin_steps, num_steps_bw_draws
        self._target, self._init, self._slope = target, init, slope
        self._row_energies = _row_energies(target, shape) if on_minibatches else None
        self._energy, self._distance, self._virial, self._along = (
            init.new_empty(shape) for _ in range(4)
        )
        self._positions = init.new_empty((*shape, d)) if keep_positions else None
        self._accepted = init.new_zeros(shape[1:])
        self._dead = ~torch.isfinite(init).expand(shape[1:])
        self._any_dead = bool(self._dead.any())
        self._last = target.centers.expand(-1, chains, -1)

    def held(self, state: State) -> State:
        """Return the state with diverged particles put back to their center, and count them."""
        point = state.point
        size = point.energy.abs() + point.force.abs().sum(-1)
        if not self._any_dead and float(size.sum()) < LARGEST:
            return state
        finite = size < LARGEST  # which what is not a number is not
        self._dead |= ~finite
        self._any_dead = bool(self._dead.any())
        alive = ~self._dead[..., None]
        held = Point(
            torch.where(alive, point.w, self._target.centers),
            torch.where(self._dead, self._init, point.energy),
            torch.where(alive, point.gradient, torch.zeros_like(point.gradient)),
            torch.where(alive, point.force, torch.zeros_like(point.force)),
        )
        memory = tuple(torch.where(alive, each, torch.ones_like(each)) for each in state.memory)
        return State(held, state.accepted, memory)

    def count(self, state: State, made: int, rows: Tensor | None) -> None:
        """Keep the state after `made` moves, if it is a draw.

        A minibatch's energy is compared with the center's on the same rows, so that what the rows
        have in common does not enter with the weight nbeta.
        """
        after = made - self._burnin
        if after <= 0:
            return
        self._accepted += state.accepted
        if after % self._steps:
            return
        i, point, target = after // self._steps - 1, state.point, self._target
        base = self._init if rows is None else self._center_energy(rows)
        self._energy[i] = point.energy - base
        self._distance[i] = target.square_distance(point.w)
        self._virial[i] = target.virial(point)
        self._along[i] = ((point.w - target.centers) * self._slope).sum(-1)
        if self._any_dead:
            for kept in (self._energy, self._distance, self._virial, self._along):
                kept[i].masked_fill_(self._dead, torch.nan)
        if self._positions is not None:
            self._positions[i] = point.w
        self._last = point.w

    def _center_energy(self, rows: Tensor) -> Tensor:
        """Return the energy of the centers on the rows of every particle, (C, K)."""
        if self._row_energies is not None:
            each = self._row_energies[:, None].expand(-1, rows.shape[1], -1)
            return each.gather(-1, rows).mean(-1)
        with torch.no_grad():
            target = self._target
            at = target.centers.expand(-1, rows.shape[1], -1)
            return target.potential.energy(at, rows)

    def chains(self, **facts: Floats) -> Chains:
        """Return what was kept."""
        moves = self._energy.shape[0] * self._steps
        each = (self._energy, self._distance, self._virial, self._along)
        excess, distance, virial, along = (as_array(kept.permute(1, 2, 0)) for kept in each)
        every = self._positions
        return Chains(
            excess=excess,
            square_distance=distance,
            virial=virial,
            along_slope=along,
            accepted=as_array(self._accepted / moves),
            diverged=self._dead.cpu().numpy(),
            init_energy=as_array(self._init[:, 0]),
            final=as_array(self._last),
            positions=None if every is None else as_array(every.permute(1, 2, 0, 3)),
            **facts,
        )


def _row_energies(target: Target, shape: tuple[int, int, int]) -> Tensor | None:
    """Return the energy of the centers on each row of the data, (C, n).

    A draw's comparison with the center is then a look-up. None where the energy is no mean over
    rows, or there are more rows than draws, so that it would take longer than it saves.
    """
    draws, count, chains = shape
    n = target.potential.num_rows
    if n is None or n > draws * chains or not target.potential.is_mean_over_rows:
        return None
    size = max(1, AT_ONCE // (count * target.centers.shape[2]))
    with torch.no_grad():
        parts = [
            target.potential.energy(
                target.centers.expand(-1, part.numel(), -1),
                part[None, :, None].expand(count, -1, -1),
            )
            for part in torch.split(torch.arange(n, device=target.centers.device), size)
        ]
    return torch.cat(parts, dim=1)


def as_array(tensor: Tensor) -> Floats:
    """Return a tensor as an array of its own."""
    return tensor.detach().cpu().numpy().astype(np.float64)
