"""The study `goal-switch`: agents that first pursue a proxy, then the goal.

Two halves, one story. Cue-competition agents, whose learning rule is known, show which
mechanism's integrated predictions their flip times bear out. Maze agents trained by PPO show
the same switch in networks: the proxy's strength rises and falls while the return, which is
high all the time, hides it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from empirics.experiment import run_ladder
from empirics.experiments.goal_switch import SCALES
from empirics.provenance import data_hashes, processors, provenance
from papers.goal_switch.cue_half import CueHalf, run_cue_half
from papers.goal_switch.ladders import arm_ladder, maze_ladder
from papers.goal_switch.maze_half import BLIND, GOAL, PROXY, TRAINING, MazeRun, analyze_runs
from papers.proposals import Progress
from papers.report import render
from papers.results import to_json, write

TITLE = "When an agent's goal switches"
QUESTION = (
    "An agent is rewarded for reaching the cheese, which on most training levels lies in the "
    "corner. Which of the two does it come to want, when does it change its mind, and which "
    "learning rule sets the date?"
)


def run(*, out: Path, seed: int, scale: str, progress: Progress) -> Path:
    """Run the study into a folder; return the path of the report.

    Raises
    ------
    ValueError
        If the scale is unknown.
    """
    if scale not in SCALES:
        raise ValueError(f"no scale {scale!r}; choose from {', '.join(sorted(SCALES))}.")
    began = time.monotonic()
    plan = SCALES[scale]
    progress("Training cue-competition agents", 0, 1)
    cues = run_cue_half(seed=seed, n_seeds=plan.cue_seeds)
    progress("Training cue-competition agents", 1, 1)
    progress("Training maze agents", 0, len(plan.alphas) * plan.num_seeds)
    trained = run_ladder(
        plan.experiment,
        "alpha",
        plan.alphas,
        plan.seeds(seed),
        out / "store",
        n_jobs=processors(),
        on_run=lambda done, total, _: progress("Training maze agents", done, total),
    )
    runs = analyze_runs(trained, seed=seed, progress=progress)
    facts = {
        "command": f"ontogeny study goal-switch --scale {scale} --seed {seed}",
        "seed": seed,
        "data": data_hashes(out / "store" / "curves"),
        "wall_seconds": time.monotonic() - began,
        **provenance().content(),
    }
    comparisons = [comparison for run in runs for comparison in run.comparisons]
    document = to_json(
        "study",
        comparisons,
        None,
        facts,
        study=study_json(cues, runs),
        ladders=[*(arm_ladder(arm) for arm in cues.arms), maze_ladder(runs)],
        developments=developments(runs),
    )
    write(out, document)
    return render(out)


def study_json(cues: CueHalf, runs: Sequence[MazeRun]) -> dict[str, Any]:
    """Return what the study found, in sentences made of its own numbers."""
    return {
        "name": "goal-switch",
        "title": TITLE,
        "question": QUESTION,
        "verdict": f"{cue_sentence(cues)} {maze_sentence(runs)}",
        "paragraphs": [*(run_sentence(run) for run in runs)],
    }


def cue_sentence(cues: CueHalf) -> str:
    """Say how many arms the flip times decided, and how many rightly."""
    outcomes = Counter(arm.outcome for arm in cues.arms)
    decided = outcomes["right"] + outcomes["wrong"]
    wrong = f", {outcomes['wrong']} of them wrongly" if outcomes["wrong"] else ", all rightly"
    return (
        f"Flip times alone name the learning rule in {decided} of {len(cues.arms)} arms of "
        f"cue-competition agents{wrong if decided else ''}."
    )


def maze_sentence(runs: Sequence[MazeRun]) -> str:
    """Say in which maze runs the goal switched."""
    parts = []
    for alpha in sorted({run.alpha for run in runs}):
        rung = [run for run in runs if run.alpha == alpha]
        flipped = sum(run.flipped for run in rung)
        parts.append(f"{flipped} of {len(rung)} at alpha = {alpha:g}")
    return (
        "In the maze the goal overtakes the corner in "
        f"{', '.join(parts)} (posterior probability at least 0.95); which rule sets that date "
        "is INCONCLUSIVE."
    )


def run_sentence(run: MazeRun) -> str:
    """Say what one maze run did: bump, flip, what the return saw, and the control."""
    parts = [f"{run.run.run}:"]
    bump = run.bump
    if bump is None:
        parts.append("the fitted P(proxy step) has no interior peak,")
    else:
        parts.append(
            f"P(proxy step) peaks at {bump.height.value:.2f} "
            f"({bump.height.lower:.2f} to {bump.height.upper:.2f}) after "
            f"{_steps(bump.time.value)} ({_steps(bump.time.lower)} to "
            f"{_steps(bump.time.upper)}) env_steps,"
        )
    if run.flip.time is None or run.flip.never > 0.5:
        parts.append("and the goal does not overtake it while training lasts.")
    else:
        when = run.flip.time
        parts.append(
            f"and P(goal step) overtakes it after {_steps(when.value)} "
            f"({_steps(when.lower)} to {_steps(when.upper)}) env_steps; training success was "
            f"{_nearest(run, TRAINING, when.value):.2f} by then."
        )
    last = {name: float(run.run.curve(name).y[-1]) for name in (GOAL, PROXY, BLIND)}
    parts.append(
        f"At the end P(goal step) = {last[GOAL]:.2f}, P(proxy step) = {last[PROXY]:.2f}, and "
        f"{last[BLIND]:.2f} with the cheese removed."
    )
    return " ".join(parts)


def _steps(value: float) -> str:
    return f"{value / 1000:.0f}k" if value >= 1000 else f"{value:.0f}"


def _nearest(run: MazeRun, observable: str, t: float) -> float:
    """Return the measured value at the last checkpoint not after `t`."""
    curve = run.run.curve(observable)
    return float(curve.y[max(0, int(curve.t.searchsorted(t, side="right")) - 1)])


def developments(runs: Sequence[MazeRun]) -> list[dict[str, Any]]:
    """Return what to draw together: goal, proxy and success, one panel an alpha."""
    return [
        {
            "title": "Goal, proxy and success over training",
            "condition": "alpha",
            "observables": [PROXY, GOAL, TRAINING],
            "takeaway": (
                "P(goal step) and P(proxy step) are read at decision squares of held-out levels, "
                "where cheese and corner ask for different steps; success is that on training "
                f"levels. {hidden_sentence(runs)}"
            ),
        }
    ]


def hidden_sentence(runs: Sequence[MazeRun]) -> str:
    """Say how much of its final success each run had when its goal took the lead."""
    parts = []
    for run in runs:
        if run.flipped and run.flip.time is not None:
            now = _nearest(run, TRAINING, run.flip.time.value)
            last = float(run.run.curve(TRAINING).y[-1])
            parts.append(f"{now:.2f} of a final {last:.2f} in {run.run.run}")
    if not parts:
        return "In no run did the goal take the lead from the proxy."
    return f"When the goal took the lead, success stood at {', '.join(parts)}."
