"""Which hypotheses are worth an exact evidence.

Laplace's approximation around the modes costs a fifth of importance sampling, but on broad
posteriors it may be many nats too low. What cannot lie is the likelihood: no evidence exceeds its
largest value. So a candidate that Laplace puts far behind is left out only if that bound is far
behind too; else a quick sample decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from fitting.evidence import SCALES, log_evidence
from fitting.fit import FitStatus, PosteriorFit
from fitting.log_sum_exp import log_sum_exp
from fitting.optimum.optima import Optima
from fitting.sampling.modes import Mode, find_modes
from fitting.sampling.starts import FindStarts, SharedStarts, form_starts
from fitting.sampling.target import Target
from fitting.threads import each
from theory.curve import Curve
from theory.hypothesis import Hypothesis

FloatArray = NDArray[np.float64]

LAPLACE = "Laplace's approximation"
LAPLACE_SE = 2.0
"""What Laplace's approximation may be off by, in nats: measured on sigmoids with unseen plateau."""

# Nats by which Laplace's approximation may be too low before only the bound counts, and by which
# the largest likelihood may exceed the one at the mode, where the prior has its say too.
_LAPLACE_SLACK = 3.0
_BOUND_SLACK = 1.0

_QUICK_DRAWS = 400
_QUICK_PRECISION = 0.3

# A candidate behind by more than Laplace's error has a small weight, whose error is smaller still:
# its evidence is sought this many times less precisely.
_BEHIND = 2.0

