"""How often one observable forms before another, over the runs that some runs stand for.

Run r has an order of its own, z_r = 1 where a precedes b, drawn with a frequency theta that all
runs share, and its curves D_r say something of z_r alone:

    theta ~ Beta(1, 1),   z_r | theta ~ Bernoulli(theta),   D_r | z_r ~ L_r(z_r)

The analysis of one run does not know theta. It gives each order the same probability beforehand, by
symmetry, as both curves compete under the same priors (about so where their times or their forms
differ), hence

    p_r = P(z_r = 1 | D_r) = L_r(1) / (L_r(1) + L_r(0))

so that L_r(1) is proportional to p_r and L_r(0), by the same factor, to 1 - p_r. Then

    p(theta | D) ∝ prod_r [theta p_r + (1 - theta) (1 - p_r)]
                 = sum_k c_k theta^k (1 - theta)^(R - k)

where c_k, the sum over all sets of k runs of prod_in p_r prod_out (1 - p_r), is the Poisson
binomial probability of k. As theta^k (1 - theta)^(R - k) integrates to B(1 + k, 1 + R - k) =
1 / ((R + 1) C(R, k)), with C the binomial coefficient, the posterior is the mixture

    sum_k w_k Beta(1 + k, 1 + R - k),   w_k ∝ c_k / C(R, k)

The weights are not c_k alone: those are the probabilities of k under independent runs of p = 1/2
each, whereas a shared theta makes every number k of runs as probable as any other beforehand.

A run in which neither forms says nothing of the order: half of that probability goes to each, and a
run with p_r = 1/2 leaves the posterior as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import betainc, gammaln

from fitting.runs.order import Order, said
from fitting.verdict import THRESHOLD

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True)
class FrequencyPosterior:
    """Posterior of a frequency theta, from what each of some runs says.

    Attributes
    ----------
    expected
        Its mean.
    lower, upper
        Ends of its central 95 % interval.
    above_half
        Probability that it is above 1/2.
    """

    expected: float
    lower: float
    upper: float
    above_half: float


@final
@dataclass(frozen=True)
class OrderFrequency:
    """How often a forms before b over runs.

    Attributes
    ----------
    a, b, quantity
        As `fitting.runs.order.Order`.
    runs
        Number of runs that count: those whose comparisons did not fail.
    posterior
        Of the frequency with which a precedes b.
    lowest
        Smallest probability of the likelier side of 1/2 over priors half and twice as wide.
    left_out
        Number of runs that do not count.
    """

    a: str
    b: str
    quantity: str
    runs: int
    posterior: FrequencyPosterior
    lowest: float
    left_out: int

    @property
    def sentence(self) -> str:
        """What may be quoted."""
        p = self.posterior
        first, other, above = self.a, self.b, p.above_half
        edges = (p.expected, p.lower, p.upper)
        if above < 0.5:
            first, other, above = other, first, 1.0 - above
            edges = (1.0 - p.expected, 1.0 - p.upper, 1.0 - p.lower)
        mean, lower, upper = (f"{edge:.2f}" for edge in edges)
        head = f"{first} forms before {other} in most of the runs that these {self.runs} stand for"
        tail = f"(by {self.quantity}; expected frequency {mean}, 95 % interval {lower} to {upper})."
        if self.lowest >= THRESHOLD:
            text = f"{head}, with probability {said(above)} {tail}"
        else:
            text = f"Whether {head} is not decided: probability {said(above)} {tail}"
        if self.left_out:
            noun = "does" if self.left_out == 1 else "do"
            text += f" {self.left_out} more cannot be judged and {noun} not count."
        return text


def order_frequency(orders: Sequence[Order]) -> OrderFrequency:
    """Infer how often a forms before b from their order in each of some runs.

    Raises
    ------
    ValueError
        If the orders are not of the same two observables by the same time, or fewer than two of
        them can be judged.
    """
    asked = {(one.a, one.b, one.quantity) for one in orders}
    if len(asked) > 1:
        raise ValueError(
            f"a frequency is of one order; given were {sorted(asked)}: give orders of the same "
            "two observables by the same time."
        )
    known = [one for one in orders if one.lowest is not None]
    if len(known) < 2:
        raise ValueError(
            f"a frequency over runs needs two that can be judged; of {len(orders)} there "
            f"{'is' if len(known) == 1 else 'are'} {len(known)}: give more runs."
        )
    a, b, quantity = next(iter(asked))
    found = frequency_posterior([one.probability.a_precedes for one in known])
    sides = [found.above_half]
    for scale in set.intersection(*({s for s, _ in one.sensitivity} for one in known)):
        each = [dict(one.sensitivity)[scale].a_precedes for one in known]
        sides.append(frequency_posterior(each).above_half)
    lowest = min(sides) if found.above_half >= 0.5 else 1.0 - max(sides)
    return OrderFrequency(a, b, quantity, len(known), found, lowest, len(orders) - len(known))


def frequency_posterior(probabilities: ArrayLike) -> FrequencyPosterior:
    """Posterior of theta given the probability (R,) with which a precedes b in each run.

    Raises
    ------
    ValueError
        If a probability is not in [0, 1].
    """
    p = np.asarray(probabilities, dtype=np.float64).ravel()
    wrong = np.flatnonzero(~((p >= 0.0) & (p <= 1.0)))
    if wrong.size:
        raise ValueError(f"probabilities must lie in [0, 1]; [{wrong[0]}] is {p[wrong[0]]}.")
    weight = mixture_weights(p)
    first, second = 1.0 + np.arange(p.size + 1), 1.0 + np.arange(p.size, -1, -1)

    def below(theta: float) -> float:
        return float(weight @ betainc(first, second, theta))

    lower, upper = (brentq(lambda x, q=q: below(x) - q, 0.0, 1.0) for q in (0.025, 0.975))
    expected = float(weight @ first) / (p.size + 2.0)
    return FrequencyPosterior(expected, float(lower), float(upper), 1.0 - below(0.5))


def mixture_weights(p: FloatArray) -> FloatArray:
    """Weights (R + 1,) of Beta(1 + k, 1 + R - k) in the posterior of theta."""
    k = np.arange(p.size + 1)
    log_choose = gammaln(p.size + 1.0) - gammaln(k + 1.0) - gammaln(p.size - k + 1.0)
    with np.errstate(divide="ignore"):
        log_weight = np.log(poisson_binomial(p)) - log_choose
    weight = np.exp(log_weight - log_weight.max())
    return np.asarray(weight / weight.sum())


def poisson_binomial(p: FloatArray) -> FloatArray:
    """Probability (..., R + 1) of k successes in independent trials of probabilities (..., R)."""
    found = np.zeros((*p.shape[:-1], p.shape[-1] + 1))
    found[..., 0] = 1.0
    for r in range(p.shape[-1]):
        one = p[..., r, None]
        found[..., 1:] = found[..., 1:] * (1.0 - one) + found[..., :-1] * one
        found[..., 0] *= 1.0 - one[..., 0]
    return found
