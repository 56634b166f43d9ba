"""Experiments that can be run by name; each is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from empirics.agent_experiment import AgentExperiment
    from empirics.experiment import Experiment

_SCALES = {"goal-switch": "empirics.experiments.goal_switch"}
_ALONE = {
    "shard-organism": "empirics.experiments.shard_organism",
    "forced-replies": "empirics.experiments.forced_replies",
}
_AGENTS = {
    "bandit": "empirics.experiments.bandit",
    "lock": "empirics.experiments.lock",
    "td-chain": "empirics.experiments.td_chain",
    "rl-perceptron": "empirics.experiments.rl_perceptron",
    "linear-network": "empirics.experiments.linear_network",
    "skills": "empirics.experiments.skills",
    "cue": "empirics.experiments.cue",
}


@final
class _Experiments(Mapping[str, "Experiment | AgentExperiment"]):
    """The quick scale of each experiment, and the experiments on small agents, by name."""

    def __getitem__(self, name: str) -> Experiment | AgentExperiment:
        if name in _AGENTS:
            small: AgentExperiment = import_module(_AGENTS[name]).EXPERIMENT
            return small
        if name in _ALONE:
            alone: Experiment = import_module(_ALONE[name]).EXPERIMENT
            return alone
        experiment: Experiment = import_module(_SCALES[name]).SCALES["quick"].experiment
        return experiment

    def __iter__(self) -> Iterator[str]:
        return iter([*_SCALES, *_ALONE, *_AGENTS])

    def __len__(self) -> int:
        return len(_SCALES) + len(_ALONE) + len(_AGENTS)


EXPERIMENTS: Mapping[str, Experiment | AgentExperiment] = _Experiments()
"""Read-only; knowing the names costs nothing, taking one of mazes imports torch."""
