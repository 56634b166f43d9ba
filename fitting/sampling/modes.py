"""Where the posterior may have its mass: a deterministic global search, no random number drawn.

From the starts of the form and every story of the residuals, damped Newton on the true target, all
at once, in coordinates that are adapted to its own curvature.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.sampling.starts import MOST, FindStarts, Profile, form_starts
from fitting.sampling.target import Target
from theory.noise import NoiseKind

Array = NDArray[np.float64]

LOG_2PI = float(np.log(2 * np.pi))
FEW_ROUNDS = 6  # of Newton's method, enough for most
OUTSIDE = 1.8  # deviate of a place well before or after the curve
MEMORIES = (-1.5, 0.0, 1.2)  # deviates of a correlation time: short, middling, long
# Of a window: its likelihood has a kink at every distance between two points, and many peaks.
WINDOWS = tuple(np.linspace(-2.2, 2.0, 43))


@final
@dataclass(frozen=True, eq=False)
class Mode:
    """A local maximum of prior times likelihood in z.

    Attributes
    ----------
    center : ndarray, shape (d,)
    factor : ndarray, shape (d, d)
        ``factor @ factor.T`` is the inverse of the negative Hessian there.
    log_density : float
        Of prior times likelihood.
    log_likelihood : float
        Its second part, with the linear parameters integrated out.
    log_copies : float
        Log of the number of orders in which its ordered places could stand: as many modes are
        alike, unless they run into one another where two places meet.
    """

    center: Array
    factor: Array
    log_density: float
    log_likelihood: float = -np.inf
    log_copies: float = 0.0

    @property
    def covariance(self) -> Array:
        """Inverse of the negative Hessian."""
        return np.asarray(self.factor @ self.factor.T)

    @property
    def log_mass(self) -> float:
        """Laplace's estimate of the integral around the mode, at most."""
        d = self.center.size
        _, log_det = np.linalg.slogdet(self.factor)
        return float(self.log_density + self.log_copies + 0.5 * d * LOG_2PI + log_det)


def log_target(target: Target, z: Array) -> Array:
    """Log of prior times likelihood at deviates z (B, d), the ordered ones sorted.

    Sorting makes the target go on where two places meet: an edge there would pass for a narrow
    peak.
    """
    return log_prior(z) + target.log_likelihood(target.sums(z))


def log_prior(z: Array) -> Array:
    """Log density of N(0, I) at deviates z (B, d)."""
    return np.asarray(-0.5 * (np.einsum("bd,bd->b", z, z) + z.shape[1] * LOG_2PI))


def find_modes(target: Target, *, most: int = 4, starts: FindStarts = form_starts) -> list[Mode]:
    """Find local maxima, best first; empty if no point tried has a positive likelihood.

    Beside them, of every ordered group, the best that is left when its first place stands before
    the curve, and when its last stands after: then nothing is known of that stage, and much of the
    posterior may lie there without a peak.
    """
    modes = _climbed(target, most, {}, starts)
    for places in target.places:
        for i, deviate in ((places[0], -OUTSIDE), (places[-1], OUTSIDE)):
            modes += _climbed(target, 1, {i: deviate}, starts)
    return _distinct(sorted(modes, key=lambda mode: -mode.log_mass))


def _climbed(
    target: Target, most: int, held: Mapping[int, float], find_starts: FindStarts
) -> list[Mode]:
    """Find local maxima with some deviates held where they are."""
    starts, factors = find_starts(target, most, held)
    centers, factors = _with_noise(target, starts, factors, 2 * most)
    keep = np.isfinite(log_target(target, centers))
    if not keep.any():
        return []
    centers, factors = centers[keep], factors[keep]
    free = [i for i in range(target.dimension) if i not in held]

    def part(z: Array) -> Array:
        whole = np.empty((len(z), target.dimension))
        whole[:, free] = z
        for i, deviate in held.items():
            whole[:, i] = deviate
        return log_target(target, whole)

    square = np.ix_(range(len(centers)), free, free)
    centers[:, free], factors[square], log_density = _newton(
        part, centers[:, free], factors[square]
    )
    centers, factors = _sorted(target, centers, factors)
    likelihood = log_density - log_prior(centers)
    return [
        Mode(c, f, float(v), float(w), target.log_copies)
        for c, f, v, w in zip(centers, factors, log_density, likelihood, strict=True)
    ]


def _sorted(target: Target, centers: Array, factors: Array) -> tuple[Array, Array]:
    """Put the deviates of every ordered group in order, and the rows of the factors with them."""
    order = np.tile(np.arange(centers.shape[1]), (len(centers), 1))
    for places in target.places:
        here = list(places)
        order[:, here] = np.take_along_axis(
            order[:, here], np.argsort(centers[:, here], axis=1), axis=1
        )
    rows = np.arange(len(centers))[:, None]
    return centers[rows, order], factors[rows, order]