# A candidate this near the best one, in nats, whose evidence rests on fewer effective draws than
# this, is sampled once more with this many draws a round.
_NEAR = 6.0
_TOO_FEW = 50.0
_MORE_DRAWS = 2000


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
    bound
        What the log evidence cannot exceed, as far as the search saw.
    scaled
        The same as `log_evidence` with wider or narrower priors of the linear parameters.
    """

    log_evidence: float | None
    modes: tuple[Mode, ...]
    theta: FloatArray
    bound: float = np.inf
    scaled: Mapping[float, float] = field(default_factory=dict)


def rough(hypothesis: Hypothesis, curve: Curve, starts: FindStarts = form_starts) -> Rough:
    """Approximate the evidence of a hypothesis around its modes (Tierney and Kadane 1986)."""
    target = Target(hypothesis, curve)
    nothing = np.zeros((0, len(hypothesis.names)))
    if target.dimension == 0:
        return Rough(None, (), nothing)
    try:
        modes = tuple(find_modes(target, starts=starts))
    except np.linalg.LinAlgError:  # the evidence, asked without modes, will say so
        modes = ()
    if not modes:
        return Rough(None, (), nothing)
    centers = np.array([mode.center for mode in modes])
    sums = target.sums(centers)
    mass = np.array([mode.log_mass for mode in modes])
    here = target.log_likelihood(sums)
    scaled = {
        scale: float(log_sum_exp(mass + target.log_likelihood(sums, scale) - here))
        for scale in SCALES
        if hypothesis.linear
    }
    theta = np.zeros((len(modes), len(hypothesis.names)))
    theta[:, [hypothesis.names.index(n) for n in target.names]] = hypothesis.transport(
        centers, target.names
    )
    if target.share is not None:
        theta[:, hypothesis.names.index(target.share)] = target.best_share(sums)
    bound = max(mode.log_likelihood for mode in modes) + _BOUND_SLACK
    return Rough(float(log_sum_exp(mass)), modes, theta, bound, scaled)


def posteriors(
    curve: Curve,
    hypotheses: Sequence[Hypothesis],
    *,
    rngs: Sequence[np.random.Generator],
    margin: float,
    precision: float,
    optima: Optima | None = None,
    workers: int = 1,
) -> list[tuple[PosteriorFit, FloatArray]]:
    """Posterior of every hypothesis, by sampling where it can matter.

    Parameters
    ----------
    curve, hypotheses
        What is compared on what.
    rngs
        One for each hypothesis, so that one's draws do not depend on the others.
    margin
        Nats behind the best evidence from which on a hypothesis does not matter.
    precision
        Sought Monte-Carlo standard error of the log evidence, in nats.
    optima
        The curve's least-squares fits, if they are wanted for something else too.
    workers
        Threads.

    Returns
    -------
    list of (PosteriorFit, ndarray)
        With the modes (K, p) found on the way. A hypothesis that was not sampled has no draws, no
        standard error, and Laplace's evidence.
    """
    starts = SharedStarts(optima or Optima(curve))
    guesses = each(lambda h: rough(h, curve, starts), hypotheses, workers=workers)
    top = max((g.log_evidence for g in guesses if g.log_evidence is not None), default=-np.inf)

    def sampled(i: int, **options: Any) -> PosteriorFit:
        options |= {"modes": guesses[i].modes or None, "starts": starts}
        return log_evidence(hypotheses[i], curve, rng=rngs[i], **options)

    def near(i: int) -> PosteriorFit:
        value = guesses[i].log_evidence
        behind = value is not None and value < top - LAPLACE_SE
        return sampled(i, precision=precision * (_BEHIND if behind else 1.0))

    def far(i: int) -> PosteriorFit:
        quick = sampled(i, draws=_QUICK_DRAWS, precision=_QUICK_PRECISION, thorough=False)
        return (
            sampled(i, precision=precision * _BEHIND) if _matters(quick, best - margin) else quick
        )

    def better(i: int) -> PosteriorFit:
        if not _worth_another_try(found[i], best):
            return found[i]
        again = sampled(i, draws=_MORE_DRAWS, precision=precision)
        return max(found[i], again, key=lambda p: p.ess)

    every = range(len(hypotheses))
    first = [i for i in every if _is_near(guesses[i], top - margin - _LAPLACE_SLACK)]
    found = dict(zip(first, each(near, first, workers=workers), strict=True))
    best = _best(found)
    second = [i for i in every if i not in found and guesses[i].bound >= best - margin]
    found |= dict(zip(second, each(far, second, workers=workers), strict=True))
    best = _best(found)
    found = dict(zip(found, each(better, found, workers=workers), strict=True))
    return [
        (found[i] if i in found else _unsampled(h, curve, guess), guess.theta)
        for i, (h, guess) in enumerate(zip(hypotheses, guesses, strict=True))
    ]


def _is_near(guess: Rough, floor: float) -> bool:
    return guess.log_evidence is None or guess.log_evidence >= floor


def _best(found: Mapping[int, PosteriorFit]) -> float:
    known = [p.log_evidence for p in found.values() if p.log_evidence is not None]
    return max(known, default=-np.inf)


def _matters(quick: PosteriorFit, floor: float) -> bool:
    """Whether a quick sample leaves room for an evidence above the floor."""
    if quick.log_evidence is None or quick.status != FitStatus.OK:
        return True
    return quick.log_evidence + 3.0 * (quick.log_evidence_se or 0.0) > floor


def _worth_another_try(posterior: PosteriorFit, best: float) -> bool:
    """Whether sampling went badly where it matters."""
    if posterior.log_evidence is None or posterior.status != FitStatus.FEW_EFFECTIVE_DRAWS:
        return False
    return posterior.ess < _TOO_FEW and posterior.log_evidence > best - _NEAR


def _unsampled(hypothesis: Hypothesis, curve: Curve, guess: Rough) -> PosteriorFit:
    return PosteriorFit(
        hypothesis=hypothesis,
        curve_digest=curve.digest,
        names=hypothesis.names,
        draws=np.zeros((0, len(hypothesis.names))),
        log_evidence=guess.log_evidence,
        log_evidence_se=None,
        ess=0.0,
        pareto_k=float("nan"),
        sampler=LAPLACE,
        log_likelihood_max=float("-inf"),
        status=FitStatus.OK,
        scaled_log_evidence=guess.scaled,
    )
