"""Evidence where importance sampling failed: chains of the same density, then bridge sampling.

It costs 5 to 100 s a hypothesis. Chains know nothing of the importance sample, and two runs with
different seeds must agree; otherwise the number is not computed, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.evidence import POSTERIOR_DRAWS, SCALES, scaled_ratio
from fitting.fit import FitStatus, PosteriorFit
from fitting.log_sum_exp import log_sum_exp
from fitting.sampling.bridge import bridge
from fitting.sampling.hamiltonian import walk
from fitting.sampling.modes import Mode, find_modes, log_prior
from fitting.sampling.nuts import diagnostics, said
from fitting.sampling.target import Target
from theory.curve import Curve
from theory.hypothesis import Hypothesis

FloatArray = NDArray[np.float64]

BRIDGE = "Hamiltonian Monte Carlo and bridge sampling"
GATED = (FitStatus.FEW_EFFECTIVE_DRAWS, FitStatus.HEAVY_WEIGHTS)
# Below so many effective draws an importance sample that could not be checked is no estimate.
USELESS_ESS = 20.0
# Joint standard errors by which two runs may differ.
_MOST_APART = 3.0
# An unbiased estimate exceeds the truth twentyfold in at most one case of twenty (Markov): then it
# is the chains that missed something.
_EXCESS = float(np.log(20.0))


@final
@dataclass(frozen=True, eq=False)
class Run:
    """One run of chains: draws (chains, draws, d) of ordered deviates, their evidence, a status."""

    z: FloatArray
    log_evidence: float
    se: float
    ess: float
    status: FitStatus


def bridge_evidence(
    hypothesis: Hypothesis,
    curve: Curve,
    *,
    rng: np.random.Generator,
    draws: int = 400,
    tune: int = 200,
    chains: int = 8,
    modes: Sequence[Mode] | None = None,
) -> PosteriorFit:
    """Estimate the log evidence by bridge sampling from Hamiltonian chains, twice.

    Parameters
    ----------
    hypothesis, curve
    rng
        Gives the two runs their seeds.
    draws, tune, chains
        Kept and warm-up draws of each chain, chains of each run.
    modes
        What `fitting.sampling.modes.find_modes` found, if it has been asked already. Chains start
        there.

    Returns
    -------
    PosteriorFit
        Of the same density that importance sampling integrates, with the linear parameters in
        closed form. Without an evidence, and with the reason as its status, where chains did not
        mix, or the two runs differ by more than three joint standard errors.
    """
    target = Target(hypothesis, curve)
    with np.errstate(all="ignore"):
        modes = find_modes(target) if modes is None else modes
    if not modes:
        return _without(target, FitStatus.NO_SUPPORT)
    options = {"draws": draws, "tune": tune, "chains": chains}
    found = []
    for child in rng.spawn(2):
        found.append(_run(target, modes, child, **options))
        if found[-1].status != FitStatus.OK:
            return _without(target, found[-1].status)
    first, second = found
    joint_se = float(np.hypot(first.se, second.se))
    apart = abs(first.log_evidence - second.log_evidence)
    if not apart <= _MOST_APART * joint_se:
        return _without(target, FitStatus.RUNS_DISAGREE)
    return _posterior(target, found, max(0.5 * joint_se, 0.5 * apart), rng)


def cross_checked(
    found: Sequence[PosteriorFit],
    curve: Curve,
    *,
    rngs: Sequence[np.random.Generator],
    margin: float,
) -> list[PosteriorFit]:
    """Sample again what importance sampling failed on and what matters.

    Parameters
    ----------
    found
        Posteriors of the candidates on the curve.
    curve
    rngs
        One for each.
    margin
        Nats behind the best evidence from which on a candidate does not matter.

    Returns
    -------
    list of PosteriorFit
        In the same order. One that could not be checked keeps its rough evidence, and says why; if
        that rests on fewer than 20 effective draws, it has none.
    """
    checked = list(found)
    for i in gated(found, margin):
        again = bridge_evidence(found[i].hypothesis, curve, rng=rngs[i])
        checked[i] = judged(found[i], again)
    return checked


def gated(found: Sequence[PosteriorFit], margin: float) -> list[int]:
    """Which candidates within the margin have an evidence that importance sampling distrusts."""
    known = [p.log_evidence for p in found if p.log_evidence is not None]
    floor = max(known, default=-np.inf) - margin
    return [
        i
        for i, p in enumerate(found)
        if p.status in GATED and p.log_evidence is not None and p.log_evidence >= floor
    ]


def judged(rough: PosteriorFit, again: PosteriorFit) -> PosteriorFit:
    """Choose between a rough importance sample and what bridge sampling gave."""
    reason = again.status
    if again.log_evidence is not None and rough.log_evidence is not None:
        if again.log_evidence >= rough.log_evidence - _EXCESS:
            return again
        reason = FitStatus.MISSED_MASS
    if rough.ess >= USELESS_ESS:
        return replace(rough, remark=f"Bridge sampling could not check it: {reason}")
    return replace(
        rough,
        draws=np.empty((0, len(rough.names))),
        log_evidence=None,
        log_evidence_se=None,
        scaled_log_evidence={},
        status=reason,
        remark="Neither importance sampling nor bridge sampling gave an evidence.",
    )


def _run(target: Target, modes: Sequence[Mode], rng: np.random.Generator, **options: int) -> Run:
    """Walk from the modes, and bridge; places out of order count as if sorted."""

    def density(points: FloatArray) -> FloatArray:
        ordered = target.hypothesis.ordered(points, target.names)
        return log_prior(points) + target.log_likelihood(target.sums(ordered))

    def ordered_density(points: FloatArray) -> FloatArray:
        likelihood = target.log_likelihood(target.ordered_sums(points))
        return log_prior(points) + likelihood + target.log_copies

    starts, factor = _starts(modes, options.pop("chains"), rng)
    with np.errstate(all="ignore"):
        found = walk(density, starts, factor, rng=rng, **options)
        z = target.hypothesis.ordered(found.z, target.names)
        rhat, ess = diagnostics([z])
        # Where trajectories diverge, jumps still reach; whether all is seen the two runs tell.
        status = said(rhat, ess, 0.0, len(z))
        if status != FitStatus.OK:
            return Run(z, float("nan"), float("inf"), ess, status)
        over = bridge(z, ordered_density, rng=rng)
    status = FitStatus.OK if np.isfinite(over.log_evidence) else FitStatus.NOT_CONVERGED
    return Run(z, over.log_evidence, over.se, ess, status)


def _starts(
    modes: Sequence[Mode], number: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Draw starts of chains around all modes in turn, the heaviest first, with its factor."""
    modes = sorted(modes, key=lambda mode: -mode.log_mass)
    which = np.arange(number) % len(modes)
    normals = rng.standard_normal((number, modes[0].center.size))
    starts = [modes[k].center + modes[k].factor @ u for k, u in zip(which, normals, strict=True)]
    return np.array(starts), modes[0].factor


