"""The posterior itself at many sizes of data at once, by exchange of replicas.

Chains at nbeta_0 < nbeta_1 < ... draw from exp(-nbeta_r · energy) · N(w; 0, prior_sd²) and swap
their places with their neighbors (Geyer 1991), so that phases far apart in parameter space are
visited as often as they weigh. Since nbeta is n times a temperature, one run shows the posterior
at every n of the ladder, and log Z(n) follows from neighbors by Bennett's (1976) ratio.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logsumexp
from torch import Tensor

from empirics.llc.chance import Streams
from empirics.llc.hmc import HMC
from empirics.llc.potential import Potential
from empirics.llc.sampler import State, check_positive
from empirics.llc.target import Target

Floats = NDArray[np.float64]
Classify = Callable[[Tensor], Tensor]

SOUGHT_ACCEPTANCE = 0.8
ADAPTATION = 0.05
"""Change of the log of a step size for each unit by which acceptance misses what is sought."""


@final
@dataclass(frozen=True, eq=False)
class Replicas:
    """What was drawn at R values of nbeta, by K independent ladders of T draws each.

    Attributes
    ----------
    nbeta : (R,) array
        Rising from 0 or more.
    energy : (R, K, T) array
    phase : (R, K, T) integer array or None
        What `classify` called each draw.
    accepted : (R,) array
        Mean acceptance of the moves.
    swapped : (R - 1,) array
        Share of swaps between neighbors that were taken.
    """

    nbeta: Floats
    energy: Floats
    phase: NDArray[np.int64] | None
    accepted: Floats
    swapped: Floats

    def log_evidence(self) -> tuple[Floats, Floats]:
        """Return log Z(nbeta_r) - log Z(nbeta_0) and its standard error over ladders, (R,) each."""
        pairs = zip(range(self.nbeta.size - 1), np.diff(self.nbeta), strict=True)
        steps = [_bennett(self.energy[r].ravel(), self.energy[r + 1].ravel(), d) for r, d in pairs]
        total = np.concatenate([[0.0], np.cumsum(steps)])
        each = np.array([self._of_ladder(k) for k in range(self.energy.shape[1])])
        if len(each) < 2:
            return total, np.full(total.size, np.nan)
        return total, each.std(axis=0, ddof=1) / np.sqrt(len(each))

    def _of_ladder(self, k: int) -> Floats:
        steps = [
            _bennett(self.energy[r, k], self.energy[r + 1, k], self.nbeta[r + 1] - self.nbeta[r])
            for r in range(self.nbeta.size - 1)
        ]
        return np.concatenate([[0.0], np.cumsum(steps)])

    def counts(self, phase: int) -> NDArray[np.int64]:
        """Return how many draws of each ladder are in a phase, (R, K).

        Raises
        ------
        ValueError
            If the draws were not classified.
        """
        if self.phase is None:
            raise ValueError("no draw was classified; give `classify` to the run.")
        return np.asarray((self.phase == phase).sum(axis=2))

    def occupancy(self, phase: int) -> tuple[Floats, Floats]:
        """Return the posterior weight of a phase and its standard error over ladders, (R,) each.

        Raises
        ------
        ValueError
            If the draws were not classified.
        """
        each = self.counts(phase) / self.energy.shape[2]
        return each.mean(axis=1), each.std(axis=1, ddof=1) / np.sqrt(each.shape[1])


def exchange_replicas(
    potential: Potential,
    nbeta: Sequence[float] | Floats,
    *,
    seed: int,
    prior_sd: float = 1.0,
    num_ladders: int = 8,
    num_draws: int = 2000,
    num_burnin_steps: int = 1000,
    num_leapfrog_steps: int = 5,
    step_size: float = 0.01,
    classify: Classify | None = None,
    dtype: torch.dtype = torch.float64,
) -> Replicas:
    """Draw from the posterior at every nbeta.

    Step sizes are fitted to each nbeta during the burn-in and fixed from then on. Ladders start
    at independent draws from the prior.

    Parameters
    ----------
    potential : Potential
        One that is not bound to centers.
    nbeta : (R,) sequence
        Strictly increasing, not negative.
    seed : int
    prior_sd : float
    num_ladders, num_draws, num_burnin_steps, num_leapfrog_steps : int
    step_size : float
        Where the fit begins.
    classify : callable, optional
        Maps (R, K, d) parameters to (R, K) whole numbers.

    Raises
    ------
    ValueError
        If nbeta does not rise, or a setting is out of its range.
    """
    ladder = np.array(nbeta, dtype=np.float64)
    _check(ladder, prior_sd, num_ladders, num_draws)
    count, d = ladder.size, potential.num_parameters
    center = torch.zeros(count, 1, d, dtype=dtype)
    unit = torch.ones(1, 1, 1, dtype=dtype)
    target = Target(potential, center, _column(ladder, center), unit / prior_sd**2, unit)
    own, shared = np.random.SeedSequence(seed).spawn(2)
    streams = Streams(list(own.spawn(count)), num_ladders, d, None, center)
    rng = np.random.default_rng(shared)
    start = prior_sd * torch.as_tensor(rng.standard_normal((count, num_ladders, d)), dtype=dtype)
    sampler = HMC(step_size, num_leapfrog_steps)
    state, swaps = sampler.start(target, start, None), _Swaps(ladder, rng)
    sizes = np.full(count, step_size)
    energies, phases, accepted = [], [], np.zeros(count)
    moves = streams.moves(sampler, _column(sizes, center), num_burnin_steps)
    for made, chance in zip(range(num_burnin_steps + num_draws), moves, strict=False):
        state = sampler.move(target, state, replace(chance, step_size=_column(sizes, center)))
        rate = state.accepted.mean(1).double().numpy()
        drawing = made >= num_burnin_steps
        state = swaps.made(target, state, counted=drawing)
        if not drawing:
            sizes = sizes * np.exp(ADAPTATION * (rate - SOUGHT_ACCEPTANCE))
            continue
        accepted += rate / num_draws
        energies.append(state.point.energy.double().numpy().copy())
        if classify is not None:
            phases.append(classify(state.point.w).numpy().astype(np.int64))
    phase = np.stack(phases, axis=-1) if phases else None
    return Replicas(ladder, np.stack(energies, axis=-1), phase, accepted, swaps.rate())


def _column(values: Floats, like: Tensor) -> Tensor:
    return torch.as_tensor(values, dtype=like.dtype)[:, None, None]


@final
class _Swaps:
    """Swaps of neighbors, even and odd pairs in turn."""

    def __init__(self, ladder: Floats, rng: np.random.Generator) -> None:
        self._ladder, self._rng, self._turn = ladder, rng, 0
        self._taken, self._tried = np.zeros(ladder.size - 1), np.zeros(ladder.size - 1)

    def made(self, target: Target, state: State, *, counted: bool) -> State:
        """Return the state after one round of swaps."""
        energy = state.point.energy.double().numpy()
        count, chains = energy.shape
        low = np.arange(self._turn, count - 1, 2)
        self._turn = 1 - self._turn
        gap = np.diff(self._ladder)[low, None] * (energy[low + 1] - energy[low])
        take = np.log(self._rng.random((low.size, chains))) < gap
        source = np.tile(np.arange(count)[:, None], (1, chains))
        rows, columns = np.nonzero(take)
        source[low[rows], columns], source[low[rows] + 1, columns] = low[rows] + 1, low[rows]
        if counted:
            self._taken[low] += take.mean(1)
            self._tried[low] += 1
        at = torch.as_tensor(source)
        every = at[..., None].expand_as(state.point.w)
        point = target.point(
            state.point.w.gather(0, every),
            state.point.energy.gather(0, at),
            state.point.gradient.gather(0, every),
        )
        return State(point, state.accepted)

    def rate(self) -> Floats:
        """Return the share of swaps that were taken."""
        return self._taken / np.maximum(self._tried, 1)


def _bennett(low: Floats, high: Floats, step: float) -> float:
    """Return log Z(nbeta + step) - log Z(nbeta) from energies drawn at both.

    The ratio solves Σ_low f(c + step·E) = Σ_high f(-c - step·E) for as many draws of each, with
    f(x) = 1/(1 + e^x) and c the ratio's logarithm (Bennett 1976, equation 12).
    """

    def off(c: float) -> float:
        return float(expit(-c - step * low).mean() - expit(c + step * high).mean())

    forward = float(logsumexp(-step * low) - np.log(low.size))
    backward = float(np.log(high.size) - logsumexp(step * high))
    ends = sorted((forward, backward))
    return float(brentq(off, ends[0] - 50.0, ends[1] + 50.0, xtol=1e-10))


def _check(ladder: Floats, prior_sd: float, num_ladders: int, num_draws: int) -> None:
    if ladder.ndim != 1 or ladder.size < 2 or not np.all(np.isfinite(ladder)) or ladder[0] < 0:
        raise ValueError(
            f"nbeta must be two or more finite numbers, none negative; it is {ladder}."
        )
    if not np.all(np.diff(ladder) > 0):
        i = int(np.argmax(np.diff(ladder) <= 0)) + 1
        raise ValueError(
            f"nbeta must be strictly increasing; nbeta[{i - 1}] = {ladder[i - 1]} is followed by "
            f"{ladder[i]}."
        )
    check_positive("prior_sd", prior_sd)
    for name, value in (("num_ladders", num_ladders), ("num_draws", num_draws)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1; it is {value}.")
