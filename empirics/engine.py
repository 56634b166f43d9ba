"""Many tasks on many workers: a function of each item, here or on other machines, as they end."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar, final

from empirics.backends.backend import AbstractBackend, AbstractLane

Item = TypeVar("Item")
Result = TypeVar("Result")

SECONDS_A_TASK = 1.0
"""Items that take less are done several at a time: sending one costs some milliseconds."""

_BACKEND: ContextVar[AbstractBackend | None] = ContextVar("backend", default=None)


@final
@dataclass(frozen=True)
class Lost:
    """What there is instead of a result where every try ended with a dead worker.

    Attributes
    ----------
    sentence : str
        Why, without its last full stop.
    """

    sentence: str


@contextmanager
def computed_on(backend: AbstractBackend) -> Iterator[None]:
    """Let everything in the block that does many tasks do them on a backend.

    Without one they are done in `n_jobs` processes of this machine (loky), or one job in this
    process. The results are the same everywhere.
    """
    token = _BACKEND.set(backend)
    try:
        yield
    finally:
        _BACKEND.reset(token)


def is_here(n_jobs: int) -> bool:
    """Return whether `n_jobs` are done in this very process."""
    return _BACKEND.get() is None and n_jobs < 2


def each(
    function: Callable[[Item], Result], items: Iterable[Item], *, n_jobs: int = 1
) -> Iterator[tuple[int, Result | Lost]]:
    """Yield (index of the item, function of the item) as they end, in any order.

    A worker that dies costs the tasks it had, which are done again; a task whose worker always
    dies ends as `Lost`, and the others are done. An exception that the function raises ends all.

    Parameters
    ----------
    function : callable
        Depends on its item alone; it is sent to the workers (by cloudpickle), and so are items
        and results. In a worker BLAS and torch compute on one thread.
    items : iterable
    n_jobs : int
        Processes at a time on this machine; another backend (`computed_on`) has its own number.

    Raises
    ------
    OSError
        If the backend itself is gone.
    """
    items = list(items)
    if is_here(n_jobs):
        yield from enumerate(map(function, items))
        return
    backend = _backend()
    left = list(range(len(items)))
    for number, (lanes, workers) in enumerate(backend.rounds(min(n_jobs, len(items)))):
        if left:
            several = range(min(lanes, len(left)))
            opened = [backend.lane(workers, shared=number == 0) for _ in several]
            left = yield from _Round(opened, number > 0).run(function, items, left)
    for index in left:
        sentence = f"its worker process died {backend.every_try}"
        yield index, Lost(f"{sentence} (is there too little memory?)")


def results(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    n_jobs: int,
    lost: Callable[[Item, str], Result],
    on_done: Callable[[int], None] | None = None,
) -> list[Result]:
    """Return the function of every item, in order.

    Parameters
    ----------
    function, items, n_jobs
        As in `each`.
    lost : callable
        From an item and a sentence to what stands for the result that is lost; it may raise.
    on_done : callable or None
        Told how many are done.
    """
    found: dict[int, Result | Lost] = {}
    for index, result in each(function, items, n_jobs=n_jobs):
        found[index] = result
        if on_done:
            on_done(len(found))
    whole = ((item, found[index]) for index, item in enumerate(items))
    return [lost(i, r.sentence) if isinstance(r, Lost) else r for i, r in whole]


def _backend() -> AbstractBackend:
    from empirics.backends.loky import LokyBackend

    return _BACKEND.get() or LokyBackend()


def _do(function: Callable[[Item], Result], items: Sequence[Item]) -> tuple[float, list[Result]]:
    """Return the seconds that items took and what came out: what a worker does."""
    began = time.perf_counter()
    found = [function(item) for item in items]
    return time.perf_counter() - began, found


@final
@dataclass
class _Round:
    """One try of tasks, in lanes; when it is over, those whose worker died are left."""

    lanes: Sequence[AbstractLane]
    one_by_one: bool
    running: dict[Future[Any], tuple[AbstractLane, int, list[int]]] = field(default_factory=dict)
    renewals: Counter[AbstractLane] = field(default_factory=Counter)
    died: list[int] = field(default_factory=list)
    seconds: float = 0.0
    done: int = 0

    def run(
        self, function: Callable[[Item], Result], items: Sequence[Item], indices: Sequence[int]
    ) -> Generator[tuple[int, Result | Lost], None, list[int]]:
        waiting = deque(indices)
        ended = False
        try:
            while waiting or self.running:
                for lane in self.lanes:
                    self._fill(lane, function, items, waiting)
                for future in wait(self.running, return_when=FIRST_COMPLETED).done:
                    yield from self._ended(future)
            ended = True
        except CancelledError:
            raise OSError(
                "the scheduler is gone; begin it again and give the same command again."
            ) from None
        finally:
            for lane in self.lanes:
                lane.close(abandon=not ended)
        return sorted(self.died)

    def _fill(
        self,
        lane: AbstractLane,
        function: Callable[[Item], Result],
        items: Sequence[Item],
        waiting: deque[int],
    ) -> None:
        """Give a lane as much as it may have at a time."""
        most = 1 if self.one_by_one else lane.most
        busy = sum(one is lane for one, _, _ in self.running.values())
        for _ in range(most - busy):
            if waiting:
                chunk = [waiting.popleft() for _ in range(self._size(len(waiting), most))]
                given = [items[index] for index in chunk]
                try:
                    future = lane.submit(_do, function, given)
                except lane.deaths:  # noticed before any future said so
                    self._renew(lane, self.renewals[lane])
                    future = lane.submit(_do, function, given)
                self.running[future] = lane, self.renewals[lane], chunk

    def _size(self, left: int, tasks: int) -> int:
        """Return how many items to do together: a second of work, and so many tasks at least."""
        if self.one_by_one or not self.done:
            return 1
        of_a_second = SECONDS_A_TASK * self.done / max(self.seconds, 1e-9)
        return max(1, int(min(of_a_second, left / tasks)))

    def _ended(self, future: Future[Any]) -> Iterator[tuple[int, Any]]:
        lane, renewals, chunk = self.running.pop(future)
        try:
            seconds, found = future.result()
        except lane.deaths:
            self.died += chunk
            self._renew(lane, renewals)
            return
        self.seconds += seconds
        self.done += len(chunk)
        yield from zip(chunk, found, strict=True)

    def _renew(self, lane: AbstractLane, renewals: int) -> None:
        """Replace the workers of a lane, unless that was done since a task was given to them."""
        if self.renewals[lane] == renewals:
            self.renewals[lane] += 1
            lane.renew()
