"""The ladders of the study as entries of a results document."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from papers.goal_switch.cue_half import CueArm, RelativeLadder, relative_ladders
from papers.goal_switch.maze_half import MazeRun
from papers.results import ladder_json

OUTCOMES = {
    "right": "The verdict is right.",
    "wrong": "The verdict is WRONG.",
    "undecided": "The verdict leaves it open.",
}


def arm_ladder(arm: CueArm) -> dict[str, Any]:
    """Return the flip times of one update rule, with every mechanism's prediction."""
    rule = arm.update_rule.replace("_", " ")
    runs = sum(row.n_runs for row in arm.rows)
    return ladder_json(
        arm.comparison,
        title=f"Flip times of agents that learn by the {rule}",
        unit="updates",
        quantity="flip time",
        truth=arm.truth,
        text=(
            f"These {runs} agents really learned by the {rule}. {OUTCOMES[arm.outcome]} "
            f"{arm.n_censored} of them had not flipped when training ended; they count as "
            "such (right-censored). Step sizes are known to the mechanisms; with an unknown "
            f"clock the verdict is: {arm.clock_free.verdict.kind}. "
            f"{arm.clock_free.verdict.reason}"
        ),
    )


def maze_ladder(runs: Sequence[MazeRun]) -> dict[str, Any]:
    """Return the flips of the maze runs over alpha, and what each mechanism would predict.

    Descriptive: how salient the corner is beside the cheese, and what a network's step size
    is worth in weight, are unknown here; with both free several laws coincide.
    """
    alphas = sorted({run.alpha for run in runs})
    predictions = [
        prediction
        for ladder in relative_ladders(alphas)
        if (prediction := _anchored(ladder, runs)) is not None
    ]
    return {
        "title": "Flip times of the maze agents",
        "condition": "alpha",
        "quantity": "flip time",
        "unit": "env_steps",
        "log_condition": False,
        "log_quantity": True,
        "truth": None,
        "text": (
            "Brackets between checkpoints. The lines show how each mechanism would continue "
            "from the median flip at the largest alpha, for two assumed saliences of the "
            "corner; they are drawn for the eye and were not fitted."
        ),
        "onsets": [
            {
                "condition": run.alpha,
                "facet": "",
                "run": run.run.run,
                "lower": run.onset.lower,
                "upper": None if run.onset.censored else run.onset.upper,
            }
            for run in runs
        ],
        "predictions": predictions,
        "scores": [],
        "verdict": {"kind": "inconclusive", "mechanisms": [], "reason": _reason(runs)},
    }


def _reason(runs: Sequence[MazeRun]) -> str:
    flipped = sorted({run.alpha for run in runs if not run.onset.censored})
    shared = (
        "the salience of the corner and the worth of a step are not measured in the maze, and "
        "with both free several mechanisms predict the same flips"
    )
    if len(flipped) < 2:
        count = "no rung" if not flipped else "only one rung"
        return f"{count} of this ladder flips, which dates no law; moreover {shared}."
    return f"{shared}; a rung with a changed contrast of the corner would separate them."


def _anchored(ladder: RelativeLadder, runs: Sequence[MazeRun]) -> dict[str, Any] | None:
    """Return a mechanism's ladder through the observed median flip at its reference."""
    if not math.isfinite(ladder.reference):
        return None
    flips = [
        math.inf if run.onset.censored else math.sqrt(max(run.onset.lower, 1.0) * run.onset.upper)
        for run in runs
        if run.alpha == ladder.reference
    ]
    anchor = float(np.median(flips)) if flips else math.inf
    if not math.isfinite(anchor):
        return None
    mechanism = f"{ladder.mechanism}, salience ratio {ladder.salience_ratio:g}"
    return {
        "mechanism": mechanism,
        "facet": "",
        "condition": list(ladder.alphas),
        "median": [None if value is None else anchor * value for value in ladder.relative],
    }
