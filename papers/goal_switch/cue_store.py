"""The cue-competition runs of the study, kept and hashed like those of the maze."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

from empirics.cue_competition import CueRun
from empirics.store import Store
from papers.goal_switch.cue_half import CueHalf

FOLDER = "store-cue"
"""Beside the store of the maze, not in it: the curves of hundreds of agents whose mechanism is
compared on their flip times are not what `ontogeny propose` is asked about."""


def runs_of(cues: CueHalf) -> list[CueRun]:
    """Return the runs of all arms."""
    return [run for arm in cues.arms for run in arm.runs]


def keep(cues: CueHalf, out: Path) -> Path | None:
    """Store the curves of all runs, and return the file that holds them."""
    curves = [curve for run in runs_of(cues) for curve in run.curves]
    return Store(out / FOLDER).append_curves(curves)


def onsets_digest(cues: CueHalf) -> str:
    """Return the sha256 of the brackets of all flip times, from which the verdicts follow."""
    rows = sorted(
        (run.run_id, run.onset.lower, None if math.isinf(run.onset.upper) else run.onset.upper)
        for run in runs_of(cues)
    )
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()
