"""What a hundred SIGKILLs at random moments cost: nothing that was finished.

`python -m benchmarks.faults` does four things again and again in a process that it kills after a
random time, and begins each anew where it stood until it is finished: the import of logs, the
training of small agents on a maze, the judging of simulated curves (the fits of `--license`), the
appending of curves to a store. The fifth kills single workers of the engine. After each kill
everything on disk is read and compared with what an undisturbed process left.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import polars as pl

from benchmarks.calibration import code_version
from empirics.engine import Lost, each
from empirics.experiment import Experiment, log_schedule
from empirics.maze import MazeConfig
from empirics.policies.maze_policy import MazeNetwork
from empirics.ppo import PPOConfig
from empirics.probes.maze_plan import MazePlan
from empirics.store import Store
from empirics.task import run_ladder
from fitting.propose import propose
from fitting.trials.record_file import read_records
from ontogeny.cli import main as command_line
from papers.licenses import license_all
from papers.tables import Table, to_markdown
from theory.curve import Curve, Origin, Progress

ALGORITHM = PPOConfig(
    total_timesteps=16 * 8 * 4, num_envs=16, num_steps=8, num_minibatches=2, update_epochs=1
)
TINY = Experiment(
    name="tiny",
    environment=MazeConfig(cells=3, num_train_levels=20, num_held_out_levels=20, max_steps=20),
    network=MazeNetwork(width=8, depth=2, hidden=8),
    algorithm=ALGORITHM,
    schedule=log_schedule(ALGORITHM, 3),
    plan=MazePlan(num_squares=10, num_success_levels=4),
)
TRIALS = 6
T = np.linspace(0.0, 10.0, 24)

Done = Mapping[str, object]
"""What is finished, by task, as it lies on disk."""


def curve(number: int) -> Curve:
    """Return a curve of its own run."""
    rng = np.random.default_rng(number)
    y = 1 / (1 + np.exp(-(T - 5))) + rng.normal(0, 0.05, T.size)
    name, run_id = f"run {number}", f"{number:016x}"
    return Curve(
        "y", T, y, progress=Progress.UPDATES, run=name, run_id=run_id, origin=Origin.SIMULATED
    )


def import_logs(folder: Path) -> None:
    """Import twelve logs."""
    logs = folder.parent / "logs"
    if not logs.is_dir():
        logs.mkdir()
        for number in range(12):
            table = {"step": np.arange(50), "loss": curve(number).y[0] + np.arange(50.0)}
            pl.DataFrame(table).write_csv(logs / f"log{number}.csv")
    files = [str(path) for path in sorted(logs.glob("*.csv"))]
    assert command_line(["import", *files, "--quiet", "--out", str(folder)]) == 0


def train(folder: Path) -> None:
    """Train four agents."""
    run_ladder(TINY, "alpha", (0.0, 0.5), (0, 1), folder)


def append(folder: Path) -> None:
    """Append forty curves."""
    for number in range(40):
        Store(folder).append_curves([curve(number)])


def fit(folder: Path) -> None:
    """Judge simulated curves, and keep a record of each."""
    comparison = propose(curve(0), forms=("constant", "linear"), noises=("white",))
    license_all(
        [comparison],
        number=TRIALS,
        seed=0,
        folder=folder,
        progress=lambda *_: None,
        noises=("white",),
        n_jobs=1,
    )


def in_store(folder: Path) -> Done:
    """Return the digest of each curve; of runs with a row, when that was written too."""
    if not (folder / "format.json").is_file():
        return {}
    store = Store(folder)
    found = store.curves()
    assert not found.notes, found.notes  # two versions of a curve would be said
    done: dict[str, object] = {f"{c.run_id} {c.observable}": c.digest for c in found.curves}
    assert len(done) == len(found.curves)
    for record in store.runs():
        assert any(key.startswith(record.run_id) for key in done), "a row without its curves"
    return done


def in_records(folder: Path) -> Done:
    """Return each record, but for how long it took."""
    found = [record for path in folder.glob("*.jsonl") for record, _ in read_records(path)]
    assert max(Counter(record.index for record in found).values(), default=1) == 1
    return {str(r.index): {**r.content(), "seconds": 0.0} for r in found}


@final
@dataclass(frozen=True)
class Stage:
    """Work that can be killed, and what it leaves."""

    name: str
    work: Callable[[Path], None]
    done: Callable[[Path], Done]


STAGES = (
    Stage("import of logs", import_logs, in_store),
    Stage("training", train, in_store),
    Stage("fits of simulated curves", fit, in_records),
    Stage("appending to a store", append, in_store),
)


@final
@dataclass(frozen=True)
class Count:
    """What came of the kills of one stage."""

    kills: int
    between: int
    unreadable: int
    lost: int
    different: int
    written_anew: int
    unfinished: int


def forked(work: Callable[[Path], None], folder: Path) -> int:
    """Begin the work in a copy of this process, which has loaded all it needs."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            sys.stdout = open(os.devnull, "w")
            work(folder)
            code = 0
        finally:
            os._exit(code)
    return child


def files_of(folder: Path) -> dict[str, int]:
    """Return when each file of curves and of finished runs was written, checkpoints included."""
    rows = list(folder.glob("runs/[!.]*.parquet"))
    kept = [file for row in rows for file in folder.glob(f"checkpoints/{row.stem}/*.safetensors")]
    files = [*rows, *kept, *folder.glob("curves/[!.]*.parquet")]
    return {str(path): path.stat().st_mtime_ns for path in files}


