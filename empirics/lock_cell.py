"""One cell of the lock experiment: a chain of choices, and how the agent learns."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import final

from scipy.special import expit

from empirics.coerce import coerce_fields, whole
from empirics.lock_start import start_log_odds
from empirics.run_stream import LATER
from theory.curve import Condition


@final
@dataclass(frozen=True)
class LockCell:
    """One cell of the experiment: a combination lock, learned by REINFORCE.

    An episode has `horizon` steps with `n_arms` actions each, one of them right; the policy is
    a softmax a step. The lock opens when every action was right. What is climbed is the expected
    discounted reward: a step's score is multiplied by what follows it, the reward after the h-th
    action (h from 1) being worth gamma^(h - 1).

    Attributes
    ----------
    initial_probability : float
        Chance of the right action at each step before training, in (0, 1).
    learning_rate : float
        Step size, 1/update.
    horizon : int
        Steps of an episode; a wrong action does not end it.
    n_arms : int
        Actions at each step, at least 2.
    reward : float
        Sum of the rewards of an episode without mistake.
    process_fraction : float
        Share of it that is given in equal parts for each right action, whatever the others are;
        the rest is given at the end for all being right. In [0, 1].
    gamma : float
        Discount, in (0, 1].
    batch_size : int
        Episodes in an update.
    exact_gradient : bool
        Whether updates follow the expectation over episodes instead of a drawn batch.
    potential_shaping : float
        Coefficient c of the potential Φ(s) = c · reward · h/horizon of having done the first h
        actions all right; it is 0 after a mistake and when the episode has ended. Each action
        also earns γ Φ(s') - Φ(s), discounted like other rewards (Ng, Harada and Russell 1999).
        What follows a state sums to -Φ of that state, whatever is done: returns of whole
        episodes, and with them the optimum and the expected gradient, are what they were, and
        the estimate of a batch has the potential for a baseline.
    pretrained_updates : int
        Steps of the same size on the cross-entropy of demonstrations, all of whose actions are
        right, before rewards are learned from; update 0 comes after them.
    curriculum_threshold : float
        Chance of success at which the start of episodes moves back, in [0, 1). Episodes start k
        steps before the end, as if all earlier steps had been done right: only the last k are
        played and learned, and discounts count from there. k is 1 before training and grows by
        one, before training and after every update, as long as it is below `horizon` and the last
        k steps are all right with a chance of at least this; it never shrinks. At 0 there is no
        curriculum: episodes start at the first step at once.

    Raises
    ------
    ValueError
        If a setting is out of its range, or is changed where it does not act.
    """

    initial_probability: float
    learning_rate: float
    horizon: int = 3
    n_arms: int = 4
    reward: float = 1.0
    process_fraction: float = 0.0
    gamma: float = 1.0
    batch_size: int = 1
    exact_gradient: bool = False
    potential_shaping: float = field(default=0.0, metadata=LATER)
    pretrained_updates: int = field(default=0, metadata=LATER)
    curriculum_threshold: float = field(default=0.0, metadata=LATER)

    def __post_init__(self) -> None:
        coerce_fields(self)
        for name, least in (
            ("horizon", 1),
            ("n_arms", 2),
            ("batch_size", 1),
            ("pretrained_updates", 0),
        ):
            whole(name, getattr(self, name), least)
        if not 0 < self.initial_probability < 1:
            raise ValueError(
                f"initial_probability must lie between 0 and 1; it is {self.initial_probability}."
            )
        for name in ("learning_rate", "reward"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive; it is {getattr(self, name)}.")
        if not 0 <= self.process_fraction <= 1:
            raise ValueError(f"process_fraction must be in [0, 1]; it is {self.process_fraction}.")
        if not 0 < self.gamma <= 1:
            raise ValueError(f"gamma must be in (0, 1]; it is {self.gamma}.")
        if self.potential_shaping < 0:
            raise ValueError(
                f"potential_shaping must not be negative; it is {self.potential_shaping}."
            )
        if not 0 <= self.curriculum_threshold < 1:
            raise ValueError(
                "curriculum_threshold must be at least 0 and below 1; "
                f"it is {self.curriculum_threshold}."
            )
        for name, preset in (("batch_size", 1), ("potential_shaping", 0.0)):
            if self.exact_gradient and getattr(self, name) != preset:
                raise ValueError(
                    f"{name} does not act on exact gradients; it is {getattr(self, name)}, "
                    "leave it out."
                )

    @property
    def waits(self) -> bool:
        """Whether all steps are alike, and nothing happens between openings of the lock."""
        apart = self.process_fraction or self.potential_shaping or self.curriculum_threshold
        return not apart and not self.exact_gradient

    @property
    def label(self) -> str:
        """What tells the cell from others: length, start and rate, then what is not preset."""
        said = {"lock": self.horizon, "p0": self.initial_probability, "rate": self.learning_rate}
        said |= {
            field.name: getattr(self, field.name)
            for field in fields(self)[3:]
            if getattr(self, field.name) != field.default
        }
        return " ".join(f"{k}={v}" for k, v in said.items())

    def conditions(self, seed: int) -> dict[str, Condition]:
        """Return the ledger of everything that shapes a run of this cell.

        `initial_probability` is the chance at update 0: after any demonstrations, with the chance
        before them beside it, as ``untrained_probability``.
        """
        plain = dict(vars(self))
        if self.pretrained_updates:
            plain["untrained_probability"] = self.initial_probability
            plain["initial_probability"] = float(expit(start_log_odds([self])[0]))
        if self.exact_gradient:
            del plain["batch_size"], plain["potential_shaping"]
        return {
            **plain,
            "update_rule": "policy_gradient",
            "critic": "none",
            "normalized_advantages": False,
            "seed": seed,
        }
