"""The store: a folder of runs and curves that only grows, and merges by copying files."""

from __future__ import annotations

import json
import os
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import final

from empirics.curve_set import CurveSet, gathered
from empirics.curve_table import digest_of, read_headers, read_logged, table_of, write_table
from empirics.header import Header, difference, header_of, key_of, same_header
from empirics.logged import Logged, as_logged, united
from empirics.notes import counted, tally
from empirics.parquet import read_parquet, write_parquet
from empirics.run_record import RunRecord, check_run_id, record_of, row_of
from theory.curve import Curve

__all__ = ["RunRecord", "Store", "check_version", "is_store"]

FORMAT, VERSION = "ontogeny-store", 1
FORMAT_FILE = "format.json"


@final
class Store:
    """A folder of runs and curves, content-addressed and append-only.

    ``runs/<run_id>.parquet`` holds one row a run, ``curves/<digest>.parquet`` the rows of
    logged curves as a long table with their headers in the file's metadata: every row that has
    a t and a y, as it was logged. What makes a curve of them (rows at equal t merged, what two
    files hold of one curve put together) is done, counted and said at each reading. Files are
    written under a temporary name and renamed, so another process sees whole files only; the
    same curves written twice are one file; two stores merge by copying the files of one into
    the other. A file whose content is not what its name says is refused.

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
        # Files of curves never change, so their headers are read once.
        self._headers: dict[Path, list[Header]] = {}
        if not (self.path / FORMAT_FILE).is_file():
            _make(self.path, create)
        check_version(self.path)

    def append(self, found: CurveSet) -> None:
        """Store what was read: the logged rows of its curves, and what is known of its runs.

        Raises
        ------
        ValueError
            As `append_run` and `append_curves`; then nothing is stored.
        """
        for record in found.runs:
            self._check_run(record)
        self._append(found.logged)
        for record in found.runs:
            self.append_run(record)

    def append_run(self, record: RunRecord) -> Path:
        """Store a run; one that is already there stays as it is.

        Raises
        ------
        ValueError
            If a run of that run_id is there with other conditions or settings.
        """
        self._check_run(record)
        path = self._run_file(record.run_id)
        if not path.is_file():
            row = row_of(record)
            _atomically(path, lambda temporary: write_parquet(temporary, row))
        return path

    def append_curves(self, curves: Iterable[Curve]) -> Path | None:
        """Store curves in one file, named by the hash of their contents.

        Raises
        ------
        ValueError
            If a curve has no proper run_id, two different curves share run_id, observable
            and progress axis, or the store holds that curve under another header.
        """
        return self._append([as_logged(curve) for curve in curves])

    def check_curves(self, curves: Iterable[Curve]) -> None:
        """Check that curves with these headers could be stored; their points do not matter.

        Raises
        ------
        ValueError
            As `append_curves`.
        """
        self._check_headers([header_of(curve) for curve in curves])

    def runs(self) -> tuple[RunRecord, ...]:
        """Return the stored runs, sorted by label and run_id."""
        records = [_read_run(path) for path in _files(self.path / "runs")]
        return tuple(sorted(records, key=lambda record: (record.run, record.run_id)))

    def observables(self) -> tuple[str, ...]:
        """Return the names of the observables that the store has curves of, sorted."""
        return tuple(sorted({header["observable"] for header in self._all_headers()}))

    def curves(
        self, observable: str | Collection[str] | None = None, run: str | None = None
    ) -> CurveSet:
        """Return the stored curves, of some observables or of one run where given.

        Parameters
        ----------
        observable : str, collection of str or None
            Names of observables.
        run : str or None
            Label or run_id of the run.
        """
        names = {observable} if isinstance(observable, str) else observable
        parts: dict[tuple[str, ...], list[Logged]] = {}
        for path in _files(self.path / "curves"):
            for each in read_logged(path):
                curve = each.curve
                if (names is None or curve.observable in names) and (
                    run in (None, curve.run, curve.run_id)
                ):
                    parts.setdefault(key_of(header_of(curve)), []).append(each)
        whole = [united(of_one_curve) for of_one_curve in parts.values()]
        whole.sort(key=lambda found: _order(found[0].curve))
        left_out = Counter[str]()
        for each, n in whole:
            left_out[each.name] += n
        return gathered([each for each, _ in whole], _conflicts(+left_out))

    def _run_file(self, run_id: str) -> Path:
        return self.path / "runs" / f"{run_id}.parquet"

    def _check_run(self, record: RunRecord) -> None:
        path = self._run_file(record.run_id)
        if not path.is_file():
            return
        stored = _read_run(path)
        if (stored.conditions, stored.config) != (record.conditions, record.config):
            raise ValueError(
                f"run_id {record.run_id!r} is already stored with other conditions or "
                "settings; a run_id must belong to one run."
            )

    def _append(self, curves: Sequence[Logged]) -> Path | None:
        if not curves:
            return None
        for each in curves:
            check_run_id(each.curve.run_id)
        table, headers = table_of(curves)
        self._check_headers(headers)
        path = self.path / "curves" / f"{digest_of(curves)}.parquet"
        if not path.is_file():
            _atomically(path, lambda temporary: write_table(temporary, table, headers))
        return path

    def _check_headers(self, headers: Iterable[Header]) -> None:
        """Check that what the store holds of these curves has the same headers."""
        stored = {key_of(header): header for header in self._all_headers()}
        for header in headers:
            old = stored.get(key_of(header), header)
            if not same_header(old, header):
                raise ValueError(
                    f"{self.path} already holds {header['observable']} of "
                    f"{header['run'] or header['run_id']!r} with {difference(old, header)}; one "
                    "curve cannot have both: read it as before, or use another store."
                )

    def _all_headers(self) -> list[Header]:
        paths = _files(self.path / "curves")
        for path in paths:
            if path not in self._headers:
                self._headers[path] = read_headers(path)
        return [header for path in paths for header in self._headers[path]]


def check_version(path: Path) -> None:
    """Check that the folder is a store this version of Ontogeny can read.

    Raises
    ------
    ValueError
        In one sentence, if it is not.
    """
    try:
        content = json.loads((path / FORMAT_FILE).read_text(encoding="utf-8"))
        named, version = content["format"], content["version"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ValueError(
            f"{path} is not a store: its {FORMAT_FILE} is missing or damaged."
        ) from None
    if named != FORMAT:
        raise ValueError(f"{path} is not a store: its {FORMAT_FILE} says format {named!r}.")
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
    content = json.dumps({"format": FORMAT, "version": VERSION}) + "\n"
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


def _order(curve: Curve) -> tuple[str, ...]:
    return (curve.run, curve.run_id, curve.observable, str(curve.progress))


def _conflicts(left_out: Counter[str]) -> list[str]:
    if not left_out:
        return []
    return [
        f"{counted(left_out.total(), 'row')} left out, since files of the store disagree about "
        "these curves; the longest version is kept, of equals the one whose file's name comes "
        f"first: {tally(left_out)}."
    ]


def _read_run(path: Path) -> RunRecord:
    table = read_parquet(path)
    try:
        record = record_of(table)
    except ValueError as error:
        reason = str(error).rstrip(".")
        raise ValueError(f"{path} is not a run of a store: {reason}.") from None
    if record.run_id != path.stem:
        raise ValueError(f"{path} is not a run of a store: it holds run_id {record.run_id!r}.")
    return record
