"""Formats that other packages add, by entry points of the group ``ontogeny.readers``.

An entry point names a `Format` (`empirics.readers.format`). The formats of this package come first,
then those of others in the order of their names. One that cannot be loaded, or that fails where it
should tell or read a file, is named in one sentence, and leaves the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import final

from empirics.readers.format import Format
from empirics.readers.series import LoggedRun

GROUP = "ontogeny.readers"


@final
@dataclass(frozen=True)
class Plugged:
    """What other packages add.

    Attributes
    ----------
    formats : tuple of Format
    faults : dict of str to str
        For each reader that failed, the sentence why; it grows while files are told.
    """

    formats: tuple[Format, ...] = ()
    faults: dict[str, str] = field(default_factory=dict)


@lru_cache(maxsize=1)
def plugged() -> Plugged:
    """Load what other packages add, once a process."""
    faults: dict[str, str] = {}
    formats = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        try:
            found = point.load()
        except Exception as error:  # whatever foreign code raises at import
            faults[point.name] = f"{_called(point)} cannot be loaded ({_said(error)})."
            continue
        if not isinstance(found, Format):
            faults[point.name] = f"{_called(point)} is a {type(found).__name__}, and no Format."
            continue
        formats.append(_guarded(found, point, faults))
    return Plugged(tuple(formats), faults)


def _guarded(of: Format, point: EntryPoint, faults: dict[str, str]) -> Format:
    """Return a format whose failures are sentences."""

    def knows(path: Path, head: bytes) -> bool:
        try:
            return point.name not in faults and bool(of.knows(path, head))
        except Exception as error:  # whatever foreign code raises
            faults[point.name] = (
                f"{_called(point)} cannot tell whether {path} is its own ({_said(error)}), and is "
                "asked no more."
            )
            return False

    def read(paths: Sequence[Path], label: str) -> list[LoggedRun]:
        try:
            runs = list(of.read(paths, label))
        except Exception as error:  # whatever foreign code raises
            raise ValueError(f"{_called(point)} cannot read {paths[0]}: {_said(error)}.") from error
        if not all(isinstance(run, LoggedRun) for run in runs):
            raise ValueError(f"{_called(point)} read {paths[0]} as something else than LoggedRun.")
        return runs

    return replace(of, knows=knows, read=read)


def _called(point: EntryPoint) -> str:
    package = f" of {point.dist.name}" if point.dist else ""
    return f"the reader {point.name!r}{package}"


def _said(error: Exception) -> str:
    first, *_ = str(error).strip().splitlines() or [""]
    kind = "" if isinstance(error, ValueError) else type(error).__name__
    return ": ".join(part for part in (kind, first.rstrip(".")) if part) or type(error).__name__
