"""Parameters and directions of fits as rows: where their profiles begin, and with which step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.fit import PointFit
from fitting.optimum.coordinates import Coordinates
from fitting.optimum.profile import LIMIT, Sides
from fitting.optimum.projection import IntArray

FloatArray = NDArray[np.float64]

_BLIND = 0.2  # first step, in a coordinate, where there is no standard error
_NOTHING = 1e-6  # distance to the end of a range, in a coordinate, that is none
_FARTHEST = 1e4  # distance, in ranges of y, at which the search for an end of a linear one ends


@final
@dataclass(frozen=True, eq=False)
class Places:
    """What B rows are about.

    Attributes
    ----------
    fit : ndarray of int, shape (B,)
    names : tuple of str
        The parameter of each row.
    way : ndarray, shape (B,)
        -1 for the lower limit, 1 for the upper.
    """

    fit: IntArray
    names: tuple[str, ...]
    way: FloatArray


def sides_of(
    fits: Sequence[PointFit], names: Sequence[str], spaces: Sequence[Coordinates]
) -> tuple[Places, Sides]:
    """Begin at both sides of some parameters of every fit.

    Parameters
    ----------
    fits
        Of one form and noise.
    names
        Those that a space does not hold are linear: their coordinate is the value itself.
    spaces
        The searched coordinates of each fit.
    """
    parts = [_of_fit(fit, names, space) for fit, space in zip(fits, spaces, strict=True)]
    places = Places(
        np.repeat(np.arange(len(fits)), 2 * len(names)),
        tuple(name for _ in fits for name in names for _ in range(2)),
        np.tile([-1.0, 1.0], len(fits) * len(names)),
    )
    origin, step, reach, x, slope = (np.concatenate([part[k] for part in parts]) for k in range(5))
    return places, Sides(origin, places.way, step, reach, x, slope)


def _of_fit(fit: PointFit, names: Sequence[str], space: Coordinates) -> tuple[FloatArray, ...]:
    """Return origin, step, reach (2k,), x and slope (2k, d) of one fit's k parameters."""
    searched = [fit.names.index(name) for name in space.names]
    values = fit.theta[None, searched]
    x = space.of(values.copy())[0]
    unit = np.ones(len(fit.names))
    unit[searched] = space.slopes(values)[0]
    spread = float(np.ptp(fit.curve.y))
    rows = []
    for name in names:
        i = fit.names.index(name)
        inner = name in space.names
        k = space.names.index(name) if inner else 0
        origin, size = (x[k], 1.0) if inner else (fit.theta[i], spread)
        far = _FARTHEST * max(size, abs(origin))
        ends = np.array([origin - far, origin + far])
        if inner:
            ends = np.clip(ends, space.lower[k], space.upper[k])
        with np.errstate(all="ignore"):
            covariance = fit.covariance[:, i] / unit / unit[i]
            slope = covariance[searched] / covariance[i]
            step = np.sqrt(LIMIT * covariance[i])
        slope = np.where(np.isfinite(slope), slope, 0.0)
        step = step if np.isfinite(step) and step > 0 else _BLIND * size
        for way, reach in zip((-1.0, 1.0), np.abs(ends - origin), strict=True):
            reach = reach if reach > _NOTHING * size else 0.0
            rows.append((origin, step, reach, x, way * slope))
    return tuple(np.array(part, dtype=np.float64) for part in zip(*rows, strict=True))
