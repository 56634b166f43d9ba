"""What the files of curves in a store say of their curves, read once, without their points."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import final

from empirics.curve_table import Entry, read_entries
from empirics.header import Header, difference, key_of, same_header
from empirics.store_folder import files_in

Key = tuple[str, ...]
"""run_id, observable and progress axis of a curve."""
Parts = list[tuple[Path, Entry]]
"""The stretches of rows of one curve, in one file or in several."""


@final
class StoredEntries:
    """The entries of all files of a folder; files of curves never change.

    Parameters
    ----------
    folder : Path
        ``curves`` of the store.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._entries: dict[Path, list[Entry]] = {}
        self._headers: dict[Key, Header] = {}
        self._seen: set[Path] = set()

    def parts(
        self, observable: str | Collection[str] | None, run: str | None = None
    ) -> tuple[dict[Key, Parts], list[str]]:
        """Return the parts of each wanted curve, sorted by run, and a sentence a damaged file."""
        names = {observable} if isinstance(observable, str) else observable
        parts: dict[Key, Parts] = {}
        damaged = []
        for path in files_in(self.folder):
            try:
                entries = self._of(path)
            except ValueError as error:
                damaged.append(str(error))
                continue
            for entry in entries:
                header = entry.header
                if (names is None or header["observable"] in names) and (
                    run is None or run in (header["run_id"], header["run"])
                ):
                    parts.setdefault(key_of(header), []).append((path, entry))
        return dict(sorted(parts.items(), key=_in_order)), damaged

    def check(self, headers: Iterable[Header]) -> None:
        """Check that what the store holds of these curves has the same headers.

        Raises
        ------
        ValueError
            If it has others, or a file is damaged.
        """
        for path in files_in(self.folder):
            if path not in self._seen:
                self._headers |= {key_of(entry.header): entry.header for entry in self._of(path)}
                self._seen.add(path)
        for header in headers:
            old = self._headers.get(key_of(header), header)
            if not same_header(old, header):
                raise ValueError(
                    f"{self.folder.parent} already holds {header['observable']} of "
                    f"{header['run'] or header['run_id']!r} with {difference(old, header)}; one "
                    "curve cannot have both: read it as before, or use another store."
                )

    def _of(self, path: Path) -> list[Entry]:
        if path not in self._entries:
            self._entries[path] = read_entries(path)
        return self._entries[path]


def _in_order(item: tuple[Key, Parts]) -> Key:
    (run_id, observable, progress), parts = item
    return (parts[0][1].header["run"], run_id, observable, progress)
