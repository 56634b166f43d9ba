"""What Colognese and Jose (2023) expect of an objective, on agents that have a distractor too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from empirics.maze_agent import MazeAgent
from empirics.probes.objective_plan import ObjectivePlan
from papers.agents_page import agents_page, each_read
from papers.check import Check, Readings, answered, present
from papers.development.organisms import SCALES
from papers.maze_agents import checksums, maze_agents, parted, said
from papers.publication import Publication
from papers.reproduction import Reproduction
from papers.studies import Progress

SHOWN = (
    "outcome_information_gain",
    "outcome_information",
    "outcome_f1_gain",
    "objective_location_gap",
    "objective_location",
    "distractor_location",
    "objective_retarget_gap",
    "objective_retarget",
    "distractor_retarget",
    "p_target_objective_retargeted",
    "p_target_distractor_moved",
)


def _values(**names: str) -> Callable[[Readings], Mapping[str, float]]:
    return lambda found: {shown: found[name].value for shown, name in names.items()}


CHECKS: Mapping[str, Check] = {
    "predictive": Check(
        present("outcome_information_gain"),
        _values(bits_beyond_baselines="outcome_information_gain"),
        "no number of the post could be recovered; the outcome is which end is met first, told at "
        "the first step only",
    ),
    "localized": Check(
        present("objective_location_gap"),
        _values(gap_in_bits="objective_location_gap"),
        "no number of the post could be recovered; both objects are planes of the observation, so "
        "only the gap between them speaks",
    ),
    "causal": Check(
        present("objective_retarget_gap"),
        _values(
            gap="objective_retarget_gap",
            objective="objective_retarget",
            distractor="distractor_retarget",
        ),
        "no number of the post could be recovered; the first step is looked at and not the end",
    ),
}


def run(
    publication: Publication,
    *,
    out: Path,
    seed: int,
    scale: str,
    store: Path | None,
    runs: Collection[str] | None = None,
    progress: Progress,
) -> Reproduction:
    """Measure objectives on the last checkpoint of every agent with a distractor.

    Raises
    ------
    ValueError
        If the store has no maze agents, none that may go for the cheese, or none with a distractor.
    """
    found = maze_agents(
        store,
        runs,
        out=out,
        seed=seed,
        scale=scale,
        progress=progress,
        experiment={each.name: each for each in SCALES[scale].organisms}["objective"].experiment,
    )
    agents = [agent for agent in parted(found) if agent.environment.distractor]
    if not agents:
        raise ValueError(
            "an objective is compared with a distractor: give a store with an agent trained at "
            "alpha > 0 with distractor=True."
        )
    measured = each_read(agents, read_off, progress)
    return Reproduction(
        publication,
        tuple(answered(claim, CHECKS[claim.name], measured) for claim in publication.claims),
        (
            said(agents),
            "Each was measured at its last checkpoint, on held-out levels, in its last layer or "
            "tick; vectors were put in half-way.",
        ),
        (agents_page(agents, measured, SHOWN, "Gains and gaps are those beyond the baselines."),),
        checksums(agents, 1),
    )


def read_off(agent: MazeAgent) -> Readings:
    """Return the readings of an agent's last checkpoint."""
    ((_, path),) = agent.spread(1)
    policy = agent.policy(path)
    probes = ObjectivePlan.of(agent.network).probes(agent.environment)
    return {name: reading for probe in probes for name, reading in probe(policy).items()}
