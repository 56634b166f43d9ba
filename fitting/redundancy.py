"""How much of a form is already said by the other forms.

``S_fg`` is the share of prior-predictive draws of form f that form g matches within 1 % of the
draw's own range (root mean square over the observed window), with floor and gain free and the other
parameters anywhere in the support of g's priors. The weight of a form is ``1 / sum_g S_fg``, so a
family does not gain by having many near-duplicates in the registry.

The match is searched, not sampled: for every draw the nearest members of a bank of g's shapes,
found by projection, are improved by a few damped Gauss-Newton steps. All points come from one
low-discrepancy sequence, so the weights are deterministic; they depend only on the forms, their
priors and the sampled times, and are remembered for curves of the same schedule. Two conventions:

- a flat draw (no shape) is matched by forms that are always flat and by no others, so that the
  constant, which every form contains at gain zero, keeps its weight;
- forms that match each other in 95 % of draws both ways are one form: each of k copies gets the
  k-th part of the weight that one would have, whatever else is in the registry.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from fitting.low_discrepancy import normal_points
from fitting.prior_draws import prior_draws
from theory.form import Form
from theory.hypothesis import Hypothesis

FloatArray = NDArray[np.float64]

_TOLERANCE = 0.01
_DRAWS = 64
_BANK = 512
_GRID = 48
_HOPELESS = 0.15
_SAME = 0.95
_FLAT = 1e-6
_STEPS = 5

_remembered: OrderedDict[tuple[object, ...], FloatArray] = OrderedDict()


def redundancy_weights(similarity: FloatArray) -> FloatArray:
    """Weight (G,) of each form, in (0, 1], from similarities (G, G)."""
    classes = _classes(similarity)
    number = classes.max() + 1
    share = np.zeros((len(similarity), number))
    for c in range(number):
        share[:, c] = similarity[:, classes == c].mean(axis=1)
    size = np.bincount(classes)[classes]
    return np.asarray(1.0 / (size * share.sum(axis=1)))


def redrawn(similarity: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Similarities (G, G) as another set of so many draws might have given them.

    Those of 0 and 1 stay: a form that never or always matches mostly does so by construction.
    """
    counts = similarity * _DRAWS
    beta = rng.beta(np.maximum(counts, 1e-3), np.maximum(_DRAWS - counts, 1e-3))
    return np.where((similarity > 0.0) & (similarity < 1.0), beta, similarity)


def similarities(hypotheses: Sequence[Hypothesis], t: FloatArray) -> FloatArray:
    """Shares ``S_fg`` of draws of f (rows) that g (columns) matches; the diagonal is 1."""
    key = (t.tobytes(), *((h.form.name, str(h.form.expression), _said(h)) for h in hypotheses))
    if key in _remembered:
        _remembered.move_to_end(key)
        return _remembered[key]
    grid = np.unique(np.quantile(t, np.linspace(0.0, 1.0, _GRID)))
    banks = [normal_points(_BANK, len(h.form.nonlinear)) for h in hypotheses]
    draws = [_draws(h, grid) for h in hypotheses]
    similarity = np.eye(len(hypotheses))
    everything = np.concatenate([d for d in draws if d is not None] or [np.zeros((0, grid.size))])
    for g, hypothesis in enumerate(hypotheses):
        if draws[g] is None:
            similarity[:, g] = [d is None for d in draws]
            continue
        matched = _matched(hypothesis, banks[g], everything, grid)
        start = 0
        for f, own in enumerate(draws):
            if own is not None:
                similarity[f, g] = 1.0 if f == g else matched[start : start + len(own)].mean()
                start += len(own)
    similarity.setflags(write=False)
    _remembered[key] = similarity
    if len(_remembered) > 64:
        _remembered.popitem(last=False)
    return similarity


def _said(hypothesis: Hypothesis) -> str:
    return ";".join(f"{n}:{hypothesis.priors[n]!r}" for n in hypothesis.form.nonlinear)


def _draws(hypothesis: Hypothesis, grid: FloatArray) -> FloatArray | None:
    """Shapes of prior draws, centered and of range 1; None if the form is always flat."""
    form = hypothesis.form
    # Without nonlinear parameters all draws of a straight line have one shape.
    theta = prior_draws(hypothesis, _DRAWS if form.nonlinear else 1)
    with np.errstate(all="ignore"):
        shapes = np.nan_to_num(np.asarray(form(grid, theta)))
    shapes = shapes - shapes.mean(axis=1, keepdims=True)
    span = np.ptp(shapes, axis=1)
    moving = span > _FLAT * span.max(initial=0.0)
    return shapes[moving] / span[moving, None] if moving.any() else None


