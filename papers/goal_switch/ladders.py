"""The ladders of the study as entries of a results document."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fitting.ladders.onsets import KNOWN_CLOCK_SD, UNKNOWN_CLOCK_SD
from papers.goal_switch.cue_half import CueArm
from papers.goal_switch.maze_half import MazeRun
from papers.goal_switch.relative_ladder import RelativeLadder, relative_ladders
from papers.results import ladder_json
from papers.wording import joined, reason_of, short, words

FEWEST = 2
"""Rungs with a predicted flip below which a line through one observed median says nothing."""


def arm_ladder(arm: CueArm) -> dict[str, Any]:
    """Return the flip times of one update rule, with every mechanism's prediction."""
    return ladder_json(
        arm.comparison,
        title=f"Flip times of agents that learn by the {words(arm.update_rule)}",
        unit="updates",
        quantity="flip time",
        truth=arm.truth,
        clock_sd=KNOWN_CLOCK_SD,
        text=(
            f"{_counted(arm)} A factor on time was fitted with a prior sd of its logarithm of "
            f"{KNOWN_CLOCK_SD:g}; with one of {UNKNOWN_CLOCK_SD:g}, as if step sizes were "
            f"unknown, the verdict is {_clock_free(arm)}"
        ),
    )


def _counted(arm: CueArm) -> str:
    runs = sum(row.n_runs for row in arm.rows)
    if arm.n_censored == 0:
        return f"All {runs} agents had flipped when training ended."
    return (
        f"{arm.n_censored} of {runs} agents had not flipped when training ended; they count as "
        "such (right-censored)."
    )


def _clock_free(arm: CueArm) -> str:
    verdict = {"reason": arm.clock_free.verdict.reason}
    names = [score.name for score in arm.clock_free.scores]
    return f"{arm.clock_free.verdict.kind}: {reason_of(verdict, names)}"


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
        "text": _text(predictions),
        "onsets": [
            {
                "condition": run.alpha,
                "conditions": {},
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


def _text(predictions: Sequence[dict[str, Any]]) -> str:
    if not predictions:
        return (
            "No mechanism's line is drawn: it would pass through the median flip of one rung by "
            "construction, and there is no second rung at which one is implied and one was seen."
        )
    anchors = joined([short(a) for a in sorted({p["anchor"] for p in predictions})])
    return (
        "The lines show how each mechanism would continue from the median flip at alpha = "
        f"{anchors}, through which they pass by construction, for two assumed saliences of the "
        "corner; they are drawn for the eye and were not fitted."
    )


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
    """Return a mechanism's ladder through the observed median flip at its reference.

    None where that is one point: it would show the data as if it were a prediction.
    """
    if sum(value is not None for value in ladder.relative) < FEWEST:
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
        "anchor": ladder.reference,
    }
