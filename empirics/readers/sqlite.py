"""Databases of sqlite, opened so that nothing can be written into them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

SQLITE = b"SQLite format 3\0"


def opened(path: Path) -> sqlite3.Connection:
    """Open a database to read it.

    Rows that a writer has not yet moved out of its log beside the file are seen; where there is no
    such log, sqlite is kept from making one.
    """
    has_log = path.with_name(f"{path.name}-wal").exists()
    how = "mode=ro" if has_log else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True)
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


@contextmanager
def database(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database to read it, and close it; that it is damaged is one sentence.

    Raises
    ------
    ValueError
        If it is.
    """
    try:
        with closing(opened(path)) as connection:
            yield connection
    except (sqlite3.Error, OverflowError, UnicodeError) as error:
        raise ValueError(f"{path} is damaged and cannot be read ({error}).") from None


def tables_of(connection: sqlite3.Connection) -> set[str]:
    """Return the names of the tables; a view could compute for ever."""
    return {
        name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
    }
