"""Hamiltonian Monte Carlo of many chains at once, for densities that are cheap in batches.

All chains move together (Neal 2011, Handbook of MCMC, ch. 5), with trajectories of random length,
in coordinates whitened by the covariance of all chains during warm-up. Between two trajectories
every chain may jump to a draw from a mixture fitted to all chains' warm-up (an independence step:
Tierney 1994, Ann. Stat. 22:1701), so that lobes that some chain found are shared. Slopes are
central differences: whatever their error, a step accepted by the density itself leaves it alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.sampling.importance import Mixture, from_points

FloatArray = NDArray[np.float64]
LogDensity = Callable[[FloatArray], FloatArray]

_APART = 1e-4  # of a standard deviation, between a point and its neighbors
_LONGEST = 0.5 * np.pi  # trajectory, in whitened coordinates: a quarter turn of a Gaussian
_MOST_STEPS = 24
_WANTED = 0.85  # share of accepted trajectories
_DIVERGENT = 1000.0  # nats of energy that a trajectory may lose: as Stan and PyMC count
_WINDOWS = (0.1, 0.25, 0.5, 0.8)  # of warm-up, after which coordinates and jumps are learned anew
_COMPONENTS_EACH = 4  # of the jumps' mixture, a dimension
_JUMPS = 5  # offered between two trajectories


@final
@dataclass(frozen=True, eq=False)
class Walk:
    """Draws (chains, draws, d) after warm-up, with the shares accepted and divergent."""

    z: FloatArray
    accepted: float
    divergent: float


@final
@dataclass(frozen=True, eq=False)
class _Coordinates:
    """``z = center + factor u``."""

    center: FloatArray
    factor: FloatArray

    def out(self, u: FloatArray) -> FloatArray:
        return np.asarray(self.center + u @ self.factor.T)

    def into(self, z: FloatArray) -> FloatArray:
        return np.asarray(np.linalg.solve(self.factor, (z - self.center).T).T)


def walk(
    log_density: LogDensity,
    starts: FloatArray,
    factor: FloatArray,
    *,
    rng: np.random.Generator,
    draws: int,
    tune: int,
) -> Walk:
    """Draw from an unnormalized density.

    Parameters
    ----------
    log_density
        Gives (B,) at points (B, d); -inf where the density is zero.
    starts
        Shape (chains, d), where the density is positive.
    factor
        Shape (d, d): ``factor @ factor.T`` is a first guess of the covariance.
    rng
    draws, tune
        Kept and warm-up draws of each chain.
    """
    place = _Coordinates(starts.mean(axis=0), factor)
    u, step = place.into(starts), 0.3
    here, jumps = _with_slope(log_density, place, u), None
    kept, seen = np.empty((len(starts), draws, starts.shape[1])), []
    accepted = divergent = 0.0
    windows = [round(share * tune) for share in _WINDOWS]
    for i in range(tune + draws):
        if jumps is not None:
            u = place.into(_jumped(log_density, jumps, place.out(u), here[0], rng))
            here = _with_slope(log_density, place, u)
        new, there, chance, lost = _trajectory(log_density, place, u, here, step, rng)
        taken = rng.random(len(u)) < chance
        u = np.where(taken[:, None], new, u)
        here = np.where(taken, there[0], here[0]), np.where(taken[:, None], there[1], here[1])
        if i >= tune:
            kept[:, i - tune] = place.out(u)
            accepted += chance.mean() / draws
            divergent += lost.mean() / draws
            continue
        seen.append(place.out(u))
        step = _adapted(step, chance.mean() - _WANTED, i - max(w for w in (0, *windows) if w <= i))
        if i in windows:
            z, recent = place.out(u), np.concatenate(seen[len(seen) // 2 :])
            place = _learned(recent, place)
            jumps = from_points(recent, _COMPONENTS_EACH * z.shape[1], rng=rng)
            u = place.into(z)
            here = _with_slope(log_density, place, u)
    return Walk(kept, accepted, divergent)


def _jumped(
    log_density: LogDensity,
    jumps: Mixture,
    z: FloatArray,
    value: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Offer every chain draws from the mixture, by Metropolis and Hastings' rule."""
    shape = (_JUMPS, *z.shape)
    new = rng.permutation(jumps.draw(_JUMPS * len(z), rng=rng))  # they come sorted by component
    ratio = (log_density(new) - jumps.log_proposal(new)).reshape(shape[:2])
    here = value - jumps.log_proposal(z)
    for offered, there in zip(new.reshape(shape), ratio, strict=True):
        taken = np.log(rng.random(len(z))) < there - here
        z, here = np.where(taken[:, None], offered, z), np.where(taken, there, here)
    return z


def _adapted(step: float, excess: float, age: int) -> float:
    """Longer steps where more is accepted than wanted (Robbins and Monro 1951)."""
    return float(np.clip(step * np.exp(2.0 * excess / (1 + age) ** 0.6), 1e-3, 1.5))


def _learned(z: FloatArray, before: _Coordinates) -> _Coordinates:
    """Coordinates from the draws so far, mixed with those before as if these were d + 2 draws."""
    d = z.shape[1]
    trust = len(z) / (len(z) + d + 2)
    spread = trust * np.cov(z.T).reshape(d, d) + (1 - trust) * before.factor @ before.factor.T
    return _Coordinates(z.mean(axis=0), np.linalg.cholesky(spread))


def _with_slope(
    log_density: LogDensity, place: _Coordinates, u: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Log density (C,) and its slope (C, d) in whitened coordinates, from one batch."""
    n, d = u.shape
    stencil = _APART * np.vstack((np.zeros(d), np.eye(d), -np.eye(d)))
    points = (u[:, None] + stencil).reshape(-1, d)
    value = log_density(place.out(points)).reshape(n, 2 * d + 1)
    with np.errstate(invalid="ignore"):
        slope = (value[:, 1 : d + 1] - value[:, d + 1 :]) / (2 * _APART)
    return value[:, 0], np.where(np.isfinite(slope), slope, 0.0)


def _trajectory(
    log_density: LogDensity,
    place: _Coordinates,
    u: FloatArray,
    here: tuple[FloatArray, FloatArray],
    step: float,
    rng: np.random.Generator,
) -> tuple[FloatArray, tuple[FloatArray, FloatArray], FloatArray, NDArray[np.bool_]]:
    """Leapfrog all chains by one random number of steps of one random length.

    Returns
    -------
    tuple
        New places, their densities and slopes, chances to be accepted, and which chains diverged.
    """
    size = step * rng.uniform(0.8, 1.2)
    most = int(np.clip(np.ceil(_LONGEST / size), 1, _MOST_STEPS))
    p = rng.standard_normal(u.shape)
    before = here[0] - 0.5 * np.sum(p**2, axis=1)
    for _ in range(rng.integers(1, most + 1)):
        p = p + 0.5 * size * here[1]
        u = u + size * p
        here = _with_slope(log_density, place, u)
        p = p + 0.5 * size * here[1]
    with np.errstate(all="ignore"):
        gain = here[0] - 0.5 * np.sum(p**2, axis=1) - before
        # Where the density is zero a trajectory has left the support, which is no divergence.
        lost = np.isfinite(gain) & (gain < -_DIVERGENT)
        chance = np.exp(np.minimum(np.nan_to_num(gain, nan=-np.inf), 0.0))
    return u, here, chance, lost
