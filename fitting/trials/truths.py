"""True curves for a recovery study: drawn from the registry's priors, or from outside it.

The true family is that of the noise-free curve on the observed window, at the scale of the noisy
data, exactly as the comparison will look at it; never that of the form's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.redundancy import redundancy_weights, similarities
from fitting.trials.outsiders import SHAPES
from fitting.trials.scatter import Scatter
from theory.curve import Curve, Origin
from theory.family import Family, classify, family_grid
from theory.form import Form
from theory.hypothesis import Hypothesis, center_and_extent, default_hypothesis
from theory.noise import White

FloatArray = NDArray[np.float64]

OUTSIDE = "outside"
"""Stands among the families for truths that no form of the registry makes."""

_FAMILIES = tuple(Family)
_BATCH = 512
_BATCHES = 20
# Truths change on the window by the size of the design, from draws within this factor of it.
_FACTOR = 2.0


@final
@dataclass(frozen=True, eq=False)
class Truth:
    """One simulated curve and what it was made of.

    Attributes
    ----------
    curve
        The noisy curve.
    source, noise
        What made the shape and the scatter.
    family
        Of the noise-free shape on the window.
    grid, values
        Shape (n_grid,): the noise-free curve.
    """

    curve: Curve
    source: str
    noise: str
    family: Family
    grid: FloatArray
    values: FloatArray


def from_registry(
    forms: Sequence[Form],
    family: Family,
    template: Curve,
    size: float,
    scatter: Scatter,
    rng: np.random.Generator,
) -> Truth | None:
    """Draw a truth of one family from the priors of forms, by rejection.

    The form has the probability ``w_f pi_f(F)`` of `fitting.families` (w the redundancy weight, pi
    the prior share of its draws whose shape is F) and the parameters their default priors, given
    the shape and that the change on the window is within a factor of two of `size`, to which it is
    scaled. A curve without change (family none) may change by less.

    Parameters
    ----------
    forms, family
        What to draw.
    template
        Gives the times, known errors, trials and units.
    size
        Change of the truth on the window, in units of y.
    scatter
        Makes the measured values.
    rng
        The same state, the same truth.

    Returns
    -------
    Truth or None
        None if these forms hardly ever have this shape.
    """
    hypotheses = [default_hypothesis(form, White(), template) for form in forms]
    weight = redundancy_weights(similarities(hypotheses, template.t))
    for _ in range(_BATCHES):
        counts = rng.multinomial(_BATCH, weight / weight.sum())
        found = _batch(hypotheses, counts, family, template, size, rng)
        for source, values in found:
            truth = _measured(source, values, template, scatter, rng)
            if truth.family is family:
                return truth
    return None


def planted(
    name: str, template: Curve, size: float, scatter: Scatter, rng: np.random.Generator
) -> Truth:
    """Draw a truth of one of `SHAPES`, rising or falling; parameters as above."""
    grid = family_grid(template.t)
    both = np.concatenate((grid, template.t))
    # As the samples lie, so that a logarithmic log shows all of the shape.
    u = np.interp(both, template.t, np.linspace(0.0, 1.0, template.n_obs))
    y = SHAPES[name](u, rng) * float(rng.choice([-1.0, 1.0]))
    low, high = y.min(), y.max()
    center = center_and_extent(template)[0]
    values = center + (y - 0.5 * (low + high)) * size / (high - low)
    return _measured(name, values, template, scatter, rng)


def _batch(
    hypotheses: Sequence[Hypothesis],
    counts: NDArray[np.int64],
    family: Family,
    template: Curve,
    size: float,
    rng: np.random.Generator,
) -> list[tuple[str, FloatArray]]:
    """Name of the form and values on grid and times, of draws that look like the family."""
    grid = family_grid(template.t)
    center = center_and_extent(template)[0]
    names, curves = [], []
    for hypothesis, count in zip(hypotheses, counts, strict=True):
        form = hypothesis.form
        theta = hypothesis.transport(rng.standard_normal((int(count), len(form.names))), form.names)
        curves.append(np.asarray(form(np.concatenate((grid, template.t)), theta)))
        names += [form.name] * int(count)
    values = np.concatenate(curves)
    low, high = values[:, : grid.size].min(axis=1), values[:, : grid.size].max(axis=1)
    change = high - low
    least = 0.0 if family is Family.NONE else size / _FACTOR
    fits = np.isfinite(values).all(axis=1) & (change >= least) & (change <= _FACTOR * size)
    rows = rng.permutation(np.flatnonzero(fits))
    scale = np.where(change[rows] > size / _FACTOR, size / np.maximum(change[rows], 1e-300), 1.0)
    middle = 0.5 * (low + high)[rows]
    scaled = center + (values[rows] - middle[:, None]) * scale[:, None]
    codes = classify(grid, scaled[:, : grid.size], scale=size)
    likely = codes == _FAMILIES.index(family)
    return [(names[row], scaled[i]) for i, row in enumerate(rows) if likely[i]]


def _measured(
    source: str, values: FloatArray, template: Curve, scatter: Scatter, rng: np.random.Generator
) -> Truth:
    """Add noise to values on grid and times, and look at the shape as the comparison will."""
    grid = family_grid(template.t)
    smooth, at_times = values[: grid.size], values[grid.size :]
    noise, y = scatter(at_times, template, rng)
    if template.n_trials is not None:
        y = np.rint(np.clip(y, 0.0, 1.0) * template.n_trials) / template.n_trials
    elif template.support is not None:
        y = np.clip(y, *template.support)
    curve = replace(template, y=y, origin=Origin.SIMULATED)
    code = int(classify(grid, smooth, scale=center_and_extent(curve)[1]))
    return Truth(curve, source, noise, _FAMILIES[code], grid, smooth)
