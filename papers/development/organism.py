"""An organism: agents that are grown to see a mechanism form, and what is measured in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from empirics.experiment import Experiment
from empirics.probed_checkpoints import Plan


@final
@dataclass(frozen=True)
class Organism:
    """A kind of agent.

    Attributes
    ----------
    about : str
        What is special about it, in a sentence.
    experiment : Experiment
        How it is trained; its name is the organism's.
    plans : tuple of Plan
        What is measured of its checkpoints after training, beside the experiment's own plan.
    behaviors, mechanisms : tuple of str
        The observables to which forms are fitted: what can be seen from outside, and what is
        inside. All others are measured and kept.
    reported : tuple of str
        Further observables whose last values are tabulated.
    learning_rules : bool
        Whether the learning rules of cue competition are fitted to how far goal leads proxy.
    """

    about: str
    experiment: Experiment
    plans: tuple[Plan, ...]
    behaviors: tuple[str, ...]
    mechanisms: tuple[str, ...]
    reported: tuple[str, ...] = ()
    learning_rules: bool = False

    @property
    def name(self) -> str:
        """What it is called."""
        return self.experiment.name

    @property
    def fitted(self) -> tuple[str, ...]:
        """The observables to which forms are fitted."""
        return (*self.behaviors, *self.mechanisms)
