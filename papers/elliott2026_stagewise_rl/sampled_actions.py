"""Regret from sampled actions: which ways to draw them give one energy, and which are refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor

from empirics.llc.estimate import estimate_llc
from empirics.llc.hmc import HMC
from empirics.llc.potential import Potential
from empirics.llc.potentials.gaussian_bandit import GaussianBandit
from empirics.llc.potentials.outputs import LinearOutputs
from empirics.llc.reading import LLCReading
from papers.elliott2026_stagewise_rl.effort import chain_plan
from papers.elliott2026_stagewise_rl.expected import agrees, distrust, localized_llc, said, trust
from papers.elliott2026_stagewise_rl.sampled_episodes import episode_checks
from papers.llc_ladder.rung import Check, Rung
from papers.proposals import Progress

NAME = "Sampled actions"
STATES, DIMENSION, PARAMETERS, ACTIONS = 40, 3, 4, 30
SPREADS = (0.5, 0.1, 0.02)
"""Standard deviations of the actions."""
NBETA, LOCALIZATION = 2000.0, 1.0
SCHEMES = ("on policy", "on policy, mirrored", "importance", "importance, mirrored")


@final
@dataclass(frozen=True, eq=False)
class Sampled:
    """A scheme at a spread: its reading, and the regret's exact value."""

    scheme: str
    sd: float
    reading: LLCReading
    exact: float

    @property
    def worth(self) -> float:
        """The share of actions that reweighted ones are expected to be worth.

        The regret is the mean square by which the means are off, E‖Δ‖² = llc/nbeta, and the
        share is exp(-‖Δ‖²/sd²).
        """
        return float(np.exp(-self.exact / NBETA / self.sd**2))

    @property
    def is_refused(self) -> bool:
        """Whether the reading itself says that the weights are worth too little."""
        return any(doubt.startswith("Refused") for doubt in self.reading.doubts)

    @property
    def row(self) -> tuple[str | float, ...]:
        """The row of the table."""
        return (
            self.scheme,
            self.sd,
            said(self.reading),
            self.exact,
            self.worth if self.scheme.startswith("importance") else "–",
            self.reading.status,
        )


COLUMNS = ("scheme", "sd of actions", "chains", "regret, exact", "expected worth", "status")


def rung(*, seed: int, scale: str, progress: Progress) -> Rung:
    """Compare the regret with what sampled actions make of it."""
    found = []
    for i, sd in enumerate(SPREADS):
        progress(NAME, i, len(SPREADS) + 1)
        found += at_spread(sd, seed=seed, scale=scale)
    progress(NAME, len(SPREADS), len(SPREADS) + 1)
    episodes, rows = episode_checks(seed=seed, scale=scale)
    progress(NAME, len(SPREADS) + 1, len(SPREADS) + 1)
    exact, crn, weighted, refused, plain = bandit_checks(found)
    return Rung(
        NAME,
        "The return is known from sampled actions alone, which depend on the parameters.",
        (
            "A linear policy with Gaussian actions in 40 states whose goals it can reach: the "
            "regret is the squared error. Actions over random numbers fixed once are one function "
            "of the parameters. Actions of the checkpoint, reweighted, are worth about "
            "exp(-llc/(nbeta · sd²)) of their number at the spread of the posterior.",
        ),
        checks=(*exact, *crn, *weighted, *refused, *plain, *episodes),
        trust=(
            trust("regret in closed expectation", exact, "chains read the exact value"),
            trust("mirrored random numbers held fixed", crn, "differ from it by a constant"),
            trust("reweighted mirrored actions, wide", weighted, "chains read the exact value"),
            distrust("reweighted actions, narrow", refused, "the weights are refused"),
            distrust("actions that are not mirrored", plain, "their noise moves the minimum"),
            trust("reweighted episodes", episodes[:1], "agree with the regret near the center"),
            distrust(
                "discrete actions over fixed random numbers", episodes[-1:], "they have no slope"
            ),
        ),
        tables=(
            ("sampled actions of a Gaussian policy", COLUMNS, tuple(each.row for each in found)),
            (
                "reweighted episodes of the 3 × 3 corner against the exact regret",
                ("distance from the center", "regret less that of the center", "reweighted", "se",
                 "worth of the weights"),
                rows,
            ),
        ),
    )  # fmt: skip


def bandit_checks(found: list[Sampled]) -> tuple[tuple[Check, ...], ...]:
    """Return checks of the regret, fixed numbers, weights worth much, little, and plain numbers."""

    def check(each: Sampled) -> Check:
        return agrees(f"{each.scheme}, sd {each.sd:g}", each.reading, each.exact)

    exact = tuple(check(e) for e in found if e.scheme == "regret")
    crn = tuple(check(e) for e in found if e.scheme == "on policy, mirrored")
    weighted = [e for e in found if e.scheme == "importance, mirrored"]
    wide = tuple(check(e) for e in weighted if e.worth > 0.8)
    narrow = tuple(
        Check(
            f"{e.scheme}, sd {e.sd:g}: refused",
            f"expected worth {100 * e.worth:.0f} %; {e.reading.status}",
            e.is_refused,
        )
        for e in weighted
        if e.worth < 0.1
    )
    widest = max(e.sd for e in found)
    plain = tuple(
        Check(
            f"{e.scheme}, not mirrored, sd {e.sd:g}: off, and the reading says so",
            f"{said(e.reading)}, exact {e.exact:.3f}; {e.reading.status}",
            not e.reading.is_trusted,
        )
        for e in found
        if e.scheme in ("on policy", "importance") and e.sd == widest
    )
    return exact, crn, wide, narrow, plain


def at_spread(sd: float, *, seed: int, scale: str) -> list[Sampled]:
    """Read the regret and every scheme at one spread of the actions."""
    problem, center = bandit(sd, seed)
    regret = problem.regret()
    exact = localized_llc(regret.hessian(center)[0], NBETA, LOCALIZATION)
    plan = chain_plan(scale, NBETA, LOCALIZATION)
    sampler = HMC(2e-5, num_leapfrog_steps=4)
    found = []
    for name, potential in {"regret": regret, **sampled(problem, center, seed)}.items():
        reading = estimate_llc(potential, center, sampler, plan, seed=seed)[0]
        found.append(Sampled(name, sd, reading, exact))
    return found


def sampled(problem: GaussianBandit, center: Tensor, seed: int) -> dict[str, Potential]:
    """Return the energy of each scheme."""
    found: dict[str, Potential] = {}
    for scheme in SCHEMES:
        rng, mirrored = np.random.default_rng(seed), scheme.endswith("mirrored")
        if scheme.startswith("on policy"):
            found[scheme] = problem.on_policy(ACTIONS, rng=rng, antithetic=mirrored)
        else:
            found[scheme] = problem.importance(center, ACTIONS, rng=rng, antithetic=mirrored)
    return found


def bandit(sd: float, seed: int) -> tuple[GaussianBandit, Tensor]:
    """Return a bandit whose goals a linear policy reaches, and that policy (1, d)."""
    rng = np.random.default_rng(seed)
    features = torch.tensor(rng.standard_normal((STATES, DIMENSION, PARAMETERS)))
    center = torch.tensor(rng.standard_normal(PARAMETERS))
    return GaussianBandit(LinearOutputs(features), features @ center, sd), center[None]
