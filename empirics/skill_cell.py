"""One cell of the skills experiment: levels that need one of several skills, and one learner."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import final

import numpy as np

from empirics.bandit_cell import choose
from empirics.coerce import coerce_fields, whole
from theory.curve import Condition, FloatArray


class SkillRule(StrEnum):
    """What an update follows."""

    POLICY_GRADIENT = "policy_gradient"
    NATURAL_POLICY_GRADIENT = "natural_policy_gradient"


@final
@dataclass(frozen=True)
class SkillCell:
    """One cell of the experiment: several skills, learned on shared parameters by REINFORCE.

    An episode shows one of `n_skills` levels, and one of two actions, the right one, gets a
    reward of 1. On level k it is taken with chance p_k = 1/(1 + exp(-z_k)), where the logit
    z_k = theta · phi_k + offset_k is linear in parameters theta that all levels share. The unit
    feature vectors phi have equal cosines, so that what a gradient on level k moves theta by
    moves the logit of every other level by `gradient_cosine` times as much.

    Attributes
    ----------
    initial_probability : float
        Chance of the right action on the first level before training, in (0, 1).
    learning_rate : float
        Step size, 1/update.
    n_skills : int
        Levels, each of which needs a skill of its own.
    initial_ratio : float
        Chance of the right action before training on each level over that on the level before.
    frequency_exponent : float
        Level k is shown with a chance proportional to k^-frequency_exponent; 0: all alike.
    gradient_cosine : float
        In [-1/(n_skills - 1), 1], as vectors can have; 0: no parameters are shared.
    update_rule : SkillRule
        REINFORCE without baseline; or with each level's part over the Fisher information
        p_k (1 - p_k) of its logit, on policy only.
    on_policy : bool
        Whether the agent learns from actions of its own. Otherwise they come from a fixed
        policy, and are learned from as if they were its own (no importance weights).
    behavior_probability : float
        Chance of the right action under that fixed policy, in (0, 1].
    batch_size : int
        Episodes in an update.
    exact_gradient : bool
        Whether updates follow the expectation over episodes instead of a drawn batch.

    Raises
    ------
    ValueError
        If a setting is out of its range, or is changed where it does not act.
    """

    initial_probability: float
    learning_rate: float
    n_skills: int = 2
    initial_ratio: float = 1.0
    frequency_exponent: float = 0.0
    gradient_cosine: float = 0.0
    update_rule: SkillRule = SkillRule.POLICY_GRADIENT
    on_policy: bool = True
    behavior_probability: float = 0.5
    batch_size: int = 1
    exact_gradient: bool = False

    def __post_init__(self) -> None:
        choose(self, "update_rule", SkillRule)
        coerce_fields(self)
        for name in ("n_skills", "batch_size"):
            whole(name, getattr(self, name), 1)
        for name in ("learning_rate", "initial_ratio"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive; it is {getattr(self, name)}.")
        if not 0 < self.initial_probability < 1:
            raise ValueError(
                f"initial_probability must lie between 0 and 1; it is {self.initial_probability}."
            )
        if not 0 < self.behavior_probability <= 1:
            raise ValueError(
                f"behavior_probability must be in (0, 1]; it is {self.behavior_probability}."
            )
        self._check_levels()
        self._refuse_idle()

    def _check_levels(self) -> None:
        last = float(self.starts[-1])
        if not 0 < last < 1:
            raise ValueError(
                f"the last skill would start at a chance of {last}; with {self.n_skills} skills "
                f"initial_ratio must lie nearer to 1 than {self.initial_ratio}."
            )
        if not np.all(self.frequencies > 0):
            raise ValueError(
                f"frequency_exponent {self.frequency_exponent} leaves levels that are never shown; "
                "it must lie nearer to 0."
            )
        lowest = -1 / (self.n_skills - 1) if self.n_skills > 1 else 0.0
        highest = 1.0 if self.n_skills > 1 else 0.0
        if not lowest <= self.gradient_cosine <= highest:
            raise ValueError(
                f"gradient_cosine must be in [{lowest:.4g}, {highest:.4g}] between "
                f"{self.n_skills} skills; it is {self.gradient_cosine}."
            )

    def _refuse_idle(self) -> None:
        if self.update_rule is SkillRule.NATURAL_POLICY_GRADIENT and not self.on_policy:
            raise ValueError(
                f"update_rule '{self.update_rule}' learns from the agent's own actions; "
                "on_policy is False, leave it out."
            )
        for name, idle, where in (
            ("behavior_probability", self.on_policy, "without on_policy False"),
            ("batch_size", self.exact_gradient, "on exact gradients"),
        ):
            preset = next(field.default for field in fields(self) if field.name == name)
            value = getattr(self, name)
            if idle and value != preset:
                raise ValueError(f"{name} does not act {where}; it is {value}, leave it out.")

    @property
    def starts(self) -> FloatArray:
        """Chance of the right action on each level before training, (n_skills,)."""
        # A power that overflows is refused as a chance above 1.
        with np.errstate(over="ignore"):
            return np.asarray(
                self.initial_probability * self.initial_ratio ** np.arange(self.n_skills)
            )

    @property
    def frequencies(self) -> FloatArray:
        """Share of episodes that show each level, (n_skills,)."""
        logs = -self.frequency_exponent * np.log(np.arange(1, self.n_skills + 1))
        weights = np.exp(logs - logs.max())
        return np.asarray(weights / math.fsum(weights))

    @property
    def label(self) -> str:
        """What tells the cell from others: start and rate, then what is not preset."""
        said = {"p0": self.initial_probability, "rate": self.learning_rate}
        said |= {
            field.name: getattr(self, field.name)
            for field in fields(self)[2:]
            if getattr(self, field.name) != field.default
        }
        return " ".join(["skills", *(f"{name}={value}" for name, value in said.items())])

    def conditions(self, seed: int) -> dict[str, Condition]:
        """Return the ledger of everything that shapes a run of this cell.

        With it, by the names that theories of several skills use: the `skill_frequency` of the
        first, the `frequency_ratio` of the last over it, `n_subskills` of a task that needs them
        all and, of two that are met as often and learned on policy, their starts `initial_first`
        and `initial_second`.
        """
        plain: dict[str, Condition] = {**vars(self), "update_rule": str(self.update_rule)}
        if self.exact_gradient:
            del plain["batch_size"]
        if self.on_policy:
            del plain["behavior_probability"]
        plain["skill_frequency"] = float(self.frequencies[0])
        if self.n_skills == 2 and self.frequency_exponent == 0 and self.on_policy:
            first, second = self.starts.tolist()
            plain |= {"initial_first": first, "initial_second": second}
        if self.n_skills == 2 or self.frequency_exponent == 0:
            plain["frequency_ratio"] = float(self.frequencies[-1] / self.frequencies[0])
        plain["n_subskills"] = self.n_skills
        plain |= {"n_arms": 2, "reward": 1.0, "critic": "none", "normalized_advantages": False}
        return {**plain, "seed": seed}


@final
@dataclass(frozen=True)
class OneSkill:
    """One skill of an agent, as a cell of its own: the same agent, another ledger.

    Attributes
    ----------
    agent : SkillCell
    skill : int
        From 1.
    """

    agent: SkillCell
    skill: int

    @property
    def label(self) -> str:
        """What tells the cell from others."""
        return f"{self.agent.label} skill={self.skill}"

    def conditions(self, seed: int) -> dict[str, Condition]:
        """Return the agent's ledger with what is this skill's own.

        Its `skill_frequency`, its `initial_probability`, and the same as `initial_strength`, of
        a `target_strength` of 1.
        """
        start = float(self.agent.starts[self.skill - 1])
        return {
            **self.agent.conditions(seed),
            "skill": self.skill,
            "skill_frequency": float(self.agent.frequencies[self.skill - 1]),
            "initial_probability": start,
            "initial_strength": start,
            "target_strength": 1.0,
        }
