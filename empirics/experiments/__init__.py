"""Experiments that can be run by name; each is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from empirics.experiment import Experiment

_SCALES = {"goal-switch": "empirics.experiments.goal_switch"}


@final
class _Experiments(Mapping[str, "Experiment"]):
    """The quick scale of each experiment, by name."""

    def __getitem__(self, name: str) -> Experiment:
        experiment: Experiment = import_module(_SCALES[name]).SCALES["quick"].experiment
        return experiment

    def __iter__(self) -> Iterator[str]:
        return iter(_SCALES)

    def __len__(self) -> int:
        return len(_SCALES)


EXPERIMENTS: Mapping[str, Experiment] = _Experiments()
"""Read-only; knowing the names costs nothing, taking one imports torch."""
