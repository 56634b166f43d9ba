"""The claims of Mini et al. (2023) on the last checkpoint of small maze agents."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from empirics.maze_agent import MazeAgent
from empirics.probe import Policy, Probe, Reading
from empirics.probes.decision_regression import FEATURES, DecisionRegression
from empirics.probes.goal_and_proxy import GoalAndProxy
from empirics.probes.goal_vector import GoalVector
from empirics.probes.heuristic_weights import HeuristicWeights
from empirics.probes.shard_plan import ShardPlan
from papers.agents_page import agents_page, each_read
from papers.check import Readings, answered
from papers.claim import Claim, Outcome
from papers.maze_agents import checksums, maze_agents, parted, said
from papers.mini2023_maze_policy.checks import CHECKS, OURS
from papers.publication import Publication
from papers.reproduction import Reproduction
from papers.studies import Progress

PLAN = ShardPlan()
SHOWN = (
    "p_goal",
    "p_proxy",
    "goal_vector_subtracted",
    "goal_vector_added",
    "goal_vector_effect",
    "goal_vector_proxy_effect",
    "retarget",
    "p_target_retargeted",
    "p_target_goal_moved",
    *(f"decision_{name}" for name in FEATURES),
    "decision_accuracy",
    "decision_accuracy_gain",
)
BESIDE = (
    "Agents of alpha 0 never met the cheese away from the corner: they go for the corner, and what "
    "the claims say of cheese should be missing in them."
)


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
    """Measure the shard probes on the last checkpoint of every agent, and answer the claims.

    The claims are about an agent that may go for the cheese: one trained with alpha above 0.
    Agents that met nothing but the corner are measured beside it.

    Raises
    ------
    ValueError
        If no agent was trained with alpha above 0, or the store has no maze agents.
    """
    agents = maze_agents(store, runs, out=out, seed=seed, scale=scale, progress=progress)
    claimed = parted(agents)
    probes = {each: PLAN.probes(each) for each in {agent.environment for agent in agents}}

    def read(agent: MazeAgent) -> Readings:
        ((_, path),) = agent.spread(1)
        return read_off(agent.policy(path), probes[agent.environment])

    measured = each_read(agents, read, progress)
    judged = [found for agent, found in zip(agents, measured, strict=True) if agent in claimed]
    return Reproduction(
        publication,
        tuple(answer(claim, judged) for claim in publication.claims),
        (
            said(agents),
            f"Each was measured at its last checkpoint, at up to {PLAN.num_shard_squares} decision "
            f"squares of held-out levels; vectors were put in after layer {PLAN.shard_layer}.",
        ),
        (agents_page(agents, measured, SHOWN, BESIDE),),
        checksums(agents, 1),
    )


def read_off(policy: Policy, probes: Sequence[Probe]) -> dict[str, Reading]:
    """Return the readings of shard probes, P(goal) and P(proxy), and the features' inflation.

    No claim is about the weights of heuristics, which are left out.
    """
    found: dict[str, Reading] = {}
    for probe in probes:
        if not isinstance(probe, HeuristicWeights):
            found.update(probe(policy))
        if isinstance(probe, GoalVector):
            found.update(GoalAndProxy(probe.squares)(policy))
        if isinstance(probe, DecisionRegression):
            found.update(inflation(probe))
    return found


def inflation(probe: DecisionRegression) -> dict[str, Reading]:
    """Return the variance inflation of each of the paper's four distances among these four."""
    columns = [1 + FEATURES.index(name) for name in OURS]
    correlation = np.corrcoef(probe.features[:, columns].T)
    factors = np.diag(np.linalg.inv(correlation))
    return {f"inflation_{n}": Reading(float(f)) for n, f in zip(OURS, factors, strict=True)}


def answer(claim: Claim, judged: Sequence[Readings]) -> Outcome:
    """Return what the agents say of a claim: all of them, none, or it cannot be told."""
    return answered(claim, CHECKS[claim.name], judged)
