"""One cell of the TD chain: states in a row, a reward at their end, and how values are learned."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import final

from empirics.coerce import coerce_fields, whole
from theory.curve import Condition


@final
@dataclass(frozen=True)
class TDChainCell:
    """One cell of the experiment: the values of a chain, learned by temporal differences.

    Every state hands over to the next; leaving the last gives a reward of mean 1 and ends the
    episode. Values are a table that starts at 0. An update follows one transition, or the mean
    over a batch of them.

    Attributes
    ----------
    distance : int
        Steps from the state that is watched to the rewarded one, less than `n_states`; one less
        than `n_states` watches the start.
    learning_rate : float
        Step size of an update.
    n_states : int
        Length of the chain.
    gamma : float
        Discount, in (0, 1].
    reward_sd : float
        Standard deviation of the reward, normal and independent.
    batch_size : int
        Transitions in an update.
    on_policy : bool
        Whether the agent walks the chain from its start, a transition an update (a batch is that
        many agents in step). Otherwise the states of a batch are drawn independently, all alike,
        as from a buffer of such walks.
    gae_lambda : float
        Decay of the traces of TD(λ) beside the discount, in [0, 1]; 0 is TD(0), 1 Monte Carlo.
        Walks alone leave traces.

    Raises
    ------
    ValueError
        If a setting is out of its range, or is changed where it does not act.
    """

    distance: int
    learning_rate: float
    n_states: int = 20
    gamma: float = 0.95
    reward_sd: float = 0.0
    batch_size: int = 1
    on_policy: bool = True
    gae_lambda: float = 0.0

    def __post_init__(self) -> None:
        coerce_fields(self)
        for name, least in (("distance", 0), ("n_states", 1), ("batch_size", 1)):
            whole(name, getattr(self, name), least)
        if self.distance >= self.n_states:
            raise ValueError(
                f"distance must be less than n_states, {self.n_states}; it is {self.distance}."
            )
        if not 0 < self.learning_rate <= 1:
            raise ValueError(f"learning_rate must be in (0, 1]; it is {self.learning_rate}.")
        if not 0 < self.gamma <= 1:
            raise ValueError(f"gamma must be in (0, 1]; it is {self.gamma}.")
        if self.reward_sd < 0:
            raise ValueError(f"reward_sd must not be negative; it is {self.reward_sd}.")
        if not 0 <= self.gae_lambda <= 1:
            raise ValueError(f"gae_lambda must be in [0, 1]; it is {self.gae_lambda}.")
        if self.gae_lambda and not self.on_policy:
            raise ValueError(
                f"gae_lambda does not act without on_policy; it is {self.gae_lambda}, leave it out."
            )
        if self.on_policy and self.reward_sd == 0 and self.batch_size != 1:
            raise ValueError(
                "batch_size does not act on walks without reward_sd; "
                f"it is {self.batch_size}, leave it out."
            )

    @property
    def label(self) -> str:
        """What tells the cell from others: distance and rate, then what is not preset."""
        said = {"distance": self.distance, "rate": self.learning_rate}
        said |= {
            field.name: getattr(self, field.name)
            for field in fields(self)[2:]
            if getattr(self, field.name) != field.default
        }
        return " ".join(["td", *(f"{k}={v}" for k, v in said.items())])

    def conditions(self, seed: int) -> dict[str, Condition]:
        """Return the ledger of everything that shapes a run of this cell."""
        return {**vars(self), "update_rule": "temporal_difference", "seed": seed}
