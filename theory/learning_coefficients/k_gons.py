"""The k-gons: critical points of the toy model whose live features form a regular polygon.

k columns of W have length l at angles 2πj/k and the bias b; they solve ∂L/∂l = ∂L/∂b = 0. The
other c - k features are dead: zero columns. A dead bias is negative, where it is free, or sits at
its best positive value 1/(2c), which lowers the loss by 1/(4c²):

    L = (h_k + c - k)/(3c) - s/(4c²),   h_k = 3k L(k-gon among k features),  s positive biases.

    k          4      5          6          7          8
    l          1      1.17046    1.32053    1.44839    1.55045
    b          0     -0.28230   -0.61814   -0.96691   -1.29119

The symmetries O(2) and S_c move a k-gon without changing its loss. For k >= 5 it is minimally
singular: near it the loss is a nondegenerate square in the 3k - 1 directions across the rotation
and in 3 for every positive bias, and does not change in the others, so that λ = rank/2. At the
4-gon the loss is not twice differentiable: λ depends on the direction, and none is given here.

References
----------
Chen, Lau, Mendel, Wei and Murfet 2023 (arXiv 2310.06301).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.curve import FloatArray
from theory.learning_coefficients import toy_model
from theory.learning_coefficients.coefficient import LearningCoefficient

FEWEST, MOST = 4, 16
"""Numbers of vertices that are solved for."""

DEAD_BIAS = -1.0
"""Any value inside the flat region; at 0 the loss falls on one side."""

LENGTHS, LEVELS = np.linspace(0.8, 1.8, 101), np.linspace(-1.8, 0.0, 91)
"""Where Newton's steps may start: l and b."""

NEWTON_STEPS = 60

RANK_TOLERANCE = 1e-7
"""Eigenvalues of a Hessian below this share of the largest count as 0."""

LEVEL_TOLERANCE = 3e-4
"""A loss lies at a level when it is this close; the levels of six features are 0.005 apart."""

LIVE = 0.5
"""A column longer than this is live: half of the shortest side that any k-gon has."""


@final
@dataclass(frozen=True)
class KGon:
    """A critical point of the toy model.

    Attributes
    ----------
    num_vertices, num_features, num_positive : int
        k live features of c, and the dead ones with a positive bias.
    length, level : float
        l and b of the live features.
    """

    num_vertices: int
    num_features: int
    num_positive: int
    length: float
    level: float

    @property
    def name(self) -> str:
        """k, and a plus for every positive bias: 5, 5+, 4++."""
        return label(self.num_vertices, self.num_positive)

    @property
    def positive_level(self) -> float:
        """The positive bias of a dead feature, 1/(2c)."""
        return 1 / (2 * self.num_features)

    @property
    def weights(self) -> FloatArray:
        """W, (2, c): the live features first."""
        w = np.zeros((toy_model.PLANE, self.num_features))
        w[:, : self.num_vertices] = self.length * polygon(self.num_vertices)
        return w

    @property
    def bias(self) -> FloatArray:
        """The biases, (c,): live, then positive, then dead at -1."""
        b = np.full(self.num_features, DEAD_BIAS)
        b[: self.num_vertices] = self.level
        b[self.num_vertices : self.num_vertices + self.num_positive] = self.positive_level
        return b

    @property
    def loss(self) -> float:
        """The population loss, every feature being as frequent."""
        return float(toy_model.loss(self.weights, self.bias))

    @property
    def half_norm(self) -> float:
        """Half of |w*|², leaving out the dead biases, which the loss leaves free."""
        live = self.num_vertices * (self.length**2 + self.level**2)
        return (live + self.num_positive * self.positive_level**2) / 2

    @property
    def hessian_rank(self) -> int:
        """The number of directions in which the loss is a nondegenerate square."""
        size = np.abs(np.linalg.eigvalsh(toy_model.hessian(self.weights, self.bias)))
        return int(np.sum(size > RANK_TOLERANCE * size.max()))

    @property
    def coefficient(self) -> LearningCoefficient:
        """λ = rank/2, of multiplicity 1.

        Raises
        ------
        ValueError
            For k = 4, where λ depends on the direction, and for k > 8, which are no minima.
        """
        check_minimum(self.num_vertices)
        return LearningCoefficient(Fraction(self.hessian_rank, 2))


def check_minimum(num_vertices: int) -> None:
    """Refuse the k-gons that are no minima with a Hessian: all but those of 5 to 8 vertices."""
    if not 5 <= num_vertices <= 8:
        raise ValueError(
            f"the learning coefficient is known for 5 to 8 vertices, and this is a {num_vertices}-"
            "gon: the 4-gon's depends on the direction, and polygons of more than 8 vertices need "
            "not be minima."
        )


