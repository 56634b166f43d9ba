"""One process at a time trains a run; the kernel takes the lock back from a process that dies."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".lock"


@contextmanager
def lock_run(home: Path) -> Iterator[None]:
    """Keep other processes from training the run of this folder while the block lasts.

    The lock is the kernel's (`flock` on an empty file that stays): it is gone as soon as its
    holder is, even by SIGKILL. Where there is none (Windows, some network file systems) two
    processes do the same work twice; their files are still whole, since each is renamed into
    its place.

    Raises
    ------
    OSError
        If another process holds the lock.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / LOCK).open("a") as file:
        if not _take(file.fileno()):
            raise OSError(
                f"the run in {home} is being trained by another process; wait until it is done, "
                "then give the same command again."
            )
        yield  # closing the file gives the lock back


if sys.platform == "win32":

    def _take(descriptor: int) -> bool:
        return True

else:
    import fcntl

    def _take(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks
            return True
        return True
