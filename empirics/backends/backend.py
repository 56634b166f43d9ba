"""What a backend is: workers, in lanes that share no worker."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


class AbstractLane(ABC):
    """Workers that the death of one of them may take along.

    Attributes
    ----------
    deaths : tuple of exception types
        What a future raises whose worker died, and what `submit` raises after that.
    """

    deaths: tuple[type[BaseException], ...]

    @property
    @abstractmethod
    def most(self) -> int:
        """Tasks that it may have at a time, in work or waiting."""

    # Any: a task may be given anything, and return anything.
    @abstractmethod
    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Give the workers a task."""

    @abstractmethod
    def renew(self) -> None:
        """Replace the workers after a death."""

    @abstractmethod
    def close(self, *, abandon: bool) -> None:
        """Let the workers go; what they are doing is abandoned or, if there is nothing, done."""


class AbstractBackend(ABC):
    """Workers.

    Attributes
    ----------
    every_try : str
        How often a task is tried whose worker dies each time.
    """

    every_try: str

    @abstractmethod
    def width(self, n_jobs: int) -> int:
        """Return how many tasks are done at a time where `n_jobs` are asked for; at least 1."""

    @abstractmethod
    def rounds(self, n_jobs: int) -> tuple[tuple[int, int], ...]:
        """Return (lanes, workers a lane) for each try of a task whose worker dies.

        First all tasks share one lane, and a death makes suspects of those that were there; they
        are tried again in lanes of one worker each, where a death names its task.
        """

    @abstractmethod
    def lane(self, workers: int, *, shared: bool) -> AbstractLane:
        """Return a lane; where it is shared, its workers may be those of an earlier call."""
