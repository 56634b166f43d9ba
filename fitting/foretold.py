"""What one hypothesis makes of the rest of a curve whose first part it has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.evidence import log_evidence
from fitting.log_sum_exp import log_sum_exp
from fitting.sampling.modes import Mode
from fitting.sampling.target import Target
from theory.curve import Curve
from theory.hypothesis import Hypothesis

FloatArray = NDArray[np.float64]

_DRAWS = 400  # a round of the sampling on the first part
_PRECISION = 0.15  # of its evidence, in nats
_KEPT = 200  # draws that foretell


@final
@dataclass(frozen=True, eq=False)
class Foretold:
    """A forecast by one hypothesis.

    Attributes
    ----------
    log_evidence
        Of the first part, in nats.
    elpd
        Log density of the rest given the first part, in nats.
    expected
        Shape (S, n_test): draws of the expected points, wander included.
    points
        Shape (S, n_test): draws of single points, noise included; not of their dependence.
    """

    log_evidence: float
    elpd: float
    expected: FloatArray
    points: FloatArray

    @property
    def middle(self) -> FloatArray:
        """Median of the expected points, (n_test,): few draws that run away do not move it."""
        return np.asarray(np.median(self.expected, axis=0))


def foretell(
    hypothesis: Hypothesis,
    curve: Curve,
    train: Curve,
    modes: Sequence[Mode] | None,
    *,
    rng: np.random.Generator,
) -> Foretold | None:
    """Learn from the first part `train` of a curve, and foretell the rest.

    Returns
    -------
    Foretold or None
        None where the first part or the rest has no likelihood.
    """
    learned = log_evidence(
        hypothesis,
        train,
        rng=rng,
        draws=_DRAWS,
        precision=_PRECISION,
        modes=modes,
        thorough=False,
    )
    if learned.log_evidence is None or not len(learned.draws):
        return None
    theta = learned.draws[:: max(1, len(learned.draws) // _KEPT)]
    p = len(hypothesis.form.names)
    with np.errstate(all="ignore"):
        elpd = _log_density(hypothesis, curve, train, theta)
        y_hat = np.asarray(hypothesis.form(curve.t, theta[:, :p]))
        expected, points = _continued(hypothesis, curve, train.n_obs, y_hat, theta[:, p:], rng)
    if not (np.isfinite(elpd) and np.all(np.isfinite(points))):
        return None
    return Foretold(learned.log_evidence, elpd, expected, points)


def _log_density(hypothesis: Hypothesis, curve: Curve, train: Curve, theta: FloatArray) -> float:
    """Mean density over draws (S, p), what the evidence integrates integrated here too."""
    past, whole = Target(hypothesis, train), Target(hypothesis, curve)
    places = [hypothesis.names.index(name) for name in past.names]
    z = hypothesis.standard(theta[:, places], past.names)
    gain = whole.log_likelihood(whole.sums(z)) - past.log_likelihood(past.sums(z))
    return float(log_sum_exp(gain) - np.log(len(theta)))


def _continued(
    hypothesis: Hypothesis,
    curve: Curve,
    n: int,
    y_hat: FloatArray,
    psi: FloatArray,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Return expected points after the first n, and draws of them, (S, n_test) each."""
    noise = hypothesis.noise
    if not noise.gaussian:
        drawn = [noise.simulate(y, curve, one, rng=rng) for y, one in zip(y_hat, psi, strict=True)]
        return y_hat[:, n:], np.array(drawn)[:, n:]
    residual, sd = noise.ahead(curve.y[:n] - y_hat[:, :n], curve, psi)
    mean = y_hat[:, n:] + residual
    return mean, mean + sd * rng.standard_normal(sd.shape)
