"""Which hypotheses are worth an exact evidence.

Laplace's approximation around the modes costs a fifth of importance sampling and is mostly within
two nats. A candidate that it puts many nats behind the best one cannot matter; the others are
sampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.evidence import log_evidence
from fitting.fit import FitStatus, PosteriorFit
from fitting.log_sum_exp import log_sum_exp
from fitting.modes import Mode, find_modes
from fitting.target import Target
from theory.curve import Curve
from theory.hypothesis import Hypothesis

FloatArray = NDArray[np.float64]

LAPLACE = "Laplace's approximation"
LAPLACE_SE = 2.0
"""What Laplace's approximation may be off by, in nats: measured on sigmoids with unseen plateau."""

# A candidate behind by more than Laplace's error has a small weight, whose error is smaller still:
# its evidence is sought this many times less precisely.
_BEHIND = 2.0

# A candidate this near the best one, in nats, whose evidence rests on fewer effective draws than
# this, is sampled once more with this many draws a round.
_NEAR = 6.0
_TOO_FEW = 50.0
_MORE_DRAWS = 3000


@final
@dataclass(frozen=True, eq=False)
class Rough:
    """Laplace's approximation of one hypothesis.

    Attributes
    ----------
    log_evidence
        In nats; None where it does not apply (nothing to approximate, or no mode found).
    modes
        What the search found.
    theta
        Shape (K, p): parameters at the modes, linear ones left at zero.
    """

    log_evidence: float | None
    modes: tuple[Mode, ...]
    theta: FloatArray


def rough(hypothesis: Hypothesis, curve: Curve) -> Rough:
    """Approximate the evidence of a hypothesis around its modes (Tierney and Kadane 1986)."""
    target = Target(hypothesis, curve)
    nothing = np.zeros((0, len(hypothesis.names)))
    if target.dimension == 0:
        return Rough(None, (), nothing)
    modes = tuple(find_modes(target))
    if not modes:
        return Rough(None, (), nothing)
    names = tuple(target.names)
    theta = np.zeros((len(modes), len(hypothesis.names)))
    places = [hypothesis.names.index(name) for name in names]
    theta[:, places] = hypothesis.transport(np.array([mode.center for mode in modes]), names)
    return Rough(float(log_sum_exp([mode.log_mass for mode in modes])), modes, theta)


def posteriors(
    curve: Curve,
    hypotheses: Sequence[Hypothesis],
    *,
    rngs: Sequence[np.random.Generator],
    margin: float,
    precision: float,
) -> list[tuple[PosteriorFit, FloatArray]]:
    """Posterior of every hypothesis, by sampling where it can matter.

    Parameters
    ----------
    curve, hypotheses
        What is compared on what.
    rngs
        One for each hypothesis, so that one's draws do not depend on the others.
    margin
        Nats behind the best approximation from which on a hypothesis is not sampled.
    precision
        Sought Monte-Carlo standard error of the log evidence, in nats.

    Returns
    -------
    list of (PosteriorFit, ndarray)
        With the modes (K, p) found on the way. A hypothesis that was not sampled has no draws, no
        standard error, and Laplace's evidence.
    """
    first = [rough(h, curve) for h in hypotheses]
    known = [r.log_evidence for r in first if r.log_evidence is not None]
    top = max(known, default=-np.inf)
    floor, lead = top - margin, top - LAPLACE_SE
    found = []
    for hypothesis, guess, rng in zip(hypotheses, first, rngs, strict=True):
        value = guess.log_evidence
        if value is None or value >= floor:
            posterior = log_evidence(
                hypothesis,
                curve,
                rng=rng,
                precision=precision * (_BEHIND if value is not None and value < lead else 1.0),
                modes=guess.modes or None,
            )
        else:
            posterior = _unsampled(hypothesis, curve, value)
        found.append((posterior, guess.theta))
    best = max((p.log_evidence for p, _ in found if p.log_evidence is not None), default=-np.inf)
    for i, (posterior, modes) in enumerate(found):
        if _worth_another_try(posterior, best):
            again = log_evidence(
                hypotheses[i], curve, rng=rngs[i], draws=_MORE_DRAWS, precision=precision
            )
            found[i] = (max(posterior, again, key=lambda p: p.ess), modes)
    return found


def _worth_another_try(posterior: PosteriorFit, best: float) -> bool:
    """Whether sampling went badly where it matters."""
    if posterior.log_evidence is None or posterior.status != FitStatus.FEW_EFFECTIVE_DRAWS:
        return False
    return posterior.ess < _TOO_FEW and posterior.log_evidence > best - _NEAR


def _unsampled(hypothesis: Hypothesis, curve: Curve, value: float) -> PosteriorFit:
    return PosteriorFit(
        hypothesis=hypothesis,
        curve_digest=curve.digest,
        names=hypothesis.names,
        draws=np.zeros((0, len(hypothesis.names))),
        log_evidence=value,
        log_evidence_se=None,
        ess=0.0,
        pareto_k=float("nan"),
        sampler=LAPLACE,
        log_likelihood_max=float("-inf"),
        status=FitStatus.OK,
    )
