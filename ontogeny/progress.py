"""How far the work is: a bar on a terminal, plain lines elsewhere, nothing when quiet.

All of it goes to standard error; standard output is for results.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[str, int, int], None]
"""Told (label, done, total); `total` 0 means that nobody knows how much there is."""

SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def show_progress(quiet: bool = False) -> Iterator[Report]:
    """Give the function that long work calls to say how far it is."""
    if quiet:
        yield _silence
    elif sys.stderr.isatty():
        with _bars() as report:
            yield report
    else:
        yield _lines()


def _silence(label: str, done: int = 0, total: int = 0) -> None:
    """Say nothing."""


@contextmanager
def _bars() -> Iterator[Report]:
    """Show one bar a label."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, int] = {}

        def report(label: str, done: int = 0, total: int = 0) -> None:
            if label not in tasks:
                tasks[label] = progress.add_task(label, total=None)
            task = tasks[label]
            progress.update(task, completed=done, total=total or None)  # type: ignore[arg-type]

        yield report


def _lines() -> Report:
    """Print a line when a label begins, when it ends, and every ten seconds between."""
    last: dict[str, float] = {}
    first: dict[str, tuple[float, int]] = {}

    def report(label: str, done: int = 0, total: int = 0) -> None:
        now = time.monotonic()
        ended = 0 < total <= done
        if label in last and not ended and now - last[label] < SECONDS_BETWEEN_LINES:
            return
        last[label] = now
        began, there = first.setdefault(label, (now, done))
        count = f": {done}/{total}" if total else ""
        left = "" if ended or done <= there else _left((now - began) / (done - there), total - done)
        print(f"{label}{count}{left}", file=sys.stderr, flush=True)

    return report


def _left(seconds_each: float, number: int) -> str:
    """Say how long so many more take, if they take as long as those before."""
    hours, seconds = divmod(round(seconds_each * number), 3600)
    return f", {hours}:{seconds // 60:02d}:{seconds % 60:02d} left" if number > 0 else ""
