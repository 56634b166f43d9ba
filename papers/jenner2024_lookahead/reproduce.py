"""The claims of Jenner et al. (2024), and of work after it, on recurrent maze agents."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from empirics.maze_agent import MazeAgent
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork
from empirics.probes.lookahead.plan import LookaheadPlan
from papers.agents_page import agents_page, each_read
from papers.check import Check, Readings, answered, present
from papers.development.organisms import SCALES
from papers.maze_agents import checksums, maze_agents, said
from papers.publication import Publication
from papers.reproduction import Reproduction
from papers.studies import Progress

PLAN = LookaheadPlan()

SHOWN = (
    "lookahead_best_square",
    "lookahead_patching",
    "patching_future",
    "patching_other",
    "second_move",
    "second_move_accuracy",
    "junction_plan",
    "junction_f1_end",
    "plan_steering",
    "thinking_gain",
    "thinking_gain_far",
    "p_correct_trained_far",
    "p_correct_more_far",
)


def _squares(found: Readings) -> Mapping[str, float]:
    other = found["patching_other"].value
    future = other + found["lookahead_best_square"].value
    return {"future": future, "strongest_other": other}


def _junctions(found: Readings) -> Mapping[str, float]:
    f1 = found["junction_f1_end"]
    return {"f1": f1.value, "strongest_control": max(f1.baselines.values())}


CHECKS: Mapping[str, Check] = {
    "future_square": Check(
        present("lookahead_best_square"),
        _squares,
        "the strongest of the future squares, a maximum on both sides, half-way through the ticks; "
        "the strongest other square does not lie on the path that is best after "
        "the corruption",
        needs="lookahead_best_square",
    ),
    "second_move": Check(
        present("second_move"),
        lambda found: {"accuracy": found["second_move_accuracy"].value},
        "one of few cells two moves away and not one of 64 squares, after the last tick",
    ),
    "junction_plan": Check(
        present("junction_plan"),
        _junctions,
        "junctions on the agent's own way and not every square",
    ),
    "thinking_gain_far": Check(
        present("thinking_gain_far"),
        lambda found: {"gain": found["thinking_gain_far"].value},
        "more ticks at every step and not before the first one alone; P(best first step) and not "
        "the share of levels solved",
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
    """Measure look-ahead on the last checkpoint of every recurrent agent, and answer the claims.

    The weak agent is an earlier checkpoint of the same run (`LookaheadPlan.weak_share`).

    Raises
    ------
    ValueError
        If the store has no maze agents, or no recurrent one.
    """
    found = maze_agents(
        store,
        runs,
        out=out,
        seed=seed,
        scale=scale,
        progress=progress,
        experiment={each.name: each for each in SCALES[scale].organisms}["planner"].experiment,
    )
    agents = [agent for agent in found if isinstance(agent.network, RecurrentMazeNetwork)]
    if not agents:
        raise ValueError(
            "the claims are about agents that think for some ticks before each step: give a store "
            f"with a recurrent maze agent; all of the {len(found)} in it are feed-forward."
        )
    measured = each_read(agents, read_off, progress)
    return Reproduction(
        publication,
        tuple(answered(claim, CHECKS[claim.name], measured) for claim in publication.claims),
        (
            said(agents),
            "Each was measured at its last checkpoint, on held-out levels. Positions for patching "
            "are hard for the last of its checkpoints within the first "
            f"{100 * PLAN.weak_share:g} % of training.",
        ),
        (agents_page(agents, measured, SHOWN, "Differences are those to the strongest control."),),
        checksums(agents, None),
    )


def read_off(agent: MazeAgent) -> Readings:
    """Return the readings of an agent's last checkpoint; without patching if nothing suits."""
    ((_, path),) = agent.spread(1)
    policy = agent.policy(path)
    return {
        name: reading for probe in PLAN.probes_of(agent) for name, reading in probe(policy).items()
    }
