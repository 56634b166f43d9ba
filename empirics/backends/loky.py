"""Processes of this machine, by the loky that joblib brings."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future
from typing import Any, final

from joblib.externals.loky import ProcessPoolExecutor, get_reusable_executor
from joblib.externals.loky.process_executor import ShutdownExecutorError

from empirics.backends.backend import AbstractBackend, AbstractLane

ONE_THREAD = {
    name: "1"
    for name in (
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMBA_NUM_THREADS",
        "POLARS_MAX_THREADS",
    )
}
"""What makes BLAS, torch (by OMP), numba and polars compute on one thread, where a process has it
when it begins."""
AHEAD = 2
"""Tasks a process has, in work or waiting: the next one lies there when one ends."""
IDLE_SECONDS = 60
"""After which a process that has nothing to do ends."""


@final
class LokyBackend(AbstractBackend):
    """As many processes as jobs are asked for, of one thread each."""

    every_try = "at each of 3 tries, the last two in a process of its own"

    def width(self, n_jobs: int) -> int:
        """Return `n_jobs`."""
        return max(1, n_jobs)

    def rounds(self, n_jobs: int) -> tuple[tuple[int, int], ...]:
        """All together; each in a process of its own; and nothing beside it, for its memory."""
        return (1, n_jobs), (n_jobs, 1), (1, 1)

    def lane(self, workers: int, *, shared: bool) -> AbstractLane:
        """Return processes; shared ones stay for the next call, since they take time to begin."""
        return _Processes(workers, shared)


@final
class _Processes(AbstractLane):
    deaths = (BrokenExecutor, ShutdownExecutorError)

    def __init__(self, workers: int, shared: bool) -> None:
        self._workers, self._shared = workers, shared
        self._pool = self._begin()

    @property
    def most(self) -> int:
        return AHEAD * self._workers

    # Any: loky ships no types.
    def _begin(self) -> Any:
        settings = {"timeout": IDLE_SECONDS, "env": ONE_THREAD}
        begin = get_reusable_executor if self._shared else ProcessPoolExecutor
        return begin(max_workers=self._workers, **settings)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = self._pool.submit(function, *arguments)
        return future

    def renew(self) -> None:
        self._pool.shutdown(wait=True, kill_workers=True)
        self._pool = self._begin()

    def close(self, *, abandon: bool) -> None:
        if abandon or not self._shared:
            self._pool.shutdown(wait=True, kill_workers=True)
