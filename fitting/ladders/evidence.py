"""The evidence of a hypothesis about a ladder, by adaptive importance sampling.

    Z = ∫ π(φ) π(s) ∏_rungs ∫ N(δ; 0, s²) ∏_runs [F(b e^(-δ)) - F(a e^(-δ))] dδ dφ ds

with F the hypothesis' law of the onset at the rung's conditions and 1 - F(c e^(-δ)) for a run that
ended at c without one. φ are the hypothesis' few unknowns, shared by all rungs; δ is how far a
rung may be off, of unknown small size s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.fit import FitStatus
from fitting.ladders.hypothesis import LadderHypothesis, Law, law_median
from fitting.ladders.onset_evidence import DISCREPANCY_RANGE
from fitting.ladders.onset_law import Rung
from fitting.log_sum_exp import log_sum_exp
from fitting.sampling.importance import Mixture, Population, nobody, refit
from fitting.sampling.pareto import pareto_k
from theory.curve import FloatArray
from theory.prior import LogUniform

PILOTS, PILOT_DRAWS = 6, 250
DRAWS, MOST_ROUNDS, LEARNING_ROUNDS = 400, 12, 4
POOR = 0.3  # effective share of draws below which a proposal is still to be learned
HOPELESS_DRAWS = 5.0
ENOUGH_DRAWS, LARGEST_K = 200.0, 0.7
NODES = np.arange(-3.6, 3.61, 0.4)
"""Of the integral over a discrepancy, in its sd: the trapezoid rule errs by 2 exp(-2 (π w/0.4)²)
for a likelihood of w sd, which is 3e-5 of it at w = 0.3."""
DISCREPANCY = "discrepancy"


@final
@dataclass(frozen=True, eq=False)
class LadderPosterior:
    """What a ladder says about a hypothesis.

    Attributes
    ----------
    hypothesis : LadderHypothesis
    log_evidence, log_evidence_se : float
    draws : mapping of str to (N, 1) array
        The unknowns, and the size of the discrepancies.
    shares : (N,) array
        Posterior weight of each draw.
    status : FitStatus
        Not OK where fewer than 200 draws are effective or the Pareto k is above 0.7.
    """

    hypothesis: LadderHypothesis
    log_evidence: float
    log_evidence_se: float
    draws: Mapping[str, FloatArray]
    shares: FloatArray
    status: FitStatus

    def mean(self, name: str) -> float:
        """Return the posterior mean of an unknown."""
        return float(self.shares @ self.draws[name][:, 0])

    def resampled(self, size: int, *, rng: np.random.Generator) -> dict[str, FloatArray]:
        """Return equally weighted draws, (size, 1) each."""
        which = rng.choice(self.shares.size, size, p=self.shares)
        return {name: draws[which] for name, draws in self.draws.items()}

    @cached_property
    def medians(self) -> tuple[float, ...]:
        """Median onset of each rung by the hypothesis' law, at the mean of the unknowns."""
        at = {name: np.array([[self.mean(name)]]) for name in self.draws}
        return tuple(law_median(law, at) for law in self.hypothesis.laws)


def ladder_evidence(
    hypothesis: LadderHypothesis,
    rungs: Sequence[Rung],
    *,
    rng: np.random.Generator,
    precision: float = 0.03,
) -> LadderPosterior:
    """Estimate the evidence of a hypothesis on a ladder, and its unknowns.

    Parameters
    ----------
    hypothesis : LadderHypothesis
        Of these rungs, in this order.
    rungs : sequence of Rung
    rng : numpy.random.Generator
    precision : float
        Sought standard error of the log evidence.
    """
    priors = {**hypothesis.unknowns, DISCREPANCY: LogUniform(*DISCREPANCY_RANGE)}
    tables = [bracketed(rung) for rung in rungs]

    def unknowns(z: FloatArray) -> dict[str, FloatArray]:
        return {
            name: prior.transport(z[:, i])[:, None]
            for i, (name, prior) in enumerate(priors.items())
        }

    def log_likelihood(z: FloatArray) -> FloatArray:
        draws = unknowns(z)
        total = np.zeros(len(z))
        for law, table in zip(hypothesis.laws, tables, strict=True):
            total += rung_log_likelihood(law, table, draws)
        return np.nan_to_num(total, nan=-np.inf, posinf=-np.inf)

    d = len(priors)
    mixture = Mixture(np.ones(1), np.zeros((1, d)), 1.2 * np.eye(d)[None])
    pilot = nobody(d)
    for _ in range(PILOTS):
        pilot = pilot.extended(log_likelihood, mixture, PILOT_DRAWS, rng=rng)
        if not np.isfinite(pilot.log_mean):
            shares = np.full(len(pilot.z), 1 / len(pilot.z))
            return LadderPosterior(
                hypothesis, -np.inf, 0.0, unknowns(pilot.z), shares, FitStatus.NO_SUPPORT
            )
        mixture = refit(mixture, pilot)
        if pilot.ess >= ENOUGH_DRAWS:
            break
    final = _fresh(log_likelihood, mixture, pilot, precision, rng)
    return LadderPosterior(
        hypothesis, final.log_mean, final.se, unknowns(final.z), final.shares, _gate(final)
    )


