"""Learning coefficients along the training of cheese in the corner, by several energies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from empirics.llc.chains import ChainPlan
from empirics.llc.estimate import estimate_llc
from empirics.llc.hmc import HMC
from empirics.llc.potential import Potential
from empirics.llc.potentials.action_law import Categorical
from empirics.llc.potentials.behavior_kl import behavior_kl
from empirics.llc.potentials.freeze_states import FrozenStates, on_policy_states
from empirics.llc.potentials.outputs import NetworkOutputs
from empirics.llc.potentials.tabular_regret import tabular_regret
from empirics.llc.reading import LLCReading
from empirics.tabular.cheese import CheeseConfig
from empirics.tabular.optimum import optimum
from papers.elliott2026_stagewise_rl.cheese_runs import Trained
from theory.curve import Curve, Origin

REGRET, VISITED = "llc_regret", "llc_behavior_visited"
UNIFORM, IN_CORNER = "llc_behavior_uniform", "llc_behavior_corner"
ENERGIES: Mapping[str, str] = MappingProxyType(
    {
        REGRET: "exact regret with a temperature of 0.01",
        VISITED: "behavior KL on the visits of the best policy",
        UNIFORM: "behavior KL on all states alike",
        IN_CORNER: "behavior KL on the states with the cheese in the corner",
    }
)
TEMPERATURE = 0.01
NBETA, LOCALIZATION = 1000.0, 100.0
SAMPLER = HMC(2e-4, num_leapfrog_steps=6)
CHAINS = {"tiny": 2, "quick": 4, "full": 8}
DRAWS = {"tiny": (4, 2), "quick": (30, 12), "full": (100, 40)}
"""Draws of a chain, and moves before the first."""


@final
@dataclass(frozen=True, eq=False)
class Along:
    """Readings of one energy along one run, one a checkpoint."""

    trained: Trained
    observable: str
    readings: tuple[LLCReading, ...]

    @property
    def curve(self) -> Curve | None:
        """The readings that there are, as a curve; None if there is none."""
        regret = self.trained.run.curve("regret")
        pairs = zip(regret.t, self.readings, strict=True)
        kept = [(t, r.llc, r.llc_se) for t, r in pairs if r.llc is not None and r.llc_se]
        if not kept:
            return None
        t, y, y_se = (np.array(column) for column in zip(*kept, strict=True))
        return Curve(
            self.observable,
            t,
            y,
            y_se=y_se,
            progress=regret.progress,
            run=regret.run,
            run_id=regret.run_id,
            conditions={**regret.conditions, "nbeta": NBETA, "localization": LOCALIZATION},
            origin=Origin.MEASURED,
        )


def along(runs: Sequence[Trained], observable: str, *, seed: int, scale: str) -> tuple[Along, ...]:
    """Read an energy at every checkpoint of runs of one problem, all in one batch."""
    first = runs[0].run
    config = CheeseConfig(alpha=float(first.conditions["alpha"]))  # type: ignore[arg-type]
    centers = torch.cat([each.centers for each in runs])
    potential = energy(observable, config, runs[0].actor, centers)
    draws, burnin = DRAWS[scale]
    plan = ChainPlan(NBETA, LOCALIZATION, CHAINS[scale], draws, burnin)
    found = estimate_llc(potential, centers, SAMPLER, plan, seed=seed)
    ends = np.cumsum([len(each.centers) for each in runs])
    starts = [0, *ends[:-1]]
    return tuple(
        Along(each, observable, found[start:end])
        for each, start, end in zip(runs, starts, ends, strict=True)
    )


def energy(observable: str, config: CheeseConfig, actor: nn.Module, centers: Tensor) -> Potential:
    """Return an energy of `ENERGIES`."""
    if observable == REGRET:
        return tabular_regret(config.problem(), outputs(config, actor), temperature=TEMPERATURE)
    frozen = seen_states(observable, config)
    seen = outputs(config, actor, frozen.states)
    return behavior_kl(seen, Categorical(), frozen, centers)


def seen_states(observable: str, config: CheeseConfig) -> FrozenStates:
    """Return the states on which a behavior KL of `ENERGIES` is taken."""
    if observable == VISITED:
        problem = config.problem()
        return on_policy_states(problem, optimum(problem).policy)
    return states(config, in_corner=observable == IN_CORNER)


def states(config: CheeseConfig, *, in_corner: bool) -> FrozenStates:
    """Return the states in which the cheese is not yet eaten, all alike."""
    cheese, mouse = np.divmod(np.arange(config.area**2), config.area)
    kept = np.flatnonzero((cheese != mouse) & ((cheese == 0) | (not in_corner)))
    source = "all states with the cheese in the corner" if in_corner else "all states alike"
    return FrozenStates(kept, np.full(kept.size, 1 / kept.size), source, None)


def outputs(
    config: CheeseConfig, actor: nn.Module, at: NDArray[np.int64] | None = None
) -> NetworkOutputs:
    """Return the actor's logits in some states, all if not given."""
    seen = torch.from_numpy(config.observations()).double().flatten(1)
    return NetworkOutputs(actor, seen if at is None else seen[torch.tensor(at)])
