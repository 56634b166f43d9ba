"""Parameters and directions of fits as rows: where their profiles begin, and with which step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.coordinates import Coordinates
from fitting.fit import PointFit
from fitting.profile import LIMIT, Sides
from fitting.projection import IntArray

FloatArray = NDArray[np.float64]

_BLIND = 0.2  # first step, in a coordinate, where there is no standard error
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
    with np.errstate(all="ignore"):
        covariance = fit.covariance / unit[:, None] / unit[None, :]
    spread = float(np.ptp(fit.curve.y))
    rows = []
    for name in names:
        i = fit.names.index(name)
        inner = name in space.names
        k = space.names.index(name) if inner else 0
        origin = x[k] if inner else fit.theta[i]
        far = _FARTHEST * max(1.0 if inner else spread, abs(origin))
        ends = np.array([origin - far, origin + far])
        if inner:
            ends = np.clip(ends, space.lower[k], space.upper[k])
        step = np.sqrt(LIMIT * covariance[i, i])
        blind = _BLIND * (1.0 if inner else spread)
        step = step if np.isfinite(step) and step > 0 else blind
        slope = np.nan_to_num(covariance[searched, i] / covariance[i, i], posinf=0.0, neginf=0.0)
        for way in (-1.0, 1.0):
            reach = way * (ends[0 if way < 0 else 1] - origin)
            reach = reach if reach > 1e-6 * (1.0 if inner else spread) else 0.0
            rows.append((origin, min(step, reach) or step, reach, x, way * slope))
    return tuple(np.array(part, dtype=np.float64) for part in zip(*rows, strict=True))
