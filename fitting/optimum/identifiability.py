"""Which combinations of a form's parameters a curve does not fix, in words.

Every parameter is measured in the sd of its own prior, the curve in the sd of its noise. Then a
singular value of the Jacobian says by how many noise sds the curve moves along a direction of
parameters; with one below 1 the deviance changes by less than 1 over a whole prior sd, and the data
say less about that direction than the prior does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from fitting.optimum.coordinates import coordinates
from fitting.optimum.maximum import observed_information
from fitting.optimum.objective import objective
from theory.parameter import Kind

if TYPE_CHECKING:
    from fitting.fit import PointFit

FloatArray = NDArray[np.float64]

_FIXED = 1.0
_SPOKEN = 0.3  # share of the largest part from which on a parameter is named
_AT_MOST = 3


def directions(fit: PointFit) -> tuple[FloatArray, FloatArray]:
    """Singular values and directions of the scaled Jacobian at a fit's optimum.

    Returns
    -------
    values : ndarray, shape (p,)
        Noise sds per prior sd, smallest first, for the form's p parameters; empty where there is
        no optimum.
    directions : ndarray, shape (p, p)
        Unit vectors as rows, in prior sds, in the order of the form's parameters.
    """
    form, noise = fit.hypothesis.form, fit.hypothesis.noise
    p = len(form.names)
    if not np.all(np.isfinite(fit.theta)):
        return np.zeros(0), np.zeros((0, p))
    scale = _prior_sds(fit)
    with np.errstate(all="ignore"):
        if noise.gaussian:
            jacobian = np.asarray(form.jacobian(fit.curve.t, fit.theta[:p])) * scale
            white = noise.whiten(jacobian.T[None], fit.curve, fit.theta[None, p:])[0][0]
            if not np.all(np.isfinite(white)):
                return np.zeros(0), np.zeros((0, p))
            _, values, rows = np.linalg.svd(white.T, full_matrices=False)
            return values[::-1], rows[::-1]
        cost = objective(fit.hypothesis, fit.curve)
        information = observed_information(cost, fit.theta, form.names)
    information = information * scale[:, None] * scale[None, :]
    if not np.all(np.isfinite(information)):
        return np.zeros(0), np.zeros((0, p))
    squares, columns = np.linalg.eigh(information)
    return np.sqrt(np.maximum(squares, 0.0)), columns.T


def unfixed(fit: PointFit) -> tuple[str, ...]:
    """Say which directions of the form's parameters the data do not fix.

    Returns
    -------
    tuple of str
        A sentence for each, the least fixed first, three at most; empty if there is none.
    """
    values, rows = directions(fit)
    if not values.size:
        return ()
    alone = np.sqrt(np.square(values[:, None] * rows).sum(axis=0))
    return tuple(
        _sentence(fit.hypothesis.form.names, row, alone) for row in rows[values < _FIXED][:_AT_MOST]
    )


def _prior_sds(fit: PointFit) -> FloatArray:
    """Half of the priors' central 68 %, in the coordinates of a search, there in natural units."""
    form, priors = fit.hypothesis.form, fit.hypothesis.priors
    ends = np.array([priors[name].ppf(ndtr([-1.0, 1.0])) for name in form.names]).T
    scale = 0.5 * (ends[1] - ends[0])
    # A gain far beyond its prior is known by its size, if at all.
    for i, parameter in enumerate(form.parameters):
        if parameter.kind in (Kind.GAIN, Kind.SLOPE):
            scale[i] = max(scale[i], abs(fit.theta[i]))
    places = [form.names.index(name) for name in form.nonlinear]
    if places:
        space = coordinates(fit.hypothesis, fit.curve, form.nonlinear)
        low, high = space.of(ends[:, places].copy())
        scale[places] = 0.5 * (high - low) * space.slopes(fit.theta[None, places])[0]
    return np.asarray(scale)


def _sentence(names: tuple[str, ...], direction: FloatArray, alone: FloatArray) -> str:
    """Name who moves far along a direction, and whose moves make up for one another.

    By `alone` (p,) noise sds the curve moves with one parameter and a prior sd.
    """
    far, moved = np.abs(direction), np.abs(direction) * alone
    far_enough = far >= _SPOKEN * far.max()
    large = np.flatnonzero(far_enough | (moved >= max(_FIXED, _SPOKEN * moved.max())))
    if large.size == 1:
        name = names[large[0]]
        return f"The data do not fix {name}: a larger or a smaller one fits nearly as well."
    sign = np.sign(direction[large]) * np.sign(direction[large[0]])
    moves = [
        f"{'larger' if s > 0 else 'smaller'} {names[i]}" for s, i in zip(sign, large, strict=True)
    ]
    return (
        f"The data do not fix {_listed([names[i] for i in large])} separately: "
        f"{moves[0]} with {_listed(moves[1:])} fits nearly as well."
    )


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
