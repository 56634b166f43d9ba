"""How wrong the world model in a capable agent can be: inequalities without time courses.

They bound the model error of a checkpoint by what the checkpoint can do. They do not say when or
how fast either improves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.curve import FloatArray, check_finite, locked

DECADE = 10.0
"""A slope is read over regrets that differ by this factor at least."""

FEWEST = 5
"""A slope is read from this many checkpoints at least."""

STANDARD_ERRORS = 2.0
"""A slope contradicts a line when it stays below 1 by this many standard errors."""

ROUNDING = 1e-9


def transition_error_bound(
    probability: ArrayLike, depth: ArrayLike, failure_rate: ArrayLike
) -> FloatArray:
    """Bound the error of the transition probability that an agent's choices of goals reveal.

    An agent that reaches composite goals of a depth up to n with at least 1 - δ times the best
    chance of success, asked to choose between "the transition happens at most r times" and "more
    often" for each r, betrays an estimate of the transition probability P with

        |estimate - P| <= sqrt(2 P (1 - P) / ((n - 1) (1 - δ))).

    It holds for goal-conditioned agents in finite communicating controlled Markov processes, and
    says nothing of agents that know goals of depth 1 only.

    Parameters
    ----------
    probability : array_like
        The true transition probability P.
    depth : array_like
        The greatest depth n of goals, at least 2: N = (n - 1) / 2 trials of the transition.
    failure_rate : array_like
        δ, from 0 up to but not at 1.

    References
    ----------
    Richens, Abel, Bellot and Everitt 2025 (arXiv 2506.01622); the statement is from a secondary
    source. For N trials it follows from Cantelli's inequality, and a test checks it so.
    """
    p, n, delta = (np.asarray(a, dtype=np.float64) for a in (probability, depth, failure_rate))
    for values, within, rule in (
        (p, (p >= 0) & (p <= 1), "probability must lie between 0 and 1"),
        (n, (n >= 2) & np.isfinite(n), "depth must be at least 2"),
        (delta, (delta >= 0) & (delta < 1), "failure_rate must be at least 0 and below 1"),
    ):
        if not np.all(within):
            raise ValueError(f"{rule}; it is {values[~within].flat[0]}.")
    return np.asarray(np.sqrt(2 * p * (1 - p) / ((n - 1) * (1 - delta))))


def beyond_transition_bound(
    estimate: ArrayLike, probability: ArrayLike, depth: ArrayLike, failure_rate: ArrayLike
) -> NDArray[Any]:
    """Say where an estimate is further from the truth than `transition_error_bound` allows.

    One such checkpoint contradicts its failure rate at this depth, or how the estimate was read.

    References
    ----------
    Richens et al. 2025 (arXiv 2506.01622), by a secondary source.
    """
    bound = transition_error_bound(probability, depth, failure_rate)
    error = np.abs(np.asarray(estimate, dtype=np.float64) - np.asarray(probability, dtype=float))
    return np.asarray(error > bound * (1 + 1e-12))


@final
@dataclass(frozen=True)
class LineCheck:
    """Whether model errors stay below a line through the origin as the regret falls.

    Attributes
    ----------
    slope, slope_se : float or None
        Of the logarithm of the error on that of the regret; None where too little is known.
    steepest : float or None
        The greatest ratio of error to regret: the line that all checkpoints stay below.
    contradicted : bool or None
        True if the errors fall more slowly than a line; None if it cannot be told.
    doubts : tuple of str
        Why the answer may mislead.
    """

    slope: float | None
    slope_se: float | None
    steepest: float | None
    contradicted: bool | None
    doubts: tuple[str, ...]


UNMEDIATED = (
    "proven for unmediated decisions and policies told of every intervention; most RL is mediated."
)


def below_a_line(regret: ArrayLike, error: ArrayLike) -> LineCheck:
    """Check that model error is at most linear in regret as the regret goes to 0.

    If a policy that is told of interventions has regret at most δ under each of them, a causal
    model can be read from it with errors below γ(δ), where γ(0) = 0 and γ is linear near 0. Any
    finite set of checkpoints lies below some line; what can be tested is the trend: on logarithmic
    axes the errors of ever better checkpoints must not fall with a slope below 1. A slope above 1
    is allowed. Which checkpoint is reached when is not part of the statement.

    Parameters
    ----------
    regret : (n,) array_like
        Worst regret δ_k over interventions at each checkpoint; small, not negative.
    error : (n,) array_like
        Largest error ε_k of the model read from the same checkpoint; not negative.

    Raises
    ------
    ValueError
        If the arrays are not finite, negative, or of different lengths.

    References
    ----------
    Richens and Everitt 2024 (arXiv 2402.10877), Theorem 2; the slope is a corollary.
    """
    delta, epsilon = locked(regret, "regret"), locked(error, "error")
    check_pair(delta, epsilon)
    if np.any((delta == 0) & (epsilon > 0)):
        above = "an error without any regret is above every line."
        return LineCheck(None, None, None, True, (UNMEDIATED, above))
    some = delta > 0
    steepest = float(np.max(epsilon[some] / delta[some])) if some.any() else None
    x, y = logarithms(delta, epsilon)
    doubts = line_doubts(x, y, n_exact=int(np.sum(some & (epsilon == 0))))
    if x.size < FEWEST or np.ptp(x) < math.log(DECADE):
        return LineCheck(None, None, steepest, None, doubts)
    slope, se = leading(x, y, 1)
    return LineCheck(slope, se, steepest, slope + STANDARD_ERRORS * se < 1 - ROUNDING, doubts)


def check_pair(delta: FloatArray, epsilon: FloatArray) -> None:
    """Check that regrets and errors go together and are not negative."""
    if delta.size != epsilon.size:
        raise ValueError(
            f"regret and error must be of one length; they have {delta.size} and {epsilon.size}."
        )
    for values, name in ((delta, "regret"), (epsilon, "error")):
        check_finite(values, name)
        if np.any(values < 0):
            raise ValueError(f"{name} must not be negative; the least is {values.min()}.")


def logarithms(delta: FloatArray, epsilon: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the logarithms of regrets and errors where both are positive."""
    known = (delta > 0) & (epsilon > 0)
    return np.log(delta[known]), np.log(epsilon[known])


