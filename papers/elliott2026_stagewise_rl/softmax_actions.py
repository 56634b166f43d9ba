"""Discrete actions of a softmax: no finite minimum, until a temperature makes one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from empirics.llc.estimate import estimate_llc
from empirics.llc.hmc import HMC
from empirics.llc.potential import Potential
from empirics.llc.potentials.action_law import Categorical
from empirics.llc.potentials.behavior_kl import behavior_kl
from empirics.llc.potentials.freeze_states import on_policy_states
from empirics.llc.potentials.outputs import tabular_outputs
from empirics.llc.potentials.tabular_regret import tabular_regret
from empirics.llc.reading import LLCReading
from empirics.tabular.corner import corner_mdp
from empirics.tabular.evaluation import occupancy
from empirics.tabular.optimum import optimum
from papers.elliott2026_stagewise_rl.effort import chain_plan
from papers.elliott2026_stagewise_rl.expected import (
    agrees,
    distrust,
    localized_llc,
    said,
    share_below,
    trust,
)
from papers.llc_ladder.rung import Check, Rung
from papers.proposals import Progress

NAME = "Discrete actions: softmax policies"
TEMPERATURES = (1.0, 0.3, 0.1, 0.03, 0.01)
FREE_LOGITS = 27
"""9 squares, and 3 ratios between the 4 actions of each."""
NBETA, LOCALIZATION = 1e6, 0.1
RESOLVED, LOST = 100.0, 0.01
"""nbeta times the least curvature: every direction shows from the one, not all below the other."""
MDP = corner_mdp()
TABLE = tabular_outputs(9, 4)
SAMPLER = HMC(0.1, num_leapfrog_steps=5)


@final
@dataclass(frozen=True, eq=False)
class AtTemperature:
    """What was measured at one temperature: its closed form beside it."""

    temperature: float
    hessian: Tensor
    closed: Tensor
    regret: LLCReading
    behavior: LLCReading

    @property
    def least(self) -> float:
        """The least curvature that counts, from the closed form: block by block it is exact."""
        blocks = self.closed.reshape(9, 4, 9, 4).diagonal(dim1=0, dim2=2).movedim(-1, 0)
        return float(torch.linalg.eigvalsh(blocks)[:, 1].min())

    @property
    def is_resolved(self) -> bool | None:
        """Whether nbeta resolves every direction; None where some show in part."""
        steepness = NBETA * self.least
        return True if steepness >= RESOLVED else False if steepness < LOST else None

    @property
    def exact(self) -> float:
        """The localized value of the quadratic."""
        return localized_llc(self.closed, NBETA, LOCALIZATION, lengths(self.closed))

    @property
    def apart(self) -> float:
        """How far the Hessian is from its closed form, relative to the largest entry."""
        return float((self.hessian - self.closed).abs().max() / self.closed.abs().max())

    @property
    def row(self) -> tuple[float | str, ...]:
        """The row of the table."""
        return (
            self.temperature,
            FREE_LOGITS / 2,
            NBETA * self.least,
            self.exact,
            said(self.regret),
            said(self.behavior),
            self.regret.status,
        )


COLUMNS = (
    "temperature",
    "half the rank",
    "nbeta × least curvature",
    "localized quadratic",
    "regret, chains",
    "behavior KL, chains",
    "what the reading of the regret says",
)


def rung(*, seed: int, scale: str, progress: Progress) -> Rung:
    """Sweep the temperature of the regret of softmax policies on the 3 × 3 corner."""
    found = []
    for i, temperature in enumerate(TEMPERATURES):
        progress(NAME, i, len(TEMPERATURES) + 1)
        found.append(at_temperature(temperature, seed=seed, scale=scale))
    progress(NAME, len(TEMPERATURES), len(TEMPERATURES) + 1)
    bare = unregularized(seed=seed, scale=scale)
    progress(NAME, len(TEMPERATURES) + 1, len(TEMPERATURES) + 1)
    checks = regularized_checks(found)
    left = Check(
        "without regularization the reading says that the center is no minimum",
        f"{100 * share_below(bare):.0f} % of the draws below the center, gradient "
        f"{bare.gradient_norm:.1e}, llc {said(bare)}. {bare.status}",
        any("minimum" in doubt for doubt in bare.doubts),
    )
    return Rung(
        NAME,
        "Actions are discrete and policies are softmax: the best policy lies at infinite logits.",
        (
            "Regret less temperature · KL(policy, uniform) has its minimum at finite logits, with "
            "the Hessian temperature · visits · Fisher, whose rank is 3 in each of 9 squares. The "
            "curvature along the logits of a bad action falls as exp(-gap/temperature), so that "
            "at a given nbeta the reading is half the rank only down to some temperature.",
        ),
        checks=(*checks, left),
        trust=(
            trust(
                "regularized regret",
                checks[:-1],
                "agrees with half the rank where resolved; where not, no reading says so",
            ),
            trust("behavior KL", checks[-1:], "the regret's Hessian up to the factor temperature"),
            distrust("regret without regularization", (left,), "it has no finite minimum"),
        ),
        tables=(
            (
                f"learning coefficient against temperature (nbeta {NBETA:g}; behavior KL at the "
                "nbeta that has the same posterior width)",
                COLUMNS,
                tuple(each.row for each in found),
            ),
        ),
    )


def regularized_checks(found: list[AtTemperature]) -> tuple[Check, ...]:
    """Return the checks of the readings with a temperature; the last is the behavior KL's."""
    apart = max(each.apart for each in found)
    checks = [
        Check(
            "the Hessian is temperature · visits · Fisher, of rank 27",
            f"apart by at most {apart:.1e} of its largest entry",
            apart < 1e-9,
        )
    ]
    for each in found:
        if each.is_resolved:
            asked = f"temperature {each.temperature:g}: chains read the localized value"
            checks.append(agrees(asked, each.regret, each.exact))
        elif each.is_resolved is False:
            low = each.regret.llc
            checks.append(
                Check(
                    f"temperature {each.temperature:g}: nbeta resolves not every direction, and "
                    "the reading is below half the rank",
                    f"{said(each.regret)}, and the reading itself says: {each.regret.status}",
                    None if low is None else low < FREE_LOGITS / 2 - 3 * (each.regret.llc_se or 0),
                )
            )
    resolved = [each for each in found if each.is_resolved]
    worst = max(resolved, key=lambda each: abs((each.behavior.llc or 0.0) - each.exact))
    asked = "behavior KL on the visited states reads the same coefficient (worst temperature)"
    return (*checks, agrees(asked, worst.behavior, worst.exact))