def _centered(form: Form, nonlinear: FloatArray, grid: FloatArray) -> FloatArray:
    """Columns that are linear in a parameter, without their mean: (B, n, q')."""
    with np.errstate(all="ignore"):
        design = np.nan_to_num(np.asarray(form.design(grid, nonlinear)))
    size = np.abs(design).max(axis=1, keepdims=True)
    design = design / np.where(size > 0, size, 1.0)
    centered = design - design.mean(axis=1, keepdims=True)
    moving = [k for k in range(design.shape[2]) if np.abs(centered[..., k]).max() > 1e-12]
    return np.asarray(centered[..., moving])


def _residual(basis: FloatArray, shapes: FloatArray) -> FloatArray:
    """Rest (B, n) of shapes (B, n) after projection on each one's own basis (B, n, q')."""
    rest = shapes
    for k in range(basis.shape[2]):
        column = basis[..., k]
        for j in range(k):
            before = basis[..., j]
            column = column - _dot(column, before) / _square(before) * before
        rest = rest - _dot(rest, column) / _square(column) * column
    return rest


def _dot(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("bn,bn->b", a, b)[:, None])


def _square(a: FloatArray) -> FloatArray:
    return np.asarray(np.maximum(_dot(a, a), 1e-300))


def _matched(
    hypothesis: Hypothesis, bank: FloatArray, shapes: FloatArray, grid: FloatArray
) -> NDArray[np.bool_]:
    """Whether the form comes within the tolerance of each shape (B, n)."""
    form = hypothesis.form
    if not form.nonlinear:
        bank = np.zeros((1, 0))
    z = _nearest(form, hypothesis.transport(bank, form.nonlinear), bank, shapes, grid)

    def rest(rows: NDArray[np.intp], at: FloatArray) -> FloatArray:
        basis = _centered(form, hypothesis.transport(at, form.nonlinear), grid)
        if basis.shape[2] == 0:
            return shapes[rows]
        return _residual(basis, shapes[rows])

    rows = np.arange(len(shapes))
    error = _rms(rest(rows, z))
    if bank.shape[1] == 0:
        return error <= _TOLERANCE
    damping = np.full(len(shapes), 1e-2)
    for _ in range(_STEPS):
        rows = np.flatnonzero((error > _TOLERANCE) & (error < _HOPELESS))
        if rows.size == 0:
            break
        trial = z[rows] + _gauss_newton(rest, rows, z[rows], damping[rows])
        new = _rms(rest(rows, trial))
        better = new < error[rows]
        z[rows[better]], error[rows[better]] = trial[better], new[better]
        damping[rows] *= np.where(better, 0.2, 10.0)
    return np.asarray(error <= _TOLERANCE)


def _nearest(
    form: Form, values: FloatArray, bank: FloatArray, shapes: FloatArray, grid: FloatArray
) -> FloatArray:
    """Find the bank point (B, d) whose columns explain each shape best."""
    basis = _centered(form, values, grid)
    explained = np.zeros((len(shapes), len(values)))
    done: list[FloatArray] = []
    for k in range(basis.shape[2]):
        column = basis[..., k]
        for before in done:
            column = column - _dot(column, before) * before
        column = column / np.sqrt(_square(column))
        done.append(column)
        explained += (shapes @ column.T) ** 2
    return np.array(bank[explained.argmax(axis=1)])


def _gauss_newton(
    rest: Callable[[NDArray[np.intp], FloatArray], FloatArray],
    rows: NDArray[np.intp],
    z: FloatArray,
    damping: FloatArray,
) -> FloatArray:
    """Damped step (B, d) for the projected residual, by differences."""
    here = rest(rows, z)
    d = z.shape[1]
    step = 1e-4
    slopes = np.stack(
        [(rest(rows, z + step * np.eye(d)[k]) - here) / step for k in range(d)], axis=2
    )
    gram = np.einsum("bni,bnj->bij", slopes, slopes)
    size = np.einsum("bii->b", gram)[:, None, None] + 1e-12
    gram = gram + damping[:, None, None] * (
        np.eye(d) * (np.einsum("bii->bi", gram)[:, :, None] + 1e-6 * size)
    )
    target = np.einsum("bni,bn->bi", slopes, here)
    return np.clip(-np.linalg.solve(gram, target[..., None])[..., 0], -1.0, 1.0)


def _rms(rest: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(np.mean(rest**2, axis=1)))


def _classes(similarity: FloatArray) -> NDArray[np.intp]:
    """Label of each form; forms that match each other both ways share one."""
    mutual = np.minimum(similarity, similarity.T) >= _SAME
    labels = np.full(len(similarity), -1, dtype=np.intp)
    for i in range(len(similarity)):
        if labels[i] < 0:
            labels[i] = labels.max() + 1
            labels[(labels < 0) & mutual[i]] = labels[i]
    return labels
