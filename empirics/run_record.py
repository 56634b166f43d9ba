"""What the store keeps about one run, and its row in a file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, final

import polars as pl

from empirics.header import condition_of, plain
from theory.curve import Condition, check_conditions, relock

CONDITION = "condition."
TEXTS = ("run", "run_id", "source", "sha256", "versions", "config")
RUN_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


@final
@dataclass(frozen=True)
class RunRecord:
    """What the store keeps about one run.

    Attributes
    ----------
    run : str
        The user's label.
    run_id : str
        Hash of everything that made the run; letters, digits, ``.``, ``_`` and ``-``.
    source : str
        Experiment name, or the log file the run was read from.
    sha256 : str
        Hash of the source file; empty for a run made here.
    versions : mapping of str to str
        Versions of the software that made or read the run.
    config : mapping
        Full settings, as JSON says them: a tuple becomes a list, a key a text.
    conditions : mapping of str to bool, int, float, str or Schedule
        Everything that could have shaped the run's curves.

    Raises
    ------
    ValueError
        For a run_id that cannot be a file name, or settings that are not JSON values.
    """

    run: str
    run_id: str
    source: str = ""
    sha256: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, Condition] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_run_id(self.run_id)
        try:
            config = json.loads(json.dumps(dict(self.config), allow_nan=False))
        except (TypeError, ValueError) as error:
            raise ValueError(f"config of run {self.run!r} must be JSON values; {error}.") from None
        object.__setattr__(self, "config", MappingProxyType(config))
        object.__setattr__(self, "versions", MappingProxyType(dict(self.versions)))
        object.__setattr__(self, "conditions", check_conditions(self.conditions))

    def __getstate__(self) -> dict[str, Any]:
        # Read-only views cannot be pickled; dicts can, and are locked again by relock.
        return {k: dict(v) if isinstance(v, Mapping) else v for k, v in self.__dict__.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        relock(self, state)


def check_run_id(run_id: str) -> None:
    """Check that a run_id can be a file name that stays inside the store."""
    if not RUN_ID.fullmatch(run_id):
        raise ValueError(
            f"a run_id is 1 to 128 letters, digits, '.', '_' or '-', "
            f"not beginning with '.' or '-'; it is {run_id!r}."
        )


def row_of(record: RunRecord) -> pl.DataFrame:
    """Return a record as a table of one row.

    Raises
    ------
    ValueError
        If a condition has no place in a table.
    """
    row: dict[str, Any] = {
        "run": record.run,
        "run_id": record.run_id,
        "source": record.source,
        "sha256": record.sha256,
        "versions": json.dumps(dict(record.versions), sort_keys=True),
        "config": json.dumps(dict(record.config), sort_keys=True),
    }
    for name, value in record.conditions.items():
        row[CONDITION + name] = plain(value)
    try:
        return pl.DataFrame([row])
    except (OverflowError, pl.exceptions.PolarsError) as error:
        raise ValueError(f"run {record.run!r} cannot be stored: {error}.") from None


def record_of(table: pl.DataFrame) -> RunRecord:
    """Return the record that `row_of` made a table.

    Raises
    ------
    ValueError
        If the table is no such row.
    """
    if table.height != 1:
        raise ValueError(f"it has {table.height} rows, and a run is one")
    missing = [name for name in TEXTS if table.schema.get(name) != pl.String]
    if missing:
        raise ValueError(f"it has no texts {', '.join(missing)}")
    row = table.row(0, named=True)
    empty = [name for name in TEXTS if row[name] is None]
    if empty:
        raise ValueError(f"it says no {', '.join(empty)}")
    versions, config = json.loads(row["versions"]), json.loads(row["config"])
    if not isinstance(versions, dict) or not isinstance(config, dict):
        raise ValueError("its versions and config are no JSON objects")
    conditions = {
        name.removeprefix(CONDITION): condition_of(value)
        for name, value in row.items()
        if name.startswith(CONDITION)
    }
    texts = {name: row[name] for name in ("run", "run_id", "source", "sha256")}
    return RunRecord(**texts, versions=versions, config=config, conditions=conditions)
