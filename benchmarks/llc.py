"""The LLC of many checkpoints: processor time and memory here, in devinterp, in canonical-interp.

    python -m benchmarks.llc [--environments FOLDER] [--rounds 3]     # writes benchmarks/llc.md

The toy model of superposition with six features (Chen et al. 2023) on 1000 rows of data; the
checkpoints are its 6-gon, turned and shaken a little; 8 chains of 500 draws each, no burn-in,
plain SGLD. Every side draws the same number of minibatches of the same size, and is told the loss
of the checkpoint on all data. Here 100 checkpoints go through one program; the peers take one
checkpoint at a time, so that a few of them, timed, stand for all. Each side runs in a process of
its own on one thread, the sides in turn, so that whatever else the machine does hits all; a ratio
is that of one round, and the table has the median over rounds. Peers live in environments of their
own, made under FOLDER if they are not there, with the same torch.

Here `generic` is any `nn.Module` under vmap; `closed form` is the same loss on the same data with
its gradient written out, which needs no minibatches.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch import nn

from benchmarks.llc_peers import ToyModel
from empirics.llc.chains import ChainPlan
from empirics.llc.estimate import estimate_llc
from empirics.llc.network_potential import flatten, network_potential
from empirics.llc.sgld import SGLD
from empirics.llc.toy_model_potential import toy_model_data_potential
from theory.learning_coefficients.k_gons import k_gon

ROWS, FEATURES, CHAINS, DRAWS = 1000, 6, 8, 500
NBETA = ROWS / math.log(ROWS)
STEP_SIZE, LOCALIZATION = 1e-3, 1.0
PEERS = {"devinterp": "devinterp==1.3.2", "canonical-interp": "canonical-interp==0.1.5"}
REQUIRED = {"generic": {"devinterp": 100, "canonical-interp": 10},
            "closed form": {"devinterp": 500, "canonical-interp": 50}}  # fmt: skip


@dataclass(frozen=True)
class Side:
    """Who estimates, and how many checkpoints are timed after the first."""

    name: str
    peer: str | None = None
    argument: str = ""
    checkpoints: int = 1
    has_warm_up: bool = False


SIDES = (
    Side("generic, float32", argument="generic float32", checkpoints=100),
    Side("generic, float64", argument="generic float64", checkpoints=100),
    Side("closed form, float64", argument="closed float64", checkpoints=100),
    Side("devinterp", "devinterp", "devinterp"),
    Side("canonical-interp", "canonical-interp", "canonical", 2, True),
    Side("canonical-interp, compiled", "canonical-interp", "canonical-compiled", 2, True),
)


def data() -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return rows with one feature each, at a strength uniform on [0, 1]."""
    rng = np.random.default_rng(0)
    rows = np.zeros((ROWS, FEATURES))
    rows[np.arange(ROWS), rng.integers(FEATURES, size=ROWS)] = rng.random(ROWS)
    return rows


