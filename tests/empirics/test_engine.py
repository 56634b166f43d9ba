"""Tasks on workers: nothing is lost but what kills its worker, and the results are the same."""

import os
import signal
import sys
import time

import pytest

from empirics.backends.backend import AbstractBackend, AbstractLane
from empirics.backends.loky import ONE_THREAD
from empirics.engine import Lost, computed_on, each, results

try:
    import cloudpickle
except ImportError:  # joblib before 1.6 brings its own
    from joblib.externals import cloudpickle


@pytest.fixture(autouse=True)
def by_value():
    """Workers cannot import this file."""
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def square(number):
    return number * number


def fragile(number):
    if number == 5:
        os._exit(1)
    if number == 11:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.002)
    return number * number


def refuses(number):
    if number == 3:
        raise ValueError("3 is refused.")
    return number


def threads(_):
    return {name: os.environ.get(name) for name in ONE_THREAD}


def test_one_job_is_done_here_in_order():
    assert list(each(lambda i: (i, os.getpid()), "ab")) == [
        (0, ("a", os.getpid())),
        (1, ("b", os.getpid())),
    ]
    assert list(each(square, [])) == []


def test_tasks_that_kill_their_worker_are_named_and_the_others_done():
    found = dict(each(fragile, range(20), n_jobs=2))
    lost = {i: r.sentence for i, r in found.items() if isinstance(r, Lost)}
    assert set(lost) == {5, 11}
    assert set(lost.values()) == {
        "its worker process died at each of 3 tries, the last two in a process of its own "
        "(is there too little memory?)"
    }
    assert {i: r for i, r in found.items() if i not in lost} == {
        i: i * i for i in range(20) if i not in lost
    }
    # The workers that are there now are new ones of one thread.
    assert dict(each(threads, range(2), n_jobs=2)) == dict.fromkeys(range(2), ONE_THREAD)


def test_an_exception_of_a_task_ends_all():
    with pytest.raises(ValueError, match="3 is refused"):
        list(each(refuses, range(6), n_jobs=2))


class Recorded(AbstractBackend):
    """A backend in this process whose items take as long as they say."""

    every_try = "at each try"

    def __init__(self, width):
        self.wide, self.chunks = width, []

    def width(self, n_jobs):
        return self.wide

    def rounds(self, n_jobs):
        return ((1, self.wide),)

    def lane(self, workers, *, shared):
        return Instant(self.chunks, 2 * workers)


class Instant(AbstractLane):
    deaths, most = (), 0

    def __init__(self, chunks, most):
        self.chunks, self.most = chunks, most

    def submit(self, function, *arguments):
        from concurrent.futures import Future

        _, items = arguments
        self.chunks.append(len(items))
        future = Future()
        future.set_result((sum(items), list(items)))
        return future

    def renew(self):
        raise AssertionError("nobody died")

    def close(self, *, abandon):
        assert not abandon


@pytest.mark.parametrize(
    ("seconds", "number", "largest"),
    [(2.0, 12, 1), (0.1, 200, 10), (1e-4, 400, 100)],
)
def test_a_task_is_a_second_of_items(seconds, number, largest):
    backend = Recorded(2)
    with computed_on(backend):
        found = list(each(square, [seconds] * number, n_jobs=7))
    assert sorted(index for index, _ in found) == list(range(number))
    # Never more than a share that leaves work for all workers: 400 items, 2 workers, 2 each.
    assert backend.chunks[0] == 1 and sum(backend.chunks) == number
    assert 0.9 * largest <= max(backend.chunks) <= largest


def test_results_come_in_order_and_what_is_lost_is_replaced():
    class Deadly(Recorded):
        def lane(self, workers, *, shared):
            return Dying(self.chunks, 2)

    class Dying(Instant):
        deaths = (BrokenPipeError,)

        def submit(self, function, *arguments):
            future = super().submit(function, *arguments)
            if 3 in arguments[1]:
                from concurrent.futures import Future

                future = Future()
                future.set_exception(BrokenPipeError())
            return future

        def renew(self):
            pass

    done = []
    with computed_on(Deadly(1)):
        found = results(
            square,
            [9, 3, 4],
            n_jobs=1,
            lost=lambda item, why: f"{item}: {why}",
            on_done=done.append,
        )
    assert found == [
        9,
        "3: its worker process died at each try (is there too little memory?)",
        4,
    ]
    assert done == [1, 2, 3]
