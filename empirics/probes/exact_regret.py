"""The regret of a policy in a small problem, exactly: what it could have earned and does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import torch
from torch import Tensor

from empirics.probe import Policy, Reading
from empirics.tabular.cheese import CheeseConfig
from empirics.tabular.evaluation import expected_return, policy_values
from empirics.tabular.mdp import TabularMDP
from empirics.tabular.optimum import optimum


@final
@dataclass(frozen=True, eq=False)
class ExactRegret:
    """Best return less the policy's, on one or more start distributions; a `Probe`.

    Attributes
    ----------
    problems : mapping of str to TabularMDP
        By the name of the observable.
    observations : (S, ...) tensor
        What the policy sees in every state.
    """

    problems: Mapping[str, TabularMDP]
    observations: Tensor

    name = "exact regret"

    def __post_init__(self) -> None:
        object.__setattr__(self, "problems", MappingProxyType(dict(self.problems)))

    @property
    def observables(self) -> tuple[str, ...]:
        """Names of the readings, in order."""
        return tuple(self.problems)

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure a policy; regret is exact, so it has no standard error.

        The baseline is the regret of uniform actions.
        """
        with torch.no_grad():
            logits, _ = policy(self.observations)
        chosen = torch.softmax(logits.to(torch.float64), -1)
        uniform = torch.full_like(chosen, 1 / chosen.shape[-1])
        return {
            name: Reading(
                _regret(problem, chosen),
                baselines={"uniform actions": _regret(problem, uniform)},
            )
            for name, problem in self.problems.items()
        }


def cheese_regret(config: CheeseConfig) -> ExactRegret:
    """Return the probe of regret as trained, with the cheese in the corner, and elsewhere."""
    away = torch.arange(1, config.area).numpy()
    return ExactRegret(
        {
            "regret": config.problem(),
            "regret_in_corner": config.with_cheese_on(torch.zeros(1, dtype=torch.long).numpy()),
            "regret_elsewhere": config.with_cheese_on(away),
        },
        torch.from_numpy(config.observations()),
    )


def _regret(problem: TabularMDP, policy: Tensor) -> float:
    earned = float(expected_return(problem, policy_values(problem, policy)))
    return optimum(problem).expected_return - earned
