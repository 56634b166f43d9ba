"""One cell of the product model: data, and the chain of weights that learns or samples from it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, final, get_args

from empirics.coerce import coerce_fields, whole
from theory.curve import Condition

UpdateRule = Literal["gradient_descent", "langevin"]


@final
@dataclass(frozen=True)
class ProductCell:
    """One cell of the experiment: a chain of single linear units and the samples that it is shown.

    The label is y = singular_value · x + noise and the answer w x, w the product of the weights.
    Inputs x are signs, so that of a sample only z = x y matters. The loss is half the squared
    error, averaged over the samples; a normal prior on every weight adds
    noise_sd²/(samples prior_sd²) · |weights|²/2, which makes exp(-samples/noise_sd² · loss) the
    posterior. Gradient descent follows the gradient; Langevin sampling adds to each of its steps
    normal noise of variance 2 learning_rate noise_sd²/samples (Welling and Teh 2011, eq. 4), which
    for small steps samples the posterior.

    Attributes
    ----------
    samples : int
        Number of samples, drawn once and used again and again.
    learning_rate : float
        Step size of either rule.
    singular_value : float
        What w ought to be.
    noise_sd : float
        Of the labels.
    initial_scale : float
        Every weight at the start.
    depth : int
        Number of weights, at least 2.
    update_rule : str
    prior_sd : float or None
        Of the normal prior of every weight; None leaves the prior out, and cannot be sampled.
    batch_size : int or None
        Samples of a batch, drawn with replacement from the data; None takes them all.
    pretrained_samples, pretrained_updates : int
        Updates of gradient descent before the run, without prior, on all of so many samples, of
        which those of the run are the first.

    Raises
    ------
    ValueError
        If a setting is out of its range, or is changed where it does not act.
    """

    samples: int
    learning_rate: float = 0.01
    singular_value: float = 1.0
    noise_sd: float = 1.0
    initial_scale: float = 0.1
    depth: int = 3
    update_rule: UpdateRule = "gradient_descent"
    prior_sd: float | None = None
    batch_size: int | None = None
    pretrained_samples: int = 0
    pretrained_updates: int = 0

    def __post_init__(self) -> None:
        coerce_fields(self)
        whole("samples", self.samples, 1)
        whole("depth", self.depth, 2)
        whole("pretrained_updates", self.pretrained_updates, 0)
        if self.batch_size is not None:
            whole("batch_size", self.batch_size, 1)
        positive = ("learning_rate", "singular_value", "noise_sd", "initial_scale", "prior_sd")
        for name in positive:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be positive; it is {value}.")
        if self.update_rule not in get_args(UpdateRule):
            choices = ", ".join(sorted(get_args(UpdateRule)))
            raise ValueError(f"no update_rule {self.update_rule!r}; choose from {choices}.")
        if self.update_rule == "langevin" and self.prior_sd is None:
            raise ValueError("langevin samples a posterior, which needs a prior_sd; it is None.")
        if bool(self.pretrained_updates) != bool(self.pretrained_samples):
            raise ValueError(
                "pretrained_samples and pretrained_updates act together; they are "
                f"{self.pretrained_samples} and {self.pretrained_updates}."
            )
        if self.pretrained_samples and self.pretrained_samples < self.samples:
            raise ValueError(
                f"pretrained_samples must be at least samples, {self.samples}; "
                f"it is {self.pretrained_samples}."
            )
        limit = 2.0 / (self.depth * self.singular_value ** (2.0 - 2.0 / self.depth))
        if self.learning_rate >= limit:
            raise ValueError(
                "learning_rate must be less than 2/(depth · s^(2 - 2/depth)), "
                f"{limit:.4g} at singular value {self.singular_value:g}, for it to be a stable "
                f"end; it is {self.learning_rate}."
            )

    @property
    def label(self) -> str:
        """What tells the cell from others: samples, rate, then what is not preset."""
        said = {"samples": self.samples, "rate": self.learning_rate}
        said |= {
            field.name: getattr(self, field.name)
            for field in fields(self)[2:]
            if getattr(self, field.name) != field.default
        }
        return " ".join(["product", *(f"{k}={v}" for k, v in said.items())])

    def conditions(self, seed: int) -> dict[str, Condition]:
        """Return the ledger of everything that shapes a run of this cell."""
        plain = {name: value for name, value in vars(self).items() if value is not None}
        return {**plain, "balanced": True, "exact_gradient": self.batch_size is None, "seed": seed}
