"""An experiment: an environment, a network, an algorithm, and what is measured when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Protocol, final

from empirics.algorithm import AbstractAlgorithm
from empirics.coerce import whole
from empirics.environment import VectorEnvironment
from empirics.networks import NetworkSpec
from empirics.probe import Probe
from empirics.schedule import log_schedule
from theory.curve import Condition

__all__ = ["Arm", "Experiment", "log_schedule"]


class EnvironmentConfig(Protocol):
    """Everything that decides an environment; a frozen value."""

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """The configuration as rows of a ledger."""
        ...

    def make(self, num_envs: int, seed: int) -> VectorEnvironment:
        """Return the training environment."""
        ...


class Shape(NetworkSpec, Protocol):
    """The shape of a policy; a frozen value that can build one and be put on record."""

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """The shape as rows of a ledger."""
        ...


class ProbePlan(Protocol):
    """What is measured on every checkpoint; a frozen value."""

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """The plan as rows of a ledger."""
        ...

    # Any: a plan is made for one kind of environment and asks for its particulars.
    def probes(self, environment: Any) -> tuple[Probe, ...]:
        """Return the probes; equal plans and environments, equal probes."""
        ...


@final
@dataclass(frozen=True)
class Arm:
    """An algorithm and the environment steps of its checkpoints, for it may need its own.

    Attributes
    ----------
    algorithm : AbstractAlgorithm
    schedule : tuple of int
        As in `Experiment`.
    """

    algorithm: AbstractAlgorithm
    schedule: tuple[int, ...]


@final
@dataclass(frozen=True)
class Experiment:
    """A training run that is fixed but for its seed.

    Attributes
    ----------
    name : str
    environment : EnvironmentConfig
    network : Shape
    algorithm : AbstractAlgorithm
    schedule : tuple of int
        Environment steps of the checkpoints; 0 is the freshly initialized network, the
        baseline of every reading.
    plan : ProbePlan
    label : str
        What `at` changed, for people; it decides nothing.
    others : tuple of Arm
        What can take the place of `algorithm` and `schedule`: then the algorithm is a condition
        like those of the environment, and its values are their names.
    """

    name: str
    environment: EnvironmentConfig
    network: Shape
    algorithm: AbstractAlgorithm
    schedule: tuple[int, ...]
    plan: ProbePlan
    label: str = ""
    others: tuple[Arm, ...] = ()

    def __post_init__(self) -> None:
        schedule = (whole("a moment of the schedule", moment, 0) for moment in self.schedule)
        object.__setattr__(self, "schedule", tuple(schedule))

    @property
    def conditions(self) -> dict[str, Condition]:
        """The ledger but for the seed and the algorithm's settings, which training adds."""
        return {
            "experiment": self.name,
            **self.environment.conditions,
            **self.network.conditions,
            **self.plan.conditions,
        }

    @property
    def length(self) -> str:
        """How long a run is, and how often it is measured."""
        steps, points = self.algorithm.total_timesteps, len(self.schedule)
        return f"{steps:,} environment steps, {points} checkpoints"

    @property
    def rungs(self) -> tuple[str, tuple[Condition, ...]]:
        """One rung, as it is: what is run unless a condition is varied."""
        condition, value = next(iter(self.environment.conditions.items()))
        return condition, (value,)

    @property
    def num_seeds(self) -> int:
        """Runs a rung unless told."""
        return 1

    @property
    def name_and_label(self) -> str:
        """What to call it."""
        return " ".join(filter(None, [self.name, self.label]))

    def at(self, /, **conditions: Condition) -> Experiment:
        """Return the experiment with fields of its environment, or of one inside it, changed.

        The condition `algorithm` chooses among those that the experiment knows.

        Raises
        ------
        ValueError
            If the environment has no such field (those it has are listed), or it cannot have
            this value.
        """
        if self.others and "algorithm" in conditions:
            return self._learning_by(conditions.pop("algorithm")).at(**conditions)
        known = sorted({*self.environment.conditions, *(["algorithm"] if self.others else [])})
        unknown = sorted(set(conditions) - set(known))
        if unknown:
            raise ValueError(
                f"experiment {self.name!r} has no condition {', '.join(unknown)} to vary; "
                f"it has {', '.join(known)}."
            )
        changed = _changed(self.environment, conditions)
        said = [self.label, *(f"{name}={changed.conditions[name]}" for name in conditions)]
        return replace(self, environment=changed, label=" ".join(filter(None, said)))

    def _learning_by(self, name: Condition) -> Experiment:
        """Return the experiment with the algorithm of this name."""
        own = Arm(self.algorithm, self.schedule)
        named = {arm.algorithm.algorithm: arm for arm in (own, *self.others)}
        if name not in named:
            raise ValueError(
                f"algorithm must be one of {', '.join(sorted(named))}; it is {name!r}."
            )
        chosen = named.pop(str(name))
        return replace(
            self,
            algorithm=chosen.algorithm,
            schedule=chosen.schedule,
            others=tuple(named.values()),
            label=" ".join(filter(None, [self.label, f"algorithm={name}"])),
        )


# Any: a frozen dataclass, of which there is no type.
def _changed(configuration: Any, conditions: Mapping[str, Condition]) -> Any:
    """Return a configuration with fields changed: its own, else those of the one it holds."""
    own = {field.name: getattr(configuration, field.name) for field in fields(configuration)}
    inner = {name: value for name, value in conditions.items() if name not in own}
    held = {name: value for name, value in own.items() if inner and is_dataclass(value)}
    changes = {name: value for name, value in conditions.items() if name in own}
    changes |= {name: _changed(value, inner) for name, value in held.items()}
    return replace(configuration, **changes)
