"""Which noises compete on a curve: those its columns allow, and those its residuals call for.

Every further noise costs an evidence for each form, and most contain white noise as a limit, so
they never fit worse. They are let in only where they explain the residuals of the best forms
better, by more than chance would, than the noises that compete anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from fitting.criteria import bic
from fitting.optimum.least_squares_fit import is_least_squares
from fitting.optimum.optima import Optima
from fitting.residuals import fitted_values
from fitting.sampling.starts import spread
from theory.curve import Curve
from theory.form import Form
from theory.forms import FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import NOISES, BetaBinomial, Binomial, KnownSE, Noise, White, noises_for

FloatArray = NDArray[np.float64]

ENOUGH = 3.0
"""Gain of the log likelihood, in nats, from which a noise is let in. Twice it is chi-squared with
one degree of freedom for one parameter too many (Wilks 1938): exceeded by chance in 1.4 %."""

UNEVEN = 0.5
"""Spread of the gaps over their mean from which memory in t and memory in points are told apart."""

FAR = 10.0
"""Nats behind the best of the others from which on a noise is left out all the same."""

_FORMS = 3
_POINTS = 200  # of a first look at the parameters of a noise
_FEWEST = 20  # points from which on residuals say anything about their distribution


@final
@dataclass(frozen=True)
class NoiseChoice:
    """What competes, and why.

    Attributes
    ----------
    noises
        That compete.
    gains
        For every other noise that was looked at: by how much the log likelihood of the residuals
        exceeds that of the noises that compete anyway, in nats.
    """

    noises: tuple[Noise, ...]
    gains: tuple[tuple[Noise, float], ...] = ()

    @property
    def sentence(self) -> str:
        """What was looked at and let in; empty if nothing but the usual noises was."""
        let_in = [said(noise, gain) for noise, gain in self.gains if noise in self.noises]
        left_out = [said(noise, gain) for noise, gain in self.gains if noise not in self.noises]
        parts = []
        if let_in:
            parts.append(f"Let in, because the residuals call for it: {', '.join(let_in)}.")
        if left_out:
            parts.append(f"Not called for by the residuals: {', '.join(left_out)}.")
        against = "Log likelihood of the residuals beside the best of the usual noises."
        return " ".join(("Further noises.", *parts, against)) if parts else ""


def said(noise: Noise, gain: float) -> str:
    """Name a noise with its gain."""
    return f"{noise.name} ({gain:+.1f} nats)".replace("-", "−")


def choose_noises(curve: Curve, forms: Sequence[Form], optima: Optima | None = None) -> NoiseChoice:
    """Choose the noises that compete on a curve.

    Parameters
    ----------
    curve
    forms
        That compete; the residuals are those of the three of them with the lowest BIC under white
        noise.
    optima
        The curve's fits, if they are wanted for something else too.

    Raises
    ------
    ValueError
        If the curve does not vary.
    """
    usual = noises_for(curve)
    if curve.n_obs < _FEWEST:
        return NoiseChoice(usual)
    others = [noise for noise in others_for(curve) if noise not in usual]
    fitted = _fitted(curve, forms, optima or Optima(curve))
    if not len(fitted):
        return NoiseChoice(usual)
    least = max(_likelihood(noise, curve, fitted) for noise in usual)
    gains = tuple((noise, _likelihood(noise, curve, fitted) - least) for noise in others)
    floor = max(ENOUGH, max(gain for _, gain in gains) - FAR)
    return NoiseChoice((*usual, *(noise for noise, gain in gains if gain >= floor)), gains)


def others_for(curve: Curve) -> tuple[Noise, ...]:
    """Noises that a curve's columns allow and that do not compete by themselves.

    Memory in points, as of a log of even updates against time, where points lie unevenly.
    """
    names = ["student_t", "mean_linked"]
    gaps = np.diff(curve.t)
    if gaps.std() > UNEVEN * gaps.mean():
        names.append("ar1_white")
    if any(isinstance(noise, Binomial) for noise in noises_for(curve)):
        names.append("beta_binomial")
    return tuple(NOISES[name] for name in names)


def _fitted(curve: Curve, forms: Sequence[Form], optima: Optima) -> FloatArray:
    """Values (K, n) of the best forms by least squares."""
    if curve.y_se is not None and not np.all(curve.y_se > 0):
        curve = replace(curve, y_se=None)
        optima = Optima(curve)
    noise = White() if curve.y_se is None else KnownSE()
    found = []
    for form in forms:
        hypothesis = default_hypothesis(form, noise, curve)
        if is_least_squares(hypothesis, curve) and curve.n_obs > len(hypothesis.names):
            fit = optima(hypothesis)
            found.append((bic(fit.log_likelihood, curve.n_obs, fit.n_free), fit))
    best = sorted((one for one in found if np.isfinite(one[0])), key=lambda one: one[0])[:_FORMS]
    return np.array([fitted_values(fit) for _, fit in best])


def _likelihood(noise: Noise, curve: Curve, fitted: FloatArray) -> float:
    """Largest log likelihood of the curve around any of the fitted ones (K, n)."""
    hypothesis = default_hypothesis(FORMS["constant"], noise, curve)
    names, made = noise.names, hypothesis.noise
    if isinstance(noise, Binomial | BetaBinomial):
        fitted = np.clip(fitted, 1e-6, 1 - 1e-6)

    def value(y_hat: FloatArray, z: FloatArray) -> FloatArray:
        psi = hypothesis.transport(np.clip(z, -6, 6), names)
        rows = np.broadcast_to(y_hat, (len(z), curve.n_obs))
        with np.errstate(all="ignore"):
            found = made.log_likelihood(rows, curve, psi)
        return np.where(np.isfinite(found), found, -1e300)

    if not names:
        return float(max(value(row, np.empty((1, 0)))[0] for row in fitted))
    first = spread(_POINTS, len(names))
    best = -np.inf
    for row in fitted:
        scores = value(row, first)
        result = minimize(
            lambda z, row=row: -value(row, z[None])[0],
            first[int(scores.argmax())],
            method="Nelder-Mead",
            options={"xatol": 1e-2, "fatol": 1e-2, "maxfev": 60 * len(names)},
        )
        best = max(best, float(scores.max()), -float(result.fun))
    return best
