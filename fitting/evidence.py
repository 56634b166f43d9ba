"""The evidence of a hypothesis: how well it predicted the whole curve before seeing it.

Linear parameters are integrated in closed form, the others by adaptive importance sampling from
the modes that a deterministic search finds. The estimate says itself when it is not to be trusted.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fitting.fit import FitStatus, PosteriorFit
from fitting.log_sum_exp import log_sum_exp
from fitting.sampling.ensemble import walk
from fitting.sampling.importance import Mixture, Population, from_points, joined, nobody, refit
from fitting.sampling.modes import Mode, find_modes, loose, scattered
from fitting.sampling.pareto import pareto_k
from fitting.sampling.starts import FindStarts, form_starts
from fitting.sampling.target import Sums, Target
from theory.curve import Curve
from theory.hypothesis import Hypothesis

Array = NDArray[np.float64]

SCALES = (0.5, 2.0)
ENOUGH_DRAWS = 200.0  # effective
EASY = 0.35  # effective share of draws; below it a lobe of the posterior may be missing
LARGEST_K = 0.7
POSTERIOR_DRAWS = 1000
MOST_ROUNDS, FEW_ROUNDS = 12, 5
NEGLIGIBLE = 25.0  # nats below the heaviest draw: a million of them weigh 1e-5 of it
COARSER = 2.0  # times the sought error where few draws count and each further digit costs dear
ANCHORED = 0.15  # share of every proposal that stays where the search found something


def log_evidence(
    hypothesis: Hypothesis,
    curve: Curve,
    *,
    rng: np.random.Generator,
    draws: int = 1000,
    precision: float = 0.01,
    modes: Sequence[Mode] | None = None,
    thorough: bool = True,
    starts: FindStarts = form_starts,
) -> PosteriorFit:
    """Estimate the log evidence and the posterior of a hypothesis on a curve.

    Parameters
    ----------
    hypothesis, curve
    rng : numpy.random.Generator
    draws : int
        Draws a round: one and a half rounds shape the proposal, up to five count (twelve where most
        draws do), and where the gate fails all is done anew from what was learned, with more draws.
    precision : float
        Sought standard error of the log evidence.
    modes : sequence of Mode, optional
        What ``fitting.sampling.modes.find_modes`` found, if it has been asked already.
    thorough : bool
        Whether to send out walkers where draws around the modes do not tell the whole story.
    starts : callable
        What finds the places from which modes are climbed to and walkers set out.

    Returns
    -------
    PosteriorFit
        With a status that is not OK where the effective number of draws is below 200, the Pareto
        k of the weights is above 0.7, or no parameter value gives the curve a likelihood.
    """
    target = Target(hypothesis, curve)
    if target.dimension == 0:
        return _exact(target, rng)
    recorder = _Recorder(target)
    try:
        # Where the likelihood is all but zero, numbers over- and underflow; the gate judges.
        with np.errstate(all="ignore"):
            modes = find_modes(target, starts=starts) if modes is None else modes
            if not modes:
                return _failed(target, FitStatus.NO_SUPPORT)
            weighted = _sample(recorder, modes, draws, precision, rng, starts if thorough else None)
            status, k = _gate(weighted)
    except np.linalg.LinAlgError:
        return _failed(target, FitStatus.NOT_SAMPLED)
    if not np.isfinite(weighted.log_mean):
        return _failed(target, FitStatus.NO_SUPPORT)
    return _posterior(target, recorder, weighted, status, k, rng)


def _sample(
    recorder: "_Recorder",
    modes: Sequence[Mode],
    draws: int,
    precision: float,
    rng: np.random.Generator,
    starts: FindStarts | None,
) -> Population:
    """Draw rounds from the modes; where these fail, from walkers too, if there are starts."""
    target = recorder.target
    pilot = nobody(target.dimension)
    anchor = _around(target, modes)
    adaptive = joined(_at(modes), anchor, 0.4)
    for count in (draws // 2, draws):
        pilot = pilot.extended(recorder, joined(adaptive, anchor, ANCHORED), count, rng=rng)
        if not np.isfinite(pilot.log_mean):
            return pilot
        adaptive = refit(adaptive, pilot)
    for _ in range(2):
        proposal = joined(adaptive, anchor, ANCHORED)
        final = _settled(recorder, proposal, draws, precision, rng, hurried=True)
        if _easy(final) and _gate(final)[0] is FitStatus.OK:
            return final
        pilot = pilot.joined(proposal, final.z, final.log_likelihood)
        adaptive = refit(adaptive, pilot)
        if final.ess < 0.1 * len(final.z):
            break
    if starts is None:
        return final
    if _easy(final):
        return _settled(recorder, joined(adaptive, anchor, ANCHORED), 3 * draws, precision, rng)
    points = walk(recorder.values, scattered(target, size=25, rng=rng, find_starts=starts), rng=rng)
    points = target.hypothesis.ordered(points, target.names)
    walked = from_points(points, 4 * target.dimension, rng=rng)
    anchor = joined(walked, anchor, 0.3)
    adaptive = joined(walked, adaptive, 0.3)
    for _ in range(2):
        proposal = joined(adaptive, anchor, 2 * ANCHORED)
        pilot = pilot.extended(recorder, proposal, 2 * draws, rng=rng)
        adaptive = refit(adaptive, pilot)
    for count in (2 * draws, 4 * draws):
        proposal = joined(adaptive, anchor, 2 * ANCHORED)
        final = _settled(recorder, proposal, count, precision, rng)
        if _gate(final)[0] is FitStatus.OK:
            break
        pilot = pilot.joined(proposal, final.z, final.log_likelihood)
        adaptive = refit(adaptive, pilot)
    return final


def _settled(
    recorder: "_Recorder",
    proposal: Mixture,
    draws: int,
    precision: float,
    rng: np.random.Generator,
    *,
    hurried: bool = False,
) -> Population:
    """Fresh draws from one fixed proposal until it is precise, or more rounds do not pay.

    Five at most, twelve where the proposal is good; if ``hurried``, two where it is poor.

    Weights by proposals that were fitted to the same draws are too small on average (by half the
    number of fitted values over the number of draws: several per cent), so draws that shaped the
    proposal do not count.
    """
    population = nobody(recorder.target.dimension)
    for done in range(1, MOST_ROUNDS + 1):
        population = population.extended(recorder, proposal, draws, rng=rng)
        poor = not _easy(population)
        enough = precision * (COARSER if poor else 1.0)
        precise = population.se < enough and _gate(population)[0] is FitStatus.OK
        if precise or (poor and done >= (2 if hurried else FEW_ROUNDS)):
            break
    return population


def _easy(population: Population) -> bool:
    return population.ess > EASY * len(population.z)


class _Recorder:
    """The target's log likelihood, keeping the sums behind every value."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.parts: list[Sums] = []

    def __call__(self, z: Array) -> Array:
        """Log likelihood of ordered deviates; their prior counts the copies that sorting makes."""
        sums = self.target.ordered_sums(z)
        self.parts.append(sums)
        return self.target.log_likelihood(sums) + self.target.log_copies

    def values(self, z: Array) -> Array:
        """Evaluate the log likelihood at the sorted deviates, without keeping anything."""
        return self.target.log_likelihood(self.target.sums(z))

    def last(self, size: int) -> Sums:
        """Join the sums of the last ``size`` draws, in order."""
        gram = np.concatenate([part.gram for part in self.parts])
        constant = np.concatenate([part.constant for part in self.parts])
        return Sums(gram[-size:], constant[-size:])


