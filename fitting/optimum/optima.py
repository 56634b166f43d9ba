"""The least-squares fits of one curve, each found once."""

from __future__ import annotations

from collections.abc import Hashable
from typing import final

from fitting.fit import PointFit
from fitting.optimum.least_squares_fit import least_squares_fits
from theory.curve import Curve
from theory.hypothesis import Hypothesis


@final
class Optima:
    """The least-squares fits of one curve.

    The choice of noises, the search for modes and the table of fits ask for the same ones.

    Parameters
    ----------
    curve : Curve
    effort : float
        As `fitting.optimum.least_squares.best`.
    """

    def __init__(self, curve: Curve, *, effort: float = 1.0) -> None:
        self.curve = curve
        self.effort = effort
        self._found: dict[Hashable, PointFit] = {}

    def __call__(self, hypothesis: Hypothesis) -> PointFit:
        """Return the fit of a hypothesis for which that is least squares."""
        priors = tuple(hypothesis.priors[name] for name in hypothesis.names)
        key = (hypothesis.form.name, hypothesis.form.expression, hypothesis.noise.name, priors)
        if key not in self._found:
            (fit,) = least_squares_fits((hypothesis,), (self.curve,), effort=self.effort)
            self._found[key] = fit
        return self._found[key]