def loose(target: Target, mode: Mode) -> NDArray[np.bool_]:
    """Which deviates can move far from the mode, others fixed, and stay credible, (d,).

    Far is a whole prior standard deviation's node beyond two of the mode's own; credible is within
    6 nats.
    """
    d = mode.center.size
    nodes = np.arange(-2.0, 3.0)
    points = np.tile(mode.center, (d, nodes.size, 1))
    points[range(d), :, range(d)] = nodes
    value = log_target(target, points.reshape(-1, d)).reshape(d, nodes.size)
    far = np.abs(nodes - mode.center[:, None]) > 2 * np.sqrt(np.diag(mode.covariance))[:, None]
    wide = np.diag(mode.covariance) > 0.25
    return np.asarray(wide | np.any(far & (value > mode.log_density - 6), axis=1))


def scattered(
    target: Target, *, size: int, rng: np.random.Generator, find_starts: FindStarts
) -> Array:
    """Points around every start of the search, (starts, size, dimension)."""
    starts, factors = find_starts(target, MOST, {})
    centers, factors = _with_noise(target, starts, factors, MOST)
    normals = rng.standard_normal((len(centers), size, target.dimension))
    return np.asarray(centers[:, None] + np.einsum("gij,gwj->gwi", factors.clip(-1, 1), normals))


def _distinct(modes: list[Mode]) -> list[Mode]:
    kept: list[Mode] = []
    for mode in modes:
        apart = all(
            np.sum(np.linalg.solve(other.factor, mode.center - other.center) ** 2) > 1.0
            for other in kept
        )
        if apart and mode.log_mass > modes[0].log_mass - 12:
            kept.append(mode)
    return kept


