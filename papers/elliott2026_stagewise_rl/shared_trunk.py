"""An actor and a critic on one trunk: the whole is not the sum of its parts.

On one-hot states a layer of r tanh units is a table of (S, r) free numbers, so that the outputs
are a free matrix of rank r: of A - 1 ratios of logits and one value. Where the rank is full the
set of such matrices is smooth, of dimension r · (S + outputs - r), and the coefficient of a
realizable regression on them is half of that (Aoyagi and Watanabe 2005, with as many units as
the rank).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from empirics.llc.estimate import estimate_llc
from empirics.llc.hmc import HMC
from empirics.llc.masked import masked
from empirics.llc.network_potential import flatten, network_potential
from empirics.llc.potential import Potential
from empirics.llc.potentials.action_law import Categorical
from empirics.llc.reading import LLCReading
from papers.elliott2026_stagewise_rl.effort import chain_plan
from papers.elliott2026_stagewise_rl.expected import (
    agrees,
    distrust,
    localized_llc,
    rank,
    said,
    trust,
)
from papers.llc_ladder.rung import Check, Rung
from papers.proposals import Progress

NAME = "An actor and a critic on one trunk"
STATES, ACTIONS, UNITS = 9, 4, 2
NBETA, LOCALIZATION = 1e6, 0.05
COEFFICIENTS = (0.1, 1.0, 10.0)
"""Of the critic's loss."""
SAMPLER = HMC(0.15, num_leapfrog_steps=7)


@final
class SharedTrunk(nn.Module):
    """One hidden layer of tanh units, a head of logits and a head of one value."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Linear(STATES, UNITS, bias=False)
        self.actor = nn.Linear(UNITS, ACTIONS, bias=False)
        self.critic = nn.Linear(UNITS, 1, bias=False)

    def forward(self, states: Tensor) -> Tensor:
        """Map (n, S) one-hot states to logits and value, (n, A + 1)."""
        hidden = torch.tanh(self.trunk(states))
        return torch.cat([self.actor(hidden), self.critic(hidden)], -1)


@final
@dataclass(frozen=True, eq=False)
class Part:
    """An energy or a set of parameters: what its coefficient should be, and what it is."""

    name: str
    exact: float
    directions: int
    reading: LLCReading
    localized: float

    @property
    def checks(self) -> tuple[Check, ...]:
        """Half the rank against the closed form, and chains against the localized value."""
        half = Check(
            f"{self.name}: half the rank is {self.exact:g}",
            f"rank {self.directions}",
            self.directions == 2 * self.exact,
        )
        asked = f"{self.name}: chains read the localized value"
        return half, agrees(asked, self.reading, self.localized)


def rung(*, seed: int, scale: str, progress: Progress) -> Rung:
    """Read the whole, each term of the loss, and each part of the parameters."""
    network = made(seed)
    whole = [
        (f"whole, critic's weight {c:g}", manifold(ACTIONS), loss_of(1.0, c), None)
        for c in COEFFICIENTS
    ]
    # Alone, the critic sees one number of rank 1 of each state: the values themselves, all free.
    terms = [
        ("actor's term alone", manifold(ACTIONS - 1), loss_of(1.0, 0.0), None),
        ("critic's term alone", STATES / 2, loss_of(0.0, 1.0), None),
    ]
    # With the others held a part is regular: what its outputs can reach is counted directly.
    parts = [
        ("trunk, heads held", STATES * UNITS / 2, loss_of(1.0, 1.0), "trunk"),
        ("actor's head", UNITS * (ACTIONS - 1) / 2, loss_of(1.0, 1.0), "actor"),
        ("critic's head", UNITS / 2, loss_of(1.0, 1.0), "critic"),
    ]
    found = []
    for i, (name, exact, loss, part) in enumerate(everything := [*whole, *terms, *parts]):
        progress(NAME, i, len(everything))
        found.append(measured(network, name, exact, loss, part, seed=seed, scale=scale))
    progress(NAME, len(everything), len(everything))
    return page(found)


def page(found: list[Part]) -> Rung:
    """Return the page of what was measured."""
    whole, terms, parts = found[:3], found[3:5], found[5:]
    sums = {name: sum(p.directions for p in group) / 2
            for name, group in (("terms", terms), ("parts", parts))}  # fmt: skip
    total = whole[1].directions / 2
    checks = tuple(check for part in found for check in part.checks)
    same = Check(
        "the coefficient does not depend on the critic's weight, as long as it is positive",
        f"half the ranks {', '.join(f'{p.directions / 2:g}' for p in whole)}; chains "
        f"{'; '.join(said(p.reading) for p in whole)}",
        len({p.directions for p in whole}) == 1 and all(p.checks[1].holds for p in whole),
    )
    apart = Check(
        "the whole is the sum neither of its terms nor of its parts",
        f"whole {total:g}, terms {sums['terms']:g}, parts {sums['parts']:g}",
        total not in sums.values(),
    )
    return Rung(
        NAME,
        "One trunk serves actor and critic, and the loss is a sum with a coefficient of each.",
        (
            "Targets are the network's own outputs at a random center, so that every term is "
            "realizable. Weight refinement holds the other parameters at the center; data "
            "refinement keeps one term of the loss.",
        ),
        checks=(*checks, same, apart),
        trust=(
            trust("whole loss", (*(c for p in whole for c in p.checks), same), "the closed form"),
            trust("one term of the loss", tuple(c for p in terms for c in p.checks), "the same"),
            trust("some of the parameters", tuple(c for p in parts for c in p.checks), "the same"),
            distrust("sum of parts in place of the whole", (apart,), apart.measured),
        ),
    )


def manifold(outputs: int) -> float:
    """Return half the dimension of the (S, outputs) matrices of rank UNITS."""
    return UNITS * (STATES + outputs - UNITS) / 2


def made(seed: int) -> SharedTrunk:
    """Return a network with random parameters, none of them special."""
    network = SharedTrunk().double()
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    return network.requires_grad_(False)


def loss_of(actor: float, critic: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Return actor · KL of the logits + critic · squared error of the value, one a state."""

    def loss(output: Tensor, target: Tensor) -> Tensor:
        apart = Categorical().divergence(target[..., :ACTIONS], output[..., :ACTIONS])
        return actor * apart + critic * (output[..., ACTIONS] - target[..., ACTIONS]) ** 2

    return loss


def measured(
    network: SharedTrunk,
    name: str,
    exact: float,
    loss: Callable[[Tensor, Tensor], Tensor],
    part: str | None,
    *,
    seed: int,
    scale: str,
) -> Part:
    """Measure one energy over all parameters, or over a named part of them."""
    states = torch.eye(STATES, dtype=torch.float64)
    potential: Potential = network_potential(network, loss, states, network(states))
    center = flatten(network)[None]
    if part is not None:
        named = network.named_parameters()
        mask = torch.cat([torch.full((p.numel(),), n.startswith(part)) for n, p in named])
        potential, center = masked(potential, mask, center)
    hessian = potential.hessian(center)[0]
    scales = (NBETA * hessian.diagonal() + 1.0).rsqrt()
    plan = chain_plan(scale, NBETA, LOCALIZATION)
    found = estimate_llc(potential, center, SAMPLER, plan, seed=seed, scales=scales)[0]
    localized = localized_llc(hessian, NBETA, LOCALIZATION, scales)
    return Part(name, exact, rank(hessian), found, localized)
