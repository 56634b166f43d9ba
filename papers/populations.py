"""Runs of one observable together: how frequent shapes and forms are, and the pooled fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from papers.curve_results import Document, number
from papers.pooled_runs import Progress, pooled_runs

if TYPE_CHECKING:
    from fitting.comparison import Comparison
    from fitting.runs.over_runs import OverRuns
    from fitting.runs.random_effects import RandomEffects
    from theory.form import Form


def populations(
    comparisons: Sequence[Comparison],
    *,
    form: Form | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Document]:
    """Return the entries of ``populations``: one for each observable with two or more runs.

    Parameters
    ----------
    comparisons : sequence of Comparison
    form : Form, optional
        Under which the runs are pooled; by default they are not.
    seed : int
        Drives the chains; the same for each observable, whatever else is pooled.
    progress : callable, optional
        Told (label, done, total).
    """
    from fitting.runs.over_runs import FEWEST_RUNS, over_runs

    found = []
    for members in grouped(comparisons):
        if len(members) < FEWEST_RUNS:
            continue
        entry = population_json(over_runs(members), members)
        if form is not None:
            entry["pooled"] = pooled_runs(form, members, seed=seed, progress=progress)
        found.append(entry)
    return found


def grouped(comparisons: Sequence[Comparison]) -> list[list[Comparison]]:
    """Return the comparisons by what was measured, against what, in which unit."""
    groups: dict[tuple[str, ...], list[Comparison]] = {}
    for comparison in comparisons:
        curve = comparison.curve
        key = (curve.observable, curve.unit, str(curve.progress))
        groups.setdefault(key, []).append(comparison)
    return list(groups.values())


def population_json(together: OverRuns, members: Sequence[Comparison]) -> Document:
    """Return one entry of ``populations``, without a pooled fit."""
    curve = members[0].curve
    return {
        "observable": curve.observable,
        "unit": curve.unit,
        "progress": str(curve.progress),
        "number": len(members),
        "runs": list(together.runs),
        "undecided": list(together.undecided),
        "left_out": [{"run": run, "reason": reason} for run, reason in together.left_out],
        "families": None if together.families is None else effects_json(together.families),
        "forms": None if together.forms is None else effects_json(together.forms),
        "reason": together.reason,
        "doubts": list(together.doubts),
    }


def effects_json(effects: RandomEffects) -> Document:
    """Return how frequent each of some models is among runs."""
    columns = ("frequencies", "lower", "upper", "exceedance", "protected")
    names = ("frequency", "lower", "upper", "exceedance", "protected")
    return {
        "models": [
            {
                "name": model,
                **{
                    name: number(float(getattr(effects, column)[i]))
                    for name, column in zip(names, columns, strict=True)
                },
                "assigned": effects.n_assigned(model),
            }
            for i, model in enumerate(effects.models)
        ],
        "assignments": [
            {"run": run, "probabilities": dict(zip(effects.models, map(float, row), strict=True))}
            for run, row in zip(effects.runs, effects.assignments, strict=True)
        ],
        "omnibus_risk": number(effects.omnibus_risk),
        "status": effects.status,
        "sentence": effects.sentence,
        "doubts": list(effects.doubts),
    }