def _with_noise(target: Target, starts: Array, factors: Array, most: int) -> tuple[Array, Array]:
    """Append noise deviates to each start: for every story of the residuals, the best memory.

    A story says which of the noise's spreads explain the residuals; wander that is forgotten
    between two points explains them as well as white noise does, and is another mode.
    """
    k, d = starts.shape
    m = target.dimension - d
    if m == 0:
        return starts, factors
    levels = _levels(target, starts)
    if _wanders(target):
        # What the wander may explain without the form's help, wherever the form then stands.
        starts, levels = np.vstack((starts, np.zeros(d))), np.append(levels, target.curve.y.std())
        factors, k = np.concatenate((factors, np.eye(d)[None])), k + 1
    stories = np.array([_stories(target, level) for level in levels])
    n_stories, n_memories = stories.shape[1:3]
    points = np.empty((k, n_stories, n_memories, d + m))
    points[..., :d], points[..., d:] = starts[:, None, None], stories
    value = log_target(target, points.reshape(-1, d + m)).reshape(k, n_stories, n_memories)
    best = np.argmax(value, axis=2)[..., None]
    centers = np.take_along_axis(points, best[..., None], axis=2).reshape(-1, d + m)
    heights = np.take_along_axis(value, best, axis=2)[..., 0]
    ranked = np.argsort(-heights.ravel())[:most]
    if _wanders(target):
        ranked = np.unique(np.append(ranked, (k - 1) * n_stories + heights[-1].argmax()))
    whole = np.zeros((len(ranked), d + m, d + m))
    whole[:, :d, :d] = factors[ranked // n_stories]
    whole[:, range(d, d + m), range(d, d + m)] = 0.15
    return centers[ranked], whole


def _wanders(target: Target) -> bool:
    """Whether the noise has a memory, so that it may explain what looks like form."""
    parameters = target.hypothesis.noise.parameters
    return any(p.kind in (NoiseKind.TIME, NoiseKind.COUNT) for p in parameters)


def _levels(target: Target, starts: Array) -> Array:
    """Spread of the residuals at each start, in the unit of y."""
    if not target.nonlinear:
        return np.array([float(np.std(target.curve.y - _straight(target)))])
    profile = Profile(target)
    residual = profile(starts[:, target.nonlinear])[1] / profile.weight
    return np.asarray(np.sqrt(np.mean(residual**2, axis=1)))


def _straight(target: Target) -> Array:
    """Least-squares curve of a form without nonlinear parameters, (n,)."""
    design = target.design(np.empty((1, 0)))[0]
    return np.asarray(design @ np.linalg.lstsq(design, target.curve.y, rcond=None)[0])


def _stories(target: Target, level: float) -> Array:
    """Noise deviates, (stories, memories, m): which spreads are large, how long wander lasts."""
    parameters = target.hypothesis.noise.parameters
    spreads = [i for i, p in enumerate(parameters) if p.kind is NoiseKind.SD]
    memories = MEMORIES if len(spreads) < len(parameters) else (0.0,)
    if "window" in target.hypothesis.noise.names:
        memories = WINDOWS
    stories = []
    for size in range(min(1, len(spreads)), len(spreads) + 1):
        for large in combinations(spreads, size):
            z = np.empty((len(memories), len(parameters)))
            z[:] = np.array(memories)[:, None]
            for i in spreads:
                value = max(level, 1e-300) / (np.sqrt(size) if i in large else 30)
                z[:, i] = target.hypothesis.priors[parameters[i].name].standard(value).clip(-3, 3)
            stories.append(z)
    return np.array(stories)


def _newton(
    height: Callable[[Array], Array], centers: Array, factors: Array, *, rounds: int = 30
) -> tuple[Array, Array, Array]:
    """Climb to the maxima; factors end as those of the inverse negative Hessian.

    After `FEW_ROUNDS` it goes on only while some climb still gains a nat.

    Differences are taken a third of a standard deviation apart in the coordinates of the current
    factor, so they see the bulk and not the rounding.
    """
    k, d = centers.shape
    value = height(centers)
    stencil, pairs = _stencil(d, 0.33)
    for done in range(1, rounds + 1):
        before = value
        points = centers[:, None] + np.einsum("kij,sj->ksi", factors, stencil)
        around = height(points.reshape(-1, d)).reshape(k, -1)
        gradient, hessian = _differences(value, around, pairs, 0.33)
        eigenvalue, vector = np.linalg.eigh(-hessian)
        stiffness = np.clip(eigenvalue, 0.1, 1e4)
        projected = np.einsum("kji,kj->ki", vector, gradient)
        move = projected / stiffness
        decrement = np.einsum("ki,ki->k", projected, move)
        length = np.linalg.norm(move, axis=1)
        move *= np.minimum(1, 3 / np.maximum(length, 1e-12))[:, None]
        direction = np.einsum("kij,kjl,kl->ki", factors, vector, move)
        factors = np.einsum("kij,kjl,kl->kil", factors, vector, stiffness**-0.5)
        widest = np.sqrt(np.einsum("kij,kij->ki", factors, factors).max(axis=1))
        factors = factors * np.minimum(1, 1.5 / widest)[:, None, None]
        candidates = centers + np.array([1.0, 0.4, 0.1])[:, None, None] * direction
        new = height(candidates.reshape(-1, d)).reshape(3, k)
        best = np.argmax(new, axis=0)
        better = new[best, range(k)] > value
        centers = np.where(better[:, None], candidates[best, range(k)], centers)
        value = np.where(better, new[best, range(k)], value)
        settled = np.all((eigenvalue > 0.3) & (eigenvalue < 3), axis=1) & (decrement < 0.1)
        if settled.all() or (done >= FEW_ROUNDS and np.nanmax(value - before) < 1.0):
            break
    return centers, factors, value


def _stencil(d: int, h: float) -> tuple[Array, list[tuple[int, int]]]:
    eye = h * np.eye(d)
    pairs = [(i, j) for i in range(d) for j in range(i)]
    both = [eye[i] + eye[j] for i, j in pairs]
    return np.array([*eye, *-eye, *both, *(-b for b in both)]).reshape(-1, d), pairs


def _differences(
    value: Array, around: Array, pairs: list[tuple[int, int]], h: float
) -> tuple[Array, Array]:
    """Gradient and Hessian by central differences from the values on a stencil.

    Where the likelihood is zero on one side, the other side is taken for both, so that an edge is
    not taken for a narrow peak; where it is zero on both, unit curvature is.
    """
    k = len(value)
    d = (around.shape[1] - 2 * len(pairs)) // 2
    center = value[:, None]
    known = np.isfinite(around)
    around = np.where(known, np.maximum(around, center - 50), -np.inf)
    up, down = _mended(around[:, :d], around[:, d : 2 * d], center - 0.5 * h * h)
    gradient = (up - down) / (2 * h)
    hessian = np.zeros((k, d, d))
    hessian[:, range(d), range(d)] = (up - 2 * center + down) / h**2
    for p, (i, j) in enumerate(pairs):
        both = 2 * d + p, 2 * d + len(pairs) + p
        straight = up[:, i] + up[:, j] + down[:, i] + down[:, j] - 2 * value
        cross = np.where(
            known[:, both].all(axis=1), np.sum(around[:, both], axis=1) - straight, 0.0
        )
        hessian[:, i, j] = hessian[:, j, i] = cross / (2 * h**2)
    return gradient, hessian


def _mended(up: Array, down: Array, neither: Array) -> tuple[Array, Array]:
    """Put for -inf on one side the value of the other, on both sides that of `neither`."""
    best = np.maximum(up, down)
    best = np.where(np.isfinite(best), best, neither)
    return np.where(np.isfinite(up), up, best), np.where(np.isfinite(down), down, best)
