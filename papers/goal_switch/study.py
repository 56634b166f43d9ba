"""The study `goal-switch`: agents that first pursue a proxy, then the goal.

Two halves, one story. Cue-competition agents, whose learning rule is known, show which
mechanism's integrated predictions their flip times bear out. Maze agents trained by PPO show
the same switch in networks: the proxy's strength rises and falls while success and return only
rise, so that they do not show it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from empirics.experiments.goal_switch import SCALES, Scale
from empirics.provenance import processors, sha256_of
from empirics.run import Run
from empirics.store import Store
from empirics.task import run_ladder
from fitting.trials.error_rate import ErrorRate
from papers.goal_switch.cue_half import CueHalf, run_cue_half
from papers.goal_switch.cue_store import keep, onsets_digest
from papers.goal_switch.ladders import arm_ladder, maze_ladder
from papers.goal_switch.maze_half import GOAL, PROXY, TRAINING, MazeRun, analyze_runs
from papers.goal_switch.run_json import readings_json, run_json
from papers.goal_switch.sentences import cue_sentence, hidden_sentence, maze_sentence, paragraphs
from papers.proposals import Progress
from papers.results import to_json
from papers.study_record import check_scale, facts_of, finish
from theory.curve import Schedule

NAME = "goal-switch"
TITLE = "When an agent's goal switches"
QUESTION = (
    "An agent is rewarded for reaching the cheese, which on most training levels lies in the "
    "corner. Which of the two does it come to want, when does it change its mind, and which "
    "learning rule sets the date?"
)


def run(*, out: Path, seed: int, scale: str, progress: Progress, command: str = "") -> Path:
    """Run the study into a folder; return the path of the report.

    Parameters
    ----------
    out : Path
    seed : int
    scale : str
    progress : callable
        Told (label, done, total).
    command : str
        The command line, for the record; by default the one that does this.

    Raises
    ------
    ValueError
        If the scale is unknown.
    """
    check_scale(scale, SCALES)
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
    facts = facts_of(
        NAME,
        command=command,
        scale=scale,
        seed=seed,
        out=out,
        began=began,
        seeds={
            "maze_agents": list(plan.seeds(seed)),
            "cue_agents": list(cues.settings["seeds"]),  # type: ignore[call-overload]
            "fits": [seed],
        },
        cue_onsets_sha256=onsets_digest(cues),
        data=_data(cues, trained, out),
    )
    return finish(out, document(cues, runs, facts, settings(plan, cues)), progress=progress)


def document(
    cues: CueHalf,
    runs: Sequence[MazeRun],
    facts: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the results document of the study."""
    study = study_json(cues, runs, settings)
    return to_json(
        "study",
        [comparison for run in runs for comparison in run.comparisons],
        None,
        facts,
        study=study,
        ladders=[*(arm_ladder(arm) for arm in cues.arms), maze_ladder(runs)],
        developments=developments(study["runs"]),
    )


def _data(cues: CueHalf, trained: Sequence[Run], out: Path) -> dict[str, str]:
    """Return the hashes of the files that hold the curves of these runs, and of no others.

    An output folder may hold runs of other seeds and scales as well.
    """
    store = Store(out / "store")
    files = [keep(cues, out), *(store.append_curves(run.curves) for run in trained)]
    return {file.relative_to(out).as_posix(): sha256_of(file) for file in files if file is not None}


def settings(plan: Scale, cues: CueHalf) -> dict[str, Any]:
    """Return what was run, in plain values."""
    experiment = plan.experiment
    # The rungs stand beside: the experiment's own alpha is that of none of them.
    ledger = {name: value for name, value in experiment.conditions.items() if name != "alpha"}
    training = experiment.algorithm.conditions
    return {
        "maze": {
            "alphas": list(plan.alphas),
            "seeds_a_rung": plan.num_seeds,
            "checkpoints": list(experiment.schedule),
            **{name: _plain(value) for name, value in {**ledger, **training}.items()},
        },
        "cue": {name: _plain(value) for name, value in cues.settings.items()},
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Schedule):
        return value.content()
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def study_json(
    cues: CueHalf, runs: Sequence[MazeRun], settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return what the study found: numbers, and sentences made of them."""
    entries = [run_json(run) for run in runs]
    rate = error_rate(cues).content()
    return {
        "name": NAME,
        "title": TITLE,
        "question": QUESTION,
        "verdict": f"{cue_sentence(rate)} {maze_sentence(entries)}",
        "paragraphs": paragraphs(entries),
        "runs": entries,
        "readings": readings_json([run.run for run in runs]),
        "arms": [
            {
                "update_rule": arm.update_rule,
                "truth": arm.truth,
                "outcome": arm.outcome,
                "n_runs": sum(row.n_runs for row in arm.rows),
                "n_censored": arm.n_censored,
            }
            for arm in cues.arms
        ],
        "error_rate": rate,
        "settings": dict(settings or {}),
    }


def error_rate(cues: CueHalf) -> ErrorRate:
    """Return how often the verdicts on the arms, whose truth is known, were wrong."""
    outcomes = Counter(arm.outcome for arm in cues.arms)
    return ErrorRate(outcomes["wrong"], outcomes["wrong"] + outcomes["right"], len(cues.arms))


def developments(runs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
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
