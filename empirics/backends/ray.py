"""Ray, on one machine or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, final

from empirics.backends.backend import AbstractBackend, AbstractLane

AT_LEAST = 256
"""Tasks that a cluster has at a time: a cluster that grows by need must see the need."""
NEEDED = "the Ray backend needs the package ray: pip install ray."


@final
class RayBackend(AbstractBackend):
    """The processors that Ray has; it repeats a task whose worker died three times itself.

    Parameters
    ----------
    ray : module
        After ``ray.init``.
    """

    every_try = "at each of 4 tries by Ray, in a process of its own"

    # Any: the package is optional.
    def __init__(self, ray: Any) -> None:
        self._ray = ray

    def width(self, n_jobs: int) -> int:
        """Return the processors of the cluster, whatever is asked for."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def rounds(self, n_jobs: int) -> tuple[tuple[int, int], ...]:
        """One: Ray gives each task a process of its own."""
        return ((1, self.width(n_jobs)),)

    def lane(self, workers: int, *, shared: bool) -> AbstractLane:
        """Return the cluster."""
        return _Cluster(self._ray)


@final
class _Cluster(AbstractLane):
    def __init__(self, ray: Any) -> None:
        self.deaths = (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError)
        self._ray, self._given = ray, list[Any]()

    @property
    def most(self) -> int:
        return AT_LEAST

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        given = self._ray.remote(function).remote(*arguments)
        self._given.append(given)
        future: Future[Any] = given.future()
        return future

    def renew(self) -> None:
        """Leave it to Ray."""

    def close(self, *, abandon: bool) -> None:
        if abandon:
            for given in self._given:
                self._ray.cancel(given, force=True)


@contextmanager
def ray_backend(address: str | None, n_jobs: int) -> Iterator[RayBackend]:
    """Give the processors of a Ray cluster, or of a new one on this machine with so many.

    Raises
    ------
    ImportError
        If Ray is not installed.
    OSError
        If no cluster answers there.
    """
    try:
        import ray
    except ImportError:
        raise ImportError(NEEDED) from None
    where = {"address": address} if address else {"num_cpus": n_jobs}
    try:
        ray.init(**where, include_dashboard=False, log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError):
        raise OSError(
            f"no Ray cluster answers at {address}; `ray start --head` begins one."
        ) from None
    try:
        yield RayBackend(ray)
    finally:
        ray.shutdown()
