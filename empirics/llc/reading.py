"""A learning coefficient as it was measured, with everything that could make it wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.llc.convergence import effective_sample_size, split_rhat
from empirics.llc.record import Chains
from empirics.probe import Reading

MOST_BELOW = 0.05
"""Share of draws below the center from which a chain has left (Chen et al. 2023, appendix K)."""
HIGHEST_RHAT = 1.05
FEWEST_EFFECTIVE = 100.0
VIRIAL_TOLERANCE = 0.1
VIRIAL_UNKNOWN = 0.5
LEAST_ACCEPTANCE = 0.8
MOST_BLOCKS = 20
MOST_NOISE = 0.1
"""Share of what was read that the noise of minibatches may have added at most."""
SURE = 3.0
"""Standard errors from which a slope is told from none."""
MOST_CORRECTED = 0.2
"""Share of what was read that may be subtracted for the step; beyond it the first order is not
enough, and on minibatches their noise counts too."""


@final
@dataclass(frozen=True)
class LLCReading:
    """The local learning coefficient of one center.

    Attributes
    ----------
    llc : float or None
        nbeta · (mean energy of the draws - energy of the center), less `step_size_bias` where
        that is known; None where no chain survived.
    llc_se : float or None
        Standard error, from the effective sample size of the chains together, and that of a bias
        that is subtracted.
    llc_variance : float or None
        nbeta² · variance of the energy: the same coefficient where the energy scales as a power
        (None with minibatches, whose own noise would count).
    chain_llcs : tuple of float
        Each chain's, NaN for a diverged one.
    kept : tuple of bool
        Chains that `llc` is made of.
    below_center : tuple of float
        Share of each chain's draws whose energy lies below the center's; with minibatches, of
        its blocks of draws whose mean lies below it by more than twice its standard error.
    virial : float or None
        Mean of (w - center)·∇U over d: 1 in equilibrium.
    rhat, ess : float or None
        Split R-hat and effective sample size of the energy.
    acceptance : float or None
        Mean probability with which moves were, or would have been, accepted.
    distance : float or None
        Root mean square distance of the draws from the center, in the scales.
    init_loss, gradient_norm : float
        Energy of the center and norm of its gradient there, on the whole data.
    step_size_bias : float or None
        What the finite step adds, subtracted from `llc`; None if not asked for.
    nbeta, localization, step_size : float
    num_parameters, num_draws, num_burnin_steps : int
    num_samples : int or None
    doubts : tuple of str
        Sentences; none where the reading can be trusted.
    """

    llc: float | None
    llc_se: float | None
    llc_variance: float | None
    chain_llcs: tuple[float, ...]
    kept: tuple[bool, ...]
    below_center: tuple[float, ...]
    virial: float | None
    rhat: float | None
    ess: float | None
    acceptance: float | None
    distance: float | None
    init_loss: float
    gradient_norm: float
    step_size_bias: float | None
    nbeta: float
    localization: float
    step_size: float
    num_parameters: int
    num_draws: int
    num_burnin_steps: int
    num_samples: int | None
    doubts: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """One sentence: trusted, or why not."""
        return " ".join(self.doubts) or "The chains agree and have equilibrated."

    @property
    def is_trusted(self) -> bool:
        """Whether nothing speaks against the reading."""
        return not self.doubts

    def as_reading(self) -> Reading:
        """Return the value and its standard error as a probe's reading.

        Raises
        ------
        ValueError
            If there is no value.
        """
        if self.llc is None:
            raise ValueError(self.status)
        return Reading(self.llc, se=self.llc_se)


@final
@dataclass(frozen=True)
class Bias:
    """What a finite step adds to a coefficient.

    Attributes
    ----------
    value, se : float or None
        None where it is not known.
    noise : float
        What minibatches may add besides, at most.
    is_subtracted : bool
    """

    value: float | None = None
    se: float = 0.0
    noise: float = 0.0
    is_subtracted: bool = False


@final
@dataclass(frozen=True)
class Facts:
    """What a reading knows besides its chains."""

    num_parameters: int
    num_burnin_steps: int
    num_samples: int | None
    is_exact: bool
    on_minibatches: bool
    bias: Bias = Bias()
    doubts: tuple[str, ...] = ()
    """The potential's own, about its draws."""


