"""Curves as one long table with a header a curve, and back, without loss."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from empirics.curve_set import CurveSet, Rejected
from theory.curve import Condition, Curve, Origin, Progress, Schedule

SCHEMA = pl.Schema(
    {
        "run_id": pl.String,
        "observable": pl.String,
        "progress": pl.String,
        "t": pl.Float64,
        "y": pl.Float64,
        "y_se": pl.Float64,
        "n_trials": pl.Int64,
    }
)
KEY = ("run_id", "observable", "progress")
Header = dict[str, Any]


def header_of(curve: Curve) -> Header:
    """Return what a curve says besides its points, as plain values."""
    return {
        "run_id": curve.run_id,
        "observable": curve.observable,
        "progress": str(curve.progress),
        "run": curve.run,
        "unit": curve.unit,
        "window": curve.window,
        "origin": str(curve.origin),
        "support": None if curve.support is None else list(curve.support),
        "conditions": {name: plain(value) for name, value in curve.conditions.items()},
    }


def plain(value: Condition) -> Any:
    """Return a condition as a JSON value; a schedule is the only one that is an object."""
    return {"schedule": value.content()} if isinstance(value, Schedule) else value


def condition_of(value: Any) -> Condition:
    """Return the condition that `plain` made plain."""
    if isinstance(value, Mapping):
        return Schedule(**value["schedule"])
    return value  # type: ignore[no-any-return]


def table_of(curves: Iterable[Curve]) -> tuple[pl.DataFrame, list[Header]]:
    """Return the points of curves as one sorted long table, and their headers.

    Raises
    ------
    ValueError
        If two different curves share run_id, observable and progress axis: their points
        could not be told apart.
    """
    by_key: dict[tuple[str, ...], Curve] = {}
    for curve in curves:
        key = (curve.run_id, curve.observable, str(curve.progress))
        if by_key.setdefault(key, curve) != curve:
            raise ValueError(
                f"two different curves of {curve.observable!r} share the run_id "
                f"{curve.run_id!r}; give each run its own run_id."
            )
    ordered = [by_key[key] for key in sorted(by_key)]
    frames = [_points(curve) for curve in ordered]
    table = pl.concat(frames) if frames else pl.DataFrame(schema=SCHEMA)
    return table, [header_of(curve) for curve in ordered]


def _points(curve: Curve) -> pl.DataFrame:
    n = curve.n_obs
    return pl.DataFrame(
        {
            "run_id": [curve.run_id] * n,
            "observable": [curve.observable] * n,
            "progress": [str(curve.progress)] * n,
            "t": curve.t,
            "y": curve.y,
            "y_se": [None] * n if curve.y_se is None else curve.y_se,
            "n_trials": [None] * n if curve.n_trials is None else curve.n_trials,
        },
        schema=SCHEMA,
    )


def curves_of(parts: Iterable[tuple[pl.DataFrame, list[Header]]]) -> CurveSet:
    """Make curves of tables that may overlap: several files can hold points of one curve.

    A point that several tables hold with the same values is one point. Points at equal t
    with different values are merged by `merge_equal_t`, counted and named in the notes.
    """
    groups: dict[str, tuple[Header, list[pl.DataFrame]]] = {}
    for table, headers in parts:
        tables = table.partition_by(KEY, as_dict=True, maintain_order=True)
        for header in headers:
            name = json.dumps(header, sort_keys=True)
            points = tables.get(tuple(header[key] for key in KEY))
            if points is not None:
                groups.setdefault(name, (header, []))[1].append(points)
    curves, rejected, notes = [], [], []
    for _, (header, tables_of_curve) in sorted(groups.items(), key=lambda item: _order(item[1][0])):
        points = pl.concat(tables_of_curve)
        if len(tables_of_curve) > 1:
            points = points.unique(maintain_order=True)
        points = points.sort("t", maintain_order=True)
        columns = {
            name: points[name].to_numpy()
            for name in ("t", "y", "y_se", "n_trials")
            if points[name].null_count() < points.height
        }
        result = curve_from(header, columns)
        if isinstance(result, Rejected):
            rejected.append(result)
        else:
            curves.append(result[0])
            notes.extend(result[1])
    return CurveSet(tuple(curves), tuple(rejected), tuple(notes))


def _order(header: Header) -> tuple[str, ...]:
    return (header["run"], header["run_id"], header["observable"], json.dumps(header))


def curve_from(
    header: Header, columns: Mapping[str, NDArray[Any]]
) -> tuple[Curve, list[str]] | Rejected:
    """Make one curve of its header and its points in order, with notes on merged points."""
    try:
        columns, n_merged = merge_equal_t(columns)
        curve = Curve(
            observable=header["observable"],
            unit=header["unit"],
            progress=Progress(header["progress"]),
            window=header["window"],
            run=header["run"],
            run_id=header["run_id"],
            conditions={k: condition_of(v) for k, v in header["conditions"].items()},
            origin=Origin(header["origin"]),
            support=None if header["support"] is None else tuple(header["support"]),
            **columns,
        )
    except ValueError as error:
        return Rejected(header["run"], header["observable"], str(error))
    if not n_merged:
        return curve, []
    name = f"{header['observable']} of {header['run'] or header['run_id']}"
    return curve, [f"{name}: {n_merged} points at a t seen before, merged into the mean at that t"]


def merge_equal_t(
    columns: Mapping[str, NDArray[Any]],
) -> tuple[dict[str, NDArray[Any]], int]:
    """Merge neighboring points at equal t into their mean.

    With `n_trials` the mean is weighted by them and they add up; standard errors of k merged
    points combine as independent ones, sqrt(sum of squares) / k. The order is not changed.

    Returns
    -------
    dict, int
        The merged columns, and how many points went into others.

    Raises
    ------
    ValueError
        If most values of t are repeated: then several runs are mixed, and their mean would
        be a curve that no run had.
    """
    t = np.asarray(columns["t"], dtype=np.float64)
    first = np.ones(t.size, dtype=bool)
    first[1:] = t[1:] != t[:-1]
    n_merged = int(t.size - first.sum())
    if not n_merged:
        return dict(columns), 0
    starts = np.flatnonzero(first)
    counts = np.diff(np.append(starts, t.size))
    n_repeated = int((counts > 1).sum())
    if 2 * n_repeated > starts.size:
        i = int(np.argmax(counts > 1))
        raise ValueError(
            f"{n_repeated} of {starts.size} values of t are repeated (t = {t[starts[i]]} "
            f"occurs {counts[i]} times): several runs seem to be mixed; "
            "name the column that tells the runs apart (run)."
        )
    return {"t": t[starts], **_means(columns, starts, counts)}, n_merged


def _means(
    columns: Mapping[str, NDArray[Any]], starts: NDArray[Any], counts: NDArray[Any]
) -> dict[str, NDArray[Any]]:
    trials = columns.get("n_trials")
    weight = np.ones(counts.sum()) if trials is None else trials.astype(np.float64)
    total = np.add.reduceat(weight, starts)
    mean = np.add.reduceat(columns["y"] * weight, starts) / total
    # A point that stands alone keeps its exact value: (y * w) / w need not round back to y.
    merged = {"y": np.where(counts == 1, columns["y"][starts], mean)}
    if "y_se" in columns:
        variance = np.add.reduceat((columns["y_se"] * weight) ** 2, starts) / total**2
        merged["y_se"] = np.where(counts == 1, columns["y_se"][starts], np.sqrt(variance))
    if trials is not None:
        merged["n_trials"] = np.add.reduceat(trials, starts)
    return merged
