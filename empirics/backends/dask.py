"""A Dask cluster: on one machine, or on many by SLURM, PBS, Kubernetes, SSH."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, final

from empirics.backends.backend import AbstractBackend, AbstractLane

SECONDS_TO_ANSWER = 30
AT_LEAST = 256
"""Tasks that a cluster has at a time: a cluster that grows by need must see the need."""
NEEDED = "the Dask backend needs the package distributed: pip install 'ontogeny[dask]'."


@final
class DaskBackend(AbstractBackend):
    """The workers that a Dask scheduler has, now and later.

    Dask itself begins a worker that died anew and repeats its tasks, four times; a task whose
    worker died that often is tried once more with nothing beside it.

    Parameters
    ----------
    client : distributed.Client
        Workers of one thread each keep runs from sharing a process.
    """

    every_try = "in each of 2 rounds of tries by Dask, the last one with nothing beside it"

    # Any: the package is optional.
    def __init__(self, client: Any) -> None:
        self._client = client

    def width(self, n_jobs: int) -> int:
        """Return the threads of all workers there are now, whatever is asked for."""
        return max(1, _threads(self._client))

    def rounds(self, n_jobs: int) -> tuple[tuple[int, int], ...]:
        """All together, then one at a time."""
        return (1, self.width(n_jobs)), (1, 1)

    def lane(self, workers: int, *, shared: bool) -> AbstractLane:
        """Return the cluster."""
        return _Cluster(self._client)


@final
class _Cluster(AbstractLane):
    def __init__(self, client: Any) -> None:
        from distributed.scheduler import KilledWorker

        self.deaths = (KilledWorker,)
        self._client, self._given = client, dict[Future[Any], Any]()

    @property
    def most(self) -> int:
        return max(AT_LEAST, 2 * _threads(self._client))

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        given = self._client.submit(function, *arguments, pure=False)
        self._given[future] = given  # what nobody holds, Dask forgets
        given.add_done_callback(lambda done: self._ended(done, future))
        return future

    def _ended(self, given: Any, future: Future[Any]) -> None:
        """Hand over what came out; Dask computes anew a result that died with its worker."""
        try:
            future.set_result(given.result())
        except BaseException as error:  # of the task, its worker or the cluster: all for `each`
            future.set_exception(error)
        self._given.pop(future, None)

    def renew(self) -> None:
        """Leave it to Dask."""

    def close(self, *, abandon: bool) -> None:
        if abandon:
            self._client.cancel(list(self._given.values()))


def _threads(client: Any) -> int:
    return sum(int(threads) for threads in client.nthreads().values())


@contextmanager
def dask_backend(scheduler: str | None, n_jobs: int) -> Iterator[DaskBackend]:
    """Give the workers of a scheduler, or of a new one on this machine.

    Parameters
    ----------
    scheduler : str or None
        Address, as in ``"tcp://10.0.0.1:8786"``.
    n_jobs : int
        Workers of the new one, of one thread each.

    Raises
    ------
    ImportError
        If Dask is not installed.
    OSError
        If no scheduler answers there.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ImportError(NEEDED) from None
    if scheduler is None:
        opened = Client(n_workers=n_jobs, threads_per_worker=1, dashboard_address=None)
    else:
        try:
            opened = Client(scheduler, timeout=SECONDS_TO_ANSWER)
        except (OSError, ValueError):  # a ValueError where this is no address
            raise OSError(
                f"no Dask scheduler answers at {scheduler}; `dask scheduler` begins one, and its "
                "first lines say its address."
            ) from None
    with opened as client:
        yield DaskBackend(client)
