"""What the numbers of runs and the tasks of groups leave in doubt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fitting.aggregates.bootstrap import FEW_RUNS
from fitting.aggregates.improvement import Improvement
from fitting.aggregates.scores import Scores


def few_runs(scores: Scores) -> list[str]:
    """Return the doubts that the numbers of runs raise."""
    found = []
    fewest = min(scores.counts)
    if 2 <= fewest < FEW_RUNS:
        found.append(
            f"With {fewest} runs of a task, the intervals are too narrow: resampling {fewest} runs "
            f"shows about {100 * (fewest - 1) / fewest:.0f} % of their variance."
        )
    if len(set(scores.counts)) > 1:
        counts = ", ".join(f"{t} {n}" for t, n in zip(scores.tasks, scores.counts, strict=True))
        found.append(
            f"Tasks differ in their number of runs ({counts}): the interquartile mean weighs every "
            "run alike, the other measures every task."
        )
    return found


def different_tasks(
    scores: Mapping[str, Scores], tasks: Sequence[str], *, referred: bool
) -> list[str]:
    """Return what speaks against comparing the groups, or against taking tasks together."""
    found = []
    if len(tasks) > 1 and not referred:
        found.append(
            "Tasks are taken together in their own units, without reference scores: a task with "
            "large scores outweighs the others."
        )
    lacking = {
        name: [task for task in tasks if task not in one.tasks] for name, one in scores.items()
    }
    said = [f"{name} of {', '.join(missing)}" for name, missing in lacking.items() if missing]
    if said:
        found.append(
            f"Groups have no run of some tasks ({'; '.join(said)}): their measures are of "
            "different tasks, and only comparisons on common tasks compare groups."
        )
    return found


def without_spread(improvements: Sequence[Improvement]) -> list[str]:
    """Say what an interval without width is not."""
    named = [f"{one.a} over {one.b}" for one in improvements
             if one.lower is not None and one.lower == one.upper]  # fmt: skip
    if not named:
        return []
    return [
        f"Every run of one group beats every run of the other ({', '.join(named)}), so that "
        "drawing runs again shows no spread; that is no certainty about further runs."
    ]
