"""The rows that a log holds of one curve, kept as they are, and the curve that they make."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from empirics.curve_set import Rejected
from empirics.header import Header, curve_of, header_of, same_header
from theory.curve import Curve, check_finite, locked

Rows = Mapping[str, NDArray[Any]]
COLUMNS = ("t", "y", "y_se", "n_trials")
ADVICE = "name the column that tells the runs apart with --run"


@final
@dataclass(frozen=True, eq=False)
class Logged:
    """One curve as it was logged.

    Attributes
    ----------
    curve : Curve
        The curve that the rows make: rows that repeat another exactly count once, rows at
        equal t are merged into their mean.
    rows : DataFrame
        ``t``, ``y`` and, where known, ``y_se`` and ``n_trials``: every row, sorted by t.
    n_repeated : int
        Rows that repeat another exactly.
    n_merged : int
        Rows that went into others at equal t.
    """

    curve: Curve
    rows: pl.DataFrame
    n_repeated: int = 0
    n_merged: int = 0

    @property
    def name(self) -> str:
        """Return observable and run, as a sentence names the curve."""
        return f"{self.curve.observable} of {self.curve.run or self.curve.run_id}"

    @cached_property
    def digest(self) -> str:
        """Hash of everything the log says: the curve's own where each row is a point."""
        if not self.n_repeated and not self.n_merged:
            return self.curve.digest
        hashed = hashlib.sha256(self.curve.digest.encode())
        for name in self.rows.columns:
            hashed.update(name.encode() + self.rows[name].cast(pl.Float64).to_numpy().tobytes())
        return hashed.hexdigest()


def as_logged(curve: Curve) -> Logged:
    """Return a curve as the rows of its points."""
    points = {name: getattr(curve, name) for name in COLUMNS}
    return Logged(curve, pl.DataFrame({k: v for k, v in points.items() if v is not None}))


def logged(header: Header, table: pl.DataFrame, advice: str = ADVICE) -> Logged | Rejected:
    """Make the curve of some rows, which are in the order of the log.

    Parameters
    ----------
    header : Header
    table : DataFrame
        The rows: some of `COLUMNS`, ``t`` and ``y`` among them.
    advice : str
        What to do where several runs seem to be mixed.

    Returns
    -------
    Logged or Rejected
        Rejected, with the reason, where the rows cannot be one curve.
    """
    rows = {name: table[name].to_numpy() for name in table.columns}
    try:
        check_finite(rows["t"], "t")
        index = distinct(rows)
        n_repeated = table.height - index.size
        kept = {name: values[index] for name, values in rows.items()} if n_repeated else rows
        points, n_merged = merge_equal_t(kept, advice)
        curve = curve_of(header, points)
    except ValueError as error:
        return Rejected(header["run"], header["observable"], str(error))
    in_order = table.sort("t", maintain_order=True) if n_merged or n_repeated else table
    return Logged(curve, in_order, n_repeated, n_merged)


def distinct(rows: Rows) -> NDArray[np.intp]:
    """Return the indices of the rows that repeat no earlier one exactly."""
    t = rows["t"]
    if (t[1:] > t[:-1]).all():
        return np.arange(t.size)
    first = pl.DataFrame(dict(rows)).select(pl.struct(pl.all()).is_first_distinct())
    return np.flatnonzero(first.to_series().to_numpy())


def merge_equal_t(rows: Rows, advice: str = ADVICE) -> tuple[dict[str, NDArray[Any]], int]:
    """Merge neighboring rows at equal t into their mean.

    With `n_trials` the mean is weighted by them and they add up; standard errors of k merged
    rows combine as independent ones, sqrt(sum of squares) / k. The order is not changed.

    Returns
    -------
    dict, int
        The merged columns, and how many rows went into others.

    Raises
    ------
    ValueError
        If most values of t are repeated: then several runs are mixed, and their mean would
        be a curve that no run had.
    """
    t = np.asarray(rows["t"], dtype=np.float64)
    first = np.ones(t.size, dtype=bool)
    first[1:] = t[1:] != t[:-1]
    n_merged = int(t.size - first.sum())
    if not n_merged:
        return dict(rows), 0
    starts = np.flatnonzero(first)
    counts = np.diff(np.append(starts, t.size))
    n_repeated = int((counts > 1).sum())
    if 2 * n_repeated > starts.size:
        i = int(np.argmax(counts > 1))
        raise ValueError(
            f"{n_repeated} of {starts.size} values of t are repeated (t = {t[starts[i]]} "
            f"occurs {counts[i]} times): several runs seem to be mixed; {advice}."
        )
    return {"t": t[starts], **_means(rows, starts, counts)}, n_merged


def _means(
    rows: Rows, starts: NDArray[np.intp], counts: NDArray[np.intp]
) -> dict[str, NDArray[Any]]:
    # Checked before they are merged: a mean would hide what a single row could not be.
    check_finite(rows["y"], "y")
    weight = _at_least(rows, "n_trials", 1) if "n_trials" in rows else np.ones(counts.sum())
    share = weight / np.repeat(np.add.reduceat(weight, starts), counts)
    # A row that stands alone keeps its exact value: it has the share 1.
    merged = {"y": np.add.reduceat(rows["y"] * share, starts)}
    if "y_se" in rows:
        merged["y_se"] = np.hypot.reduceat(_at_least(rows, "y_se", 0) * share, starts)
    if "n_trials" in rows:
        merged["n_trials"] = np.add.reduceat(weight, starts)
    return merged


def _at_least(rows: Rows, name: str, least: int) -> NDArray[np.float64]:
    values = locked(rows[name], name)
    check_finite(values, name)
    low = np.flatnonzero(values < least)
    if low.size:
        i = int(low[0])
        raise ValueError(f"{name} must be at least {least}; {name}[{i}] = {values[i]}.")
    return values


def united(parts: Sequence[Logged]) -> tuple[Logged, int]:
    """Put together what several files hold of one curve, and count the rows left out.

    Files of one run, a resumed one say, agree: the same header, and the same rows over the
    stretch of t that both cover. A part that does not agree with those before it is another
    version of the run, and is left out whole: woven together they would make a curve that
    no run had. The longest part comes first; of equals, the one given first.
    """
    longest, *others = sorted(parts, key=lambda part: -part.rows.height)
    kept, n_left_out = longest, 0
    for part in others:
        both = _together(kept, part)
        if both is None:
            n_left_out += part.rows.height
        else:
            kept = both
    return kept, n_left_out


def _together(one: Logged, other: Logged) -> Logged | None:
    if one.digest == other.digest:
        return one
    if not same_header(header_of(one.curve), header_of(other.curve)):
        return None
    a, b = one.rows, other.rows
    if a.columns != b.columns:
        return None
    shared = pl.col("t").is_between(max(a["t"][0], b["t"][0]), min(a["t"][-1], b["t"][-1]))
    if not _sorted(a.filter(shared)).equals(_sorted(b.filter(shared))):
        return None
    rows = pl.concat([a, b.filter(~shared)]).sort("t", maintain_order=True)
    both = logged(header_of(one.curve), rows)
    return both if isinstance(both, Logged) else None


def _sorted(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.unique().sort(frame.columns)