def k_gon(num_vertices: int, num_features: int, num_positive: int = 0) -> KGon:
    """Return the k-gon among c features, with some dead biases positive.

    Raises
    ------
    ValueError
        If k is not from 4 to 16, above c, or more biases are positive than features are dead.
    """
    if not FEWEST <= num_vertices <= MOST:
        raise ValueError(f"num_vertices must be from {FEWEST} to {MOST}; it is {num_vertices}.")
    if not 0 <= num_positive <= num_features - num_vertices:
        raise ValueError(
            f"num_positive must be from 0 to num_features - num_vertices = "
            f"{num_features - num_vertices}; it is {num_positive}."
        )
    return KGon(num_vertices, num_features, num_positive, *side(num_vertices))


def k_gons(num_features: int) -> tuple[KGon, ...]:
    """Return every k-gon from 4 vertices up among c features, highest loss first."""
    found = [
        k_gon(k, num_features, s)
        for k in range(FEWEST, num_features + 1)
        for s in range(num_features - k + 1)
    ]
    return tuple(sorted(found, key=lambda point: -point.loss))


@lru_cache
def side(num_vertices: int) -> tuple[float, float]:
    """Return l and b of the k-gon of least loss: a grid, then Newton's steps."""
    if num_vertices == FEWEST:
        return 1.0, 0.0  # exact, and at a corner of the loss, where Newton's step fails
    shape = polygon(num_vertices)
    length, level = (a.ravel() for a in np.meshgrid(LENGTHS, LEVELS))
    losses = toy_model.loss(length[:, None, None] * shape, level[:, None] * np.ones(num_vertices))
    at = np.array([length[losses.argmin()], level[losses.argmin()]])
    for _ in range(NEWTON_STEPS):
        w, b = at[0] * shape, np.full(num_vertices, at[1])
        by_weights, by_bias = toy_model.gradient(w, b)
        slope = np.array([np.sum(by_weights * shape), np.sum(by_bias)])
        across = np.zeros((2, 3 * num_vertices))
        across[0, : 2 * num_vertices], across[1, 2 * num_vertices :] = shape.ravel(), 1
        at = at - np.linalg.solve(across @ toy_model.hessian(w, b) @ across.T, slope)
    return float(at[0]), float(at[1])


def polygon(num_vertices: int) -> FloatArray:
    """Return the unit vectors at angles 2πj/k as columns, (2, k)."""
    angle = 2 * np.pi * np.arange(num_vertices) / num_vertices
    return np.array([np.cos(angle), np.sin(angle)])


def label(num_vertices: int, num_positive: int) -> str:
    """Return the name of a k-gon with s positive biases."""
    return str(num_vertices) + "+" * num_positive


def name_by_loss(
    losses: ArrayLike, num_features: int, tolerance: float = LEVEL_TOLERANCE
) -> NDArray[np.str_]:
    """Return the name of the k-gon at whose level each loss lies, "" where it lies at none."""
    points = k_gons(num_features)
    away = np.abs(np.asarray(losses, dtype=np.float64)[..., None] - [p.loss for p in points])
    names = np.array([p.name for p in points])[away.argmin(axis=-1)]
    return np.where(away.min(axis=-1) <= tolerance, names, "")


def name_by_shape(weights: ArrayLike, bias: ArrayLike) -> NDArray[np.str_]:
    """Return the k-gon whose shape each parameter has, "" where it has none.

    The live columns, longer than 1/2, must be the corners of a convex polygon around the origin;
    pluses count the positive biases of the others.

    Parameters
    ----------
    weights : (..., 2, c) array_like
    bias : (..., c) array_like
    """
    w, b, _ = toy_model.checked(weights, bias, None)
    live = np.hypot(w[..., 0, :], w[..., 1, :]) > LIVE
    vertices, positive = live.sum(axis=-1), (~live & (b > 0)).sum(axis=-1)
    names = np.empty(vertices.shape, dtype="<U32")
    for at in np.ndindex(vertices.shape):
        if convex_around_origin(w[at][:, live[at]]):
            names[at] = label(int(vertices[at]), int(positive[at]))
    return names


def convex_around_origin(points: FloatArray) -> bool:
    """Tell whether points (2, k), taken by angle, turn left at every corner and enclose 0."""
    if points.shape[1] < 3:
        return False
    points = points[:, np.argsort(np.arctan2(points[1], points[0]))]
    after = np.roll(points, -1, axis=1)
    edge = after - points
    following = np.roll(edge, -1, axis=1)
    around = points[0] * after[1] - points[1] * after[0]
    turns = edge[0] * following[1] - edge[1] * following[0]
    return bool(np.all(around > 0) and np.all(turns > 0))