def checkpoints(count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return 6-gons, turned and shaken."""
    rng = np.random.default_rng(1)
    six = k_gon(FEATURES, FEATURES)
    angle = np.arange(FEATURES) * 2 * math.pi / FEATURES + rng.uniform(0, 6, size=(count, 1))
    parts = [
        six.length * np.cos(angle),
        six.length * np.sin(angle),
        np.full(angle.shape, six.level),
    ]
    exact = np.concatenate(parts, axis=1)
    return exact + rng.normal(0, 0.005, size=exact.shape)


def squares(output: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return each row's squared distance."""
    return ((output - targets) ** 2).sum(-1)


def estimated(kind: str, precision: str, task: Any) -> dict[str, Any]:
    """Return what estimating all checkpoints of a task took here."""
    dtype = getattr(torch, precision)
    rows, batch = torch.as_tensor(task["data"], dtype=dtype), int(task["batch"])
    centers = torch.as_tensor(task["centers"], dtype=dtype)
    if kind == "closed":
        potential: Any = toy_model_data_potential(FEATURES, rows.argmax(1), rows.amax(1))
    else:
        potential = network_potential(ToyModel(centers[0]), squares, rows, rows)
    minibatch = None if kind == "closed" or batch == len(rows) else batch
    sampler = SGLD(float(task["step_size"]), rows_per_move=minibatch)

    def run(at: torch.Tensor, draws: int) -> list[float | None]:
        plan = ChainPlan(
            nbeta=float(task["nbeta"]),
            localization=float(task["localization"]),
            num_chains=int(task["chains"]),
            num_draws=draws,
            num_burnin_steps=0,
        )
        return [reading.llc for reading in estimate_llc(potential, at, sampler, plan)]

    run(centers[:1], 4)  # what is compiled, is compiled once
    before = peak()
    begin = time.process_time()
    llcs = run(centers, int(task["draws"]))
    seconds = (time.process_time() - begin) / len(centers)
    return {"seconds": [seconds], "llcs": llcs, "before": before, "peak": peak()}


def peak() -> float:
    """Return the most memory this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@dataclass(frozen=True)
class Measured:
    """One side in one round."""

    seconds: float
    llc: float
    memory: float


def measured(side: Side, batch: int, folder: Path) -> Measured:
    """Run a side in a process of its own; a warm-up is not counted."""
    path = folder / "task.npz"
    np.savez(
        path,
        data=data(),
        centers=checkpoints(side.checkpoints + side.has_warm_up),
        batch=batch,
        step_size=STEP_SIZE,
        localization=LOCALIZATION,
        nbeta=NBETA,
        chains=CHAINS,
        draws=DRAWS,
    )
    if side.peer:
        python = folder / side.peer / "bin" / "python"
        command = [str(python), str(Path(__file__).with_name("llc_peers.py")), side.argument]
    else:
        command = [sys.executable, "-m", "benchmarks.llc", "--side", side.argument, "--task"]
    done = subprocess.run([*command, str(path)], check=True, capture_output=True, text=True)
    result = json.loads(done.stdout.splitlines()[-1])
    seconds, llcs = result["seconds"], result["llcs"]
    counted = slice(1, None) if side.has_warm_up else slice(None)
    return Measured(
        statistics.mean(seconds[counted]),
        statistics.mean(llcs),
        result["peak"] - result["before"],
    )


def make_environments(folder: Path) -> None:
    """Install each peer, with the torch that runs here, unless it is there."""
    for name, requirement in PEERS.items():
        if (folder / name / "bin" / "python").exists():
            continue
        venv.create(folder / name, with_pip=True)
        pip = [str(folder / name / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, f"torch=={torch.__version__.split('+')[0]}", requirement], check=True)


def compared(batch: int, rounds: int, folder: Path) -> dict[str, list[Measured]]:
    """Measure all sides in turn, round after round."""
    found: dict[str, list[Measured]] = {side.name: [] for side in SIDES}
    for i in range(rounds):
        for side in SIDES if i % 2 == 0 else SIDES[::-1]:
            found[side.name].append(measured(side, batch, folder))
            print(batch, side.name, found[side.name][-1], flush=True)
    return found


def median(found: Sequence[Measured], what: str) -> float:
    """Return the median over rounds."""
    return statistics.median(getattr(each, what) for each in found)


def ratio(found: dict[str, list[Measured]], ours: str, theirs: str) -> tuple[float, float, float]:
    """Return by how much we are faster: median, least and greatest over rounds."""
    pairs = zip(found[ours], found[theirs], strict=True)
    ratios = [there.seconds / here.seconds for here, there in pairs]
    return statistics.median(ratios), min(ratios), max(ratios)


def comparison_table(batch: int, found: dict[str, list[Measured]]) -> list[str]:
    """Return the rows of one batch size."""
    rows = "the whole data" if batch == ROWS else f"minibatches of {batch} rows"
    peers = [side for side in SIDES if side.peer]
    lines = [
        f"## {rows.capitalize()}",
        "",
        "| side | seconds a checkpoint | mean LLC | memory added, MB "
        + "".join(f"| {side.name} takes " for side in peers)
        + "|",
        "|---|---:|---:|---:" + "|---:" * len(peers) + "|",
    ]
    for side in SIDES:
        mine = found[side.name]
        cells = [
            side.name,
            f"{median(mine, 'seconds'):.3g}",
            f"{median(mine, 'llc'):.2f}",
            f"{median(mine, 'memory'):.0f}",
        ]
        for peer in peers:
            if side.peer:
                cells.append("")
                continue
            middle, least, most = ratio(found, side.name, peer.name)
            cells.append(f"**{middle:.3g} ×** ({least:.3g}–{most:.3g})")
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, "", *verdicts(found), ""]


def verdicts(found: dict[str, list[Measured]]) -> list[str]:
    """Say which of the requirements are met, in float32 and in float64."""
    lines = []
    for side in (side for side in SIDES if not side.peer):
        for peer, factor in REQUIRED[side.name.split(",")[0]].items():
            for against in (each for each in SIDES if each.peer == peer):
                middle = ratio(found, side.name, against.name)[0]
                met = "met" if middle >= factor else "**missed**"
                lines.append(
                    f"- {side.name} against {against.name}: {middle:.3g} ×, "
                    f"{factor} × required: {met}."
                )
    return lines


def scaling_tables() -> list[str]:
    """Measure a move here against the number of parameters and of particles."""
    lines = [
        "## Cost here against size",
        "",
        "Perceptrons with one hidden layer on the same data, minibatches of 100 rows, 80",
        "particles, float32; then the toy model with more particles. Processor time of one move",
        "of one particle.",
        "",
        "| parameters | particles | microseconds | microseconds a parameter |",
        "|---:|---:|---:|---:|",
    ]
    rows = torch.as_tensor(data(), dtype=torch.float32)
    for width in (8, 64, 512, 4096):
        network = nn.Sequential(nn.Linear(FEATURES, width), nn.Tanh(), nn.Linear(width, FEATURES))
        lines.append(_scaled(network, rows, 10))
    for centers in (1, 10, 100, 1000):
        six = torch.as_tensor(checkpoints(1)[0], dtype=torch.float32)
        lines.append(_scaled(ToyModel(six), rows, centers))
    return lines


def _scaled(network: nn.Module, rows: torch.Tensor, centers: int) -> str:
    potential = network_potential(network, squares, rows, rows)
    at = flatten(network).expand(centers, -1)
    times = []
    for draws in (10, 30):  # what is done once a center falls out of the difference
        plan = ChainPlan(num_chains=CHAINS, num_draws=draws, num_burnin_steps=0)
        begin = time.process_time()
        estimate_llc(potential, at, SGLD(1e-6, rows_per_move=100), plan)
        times.append(time.process_time() - begin)
    micro = (times[1] - times[0]) / (20 * centers * CHAINS) * 1e6
    d = at.shape[1]
    return f"| {d:,} | {centers * CHAINS:,} | {micro:.3g} | {micro / d:.2g} |"


def report(found: dict[int, dict[str, list[Measured]]], rounds: int) -> str:
    """Return the page."""
    lines = [
        "# Learning coefficients against devinterp and canonical-interp",
        "",
        "Made by `python -m benchmarks.llc`; see there for what is compared. Toy model of",
        f"superposition, {FEATURES} features, {3 * FEATURES} parameters, {ROWS} rows; {CHAINS}",
        f"chains of {DRAWS} draws, no burn-in, step size {STEP_SIZE:g}, localization",
        f"{LOCALIZATION:g}, nbeta {NBETA:.1f}. {', '.join(PEERS.values())}; torch",
        f"{torch.__version__}; Python {platform.python_version()}, {platform.machine()}, one",
        f"thread; {rounds} rounds, the sides in turn. Processor seconds; here 100 checkpoints at",
        "once, devinterp one a round, canonical-interp two a round after one that is not counted",
        "(compiling takes its time there). The peers compute in float32. The closed form takes",
        "all data in either table. Memory is the peak above that of the loaded program. A ratio is",
        "the median over rounds (least–greatest).",
        "",
    ]
    for batch, sides in found.items():
        lines += comparison_table(batch, sides)
    return "\n".join([*lines, *scaling_tables()]) + "\n"


def main() -> None:
    """Compare, and write the page beside this file; or be one side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environments", type=Path, default=Path("results/llc-peers"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", type=int, nargs="+", default=[100, ROWS])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--task", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.side:
        print(json.dumps(estimated(*arguments.side.split(), np.load(arguments.task))))
        return
    make_environments(arguments.environments)
    found = {
        batch: compared(batch, arguments.rounds, arguments.environments)
        for batch in arguments.batches
    }
    page = report(found, arguments.rounds)
    arguments.out.write_text(page)
    print(page, arguments.out, sep="\n")


if __name__ == "__main__":
    main()
