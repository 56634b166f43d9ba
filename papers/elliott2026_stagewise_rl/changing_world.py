"""A world that changes while it is learned: the potential of a checkpoint is that of its moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

from empirics.llc.estimate import estimate_llc
from empirics.llc.hmc import HMC
from empirics.llc.potential import Potential
from empirics.llc.potentials.action_law import Categorical
from empirics.llc.potentials.behavior_kl import behavior_kl
from empirics.llc.potentials.freeze_states import FrozenStates
from empirics.llc.potentials.outputs import tabular_outputs
from empirics.llc.potentials.tabular_regret import TabularRegret, tabular_regret
from empirics.llc.reading import LLCReading
from empirics.tabular.corner import corner_mdp
from empirics.tabular.mdp import TabularMDP
from empirics.tabular.optimum import optimum
from papers.elliott2026_stagewise_rl.effort import chain_plan
from papers.elliott2026_stagewise_rl.expected import (
    agrees,
    distrust,
    localized_llc,
    rank,
    said,
    share_below,
    trust,
)
from papers.llc_ladder.rung import Check, Rung
from papers.proposals import Progress

NAME = "A world that changes"
SQUARES, LAST = 9, 8
OPEN = (1, 2, 3, 4, 5, 6, 7)
"""Squares in which actions matter; the two corners with a reward are ends."""
TABLE = tabular_outputs(SQUARES, 4)
TEMPERATURE, LEARNING_RATE = 0.3, 10.0
NOW = 0.3
"""Share of the first corner at the moment that is measured; it fell from 1 until then."""
SPEEDS = (30, 300, 600)
"""Updates until that moment."""
NBETA, LOCALIZATION = 1e6, 1e5
SAMPLER = HMC(1e-7, num_leapfrog_steps=5)
SQUARED = (3.6, 4.4)
"""Ratio of what the slope takes off at one speed and at half of it; 4 for a lag like the speed."""


def world(share: float) -> TabularMDP:
    """Return the 3 × 3 corner with `share` of the reward there, the rest in the corner opposite."""
    mdp = corner_mdp()
    transition = mdp.transition.clone()
    transition[LAST] = 0.0
    transition[LAST, :, LAST] = 1.0
    reward = share * transition[..., 0] + (1 - share) * transition[..., LAST]
    reward[[0, LAST]] = 0.0
    start = torch.full((SQUARES,), 1 / len(OPEN), dtype=torch.float64)
    start[[0, LAST]] = 0.0
    return TabularMDP(transition, reward, start, mdp.gamma)


def at_rest(share: float) -> Tensor:
    """Return the best policy's logits (1, d) in the world of a moment."""
    return optimum(world(share), TEMPERATURE).policy.log().reshape(1, -1)


def regret(share: float) -> TabularRegret:
    """Return the regret in the world of a moment."""
    return tabular_regret(world(share), TABLE, temperature=TEMPERATURE)


def learned(updates: int) -> Tensor:
    """Return the logits (1, d) of gradient ascent while the share falls evenly from 1 to `NOW`."""
    w, energy = at_rest(1.0), regret(1.0)
    for share in torch.linspace(1.0, NOW, updates + 1)[1:].tolist():
        here = replace(energy, mdp=world(share))  # J* moves too, and has no slope
        w = w - LEARNING_RATE * here.energy_and_gradient(w[None])[1][0]
    return w


@final
@dataclass(frozen=True, eq=False)
class AtSpeed:
    """What was measured of the policy that a speed leads to."""

    updates: int
    slope: float
    rest: float
    sloped: float
    now: LLCReading
    behavior: LLCReading
    behavior_exact: float

    @property
    def taken_off(self) -> float:
        """What the slope takes off the localized value."""
        return self.rest - self.sloped

    @property
    def row(self) -> tuple[str | float | None, ...]:
        """The row of the table."""
        return (
            self.updates,
            self.slope,
            self.rest,
            self.sloped,
            said(self.now),
            self.now.status,
            said(self.behavior),
            self.behavior_exact,
        )


COLUMNS = (
    "updates",
    "gradient",
    "localized quadratic without the slope",
    "with it",
    "regret, chains",
    "what the reading says",
    "behavior KL, chains",
    "localized quadratic",
)


def rung(*, seed: int, scale: str, progress: Progress) -> Rung:
    """Let a policy learn in a world that changes at several speeds, and read its coefficients."""
    found = []
    for i, updates in enumerate(SPEEDS):
        progress(NAME, i, len(SPEEDS) + 1)
        found.append(at_speed(updates, seed=seed, scale=scale))
    resting = rest_checks(seed=seed, scale=scale)
    progress(NAME, len(SPEEDS) + 1, len(SPEEDS) + 1)
    lag, kept = lag_checks(found), behavior_checks(found)
    return Rung(
        NAME,
        "The reward moves from one corner to the one opposite while the policy learns, by exact "
        "gradients.",
        (
            "At every moment the regret has a minimum of the same rank (in the ends too, where the "
            "temperature alone counts), but a policy that follows lags behind it, on a slope g. To "
            "second order chains then read ½ tr(nbeta H P⁻¹) + nbeta (g · m + ½ m · H m), with P = "
            "nbeta H + localization and m = -nbeta P⁻¹ g. What the slope takes off is the smaller, "
            "by its square, the slower the world; behavior has no slope at any speed.",
        ),
        checks=(*resting, *lag, *kept),
        trust=(
            trust("regret of the moment, at rest", resting, "the same rank at every moment"),
            distrust("regret of the moment, under way", lag[:1], "the policy lags behind it"),
            trust("behavior KL under way", kept, "chains read the localized value"),
        ),
        tables=((f"learned until the share is {NOW:g}", COLUMNS, tuple(f.row for f in found)),),
    )