def line_doubts(x: FloatArray, y: FloatArray, n_exact: int) -> tuple[str, ...]:
    """Return what makes a slope of log errors on log regrets doubtful, in sentences."""
    doubts = [UNMEDIATED]
    if x.size < FEWEST:
        doubts.append(f"checkpoints with both above 0: {x.size}; a slope needs {FEWEST}.")
    elif np.ptp(x) < math.log(DECADE):
        doubts.append(f"regrets differ by a factor of {math.exp(np.ptp(x)):.3g}; a slope needs 10.")
    else:
        doubts.append("checkpoints of one run are correlated, so slope_se is too small.")
        curvature, se = leading(x, y, 2)
        if abs(curvature) > STANDARD_ERRORS * se + ROUNDING:
            doubts.append("the slope changes with the regret: only its limit at 0 is bounded.")
    if n_exact:
        doubts.append(f"checkpoints without any error, left out of the slope: {n_exact}.")
    return tuple(doubts)


def leading(x: FloatArray, y: FloatArray, degree: int) -> tuple[float, float]:
    """Return the leading coefficient of a least-squares polynomial and its standard error.

    Where regrets repeat so often that they fix no such polynomial, the coefficient is 0 ± 0.
    """
    if np.unique(x).size <= degree:
        return 0.0, 0.0
    design = np.vander(x - x.mean(), degree + 1)
    found = np.linalg.lstsq(design, y)[0]
    variance = np.sum((y - design @ found) ** 2) / (x.size - degree - 1)
    return float(found[0]), float(np.sqrt(variance * np.linalg.inv(design.T @ design)[0, 0]))
