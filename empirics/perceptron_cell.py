"""One cell of the RL perceptron: decisions that an episode rewards together, and the learner."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import final

from empirics.coerce import coerce_fields, whole
from theory.curve import Condition


@final
@dataclass(frozen=True)
class PerceptronCell:
    """One cell of the experiment: a perceptron taught by rewards (Patel et al. 2025).

    In an episode the student w sees normal inputs x one after the other and answers the sign of
    w·x; right is what a teacher of squared norm `dimension` answers. Where enough answers are
    right the student moves by learning_rate/(n_decisions sqrt(dimension)) times the sum over
    decisions of answer times input; otherwise it stays. Every episode is an update.

    Attributes
    ----------
    n_decisions : int
        Decisions in an episode.
    learning_rate : float
        Step size.
    dimension : int
        Of the inputs, at least 3.
    n_mistakes : int
        Wrong decisions that a rewarded episode may hold, less than `n_decisions`.
    initial_alignment : float
        Cosine between student and teacher before training, in (-1, 1).
    initial_squared_norm : float
        Of the student before training, over the dimension.

    Raises
    ------
    ValueError
        If a setting is out of its range.
    """

    n_decisions: int
    learning_rate: float = 1.0
    dimension: int = 400
    n_mistakes: int = 0
    initial_alignment: float = 0.0
    initial_squared_norm: float = 1.0

    def __post_init__(self) -> None:
        coerce_fields(self)
        for name, least in (("n_decisions", 1), ("dimension", 3), ("n_mistakes", 0)):
            whole(name, getattr(self, name), least)
        if self.n_mistakes >= self.n_decisions:
            raise ValueError(
                f"n_mistakes must be less than n_decisions, {self.n_decisions}; "
                f"it is {self.n_mistakes}."
            )
        for name in ("learning_rate", "initial_squared_norm"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive; it is {getattr(self, name)}.")
        if not -1 < self.initial_alignment < 1:
            raise ValueError(
                f"initial_alignment must lie between -1 and 1; it is {self.initial_alignment}."
            )

    @property
    def label(self) -> str:
        """What tells the cell from others: decisions, rate, then what is not preset."""
        said = {"decisions": self.n_decisions, "rate": self.learning_rate}
        said |= {
            field.name: getattr(self, field.name)
            for field in fields(self)[2:]
            if getattr(self, field.name) != field.default
        }
        return " ".join(["perceptron", *(f"{k}={v}" for k, v in said.items())])

    def conditions(self, seed: int) -> dict[str, Condition]:
        """Return the ledger of everything that shapes a run of this cell."""
        return {**vars(self), "update_rule": "rewarded_answers", "seed": seed}
