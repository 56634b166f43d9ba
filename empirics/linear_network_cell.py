"""One cell of the linear network: a linear map to learn, and the layers that learn it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import final

from empirics.coerce import coerce_fields, whole
from theory.curve import Condition


@final
@dataclass(frozen=True)
class LinearNetworkCell:
    """One cell of the experiment: a deep linear network and its regression.

    Inputs are white and labels a linear map of them, so that gradient descent on half the mean
    squared error needs no more of the data than the map: half the squared distance between it and
    the product of the layers is the loss. The map is diagonal; normal weights know no directions,
    so any other map of these singular values is learned alike.

    Attributes
    ----------
    singular_value : float
        Of the mode that is watched, the first.
    learning_rate : float
        Step size.
    initial_scale : float
        Standard deviation of the normal initial weights; where balanced, the weight of every layer
        in every mode.
    depth : int
        Layers of weights, at least 2.
    hidden_units : int
        Units of every hidden layer; at least `n_modes` where balanced.
    n_modes : int
        Modes of the map.
    mode_ratio : float
        Singular value of each further mode over that of the one before.
    balanced : bool
        Whether the layers are equal and diagonal at the start, instead of normal.

    Raises
    ------
    ValueError
        If a setting is out of its range, or is changed where it does not act.
    """

    singular_value: float
    learning_rate: float = 0.01
    initial_scale: float = 0.03
    depth: int = 2
    hidden_units: int = 1
    n_modes: int = 1
    mode_ratio: float = 0.5
    balanced: bool = False

    def __post_init__(self) -> None:
        coerce_fields(self)
        for name, least in (("depth", 2), ("hidden_units", 1), ("n_modes", 1)):
            whole(name, getattr(self, name), least)
        for name in ("singular_value", "learning_rate", "initial_scale", "mode_ratio"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive; it is {getattr(self, name)}.")
        if self.balanced and self.hidden_units != 1:
            raise ValueError(
                "hidden_units does not act on balanced layers, which have one a mode; "
                f"it is {self.hidden_units}, leave it out."
            )
        if self.n_modes == 1 and self.mode_ratio != 0.5:
            raise ValueError(
                f"mode_ratio does not act on one mode; it is {self.mode_ratio}, leave it out."
            )
        largest = max(self.singular_values)
        limit = 2.0 / (self.depth * largest ** (2.0 - 2.0 / self.depth))
        if self.learning_rate >= limit:
            raise ValueError(
                "learning_rate must be less than 2/(depth · s^(2 - 2/depth)), "
                f"{limit:.4g} at singular value {largest:g}, for the map to be a stable end; "
                f"it is {self.learning_rate}."
            )

    @property
    def singular_values(self) -> tuple[float, ...]:
        """Of every mode, that of the watched one first."""
        return tuple(self.singular_value * self.mode_ratio**k for k in range(self.n_modes))

    @property
    def width(self) -> int:
        """Units of every hidden layer."""
        return self.n_modes if self.balanced else self.hidden_units

    @property
    def label(self) -> str:
        """What tells the cell from others: singular value, rate, then what is not preset."""
        said = {"s": self.singular_value, "rate": self.learning_rate}
        said |= {
            field.name: getattr(self, field.name)
            for field in fields(self)[2:]
            if getattr(self, field.name) != field.default
        }
        return " ".join(["linear", *(f"{k}={v}" for k, v in said.items())])

    def conditions(self, seed: int) -> dict[str, Condition]:
        """Return the ledger of everything that shapes a run of this cell."""
        plain = dict(vars(self))
        if self.balanced:
            del plain["hidden_units"]
        if self.n_modes == 1:
            del plain["mode_ratio"]
        return {**plain, "update_rule": "gradient_descent", "exact_gradient": True, "seed": seed}
