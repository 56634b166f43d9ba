"""Files of runs: one row a run, under the name of its run_id."""

from __future__ import annotations

from pathlib import Path

from empirics.parquet import read_parquet
from empirics.run_record import RunRecord, record_of


def read_run(path: Path) -> RunRecord:
    """Return the run of a file.

    Raises
    ------
    ValueError
        If the file is damaged, holds no run, or another than its name says.
    """
    table = read_parquet(path)
    try:
        record = record_of(table)
    except ValueError as error:
        reason = str(error).rstrip(".")
        raise ValueError(f"{path} is not a run of a store: {reason}.") from None
    if record.run_id != path.stem:
        raise ValueError(f"{path} is not a run of a store: it holds run_id {record.run_id!r}.")
    return record