def at_temperature(temperature: float, *, seed: int, scale: str) -> AtTemperature:
    """Measure regret and behavior KL at the best policy of a temperature."""
    best = optimum(MDP, temperature).policy
    center = best.log().reshape(1, -1)
    regret = tabular_regret(MDP, TABLE, temperature=temperature)
    frozen = on_policy_states(MDP, best)
    closed = closed_hessian(best, temperature)
    # The regret's second order is temperature · visits · KL, and visits sum to 1/(1 - gamma).
    factor = temperature / (1 - MDP.gamma)
    behavior = behavior_kl(TABLE, Categorical(), frozen, center)
    drawn = [
        _reading(potential, center, nbeta, closed, seed=seed, scale=scale)
        for potential, nbeta in ((regret, NBETA), (behavior, NBETA * factor))
    ]
    return AtTemperature(temperature, regret.hessian(center)[0], closed, *drawn)


def unregularized(*, seed: int, scale: str) -> LLCReading:
    """Read the bare regret at the best policy of a small temperature."""
    best = optimum(MDP, 0.1).policy
    center, bare = best.log().reshape(1, -1), tabular_regret(MDP, TABLE)
    return _reading(bare, center, NBETA, closed_hessian(best, 0.1), seed=seed, scale=scale)


def closed_hessian(policy: Tensor, temperature: float) -> Tensor:
    """Return temperature · Σ_s visits · Fisher, (36, 36)."""
    fisher = torch.diag_embed(policy) - policy[:, :, None] * policy[:, None, :]
    blocks = temperature * occupancy(MDP, policy)[:, None, None] * fisher
    same_square = torch.eye(9, dtype=torch.float64)
    return torch.einsum("sab,st->satb", blocks, same_square).reshape(36, 36)


def lengths(hessian: Tensor) -> Tensor:
    """Return scales in which every parameter's posterior has about the width 1."""
    return (NBETA * hessian.diagonal() + 1.0).rsqrt()


def _reading(
    potential: Potential, center: Tensor, nbeta: float, closed: Tensor, *, seed: int, scale: str
) -> LLCReading:
    plan = chain_plan(scale, nbeta, LOCALIZATION)
    return estimate_llc(potential, center, SAMPLER, plan, seed=seed, scales=lengths(closed))[0]
