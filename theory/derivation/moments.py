"""When a story first passes a level: mean and variance over runs, for many small random steps.

A passage from the start to the level takes ∫ dz/a on average, with variance ∫ b²/a³ dz, where a is
the drift and b² the diffusion (renewal theory: Cox 1962, sec. 3.3; the leading order of the
system-size expansion: van Kampen 2007, ch. X). Both are the same in any monotone function of the
state. At rest in a fixed point the state scatters with variance b²/(2 |a'|), in many dimensions
with C of A C + C Aᵀ + B = 0 (Lyapunov's equation; Gardiner 2009, sec. 4.5.6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import quad
from scipy.linalg import solve_continuous_lyapunov

from theory.derivation.integral import integral, separated
from theory.derivation.story import NotDerived, Story

_NEAR = 1e-7


@final
@dataclass(frozen=True, eq=False)
class OnsetMoments:
    """Mean and variance of a passage, as expressions where sympy integrates.

    Attributes
    ----------
    story : Story
    level : sympy expression
    mean, variance : sympy expression or None
        None where no closed form is found; `numbers` has them all the same.
    """

    story: Story
    level: sympy.Expr
    mean: sympy.Expr | None
    variance: sympy.Expr | None

    def numbers(self, **given: float) -> tuple[float, float]:
        """Return mean and variance by quadrature, at the typical numbers or others."""
        story = self.story
        return (
            _quadrature(1 / story.drift, story, self.level, given),
            _quadrature(story.diffusion / story.drift**3, story, self.level, given),
        )

    @property
    def squared_cv(self) -> sympy.Expr | None:
        """Variance over squared mean."""
        if self.mean is None or self.variance is None:
            return None
        return self.variance / self.mean**2


def onset_moments(story: Story, level: sympy.Expr) -> OnsetMoments:
    """Integrate mean and variance of the passage from the start up or down to a level.

    What sympy finds is kept only if it meets the quadrature at the typical numbers.

    Raises
    ------
    NotDerived
        If the drift does not lead to the level.
    """
    level = sympy.sympify(level)
    way = np.sign(story.number(level) - story.number(story.start))
    between = [story.start + share * (level - story.start) for share in np.linspace(0, 1, 9)]
    if any(story.number(story.drift.subs(story.state, at)) * way <= 0 for at in between):
        raise NotDerived(f"the drift does not lead from {story.start} to {level}.")
    mean = _closed(1 / story.drift, story, level)
    variance = _closed(story.diffusion / story.drift**3, story, level)
    return OnsetMoments(story, level, mean, variance)


def _closed(integrand: sympy.Expr, story: Story, level: sympy.Expr) -> sympy.Expr | None:
    """Return the integral from the start to the level in closed form, if it is within reach."""
    if integrand == 0:
        return sympy.Integer(0)
    constant, shape = separated(integrand, story.state)
    found = integral(shape, story)
    if found is None:
        return None
    ends = [found.value.subs(story.state, at) for at in (level, story.start)]
    closed = constant * (ends[0] - ends[1])
    numeric = _quadrature(integrand, story, level, {})
    return closed if abs(story.number(closed) - numeric) <= _NEAR * abs(numeric) else None


def _quadrature(
    integrand: sympy.Expr, story: Story, level: sympy.Expr, given: Mapping[str, float]
) -> float:
    """Integrate numerically; in the logarithm of the state where both ends are positive."""
    values = {**story.typical, **given}
    numbers = {s: sympy.Float(values[s.name]) for s in story.parameters}
    density = sympy.lambdify(story.state, integrand.xreplace(numbers), ["numpy", "scipy"])
    low, high = (story.number(at, **given) for at in (story.start, level))
    if min(low, high) > 0:
        return float(
            quad(lambda x: density(np.exp(x)) * np.exp(x), np.log(low), np.log(high), limit=400)[0]
        )
    return float(quad(density, low, high, limit=400)[0])


def stationary_variance(story: Story, point: sympy.Expr) -> sympy.Expr:
    """Return the variance of the state about a stable fixed point, b²/(2 |a'|).

    Raises
    ------
    NotDerived
        If the point is not fixed, or not stable, at the typical numbers.
    """
    at = {story.state: sympy.sympify(point)}
    slope = sympy.diff(story.drift, story.state).subs(at)
    if abs(story.number(story.drift.subs(at))) > _NEAR or not story.number(slope) < 0:
        raise NotDerived(f"{point} is no stable fixed point of {story.drift}.")
    return sympy.simplify(-story.diffusion.subs(at) / (2 * slope))


def stationary_covariance(slopes: ArrayLike, diffusion: ArrayLike) -> NDArray[np.float64]:
    """Return the covariance C of a linear process at rest, of A C + C Aᵀ + B = 0.

    Parameters
    ----------
    slopes : (d, d) array
        A, the Jacobian of the drift at the fixed point.
    diffusion : (d, d) array
        B, the covariance that a unit of progress adds there.

    Raises
    ------
    NotDerived
        If the fixed point is not stable.
    """
    matrix = np.asarray(slopes, dtype=np.float64)
    if np.max(np.linalg.eigvals(matrix).real) >= 0:
        raise NotDerived("the fixed point is not stable: a deviation does not decay.")
    return np.asarray(solve_continuous_lyapunov(matrix, -np.asarray(diffusion, dtype=np.float64)))
