"""A Dask scheduler and two workers, processes of their own: the same curves as here."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from empirics.experiments import EXPERIMENTS
from empirics.store import Store
from ontogeny.cli import main

try:
    import distributed
except ImportError:
    distributed = None

ROOT = Path(__file__).resolve().parents[2]
WORDS = ["run", "short", "--vary", "n_arms", "2", "3", "--seeds", "2", "--quiet"]
needs_dask = pytest.mark.skipif(distributed is None, reason="distributed is not installed")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bandit in miniature."""
    one = replace(EXPERIMENTS["bandit"], updates=100)
    monkeypatch.setattr("empirics.experiments.EXPERIMENTS", {"short": one})


def digests(store: Path) -> list[str]:
    return [curve.digest for curve in Store(store).curves().curves]


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """The address of a scheduler that has two workers of one thread."""
    file = tmp_path / "scheduler.json"
    common = ("--scheduler-file", str(file), "--no-dashboard")
    commands = [
        ("dask_scheduler", "--host", "127.0.0.1", "--port", "0", *common),
        *(("dask_worker", "--nthreads", "1", "--local-directory", str(tmp_path), *common),) * 2,
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    begun = [
        subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{module}", *arguments],
            env=environment,
            start_new_session=True,
            stderr=subprocess.DEVNULL,
        )
        for module, *arguments in commands
    ]
    try:
        while not file.is_file() or not file.read_text():
            assert begun[0].poll() is None, "the scheduler ended"
            time.sleep(0.1)
        yield json.loads(file.read_text())["address"]
    finally:
        for process in begun:  # with the workers below it; a polite end can take minutes
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@needs_dask
@pytest.mark.filterwarnings("default")  # those of the cluster's own shutdown
def test_a_cluster_gives_the_curves_of_this_process(scheduler: str, tmp_path: Path) -> None:
    where = {
        "here": [],
        "loky": ["--jobs", "2"],
        "dask": ["--backend", "dask", "--scheduler", scheduler],
    }
    for name, options in where.items():
        assert main([*WORDS, *options, "--out", str(tmp_path / name)]) == 0
    assert digests(tmp_path / "here") == digests(tmp_path / "loky") == digests(tmp_path / "dask")
    assert len(digests(tmp_path / "dask")) > 0


@needs_dask
@pytest.mark.filterwarnings("default")
def test_a_worker_that_dies_once_costs_nothing(scheduler: str, tmp_path: Path) -> None:
    from empirics.backends.dask import dask_backend
    from empirics.engine import computed_on, each

    flag = tmp_path / "flag"

    def dies_once(number: int) -> int:
        if number == 3 and not flag.exists():
            flag.touch()
            os._exit(1)
        return number * number

    with dask_backend(scheduler, 1) as backend, computed_on(backend):
        found = sorted(each(dies_once, range(8)))
    assert flag.exists() and found == [(i, i * i) for i in range(8)]


@pytest.mark.skipif(distributed is not None, reason="distributed is installed")
def test_a_backend_that_is_not_installed_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*WORDS, "--backend", "dask", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "the Dask backend needs the package distributed: pip install 'ontogeny[dask]'" in said
    assert said.count("\n") == 1


@needs_dask
@pytest.mark.filterwarnings("default")
def test_no_scheduler_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("empirics.backends.dask.SECONDS_TO_ANSWER", 1)
    words = [*WORDS, "--backend", "dask", "--scheduler", "tcp://127.0.0.1:9", "--out"]
    assert main([*words, str(tmp_path / "store")]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("ontogeny run: no Dask scheduler answers at tcp://127.0.0.1:9;")