def killed(stage: Stage, number: int, rng: random.Random, home: Path) -> Count:
    """Kill a stage so often, each time at a random moment of what is left of it."""
    began = time.perf_counter()
    assert os.waitpid(forked(stage.work, home / "reference"), 0)[1] == 0
    duration = time.perf_counter() - began
    reference = in_child(stage.done, home / "reference")
    assert isinstance(reference, dict) and reference
    count = dict.fromkeys(("kills", "between", "unreadable", "lost", "different", "anew"), 0)
    attempt, before, files = 0, {}, {}
    while count["kills"] < number:
        folder = home / f"attempt {attempt}"
        child = forked(stage.work, folder)
        time.sleep(rng.uniform(0.0, duration))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        was_killed = os.WIFSIGNALED(status)
        assert was_killed or status == 0, f"{stage.name} failed"
        found = in_child(stage.done, folder)
        count["kills"] += was_killed
        if not isinstance(found, dict):
            count["unreadable"] += 1
            found = before
        count["between"] += was_killed and 0 < len(found) < len(reference)
        count["lost"] += len(set(before) - set(found))
        count["different"] += sum(reference.get(key) != value for key, value in found.items())
        now = files_of(folder)
        count["anew"] += sum(now.get(path) != written for path, written in files.items())
        before, files = found, now
        if len(found) == len(reference):  # done: from the beginning, elsewhere
            attempt, before, files = attempt + 1, {}, {}
    assert os.waitpid(forked(stage.work, folder), 0)[1] == 0
    missing = in_child(stage.done, folder) != reference
    return Count(*count.values(), unfinished=int(missing))


def in_child(done: Callable[[Path], Done], folder: Path) -> Done | str:
    """Return what is finished, or what its reading raised; polars reads in a process of its own."""
    import json

    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            text = json.dumps(dict(done(folder)))
        except Exception as error:
            text = json.dumps(repr(error))
        with os.fdopen(writer, "w") as file:
            file.write(text)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        found: Done | str = json.loads(file.read())
    os.waitpid(child, 0)
    if isinstance(found, str):
        print(f"unreadable: {found}", file=sys.stderr)
    return found


def workers_killed(number: int, rng: random.Random) -> Count:
    """Kill one worker of two, so often, while they do forty tasks of a twentieth of a second."""
    kills = lost = different = 0
    for _ in range(number):
        hits: list[int] = []
        delay = rng.uniform(0.0, 1.0)

        def kill(delay: float = delay, hits: list[int] = hits) -> None:
            time.sleep(delay)
            while not (found := loky_workers()):
                time.sleep(0.05)
            os.kill(rng.choice(found), signal.SIGKILL)
            hits.append(1)

        killer = threading.Thread(target=kill)
        killer.start()
        found = list(each(square, range(40), n_jobs=2))
        killer.join()
        kills += len(hits)
        lost += sum(isinstance(result, Lost) for _, result in found)
        different += sorted(found) != [(i, i * i) for i in range(40)]
    return Count(kills, kills, 0, lost, different, 0, 0)


def square(i: int) -> int:
    """Take a twentieth of a second."""
    time.sleep(0.05)
    return i * i


def loky_workers() -> list[int]:
    """Return the process ids of this process's workers."""
    command = ("pgrep", "-P", str(os.getpid()), "-f", "popen_loky")
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return [int(pid) for pid in found.split()]


def page(command: str, counts: Mapping[str, Count], seconds: float) -> str:
    """Write what came out."""
    columns = (
        "what was killed",
        "kills",
        "with tasks done and tasks left",
        "unreadable afterwards",
        "finished tasks lost",
        "results that differ",
        "finished files written anew",
        "not completed by the same call",
    )
    rows = [(name, *vars(count).values()) for name, count in counts.items()]
    sums = [sum(row[i] for row in rows) for i in range(1, len(columns))]
    table = Table("Kills", columns, (*rows, ("all", *sums)), digits=3)
    return f"""# SIGKILL at random moments

`{command}`; see there. Made by {code_version()} in {seconds:.0f} s of
processor time. After each kill everything on disk was read: a result may differ from that of an
undisturbed process in no bit, and each is there once.

{to_markdown(table)}
"""


def main() -> None:
    """Kill, check, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=22, help="of each stage")
    parser.add_argument("--workers", type=int, default=12, help="kills of single workers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    counts = {}
    with tempfile.TemporaryDirectory() as home:
        fit(Path(home))  # compiles what all copies of this process then have
    for stage in STAGES:
        with tempfile.TemporaryDirectory() as home:
            counts[stage.name] = killed(stage, arguments.kills, rng, Path(home))
            print(stage.name, counts[stage.name], flush=True)
    counts["one worker of two"] = workers_killed(arguments.workers, rng)
    command = f"python -m benchmarks.faults --kills {arguments.kills} --workers {arguments.workers}"
    times = os.times()
    seconds = times.user + times.system + times.children_user + times.children_system
    arguments.out.write_text(page(command, counts, seconds), encoding="utf-8")
    print(arguments.out)


if __name__ == "__main__":
    main()
