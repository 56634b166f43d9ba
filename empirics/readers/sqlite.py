"""Databases of sqlite, opened so that nothing can be written into them."""

from __future__ import annotations

import sqlite3
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


def tables_of(connection: sqlite3.Connection) -> set[str]:
    """Return the names of the tables; a view could compute for ever."""
    return {
        name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
    }
