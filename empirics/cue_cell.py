"""One cell of the cue-competition experiment: a task, and how the agent learns."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import final

import numpy as np

from empirics.coerce import coerce_fields, whole
from empirics.run_stream import LATER, settings_of
from theory.curve import Condition, FloatArray, IntArray, Schedule


class UpdateRule(StrEnum):
    """How an agent learns."""

    DELTA_RULE = "delta_rule"
    POLICY_GRADIENT = "policy_gradient"
    NORMALIZED_CRITIC = "normalized_critic"


@final
@dataclass(frozen=True)
class CueCell:
    """One cell of the experiment: a task and a learner.

    Attributes
    ----------
    alpha : float
        Probability of a conflict level, in (0, 1).
    salience_ratio : float
        Salience of the proxy over that of the goal, positive.
    update_rule : UpdateRule
        Delta rule on action values (rewards ±1), or a softmax policy gradient (rewards 0, 1)
        without baseline, or with the exact critic and advantages over their batch rms.
    learning_rate : float
        Step size, 1/update.
    batch_size : int
        Levels in an update.
    initial_sd : float
        Standard deviation of the two initial weights.
    inverse_temperature : float
        Softmax of the delta rule's action values into choices.
    pretrained_updates : int
        First updates, in which there are no conflict levels yet.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    alpha: float
    salience_ratio: float
    update_rule: UpdateRule
    learning_rate: float
    batch_size: int = 64
    initial_sd: float = 0.01
    inverse_temperature: float = 5.0
    pretrained_updates: int = field(default=0, metadata=LATER)

    def __post_init__(self) -> None:
        rules = sorted(UpdateRule)
        if self.update_rule not in rules:
            raise ValueError(
                f"update_rule must be one of {', '.join(rules)}; it is {self.update_rule!r}."
            )
        object.__setattr__(self, "update_rule", UpdateRule(self.update_rule))
        coerce_fields(self)
        whole("batch_size", self.batch_size, 1)
        whole("pretrained_updates", self.pretrained_updates, 0)
        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha must lie between 0 and 1; it is {self.alpha}.")
        for name in ("salience_ratio", "learning_rate", "inverse_temperature"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive; it is {getattr(self, name)}.")
        if self.initial_sd < 0:
            raise ValueError(f"initial_sd must not be negative; it is {self.initial_sd}.")

    @property
    def label(self) -> str:
        """What tells the cell from others: rule, alpha, ratio and rate, then what is not preset."""
        said = {"alpha": self.alpha, "ratio": self.salience_ratio, "rate": self.learning_rate}
        preset = {field.name: field.default for field in fields(self)}
        said |= {
            name: getattr(self, name)
            for name in ("batch_size", "initial_sd", "inverse_temperature", "pretrained_updates")
            if getattr(self, name) != preset[name]
        }
        return " ".join([str(self.update_rule), *(f"{k}={v}" for k, v in said.items())])

    def alphas(self, t: IntArray) -> FloatArray:
        """Return the probability of a conflict level after `t` updates, shape (n,)."""
        return np.where(t < self.pretrained_updates, 0.0, self.alpha)

    def conditions(self, seed: int) -> dict[str, Condition]:
        """Return the ledger of everything that shapes a run of this cell.

        Of pretrained agents alpha is a schedule: 0, and then at once what it is.
        """
        critic = self.update_rule is UpdateRule.NORMALIZED_CRITIC
        alpha: Condition = self.alpha
        if first := float(self.pretrained_updates):
            t = np.array([0.0, np.nextafter(first, 0.0), first])
            alpha = Schedule(t, np.array([0.0, 0.0, self.alpha]))
        return {
            **settings_of(self),
            "alpha": alpha,
            "update_rule": str(self.update_rule),
            "critic": "exact" if critic else "none",
            "normalized_advantages": critic,
            "seed": seed,
        }