def _posterior(
    target: Target, runs: Sequence[Run], se: float, rng: np.random.Generator
) -> PosteriorFit:
    z = np.concatenate([run.z.reshape(-1, target.dimension) for run in runs])
    z = z[np.linspace(0, len(z) - 1, POSTERIOR_DRAWS).round().astype(int)]
    sums = target.sums(z)
    draws, value = target.draw_natural(z, sums, rng=rng)
    log_evidence = float(np.mean([run.log_evidence for run in runs]))
    scaled = {
        scale: log_evidence
        + float(log_sum_exp(scaled_ratio(target, z, sums, scale)) - np.log(len(z)))
        for scale in SCALES
    }
    return PosteriorFit(
        hypothesis=target.hypothesis,
        curve_digest=target.curve.digest,
        names=target.hypothesis.names,
        draws=draws,
        log_evidence=log_evidence,
        log_evidence_se=se,
        ess=min(float(len(z)), sum(run.ess for run in runs)),
        pareto_k=float("nan"),
        sampler=BRIDGE,
        log_likelihood_max=float(value.max()),
        scaled_log_evidence=scaled,
    )


def _without(target: Target, status: FitStatus) -> PosteriorFit:
    hypothesis = target.hypothesis
    return PosteriorFit(
        hypothesis=hypothesis,
        curve_digest=target.curve.digest,
        names=hypothesis.names,
        draws=np.empty((0, len(hypothesis.names))),
        log_evidence=None,
        log_evidence_se=None,
        ess=0.0,
        pareto_k=float("nan"),
        sampler=BRIDGE,
        log_likelihood_max=float("-inf"),
        status=status,
    )