def _at(modes: Sequence[Mode]) -> Mixture:
    """Laplace's approximation of each mode."""
    return Mixture(
        _mode_weights(modes),
        np.array([mode.center for mode in modes]),
        np.linalg.cholesky(np.array([mode.covariance for mode in modes])),
    )


def _around(target: Target, modes: Sequence[Mode]) -> Mixture:
    """Each mode twice as wide, and the same with all that is loose left to its prior."""
    centers, covariances = [], []
    for mode in modes:
        d = mode.center.size
        wide = np.linalg.inv(np.linalg.inv(4 * mode.covariance) + 0.5 * np.eye(d))
        free = loose(target, mode)
        left = np.where(np.outer(~free, ~free), wide, np.eye(d))
        centers += [mode.center, np.where(free, 0.0, mode.center)]
        covariances += [wide, left]
    weights = np.repeat(0.5 * _mode_weights(modes), 2)
    return Mixture(weights, np.array(centers), np.linalg.cholesky(np.array(covariances)))


def _mode_weights(modes: Sequence[Mode]) -> Array:
    mass = np.array([mode.log_mass for mode in modes])
    weights = np.exp(0.5 * (mass - mass.max())) + 0.05
    return np.asarray(weights / weights.sum())


def _gate(weighted: Population) -> tuple[FitStatus, float]:
    if not np.isfinite(weighted.log_mean):
        return FitStatus.NO_SUPPORT, float("inf")
    k = pareto_k(weighted.log_weight)
    if weighted.ess < ENOUGH_DRAWS:
        return FitStatus.FEW_EFFECTIVE_DRAWS, k
    return (FitStatus.HEAVY_WEIGHTS if k > LARGEST_K else FitStatus.OK), k


