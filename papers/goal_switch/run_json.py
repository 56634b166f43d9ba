"""What each maze run says about the switch, as entries of a results document.

The sentences of the study are made of these numbers (`papers.goal_switch.sentences`), so that
every number of theirs is in the results file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from empirics.run import Run
from papers.curve_results import Document, number, peak_json
from papers.goal_switch.maze_half import BLIND, GOAL, PROXY, TRAINING, MazeRun
from theory.curve import Curve
from theory.family import Family

LAST = (GOAL, PROXY, BLIND, TRAINING)
INITIAL = "random initialization"


def run_json(run: MazeRun) -> Document:
    """Return one entry of ``study.runs``."""
    return {
        "run": run.run.run,
        "run_id": run.run.run_id,
        "alpha": run.alpha,
        "seed": run.run.seed,
        "onset": {
            "lower": run.onset.lower,
            "upper": number(run.onset.upper),
            "led_by_proxy": run.led_by_proxy,
        },
        "flip": _flip(run),
        "proxy": _proxy(run),
        "success": _success(run),
        "last": {name: _last(run.run, name) for name in LAST},
    }


def _flip(run: MazeRun) -> Document:
    flip = run.flip
    if flip is None:
        names = ("time", "ends_above", "crosses", "never_led_by_proxy")
        return {**dict.fromkeys(names), "reason": run.reason}
    time = flip.time
    fields = ("value", "se", "lower", "upper")
    return {
        "time": None if time is None else {name: number(getattr(time, name)) for name in fields},
        "ends_above": 1.0 - flip.never,
        "crosses": max(0.0, 1.0 - flip.never - flip.always),
        "never_led_by_proxy": flip.always,
        "reason": "",
    }


def _proxy(run: MazeRun) -> Document:
    """Return the rise and fall of P(proxy step): fitted, and its largest measured value."""
    comparison = run.comparison(PROXY)
    curve = run.run.curve(PROXY)
    top = int(curve.y.argmax())
    known = comparison.family_probabilities
    return {
        "verdict": str(comparison.verdict.kind),
        "family": str(max(known, key=lambda name: known[name])) if known else None,
        "family_probability": max(known.values()) if known else None,
        "transient_probability": known.get(Family.TRANSIENT) if known else None,
        "peak": peak_json(comparison),
        "largest_measured": {"t": float(curve.t[top]), "value": float(curve.y[top])},
        "reason": "" if known else comparison.verdict.reason,
    }


def _success(run: MazeRun) -> Document:
    """Return success on training levels at the two checkpoints around the measured switch."""
    curve = run.run.curve(TRAINING)
    reached = math.isfinite(run.onset.upper)
    return {
        "before": _at(curve, run.onset.lower) if reached and run.led_by_proxy else None,
        "after": _at(curve, run.onset.upper) if reached and run.led_by_proxy else None,
        "last": float(curve.y[-1]),
    }


def _at(curve: Curve, t: float) -> float:
    """Return the measured value at the last checkpoint not after `t`."""
    return float(curve.y[max(0, int(curve.t.searchsorted(t, side="right")) - 1)])


def _last(run: Run, observable: str) -> Document:
    se = run.last_reading(observable).se if _is_read(run, observable) else None
    return {"value": float(run.curve(observable).y[-1]), "se": se}


def _is_read(run: Run, observable: str) -> bool:
    return any(observable in measured for _, measured in run.readings)


def readings_json(runs: Sequence[Run]) -> list[Document]:
    """Return the last reading of every probe: its error, and the stronger of its baselines.

    Baselines are the probe's own and its reading of the freshly initialized network. `se` is
    that over levels: how far the whole curve may lie from that of all levels.
    """
    found = []
    for run in runs:
        for observable in dict.fromkeys(name for _, measured in run.readings for name in measured):
            env_steps, last = next(
                (t, m[observable]) for t, m in reversed(run.readings) if observable in m
            )
            first = next((m[observable].value for t, m in run.readings if t == 0), None)
            baselines = dict(last.baselines)
            if first is not None and env_steps > 0:
                baselines[INITIAL] = first
            strongest = max(baselines, key=lambda name: baselines[name]) if baselines else None
            found.append(
                {
                    "run": run.run,
                    "run_id": run.run_id,
                    "observable": observable,
                    "unit": last.unit,
                    "env_steps": env_steps,
                    "value": last.value,
                    "se": last.se,
                    "n_levels": last.n_levels,
                    "baselines": baselines,
                    "strongest": strongest,
                    "above_strongest": last.value - baselines[strongest] if strongest else None,
                }
            )
    return found