def _fresh(
    log_likelihood: Callable[[FloatArray], FloatArray],
    mixture: Mixture,
    pilot: Population,
    precision: float,
    rng: np.random.Generator,
) -> Population:
    """Draw from one fixed proposal until the evidence is precise; from a better one if it is poor.

    Draws that shaped a proposal do not count: weighted by it they come out too light, a tenth of a
    nat with five unknowns.
    """
    final = nobody(pilot.z.shape[1])
    for done in range(1, MOST_ROUNDS + 1):
        final = final.extended(log_likelihood, mixture, DRAWS, rng=rng)
        if final.ess >= ENOUGH_DRAWS and final.se < precision:
            break
        if done > LEARNING_ROUNDS and final.ess < HOPELESS_DRAWS:
            break  # far from what the prior allows; the status says so
        if done <= LEARNING_ROUNDS and final.ess < POOR * len(final.z):
            pilot = pilot.joined(mixture, final.z, final.log_likelihood)
            mixture = refit(mixture, pilot)
            final = nobody(pilot.z.shape[1])
    return final


def _gate(weighted: Population) -> FitStatus:
    if weighted.ess < ENOUGH_DRAWS:
        return FitStatus.FEW_EFFECTIVE_DRAWS
    return FitStatus.HEAVY_WEIGHTS if pareto_k(weighted.log_weight) > LARGEST_K else FitStatus.OK


@final
@dataclass(frozen=True, eq=False)
class Brackets:
    """The brackets of a rung's onsets, every edge once.

    Attributes
    ----------
    log_edges : (E,) array
        Logs of the positive finite edges.
    lower, upper : (n,) arrays of int
        Places of each bracket's ends among the edges; E stands for the open end (0 or infinity).
    counts : (n,) array
        Runs in each bracket.
    """

    log_edges: FloatArray
    lower: NDArray[np.intp]
    upper: NDArray[np.intp]
    counts: FloatArray


def bracketed(rung: Rung) -> Brackets:
    """Return the brackets of a rung's onsets."""
    pairs, counts = np.unique([(o.lower, o.upper) for o in rung.onsets], axis=0, return_counts=True)
    edges = np.unique(pairs)
    edges = edges[(edges > 0) & np.isfinite(edges)]
    lower, upper = (
        np.where((end > 0) & np.isfinite(end), np.searchsorted(edges, end), edges.size)
        for end in pairs.T
    )
    return Brackets(np.log(edges), lower, upper, counts.astype(np.float64))


def rung_log_likelihood(law: Law, table: Brackets, draws: Mapping[str, FloatArray]) -> FloatArray:
    """Return ln ∫ N(δ; 0, s²) ∏ P(bracket | δ) dδ of one rung, (N,)."""
    shift = draws[DISCREPANCY] * NODES  # (N, K)
    n, e, k = len(shift), table.log_edges.size, NODES.size
    log_t = table.log_edges[None, :, None] - shift[:, None, :]
    below, above = law(log_t.reshape(n, e * k), draws)
    open_end = np.full((n, 1, k), -np.inf)
    certain = np.zeros((n, 1, k))
    below, above = below.reshape(n, e, k), above.reshape(n, e, k)
    below_a = np.concatenate([below, open_end], axis=1)[:, table.lower]
    above_a = np.concatenate([above, certain], axis=1)[:, table.lower]
    below_b = np.concatenate([below, certain], axis=1)[:, table.upper]
    above_b = np.concatenate([above, open_end], axis=1)[:, table.upper]
    # The smaller tail is differenced, so that nothing is lost to 1 - tiny.
    left = below_b < above_a
    larger, smaller = np.where(left, below_b, above_a), np.where(left, below_a, above_b)
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = np.where(larger == -np.inf, -1.0, np.minimum(smaller - larger, -1e-12))
        each = larger + np.log(-np.expm1(gap))
    weights = np.exp(-(NODES**2) / 2)
    total = np.einsum("j,njk->nk", table.counts, np.maximum(each, -1e6))
    return np.asarray(log_sum_exp(total + np.log(weights / weights.sum()), axis=1))
