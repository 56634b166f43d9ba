"""One cell of the bandit experiment: one rewarded arm among K, and how the agent learns."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, final

from empirics.coerce import coerce_fields, whole
from theory.curve import Condition


class BanditRule(StrEnum):
    """What an update follows."""

    POLICY_GRADIENT = "policy_gradient"
    NATURAL_POLICY_GRADIENT = "natural_policy_gradient"
    NORMALIZED_POLICY_GRADIENT = "normalized_policy_gradient"
    CLIPPED_POLICY_GRADIENT = "clipped_policy_gradient"


class Optimizer(StrEnum):
    """How a gradient becomes a step."""

    SGD = "sgd"
    ADAM = "adam"


class Critic(StrEnum):
    """What is subtracted from rewards."""

    NONE = "none"
    EXACT = "exact"
    LEARNED = "learned"


NORMALIZED = (BanditRule.NORMALIZED_POLICY_GRADIENT, BanditRule.CLIPPED_POLICY_GRADIENT)
CHOICES: tuple[tuple[str, type[StrEnum]], ...] = (
    ("update_rule", BanditRule),
    ("optimizer", Optimizer),
    ("critic", Critic),
)


@final
@dataclass(frozen=True)
class BanditCell:
    """One cell of the experiment: a bandit and a learner.

    A setting that does not act (Adam's under plain steps, say) must stay at its preset, so that
    equal runs have equal cells, and is not among the conditions.

    Attributes
    ----------
    initial_probability : float
        Chance of the rewarded arm before training, in (0, 1); the other arms share the rest.
    learning_rate : float
        Step size, 1/update.
    update_rule : BanditRule
        REINFORCE; the same times the inverse Fisher matrix of the policy; advantages minus the
        mean and over the standard deviation of their batch (no step where that is 0); or PPO's
        clipped surrogate with such advantages.
    n_arms : int
        Arms to choose from, at least 2.
    reward : float
        Reward of the one good arm; the others give 0.
    batch_size : int
        Episodes in an update.
    exact_gradient : bool
        Whether updates follow the expectation over episodes instead of a drawn batch.
    critic : Critic
        Nothing, the policy's exact mean reward, or a running mean of batches' mean rewards is
        subtracted from rewards.
    critic_rate : float
        Weight of the last batch in the running mean, in (0, 1].
    entropy_bonus : float
        Weight of the policy's entropy, whose gradient is exact.
    optimizer : Optimizer
        Plain steps or Adam (Kingma and Ba 2015).
    beta_1, beta_2, epsilon : float
        Adam's decay rates, and what it adds to the root of the second moment.
    epochs : int
        Steps on each batch, all of it at a time.
    clip_range : float
        How far the ratio of probabilities may leave 1 before its gradient is cut.

    Raises
    ------
    ValueError
        If a setting is out of its range, or is changed where it does not act.
    """

    initial_probability: float
    learning_rate: float
    update_rule: BanditRule = BanditRule.POLICY_GRADIENT
    n_arms: int = 10
    reward: float = 1.0
    batch_size: int = 1
    exact_gradient: bool = False
    critic: Critic = Critic.NONE
    critic_rate: float = 0.1
    entropy_bonus: float = 0.0
    optimizer: Optimizer = Optimizer.SGD
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    epochs: int = 1
    clip_range: float = 0.2

    def __post_init__(self) -> None:
        for name, kind in CHOICES:
            choose(self, name, kind)
        coerce_fields(self)
        for name, least in (("n_arms", 2), ("batch_size", 1), ("epochs", 1)):
            whole(name, getattr(self, name), least)
        if not 0 < self.initial_probability < 1:
            raise ValueError(
                f"initial_probability must lie between 0 and 1; it is {self.initial_probability}."
            )
        for name in ("learning_rate", "reward", "epsilon", "clip_range"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive; it is {getattr(self, name)}.")
        for name in ("beta_1", "beta_2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be in [0, 1); it is {getattr(self, name)}.")
        if not 0 < self.critic_rate <= 1:
            raise ValueError(f"critic_rate must be in (0, 1]; it is {self.critic_rate}.")
        if self.entropy_bonus < 0:
            raise ValueError(f"entropy_bonus must not be negative; it is {self.entropy_bonus}.")
        self._check_what_acts()

    def _check_what_acts(self) -> None:
        idle, preset = self.idle, {field.name: field.default for field in fields(self)}
        for name, reason in idle.items():
            value = getattr(self, name)
            if value != preset[name]:
                said = f"'{value}'" if isinstance(value, StrEnum) else value
                raise ValueError(f"{name} does not act {reason}; it is {said}, leave it out.")

    @property
    def idle(self) -> dict[str, str]:
        """The settings that do not act, each with the reason."""
        idle: dict[str, str] = {}
        if self.exact_gradient:
            idle |= {"batch_size": "on exact gradients", "critic": "on exact gradients"}
        if self.update_rule in NORMALIZED:
            idle["critic"] = "where advantages are normalized, which takes every constant out"
        if self.critic is not Critic.LEARNED:
            idle["critic_rate"] = "without critic 'learned'"
        if self.update_rule is BanditRule.NATURAL_POLICY_GRADIENT:
            # It is known up to a constant over arms, which Adam, logit by logit, is not blind to.
            idle["optimizer"] = "on natural gradients"
        if self.optimizer is not Optimizer.ADAM:
            idle |= dict.fromkeys(("beta_1", "beta_2", "epsilon"), "without optimizer 'adam'")
        if self.update_rule is not BanditRule.CLIPPED_POLICY_GRADIENT:
            reason = f"without update_rule '{BanditRule.CLIPPED_POLICY_GRADIENT}'"
            idle |= dict.fromkeys(("epochs", "clip_range"), reason)
        return idle

    @property
    def alike(self) -> bool:
        """Whether the bad arms keep equal logits: only the good arm ever has an advantage.

        An unrewarded episode then moves nothing, a rewarded one moves all bad arms alike, and so
        do Adam and the entropy bonus. With advantages of their own, the bad arms part by chance
        in which of them is drawn; in the expectation they do not.
        """
        return self.exact_gradient or (
            self.critic is Critic.NONE and self.update_rule not in NORMALIZED
        )

    @property
    def waits(self) -> bool:
        """Whether nothing at all happens between rewarded episodes."""
        return (
            self.alike
            and not self.exact_gradient
            and self.update_rule is BanditRule.POLICY_GRADIENT
            and self.optimizer is Optimizer.SGD
            and self.entropy_bonus == 0
        )

    @property
    def label(self) -> str:
        """What tells the cell from others: rule, start and rate, then what is not preset."""
        said = {"p0": self.initial_probability, "rate": self.learning_rate}
        said |= {
            field.name: getattr(self, field.name)
            for field in fields(self)[3:]
            if getattr(self, field.name) != field.default
        }
        return " ".join([str(self.update_rule), *(f"{k}={v}" for k, v in said.items())])

    def conditions(self, seed: int) -> dict[str, Condition]:
        """Return the ledger of everything that shapes a run of this cell."""
        # One epoch is made by every rule, and no critic and plain steps are choices too.
        silent = set(self.idle) - {"epochs", "critic", "optimizer"}
        plain: dict[str, Condition] = {
            name: str(value) if isinstance(value, StrEnum) else value
            for name, value in vars(self).items()
            if name not in silent
        }
        normalized = self.update_rule in NORMALIZED
        return {**plain, "normalized_advantages": normalized, "seed": seed}


def choose(settings: Any, name: str, kind: type[StrEnum]) -> None:
    """Replace a field of a frozen dataclass by the choice it names.

    Raises
    ------
    ValueError
        If it names none; the choices are listed.
    """
    value, choices = getattr(settings, name), sorted(kind)
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}; it is {value!r}.")
    object.__setattr__(settings, name, kind(value))