def at_speed(updates: int, *, seed: int, scale: str) -> AtSpeed:
    """Read the regret of the moment and the behavior KL of a policy under way."""
    w, potential = learned(updates), regret(NOW)
    hessian = potential.hessian(w)[0]
    slope = potential.energy_and_gradient(w[None])[1][0, 0]
    scales = lengths(potential.hessian(at_rest(NOW))[0])
    own = behavior_kl(TABLE.on(STATES.states), Categorical(), STATES, w)
    fisher = own.hessian(w)[0]
    return AtSpeed(
        updates,
        float(slope.norm()),
        localized_llc(hessian, NBETA, LOCALIZATION, scales),
        sloped_llc(hessian, slope, scales),
        _read(potential, w, scales, seed=seed, scale=scale),
        _read(own, w, lengths(fisher), seed=seed, scale=scale),
        localized_llc(fisher, NBETA, LOCALIZATION, lengths(fisher)),
    )


STATES = FrozenStates(
    torch.tensor(OPEN).numpy(), torch.full((7,), 1 / 7, dtype=torch.float64).numpy(),
    "all squares alike", None,
)  # fmt: skip


def lengths(hessian: Tensor) -> Tensor:
    """Return a unit of length a parameter; 1 where nothing bends, in the corners."""
    bends = hessian.diagonal()
    return torch.where(bends > 1e-12, bends.clamp(min=1e-12).rsqrt(), torch.ones_like(bends))


def sloped_llc(hessian: Tensor, slope: Tensor, scales: Tensor) -> float:
    """Return nbeta · E[energy - energy(center)] of a quadratic (d, d) with a slope (d,).

    With P = nbeta·H + localization the mean lies at m = -nbeta P⁻¹ g, so it is
    ½ tr(nbeta H P⁻¹) + nbeta (g·m + ½ m·H m).
    """
    h, g = hessian * scales[:, None] * scales, slope * scales
    stiffness = NBETA * h + LOCALIZATION * torch.eye(len(g), dtype=h.dtype)
    mean = -NBETA * torch.linalg.solve(stiffness, g)
    spread = torch.linalg.solve(stiffness, NBETA * h).trace() / 2
    return float(spread + NBETA * (g @ mean + mean @ h @ mean / 2))


def _read(potential: Potential, w: Tensor, scales: Tensor, *, seed: int, scale: str) -> LLCReading:
    plan = chain_plan(scale, NBETA, LOCALIZATION)
    return estimate_llc(potential, w, SAMPLER, plan, seed=seed, scales=scales)[0]


def rest_checks(*, seed: int, scale: str) -> tuple[Check, ...]:
    """Return whether the minimum has one rank at every moment, and chains read it."""
    ranks = [rank(regret(share).hessian(at_rest(share))[0]) for share in (1.0, 0.7, 0.5, NOW, 0.0)]
    potential, w = regret(NOW), at_rest(NOW)
    hessian = potential.hessian(w)[0]
    scales = lengths(hessian)
    found = _read(potential, w, scales, seed=seed, scale=scale)
    return (
        Check(
            "the minimum has rank 27 at every moment: 9 squares, 3 ratios between actions",
            f"ranks {', '.join(map(str, ranks))}",
            set(ranks) == {3 * SQUARES},
        ),
        agrees(
            "at rest chains read the localized value",
            found,
            localized_llc(hessian, NBETA, LOCALIZATION, scales),
        ),
    )


def lag_checks(found: list[AtSpeed]) -> tuple[Check, ...]:
    """Return what lagging behind does to readings of the regret."""
    fast, slow, slower = found
    ratio = slow.taken_off / slower.taken_off
    low, high = SQUARED
    return (
        Check(
            "in a fast world the reading says that the policy is at no minimum",
            f"{100 * share_below(fast.now):.0f} % of the draws below it. {fast.now.status}",
            any("minimum" in doubt for doubt in fast.now.doubts),
        ),
        agrees("in a slow one chains read the quadratic with its slope", slower.now, slower.sloped),
        Check(
            "where few draws lie below it, the reading says the slope",
            slower.now.status,
            any("slope" in doubt or "minimum" in doubt for doubt in slower.now.doubts),
        ),
        Check(
            "at half the speed the slope takes off a quarter",
            f"{slow.taken_off:.4g} at {slow.updates} updates, {slower.taken_off:.4g} at "
            f"{slower.updates}: {ratio:.2f} times less",
            low <= ratio <= high,
        ),
    )


def behavior_checks(found: list[AtSpeed]) -> tuple[Check, ...]:
    """Return whether the behavior KL has its minimum at every speed, and chains read it."""
    return tuple(
        agrees(
            f"behavior KL, {each.updates} updates: chains read the localized value",
            each.behavior,
            each.behavior_exact,
        )
        for each in found
    )