def _posterior(
    target: Target,
    recorder: _Recorder,
    weighted: Population,
    status: FitStatus,
    k: float,
    rng: np.random.Generator,
) -> PosteriorFit:
    sums = recorder.last(len(weighted.z))
    ladder = (np.arange(POSTERIOR_DRAWS) + rng.random()) / POSTERIOR_DRAWS
    index = np.searchsorted(np.cumsum(weighted.shares), ladder)
    index = np.minimum(index, len(weighted.shares) - 1)
    draws, value = target.draw_natural(weighted.z[index], sums.at(index), rng=rng)
    some = np.flatnonzero(weighted.log_weight > weighted.log_weight.max() - NEGLIGIBLE)
    log_weight = weighted.log_weight[some]
    scaled = {
        scale: float(
            log_sum_exp(log_weight + scaled_ratio(target, weighted.z[some], sums.at(some), scale))
            - np.log(len(weighted.log_weight))
        )
        for scale in SCALES
    }
    return PosteriorFit(
        hypothesis=target.hypothesis,
        curve_digest=target.curve.digest,
        names=target.hypothesis.names,
        draws=draws,
        log_evidence=weighted.log_mean,
        log_evidence_se=weighted.se,
        ess=weighted.ess,
        pareto_k=k,
        sampler="collapsed adaptive importance sampling",
        log_likelihood_max=float(value.max()),
        status=status,
        scaled_log_evidence=scaled,
    )


def scaled_ratio(target: Target, z: Array, sums: Sums, scale: float) -> Array:
    """Log ratio of the target with wider linear priors to the target itself, shape (B,)."""
    if target.hypothesis.linear:
        with np.errstate(invalid="ignore"):
            ratio = target.log_likelihood(sums, scale) - target.log_likelihood(sums)
        return np.nan_to_num(ratio, nan=0.0)
    ratio = np.zeros(len(z))
    theta = target.hypothesis.transport(z, target.names)
    for i in target.sampled_linear:
        parts = target.hypothesis.priors[target.names[i]].gaussians
        if parts:
            ratio += _log_mixture(theta[:, i], parts, scale) - _log_mixture(theta[:, i], parts, 1.0)
    return ratio


def _log_mixture(x: Array, parts: tuple[tuple[float, float, float], ...], scale: float) -> Array:
    weights, means, sds = np.array(parts).T
    u = (x[:, None] - means) / (sds * scale)
    return np.asarray(log_sum_exp(np.log(weights / (sds * scale)) - 0.5 * u * u, axis=1))


def _exact(target: Target, rng: np.random.Generator) -> PosteriorFit:
    """Nothing is left to sample: the evidence is a closed form."""
    one = target.sums(np.empty((1, 0)))
    index = np.zeros(POSTERIOR_DRAWS, dtype=np.intp)
    nothing = np.empty((POSTERIOR_DRAWS, 0))
    draws, value = target.draw_natural(nothing, one.at(index), rng=rng)
    return PosteriorFit(
        hypothesis=target.hypothesis,
        curve_digest=target.curve.digest,
        names=target.hypothesis.names,
        draws=draws,
        log_evidence=float(target.log_likelihood(one)[0]),
        log_evidence_se=0.0,
        ess=float(POSTERIOR_DRAWS),
        pareto_k=float("-inf"),
        sampler="closed form",
        log_likelihood_max=float(value.max()),
        scaled_log_evidence={
            scale: float(target.log_likelihood(one, scale)[0]) for scale in SCALES
        },
    )


def _failed(target: Target, status: FitStatus) -> PosteriorFit:
    return PosteriorFit(
        hypothesis=target.hypothesis,
        curve_digest=target.curve.digest,
        names=target.hypothesis.names,
        draws=np.empty((0, len(target.hypothesis.names))),
        log_evidence=None,
        log_evidence_se=None,
        ess=0.0,
        pareto_k=float("inf"),
        sampler="collapsed adaptive importance sampling",
        log_likelihood_max=float("-inf"),
        status=status,
    )
