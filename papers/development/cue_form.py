"""The mean fields of cue competition as forms, so that a single curve can be fitted by them.

With step size and salience unknown, a mechanism of `theory.mechanisms.cue_competition` says of
one run that its log-odds of goal against proxy are scale · (w_goal - r w_proxy), where the weights
solve its equations at the run's alpha, at a salience ratio r and in time rate · t. Its equations
are integrated once over all ratios and times and interpolated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.interpolate import RectBivariateSpline
from scipy.sparse import block_diag

from theory.curve import Curve, FloatArray
from theory.form import TIME, Form
from theory.hypothesis import Hypothesis, default_hypothesis
from theory.mechanisms.cue_competition import CUE_COMPETITION
from theory.noise import Noise
from theory.parameter import Kind, Parameter
from theory.prior import LogUniform

PARTS = ("lead", "goal", "proxy")
"""Log-odds of the goal against the proxy, and what goal and proxy add to and take from them."""

RATIOS = (0.25, 4.0)
LONGEST = 1e4
"""Updates of the mechanism at step size 1 up to which it is integrated."""
NODES_RATIO, NODES_TIME = 33, 161

RATE = Parameter("rate", "step size in the unit of t", "1/t", Kind.RATE)
RATIO = Parameter(
    "salience_ratio",
    "salience of the proxy over that of the goal",
    "",
    Kind.EXPONENT,
    default_range=RATIOS,
)
SCALE = Parameter("scale", "log-odds per unit of weight", "y", Kind.GAIN)
SCALES = (0.1, 10.0)


class cue_curve(sympy.Function):  # type: ignore[misc]  # noqa: N801 (sympy's are lower case)
    """``cue_curve(rule, part, alpha, x, y)`` at log(1 + updates) x and log(salience ratio) y.

    `rule` and `part` count through `CUE_COMPETITION` and `PARTS`.
    """

    nargs = 5

    def fdiff(self, argindex: int = 4) -> sympy.Expr:
        """Return the derivative in x or y."""
        return cue_slope(sympy.Integer(argindex - 4), *self.args)

    @staticmethod
    def _imp_(rule: int, part: int, alpha: float, x: Any, y: Any) -> NDArray[np.float64]:
        return _spline(int(rule), float(alpha))[int(part)].ev(x, y)  # type: ignore[no-any-return]


class cue_slope(sympy.Function):  # type: ignore[misc]  # noqa: N801
    """The derivative of `cue_curve` in x (axis 0) or y (axis 1)."""

    nargs = 6

    @staticmethod
    def _imp_(axis: int, rule: int, part: int, alpha: float, x: Any, y: Any) -> NDArray[np.float64]:
        spline = _spline(int(rule), float(alpha))[int(part)]
        return spline.ev(x, y, dx=1 - int(axis), dy=int(axis))  # type: ignore[no-any-return]


@lru_cache(maxsize=32)
def _spline(rule: int, alpha: float) -> tuple[RectBivariateSpline, ...]:
    """Integrate a rule at all ratios; return a surface over (x, y) for each of `PARTS`."""
    mechanism = list(CUE_COMPETITION.values())[rule]
    x = np.linspace(0.0, np.log1p(LONGEST), NODES_TIME)
    y = np.linspace(math.log(RATIOS[0]), math.log(RATIOS[1]), NODES_RATIO)
    given = {"alpha": alpha, "salience_ratio": 1.0, "learning_rate": 1.0, "batch_size": np.inf}
    values = {**mechanism.values(given), "salience_ratio": np.exp(y)}

    def velocity(now: float, state: FloatArray) -> FloatArray:
        # The two weights of a ratio stand side by side.
        rates = mechanism.velocity(state.reshape(-1, 2).T, values)
        return np.asarray(np.exp(now) * rates.T.ravel())

    coupled = block_diag([np.ones((2, 2))] * y.size)
    start = np.zeros(2 * y.size)
    path = solve_ivp(
        velocity, (0.0, x[-1]), start, "BDF", x, rtol=1e-6, atol=1e-8, jac_sparsity=coupled
    )
    goal, proxy = path.y.reshape(y.size, 2, x.size).transpose(1, 2, 0)
    proxy = np.exp(y) * proxy
    return tuple(RectBivariateSpline(x, y, each) for each in (goal - proxy, goal, proxy))


@lru_cache(maxsize=64)
def cue_form(mechanism: str, alpha: float, part: str = "lead") -> Form:
    """Return a mechanism's mean field at an alpha as a form of rate, salience ratio and scale.

    Parameters
    ----------
    mechanism : str
        A name of `CUE_COMPETITION`.
    alpha : float
        Share of the levels on which goal and proxy part.
    part : str
        One of `PARTS`.

    Raises
    ------
    ValueError
        If there is no such mechanism or part, or alpha is no probability.
    """
    for name, value, known in (
        ("mechanism", mechanism, CUE_COMPETITION),
        ("part", part, PARTS),
    ):
        if value not in known:
            raise ValueError(f"no {name} {value!r}; choose from {', '.join(sorted(known))}.")
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha must be a probability; it is {alpha}.")
    rule, place = list(CUE_COMPETITION).index(mechanism), PARTS.index(part)
    curve = cue_curve(
        rule, place, alpha, sympy.log(1 + RATE.symbol * TIME), sympy.log(RATIO.symbol)
    )
    return Form(
        name=mechanism,
        expression=SCALE.symbol * curve,
        parameters=(SCALE, RATE, RATIO),
        reference=CUE_COMPETITION[mechanism].reference,
    )


def cue_hypothesis(mechanism: str, noise: Noise, curve: Curve, part: str = "lead") -> Hypothesis:
    """Return a mechanism as a hypothesis about a run's curve, its three unknowns free in the run.

    The priors of the noise are those of every other hypothesis about the curve.

    Raises
    ------
    ValueError
        If the curve's conditions have no numeric alpha, or the curve cannot be fitted.
    """
    alpha = curve.conditions.get("alpha")
    if not isinstance(alpha, int | float):
        raise ValueError(
            f"{curve.observable} of run {curve.run!r} has no numeric alpha among its conditions, "
            f"on which {mechanism} depends; it is {alpha!r}."
        )
    form = cue_form(mechanism, float(alpha), part)
    default = default_hypothesis(form, noise, curve)
    return Hypothesis(form, noise, {**default.priors, **_priors(float(curve.t[-1]))})


def _priors(last: float) -> Mapping[str, LogUniform]:
    return {
        "scale": LogUniform(
            *SCALES, because="1 for a softmax over weights; positive, and of any order otherwise."
        ),
        "rate": LogUniform(
            1 / last, LONGEST / last, because="From one update in the run to 1e4, any order alike."
        ),
    }
