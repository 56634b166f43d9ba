"""The store: a folder of runs and curves that only grows, and merges by copying files."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, final

import polars as pl

from empirics.curve_set import CurveSet
from empirics.curve_table import SCHEMA, Header, condition_of, curves_of, plain, table_of
from theory.curve import Condition, Curve, check_conditions, relock

VERSION = 1
FORMAT_FILE = "format.json"
HEADERS = "ontogeny.curves"
CONDITION = "condition."
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
        Full settings; JSON values only.
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
            json.dumps(dict(self.config), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"config of run {self.run!r} must be JSON values; {error}.") from None
        for name in ("versions", "config"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
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


@final
class Store:
    """A folder of runs and curves, content-addressed and append-only.

    ``runs/<run_id>.parquet`` holds one row a run, ``curves/<digest>.parquet`` the points of
    curves as a long table with their headers in the file's metadata. Files are written under
    a temporary name and renamed, so another process sees whole files only; the same curves
    written twice are one file; two stores merge by copying the files of one into the other.

    Parameters
    ----------
    path : path
        The folder; made when `create` and it does not exist or is empty.
    create : bool
        Whether a missing store is made.

    Raises
    ------
    ValueError
        If the folder is not a store, or is a store of another version.
    """

    def __init__(self, path: Path | str, *, create: bool = True) -> None:
        self.path = Path(path)
        if not (self.path / FORMAT_FILE).is_file():
            _make(self.path, create)
        check_version(self.path)

    def append_run(self, record: RunRecord) -> Path:
        """Store a run; one that is already there stays as it is.

        Raises
        ------
        ValueError
            If a run of that run_id is there with other conditions or settings.
        """
        path = self.path / "runs" / f"{record.run_id}.parquet"
        if path.is_file():
            stored = _record(path)
            if (stored.conditions, stored.config) != (record.conditions, record.config):
                raise ValueError(
                    f"run_id {record.run_id!r} is already stored with other conditions or "
                    "settings; a run_id must belong to one run."
                )
            return path
        row = _row(record)
        _atomically(path, lambda temporary: row.write_parquet(temporary, compression="zstd"))
        return path

    def append_curves(self, curves: Iterable[Curve]) -> Path | None:
        """Store curves in one file, named by the hash of their contents.

        Raises
        ------
        ValueError
            If a curve has no proper run_id, or two different curves share run_id,
            observable and progress axis.
        """
        curves = tuple(curves)
        if not curves:
            return None
        for curve in curves:
            check_run_id(curve.run_id)
        table, headers = table_of(curves)
        digests = sorted({curve.digest for curve in curves})
        digest = hashlib.sha256("\n".join(digests).encode()).hexdigest()
        path = self.path / "curves" / f"{digest}.parquet"
        if not path.is_file():
            metadata = {HEADERS: json.dumps(headers, sort_keys=True)}
            _atomically(
                path,
                lambda temporary: table.write_parquet(
                    temporary, compression="zstd", metadata=metadata
                ),
            )
        return path

    def runs(self) -> tuple[RunRecord, ...]:
        """Return the stored runs, sorted by label and run_id."""
        records = [_record(path) for path in _files(self.path / "runs")]
        return tuple(sorted(records, key=lambda record: (record.run, record.run_id)))

    def curves(self, observable: str | None = None, run: str | None = None) -> CurveSet:
        """Return the stored curves, of one observable or of one run where given.

        Parameters
        ----------
        observable : str or None
            Name of the observable.
        run : str or None
            Label or run_id of the run.
        """
        return curves_of(
            _curve_file(path, observable, run) for path in _files(self.path / "curves")
        )


def check_version(path: Path) -> None:
    """Check that the folder is a store this version of Ontogeny can read.

    Raises
    ------
    ValueError
        In one sentence, if it is not.
    """
    try:
        content = json.loads((path / FORMAT_FILE).read_text(encoding="utf-8"))
        version = content["version"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ValueError(
            f"{path} is not a store: its {FORMAT_FILE} is missing or damaged."
        ) from None
    if version != VERSION:
        raise ValueError(
            f"{path} is a store of format version {version}; this Ontogeny reads version "
            f"{VERSION}. Use the version of Ontogeny that wrote it, or import the logs anew."
        )


def is_store(path: Path) -> bool:
    """Tell whether a folder says it is a store, of whatever version."""
    return (path / FORMAT_FILE).is_file()


def _make(path: Path, create: bool) -> None:
    if not create:
        state = "is not a store" if path.exists() else "does not exist"
        raise ValueError(f"{path} {state}; give the folder that `ontogeny run` or a study made.")
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path} is a file; a store is a folder.")
    # Folders may be left over from a creation that was killed before its last step.
    if path.exists() and any(file.is_file() and file.name[0] != "." for file in path.rglob("*")):
        raise ValueError(f"{path} holds other files and is not a store; give an empty folder.")
    for name in ("runs", "curves"):
        (path / name).mkdir(parents=True, exist_ok=True)
    content = json.dumps({"format": "ontogeny-store", "version": VERSION}) + "\n"
    _atomically(
        path / FORMAT_FILE, lambda temporary: temporary.write_text(content, encoding="utf-8")
    )


def _atomically(path: Path, write: Callable[[Path], object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.parquet") if path.name[0] != ".")


def _row(record: RunRecord) -> pl.DataFrame:
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


def _record(path: Path) -> RunRecord:
    row = _read(path).row(0, named=True)
    return RunRecord(
        run=row["run"],
        run_id=row["run_id"],
        source=row["source"],
        sha256=row["sha256"],
        versions=json.loads(row["versions"]),
        config=json.loads(row["config"]),
        conditions={
            name.removeprefix(CONDITION): condition_of(value)
            for name, value in row.items()
            if name.startswith(CONDITION)
        },
    )


def _curve_file(
    path: Path, observable: str | None, run: str | None
) -> tuple[pl.DataFrame, list[Header]]:
    headers: list[Header] = [
        header
        for header in json.loads(_metadata(path)[HEADERS])
        if observable in (None, header["observable"])
        and run in (None, header["run"], header["run_id"])
    ]
    if not headers:
        return pl.DataFrame(schema=SCHEMA), []
    wanted = pl.lit(True)
    if observable is not None:
        wanted &= pl.col("observable") == observable
    if run is not None:
        wanted &= pl.col("run_id").is_in(sorted({header["run_id"] for header in headers}))
    return _read(path, wanted), headers


def _read(path: Path, wanted: pl.Expr | None = None) -> pl.DataFrame:
    try:
        scan = pl.scan_parquet(path, glob=False)
        return (scan if wanted is None else scan.filter(wanted)).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ValueError(f"{path} is damaged and cannot be read: {error}.") from None


def _metadata(path: Path) -> dict[str, str]:
    try:
        metadata = pl.read_parquet_metadata(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ValueError(f"{path} is damaged and cannot be read: {error}.") from None
    if HEADERS not in metadata:
        raise ValueError(f"{path} has no curve headers: it was not written by a store.")
    return metadata
