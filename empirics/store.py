"""The store: a folder of runs and curves that only grows, and merges by copying files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import final

from empirics.atomically import write_atomically
from empirics.curve_set import CurveSet, gathered
from empirics.curve_table import (
    Entry,
    digest_of,
    read_some,
    table_of,
    write_table,
)
from empirics.header import header_of, key_of
from empirics.logged import Logged, as_logged, united
from empirics.manifest import list_file, lost_files
from empirics.notes import counted, tally
from empirics.parquet import write_parquet
from empirics.readers.names import no_such
from empirics.run_record import RunRecord, check_run_id, row_of
from empirics.selection import Selection, chosen, facts_of, parse_selection
from empirics.store_folder import check_version, files_in, is_store, make
from empirics.stored_entries import Key, Parts, StoredEntries
from empirics.stored_run import read_run
from theory.curve import Curve

__all__ = ["RunRecord", "Store", "check_version", "is_store"]

PORTION = 2_000_000
"""Rows that are read at a time where not all can be."""


@final
class Store:
    """A folder of runs and curves, content-addressed and append-only.

    ``runs/<run_id>.parquet`` holds one row a run, ``curves/<digest>.parquet`` the rows of
    logged curves as a long table with their headers in the file's metadata: every row that has
    a t and a y, as it was logged. What makes a curve of them (rows at equal t merged, what two
    files hold of one curve put together) is done, counted and said at each reading. Files are
    written under a temporary name and renamed, so another process sees whole files only; the
    same curves written twice are one file; two stores merge by copying the files of one into
    the other. A file whose content is not what its name says is never read as a result: it is
    named, as is one that the manifest lists and that is gone, and the others are read.

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
        self._entries = StoredEntries(self.path / "curves")
        if not is_store(self.path):
            make(self.path, create)
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
            self._write(path, lambda temporary: write_parquet(temporary, row))
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
        self._entries.check([header_of(curve) for curve in curves])

    def runs(self) -> tuple[RunRecord, ...]:
        """Return the stored runs, sorted by label and run_id.

        Raises
        ------
        ValueError
            For a file that is damaged or no run; `select` reads the others.
        """
        records = [read_run(self._run_file(run_id)) for run_id in self.run_ids()]
        return tuple(sorted(records, key=lambda record: (record.run, record.run_id)))

    def run_ids(self) -> tuple[str, ...]:
        """Return the run_ids of the stored runs, sorted; no file is opened."""
        return tuple(path.stem for path in files_in(self.path / "runs"))

    def headers(
        self,
        observable: str | Collection[str] | None = None,
        *,
        where: Selection | str | None = None,
    ) -> tuple[dict[Key, Entry], list[str]]:
        """Return what the store says of curves without reading their points.

        Parameters and errors as of `curves`.

        Returns
        -------
        dict of (run_id, observable, progress) to Entry
            Sorted by run; where several files hold a curve, the entry with the most rows.
        list of str
            A sentence for each file of curves that cannot be read, and on what was not selected.
        """
        wanted, notes = self._wanted(observable, None, where, strict=False)
        longest = [max((entry for _, entry in parts), key=_rows) for parts in wanted]
        return {key_of(entry.header): entry for entry in longest}, notes

    def observables(self) -> tuple[str, ...]:
        """Return the observables of the curves in the files that can be read, sorted."""
        return tuple(sorted({observable for _, observable, _ in self.headers()[0]}))

    def check_observables(self, names: Iterable[str]) -> None:
        """Check that the store has curves of these observables.

        Raises
        ------
        ValueError
            If it has none of one: the nearest, and all of them.
        """
        known = self.observables()
        for name in sorted(set(names) - set(known)):
            raise ValueError(no_such("observable", name, str(self.path), known))

    def curves(
        self,
        observable: str | Collection[str] | None = None,
        run: str | None = None,
        *,
        where: Selection | str | None = None,
        strict: bool = False,
    ) -> CurveSet:
        """Return the stored curves, of some observables or of one run where given.

        Parameters
        ----------
        observable : str, collection of str or None
            Names of observables.
        run : str or None
            Label or run_id of the run.
        where : Selection, str or None
            A condition on the curves' conditions, such as ``"alpha < 0.1 and seed in 0..7"``
            (`empirics.selection`).
        strict : bool
            Whether a file that cannot be read is an error; else it is named in the notes, and
            the others are read.

        Raises
        ------
        ValueError
            If `where` cannot be read or asks for what no curve has, or for a damaged file.
        """
        wanted, notes = self._wanted(observable, run, where, strict)
        return self._read([part for parts in wanted for part in parts], notes, strict)

    def select(
        self,
        where: Selection | str | None = None,
        *,
        observable: str | Collection[str] | None = None,
    ) -> CurveSet:
        """Return the curves that fulfil a condition, with what is known of their runs.

        Files that cannot be read are named in the notes. Parameters and errors as of `curves`.
        """
        found = self.curves(observable, where=where)
        records, notes = [], []
        for run_id in dict.fromkeys(curve.run_id for curve in found.curves):
            path = self._run_file(run_id)
            try:
                records += [read_run(path)] if path.is_file() else []
            except ValueError as error:
                notes.append(str(error))
        records.sort(key=lambda record: (record.run, record.run_id))
        return replace(found, runs=tuple(records), notes=(*found.notes, *notes))

    def portions(
        self,
        observable: str | Collection[str] | None = None,
        *,
        where: Selection | str | None = None,
        rows: int = PORTION,
    ) -> Iterator[CurveSet]:
        """Yield the curves in portions of at most so many rows, for stores beyond the memory.

        A curve is in one portion whole. The first portion has the notes of the selection.
        Parameters and errors as of `curves`.
        """
        wanted, notes = self._wanted(observable, None, where, strict=False)
        portion: Parts = []
        for parts in wanted:
            if portion and sum(map(_rows, (e for _, e in [*portion, *parts]))) > rows:
                yield self._read(portion, notes, strict=False)
                portion, notes = [], []
            portion += parts
        yield self._read(portion, notes, strict=False)

    def _wanted(
        self,
        observable: str | Collection[str] | None,
        run: str | None,
        where: Selection | str | None,
        strict: bool,
    ) -> tuple[list[Parts], list[str]]:
        """Return where the parts of each wanted curve lie, and what is to be said of it."""
        selection = parse_selection(where) if isinstance(where, str) else where
        parts, damaged = self._entries.parts(observable, run)
        damaged += lost_files(self.path)
        if strict and damaged:
            raise ValueError(damaged[0])
        notes: list[str] = []
        if selection is None:
            kept = set(parts)
        else:
            facts = {key: facts_of(of[0][1].header) for key, of in parts.items()}
            kept, notes = chosen(selection, facts, str(self.path))
        wanted = [of for key, of in parts.items() if key in kept]
        return wanted, [*damaged, *notes]

    def _read(
        self, parts: Iterable[tuple[Path, Entry]], notes: Iterable[str], strict: bool
    ) -> CurveSet:
        by_file: dict[Path, list[Entry]] = {}
        for path, entry in parts:
            by_file.setdefault(path, []).append(entry)
        found: dict[Key, list[Logged]] = {}
        damaged = []
        for path in sorted(by_file):
            try:
                read = read_some(path, by_file[path])
            except ValueError as error:
                if strict:
                    raise
                damaged.append(str(error))
                continue
            for each in read:
                found.setdefault(key_of(header_of(each.curve)), []).append(each)
        whole = [united(of_one_curve) for of_one_curve in found.values()]
        whole.sort(key=lambda one: _order(one[0].curve))
        left_out = Counter[str]()
        for each, n in whole:
            left_out[each.name] += n
        notes = [*notes, *damaged, *_conflicts(+left_out)]
        return gathered([each for each, _ in whole], notes)

    def _run_file(self, run_id: str) -> Path:
        return self.path / "runs" / f"{run_id}.parquet"

    def _check_run(self, record: RunRecord) -> None:
        path = self._run_file(record.run_id)
        if not path.is_file():
            return
        stored = read_run(path)
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
        table = table_of(curves)
        self._entries.check(table.headers)
        path = self.path / "curves" / f"{digest_of(curves)}.parquet"
        if not path.is_file():
            self._write(path, lambda temporary: write_table(temporary, table))
        return path

    def _write(self, path: Path, write: Callable[[Path], object]) -> None:
        write_atomically(path, write)
        list_file(self.path, path)


def _rows(entry: Entry) -> int:
    return entry.n_rows


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
