"""How simulated curves scatter around their truth: noise from priors, as stated, or as fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from fitting.comparison import Comparison
from fitting.residuals import autocorrelation, plain_residuals
from theory.curve import Curve
from theory.forms import FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import Noise

FloatArray = NDArray[np.float64]

# Posterior draws that stand for a fitted noise.
_DRAWS = 200


class Scatter(Protocol):
    """A way to make measured values out of true ones."""

    def __call__(
        self, values: FloatArray, template: Curve, rng: np.random.Generator
    ) -> tuple[str, FloatArray]:
        """Return what the noise is called, and y (n,) around true values (n,) at `template.t`."""
        ...


@final
@dataclass(frozen=True)
class PriorScatter:
    """A noise chosen evenly, its parameters from their default priors on the template.

    Attributes
    ----------
    noises
        What to choose from.
    """

    noises: tuple[Noise, ...]

    def __call__(
        self, values: FloatArray, template: Curve, rng: np.random.Generator
    ) -> tuple[str, FloatArray]:
        """Draw a noise, its parameters, and the curve."""
        noise = self.noises[int(rng.integers(len(self.noises)))]
        hypothesis = default_hypothesis(FORMS["constant"], noise, template)
        if not noise.parameters:
            return noise.name, noise.simulate(values, template, np.empty(0), rng=rng)
        z = rng.standard_normal(len(noise.names))
        psi = hypothesis.transport(z, noise.names)
        return noise.name, hypothesis.noise.simulate(values, template, psi, rng=rng)


@final
@dataclass(frozen=True, eq=False)
class FittedScatter:
    """The noise of a fitted curve: candidates by weight, parameters from their posteriors.

    Attributes
    ----------
    noises
        One a draw.
    psi
        Their parameters, one array (m,) a draw.
    """

    noises: tuple[Noise, ...]
    psi: tuple[FloatArray, ...]

    def __call__(
        self, values: FloatArray, template: Curve, rng: np.random.Generator
    ) -> tuple[str, FloatArray]:
        """Take one posterior draw of the noise, and simulate it."""
        i = int(rng.integers(len(self.noises)))
        noise = self.noises[i]
        return noise.name, noise.simulate(values, template, self.psi[i], rng=rng)


def fitted_scatter(comparison: Comparison) -> FittedScatter | None:
    """Return the noise that a comparison found, with its uncertainty; None if it found none."""
    noises: list[Noise] = []
    psi: list[FloatArray] = []
    for score in comparison.scores:
        number = round(_DRAWS * score.weight)
        if not number or score.posterior is None or not len(score.posterior.draws):
            continue
        draws = score.posterior.draws[:, len(score.hypothesis.form.names) :]
        rows = np.linspace(0, len(draws) - 1, number).round().astype(int)
        noises += [score.hypothesis.noise] * number
        psi += list(draws[rows])
    return FittedScatter(tuple(noises), tuple(psi)) if noises else None


@final
@dataclass(frozen=True, eq=False)
class ResampledScatter:
    """Blocks of residuals of a real curve, in a new order: the moving block bootstrap.

    Künsch 1989, The jackknife and the bootstrap for general stationary observations, section 2.2.

    Attributes
    ----------
    residuals
        Shape (n,), in units of y, in the order of the curve.
    """

    residuals: FloatArray

    def __call__(
        self, values: FloatArray, template: Curve, rng: np.random.Generator
    ) -> tuple[str, FloatArray]:
        """Lay randomly chosen blocks end to end over the curve."""
        n, length = values.size, block_length(self.residuals)
        starts = rng.integers(self.residuals.size - length + 1, size=-(-n // length))
        blocks = np.concatenate([self.residuals[start : start + length] for start in starts])
        return "resampled residuals", values + blocks[:n] - self.residuals.mean()


def resampled_scatter(comparison: Comparison) -> ResampledScatter | None:
    """Return the residuals of the heaviest candidate's fit; None if nothing was fitted."""
    leading = max(comparison.scores, key=lambda score: score.weight, default=None)
    if leading is None or leading.point is None or not np.isfinite(leading.point.theta).all():
        return None
    return ResampledScatter(plain_residuals(leading.point))


def block_length(residuals: FloatArray) -> int:
    """Length of blocks that keep the memory of residuals (n,), between 1 and n // 3.

    ``(6 rho^2 / (1 - rho^2)^2)^(1/3) n^(1/3)``, with the lag-1 autocorrelation rho, is best for the
    variance of a mean of an AR(1) series (Carlstein 1986, section 4, times (3/2)^(1/3) for
    overlapping blocks: Künsch 1989).
    """
    n = residuals.size
    rho = float(np.clip(autocorrelation(residuals, 1)[0], 0.0, 0.99)) if n > 3 else 0.0
    best = (6.0 * rho**2 / (1.0 - rho**2) ** 2 * n) ** (1 / 3)
    return int(np.clip(np.ceil(best), 1, max(1, n // 3)))


def mixed(scatters: Sequence[Scatter]) -> Scatter:
    """Return the scatter that is one of several, evenly."""
    return scatters[0] if len(scatters) == 1 else _Mixed(tuple(scatters))


@final
@dataclass(frozen=True, eq=False)
class _Mixed:
    scatters: tuple[Scatter, ...]

    def __call__(
        self, values: FloatArray, template: Curve, rng: np.random.Generator
    ) -> tuple[str, FloatArray]:
        return self.scatters[int(rng.integers(len(self.scatters)))](values, template, rng)
