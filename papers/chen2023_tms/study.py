"""The study `llc-ladder`: learning coefficients along training, supervised and by PPO.

The toy model of superposition learns from fixed data by gradient descent, and as the mean of a
policy by PPO on the one-step bandit whose mean reward is the same loss. Its plateaus are known by
their loss, so that the coefficient's curve can be judged as a detector of transitions.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from empirics.provenance import provenance, sha256_of
from empirics.store import Store
from papers.chen2023_tms.found import WINDOW, ArmFound, found_in, sentences
from papers.chen2023_tms.runs import (
    LOCALIZATION,
    SCALES,
    STEP_SIZE,
    LadderRun,
    Scale,
    run_arm,
)
from papers.chen2023_tms.steps_in_curves import Score
from papers.proposals import Progress, propose_all
from papers.report import render
from papers.results import to_json, write

NAME = "llc-ladder"
TITLE = "Learning coefficients along training"
QUESTION = (
    "A toy model of superposition goes from plateau to plateau. Does its learning coefficient "
    "step where the loss says that it changes phase, and is it the same under reinforcement "
    "learning?"
)


def run(*, out: Path, seed: int, scale: str, progress: Progress, command: str = "") -> Path:
    """Run the study into a folder; return the path of the report.

    Parameters
    ----------
    out : Path
    seed : int
        Of the first run of every arm; the others follow.
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
    if scale not in SCALES:
        raise ValueError(f"no scale {scale!r}; choose from {', '.join(sorted(SCALES))}.")
    began, plan = time.monotonic(), SCALES[scale]
    seeds = range(seed, seed + plan.num_seeds)
    arms = [run_arm(arm, seeds, plan, progress) for arm in plan.arms]
    data, found = _data(arms, out), [found_in(runs) for runs in arms]
    eventful = sorted(chain(*arms), key=lambda run: -len(run.plateaus))[: plan.fitted]
    curves = [curve for run in eventful for curve in (run.loss, run.llc)]
    comparisons = propose_all(curves, seed=seed, progress=progress)
    facts = {
        "command": command or f"ontogeny study {NAME} --scale {scale} --seed {seed} --out {out}",
        "seed": seed,
        "seeds": list(seeds),
        "data": data,
        "wall_seconds": time.monotonic() - began,
        **provenance().content(),
    }
    progress("Writing the report", 0, 1)
    document = to_json(
        "study",
        comparisons,
        None,
        facts,
        study=study_json(found, plan),
        developments=[development()],
    )
    write(out, document)
    report = render(out)
    progress("Writing the report", 1, 1)
    return report


def _data(arms: Sequence[Sequence[LadderRun]], out: Path) -> dict[str, str]:
    """Store the curves of all runs, and return the hashes of the files that hold them."""
    store = Store(out / "store")
    curves = [curve for runs in arms for run in runs for curve in (*run.trained.curves, run.llc)]
    file = store.append_curves(curves)
    return {} if file is None else {file.relative_to(out).as_posix(): sha256_of(file)}


def study_json(found: Sequence[ArmFound], plan: Scale) -> dict[str, Any]:
    """Return what the study found: numbers, and sentences made of them."""
    return {
        "name": NAME,
        "title": TITLE,
        "question": QUESTION,
        "verdict": verdict(found),
        "paragraphs": [
            sentences(each, arm.cell.num_features)
            for each, arm in zip(found, plan.arms, strict=True)
        ],
        "found": [each.content() for each in found],
        "settings": settings(plan),
    }


def verdict(found: Sequence[ArmFound]) -> str:
    """Return how well the coefficient detected the transitions, over all arms."""
    total = sum((each.by_llc for each in found), Score(0, 0, 0, ()))
    known = total.hits + total.missed
    if not known:
        return "No run changed its plateau, so that there was nothing to detect."
    return (
        f"Steps in the learning coefficient found {total.hits} of {known} transitions between "
        f"plateaus of the loss, with {total.false_alarms} false alarms."
    )


def settings(plan: Scale) -> dict[str, Any]:
    """Return what was run, in plain values."""
    return {
        "arms": [
            {"updates": arm.updates, **{k: _plain(v) for k, v in vars(arm.cell).items()}}
            for arm in plan.arms
        ],
        "num_seeds": plan.num_seeds,
        "checkpoints": plan.checkpoints,
        "sampler": {
            "name": "SGLD on a run's own data",
            "step_size": STEP_SIZE,
            "localization": LOCALIZATION,
            "num_chains": plan.num_chains,
        },
        "window": WINDOW,
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float) else str(value)


def development() -> Mapping[str, Any]:
    """Return what to draw together: loss and coefficient, one panel a learning rate."""
    return {
        "title": "Loss and learning coefficient over training",
        "condition": "learning_rate",
        "observables": ["loss", "llc"],
        "takeaway": (
            "The runs with most plateaus. Where the loss falls to another k-gon's, "
            "the coefficient goes to that k-gon's."
        ),
    }