def read(chains: Chains, center: int, facts: Facts) -> LLCReading:
    """Return the reading of one center from its chains.

    Parameters
    ----------
    chains : Chains
    center : int
        Its row.
    facts : Facts
    """
    excess, nbeta = chains.excess[center], float(chains.nbeta[center])
    alive = ~chains.diverged[center]
    below = np.where(alive, _share_below(excess, facts.on_minibatches), np.nan)
    stayed = alive & ~(below > MOST_BELOW)
    kept = stayed if 2 * stayed.sum() >= alive.sum() and stayed.any() else alive
    values = _Values(chains, center, kept, facts)
    bias = facts.bias.value if facts.bias.is_subtracted else None
    llc = None if values.mean is None else values.mean - (bias or 0.0)
    return LLCReading(
        llc=None if llc is None or not math.isfinite(llc) else llc,
        llc_se=values.se
        if bias is None or values.se is None
        else math.hypot(values.se, facts.bias.se),
        llc_variance=values.spread,
        chain_llcs=tuple(float(v) for v in nbeta * excess.mean(1)),
        kept=tuple(bool(k) for k in kept),
        below_center=tuple(float(b) for b in below),
        virial=values.virial,
        rhat=values.rhat,
        ess=values.ess,
        acceptance=values.acceptance,
        distance=values.distance,
        init_loss=float(chains.init_energy[center]),
        gradient_norm=float(chains.gradient_norm[center]),
        step_size_bias=bias,
        nbeta=nbeta,
        localization=float(chains.localization[center]),
        step_size=float(chains.step_size[center]),
        num_parameters=facts.num_parameters,
        num_draws=excess.shape[1],
        num_burnin_steps=facts.num_burnin_steps,
        num_samples=facts.num_samples,
        doubts=_doubts(values, alive, stayed, below, facts),
    )


