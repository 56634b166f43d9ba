"""Curves as a labelled array of xarray, runs × progress, and as a NetCDF file.

xarray and h5netcdf are needed for nothing else, and are imported here alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from empirics.atomically import write_atomically
from empirics.exported_table import axis_of
from theory.curve import Curve, Schedule

if TYPE_CHECKING:
    import xarray

WIDEST = 4.0
"""Cells an aligned array may have for each point of the curves; more are nearly all empty."""
SMALL = 100_000


def dataset_of(curves: Sequence[Curve], where: str | None = None) -> xarray.Dataset:
    """Return curves as variables over runs and all progress at which any run has a point.

    A variable an observable, and ``OBSERVABLE.y_se`` and ``OBSERVABLE.n_trials`` where a curve
    has them; NaN where a run has no point. Labels, run_ids and conditions lie along the runs:
    numbers as float64 where all are, else texts.

    Raises
    ------
    ImportError
        If xarray is not installed.
    ValueError
        If there is no curve, curves count on several progress axes, or were logged at times so
        different that the array would be nearly empty.
    """
    xarray = _xarray()
    axis = axis_of([str(curve.progress) for curve in curves], where)
    t = np.unique(np.concatenate([curve.t for curve in curves]))
    run_ids = list(dict.fromkeys(curve.run_id for curve in curves))
    observables = sorted({curve.observable for curve in curves})
    cells, points = len(run_ids) * t.size * len(observables), sum(c.n_obs for c in curves)
    if cells > max(SMALL, WIDEST * points):
        raise ValueError(
            f"the runs were logged at different {axis}: {points} points in an array of {cells} "
            "cells; export CSV or Parquet."
        )
    row = {run_id: i for i, run_id in enumerate(run_ids)}
    variables: dict[str, tuple[tuple[str, str], Any]] = {}
    for curve in curves:
        columns = {"": curve.y, ".y_se": curve.y_se, ".n_trials": curve.n_trials}
        for suffix, values in columns.items():
            if values is not None:
                name = curve.observable + suffix
                empty = np.full((len(run_ids), t.size), np.nan)
                array = variables.setdefault(name, (("run", axis), empty))[1]
                array[row[curve.run_id], np.searchsorted(t, curve.t)] = values
    first = {run_id: next(c for c in curves if c.run_id == run_id) for run_id in run_ids}
    coords: dict[str, Any] = {
        axis: t,
        "label": ("run", [first[run_id].run for run_id in run_ids]),
        "run_id": ("run", run_ids),
    }
    for name in sorted({name for curve in first.values() for name in curve.conditions}):
        said = [first[run_id].conditions.get(name) for run_id in run_ids]
        coords[f"condition.{name}"] = ("run", _of_one_type(said))
    return xarray.Dataset(variables, coords, {"axis": axis, "nan": "no point at this progress"})


def export_dataset(path: Path, curves: Sequence[Curve], where: str | None = None) -> None:
    """Write curves to a NetCDF file.

    Raises
    ------
    ImportError
        If xarray or h5netcdf is not installed.
    ValueError
        As `dataset_of`.
    """
    _xarray()
    dataset = dataset_of(curves, where)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda temporary: dataset.to_netcdf(temporary, engine="h5netcdf"))


def _xarray() -> Any:
    try:
        import h5netcdf  # noqa: F401
        import xarray
    except ImportError:
        raise ImportError(
            "NetCDF files need xarray and h5netcdf, which are not installed: pip install xarray "
            "h5netcdf. CSV and Parquet need neither."
        ) from None
    return xarray


def _of_one_type(values: Sequence[Any]) -> Any:
    if all(isinstance(value, bool | int | float) or value is None for value in values):
        return np.array([np.nan if value is None else float(value) for value in values])
    return ["" if v is None else str(v.content() if isinstance(v, Schedule) else v) for v in values]
