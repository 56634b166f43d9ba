"""Keeping a finished run in the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from empirics.probe import Reading
from empirics.run import Run
from empirics.store import RunRecord, Store


def keep(store: Store, done: Run, *, source: str, schedule: Sequence[int]) -> None:
    """Store a finished run; one that is there already stays as it is.

    The row of a run that was trained twice (its checkpoints were deleted, say) is the first
    one's: how long it took and what it was computed with are facts, and may differ.
    """
    store.append_curves(done.curves)
    keep_run(store, done, source=source, schedule=schedule)


def keep_run(store: Store, done: Run, *, source: str, schedule: Sequence[int]) -> None:
    """Store what is known of a run whose curves are stored."""
    if (store.path / "runs" / f"{done.run_id}.parquet").is_file():
        return
    store.append_run(
        RunRecord(
            done.run,
            done.run_id,
            source=source,
            versions=done.versions,
            config={
                "schedule": list(schedule),
                "status": done.status,
                "wall_seconds": done.wall_seconds,
                "git_commit": done.git_commit,
                "device": done.device,
                "errors": errors_of(done),
            },
            conditions=done.conditions,
        )
    )


def errors_of(done: Run) -> dict[str, dict[str, Any]]:
    """Return what the curves do not carry, by observable: se, levels and baselines.

    Each is a list as long as the observable's curve, or one value where all are equal.
    """
    points: dict[str, list[Reading]] = {}
    for _, measured in done.readings:
        for observable, reading in measured.items():
            points.setdefault(observable, []).append(reading)
    return {observable: _errors(readings) for observable, readings in points.items()}


def _errors(readings: Sequence[Reading]) -> dict[str, Any]:
    names = sorted({name for reading in readings for name in reading.baselines})
    return {
        "se": _compact([reading.se for reading in readings]),
        "n_levels": _compact([reading.n_levels for reading in readings]),
        "baselines": {
            name: _compact([reading.baselines.get(name) for reading in readings]) for name in names
        },
    }


def _compact(values: list[Any]) -> Any:
    return values[0] if all(value == values[0] for value in values) else values