def _share_below(excess: NDArray[np.float64], on_minibatches: bool) -> NDArray[np.float64]:
    """Return the share of each chain's (K, T) draws, or blocks of them, that lie below the center.

    One minibatch has its minimum elsewhere, so about half of its draws lie below the center of
    a true minimum; the mean of a block does not.
    """
    with np.errstate(invalid="ignore"):
        if not on_minibatches:
            below: NDArray[np.float64] = (excess < 0).mean(1)
            return below
        chains, draws = excess.shape
        length = max(4, -(-draws // MOST_BLOCKS))
        blocks = excess[:, : draws // length * length].reshape(chains, -1, length)
        se = blocks.std(-1, ddof=1) / math.sqrt(length)
        below = (blocks.mean(-1) + 2 * se < 0).mean(1)
    return below


@final
class _Values:
    """The numbers of the chains that count."""

    def __init__(self, chains: Chains, center: int, kept: NDArray[np.bool_], facts: Facts) -> None:
        self.nbeta = float(chains.nbeta[center])
        self.mean = self.se = self.spread = self.virial = self.rhat = self.ess = None
        self.acceptance = self.distance = self.virial_se = self.slope = self.slope_se = None
        if not kept.any():
            return
        tempered = self.nbeta * chains.excess[center][kept]
        self.mean, self.ess = float(tempered.mean()), effective_sample_size(tempered)
        self.rhat = split_rhat(tempered)
        self.se = float(tempered.std(ddof=1)) / math.sqrt(self.ess)
        self.spread = None if facts.on_minibatches else float(tempered.var(ddof=1))
        virial = chains.virial[center][kept] / facts.num_parameters
        self.virial = float(virial.mean())
        self.virial_se = float(virial.std(ddof=1)) / math.sqrt(effective_sample_size(virial))
        along = self.nbeta * chains.along_slope[center][kept]
        self.slope = float(along.mean())
        self.slope_se = float(along.std(ddof=1)) / math.sqrt(effective_sample_size(along))
        accepted = float(chains.accepted[center][kept].mean())
        self.acceptance = None if math.isnan(accepted) else accepted
        self.distance = float(np.sqrt(chains.square_distance[center][kept].mean()))


def _doubts(
    values: _Values,
    alive: NDArray[np.bool_],
    stayed: NDArray[np.bool_],
    below: NDArray[np.float64],
    facts: Facts,
) -> tuple[str, ...]:
    """Say what speaks against a reading."""
    chains = alive.size
    if values.mean is None:
        return (
            "Not computed: the energy is not finite at the center, or no chain stayed finite; "
            "a smaller step_size may help.",
        )
    found = []
    if not alive.all():
        found.append(
            f"{int((~alive).sum())} of {chains} chains diverged and are left out; a smaller "
            "step_size may help."
        )
    left = int((alive & ~stayed).sum())
    if left and 2 * int(stayed.sum()) >= int(alive.sum()):
        found.append(
            f"{left} of {chains} chains left the minimum (more than {100 * MOST_BELOW:g} % of "
            "their draws lie below it) and are left out."
        )
    elif left:
        share = float(np.nanmean(below))
        found.append(
            f"The center is no minimum: {100 * share:.0f} % of the draws lie below it, so this is "
            "no learning coefficient."
        )
    if 2 * int(stayed.sum()) >= int(alive.sum()):
        found += _slope_doubts(values)
    return (*facts.doubts, *found, *_sampling_doubts(values, facts))


def _slope_doubts(values: _Values) -> list[str]:
    """Say where the center lies on a slope, too gentle for draws below it to be many.

    With the gradient g at the center and the draws' mean m away from it a quadratic energy is
    read lower than at its minimum by at least nbeta |g · m|/2.
    """
    if values.slope is None or values.slope_se is None:
        return []
    taken_off = -values.slope / 2
    if values.slope + SURE * values.slope_se < 0 and taken_off > (values.se or 0.0):
        return [
            f"The center is no minimum: its slope takes off about {taken_off:.2g} or more of the "
            "coefficient."
        ]
    return []


def _sampling_doubts(values: _Values, facts: Facts) -> list[str]:
    """Say where the chains have not equilibrated, or move too far at once."""
    found = []
    if values.rhat is not None and values.rhat > HIGHEST_RHAT:
        found.append(f"The chains disagree: split R-hat is {values.rhat:.2f}.")
    if values.ess is not None and values.ess < FEWEST_EFFECTIVE:
        found.append(f"The draws are worth only {values.ess:.0f} independent ones.")
    off = abs((values.virial or 0.0) - 1)
    if off > max(VIRIAL_TOLERANCE, 3 * (values.virial_se or 0.0)):
        found.append(
            f"The virial is {values.virial:.2f} of its equilibrium value: flat directions have "
            "not equilibrated, or the step is too long."
        )
    if values.virial_se is not None and values.virial_se > VIRIAL_UNKNOWN:
        found.append(
            f"The virial is known to ± {values.virial_se:.2g} only: a chain runs away, or the "
            "draws are too few."
        )
    if (
        values.acceptance is not None
        and values.acceptance < LEAST_ACCEPTANCE
        and not facts.is_exact
    ):
        found.append(
            f"The step is long: an adjusted chain would accept {100 * values.acceptance:.0f} % of "
            "the moves."
        )
    return found + _step_doubts(values, facts)


def _step_doubts(values: _Values, facts: Facts) -> list[str]:
    """Say where the finite step adds too much.

    On minibatches no move can be judged, and a few steep directions hide in the virial.
    """
    bias = facts.bias
    if bias.value is None:
        return []
    if not math.isfinite(bias.value):
        return ["The step size is beyond stability in the steepest direction."]
    found = []
    read = abs(values.mean or 0.0)
    if not bias.is_subtracted and bias.value > (values.se or 0.0):
        found.append(f"The step is long: it adds about {bias.value:.2g} to the coefficient.")
    if bias.is_subtracted and facts.on_minibatches and bias.value > MOST_CORRECTED * read:
        found.append(
            f"The step is long: {bias.value:.2g}, more than a fifth, is subtracted for it."
        )
    if bias.noise > MOST_NOISE * read:
        found.append(
            f"The step is long for such minibatches: their noise may add up to {bias.noise:.2g}."
        )
    return found
