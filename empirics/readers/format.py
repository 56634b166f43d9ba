"""A format of logs: how its files are told, and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from empirics.readers.series import LoggedRun


@final
@dataclass(frozen=True)
class Format:
    """A format of logs.

    Attributes
    ----------
    name : str
        As a sentence calls its files.
    knows : callable
        Tells by a file's path and first bytes whether it is of the format; of a folder there are
        no bytes.
    read : callable
        Reads files as runs, given a label; raises ValueError, in one sentence, if it cannot.
    together : bool
        Whether the files of one folder are read together.
    folder : bool
        Whether a whole folder is one log.
    """

    name: str
    knows: Callable[[Path, bytes], bool]
    read: Callable[[Sequence[Path], str], list[LoggedRun]]
    together: bool = False
    folder: bool = False
