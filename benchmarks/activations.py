"""What reading and editing activations costs: milliseconds of one forward pass.

Policies of the maze, on one thread, without gradients. Time is the processor time of that
thread. All ways of one network and batch run in alternation, so that whatever else the machine
does hits all; a figure is the median over the rounds, a ratio the median over rounds of the
time against the plain pass of the same round. Run from the repository root:

    python -m benchmarks.activations            # writes benchmarks/activations.md
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from empirics.activations.cached import cached
from empirics.activations.edit import Add, Replace
from empirics.activations.edited import edited
from empirics.activations.site import Site
from empirics.maze import MazeConfig
from empirics.one_thread import one_thread
from empirics.policies.maze_policy import MazeNetwork
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork

MAZE = MazeConfig(cells=5, num_train_levels=1000, num_held_out_levels=1)
BATCHES = (1, 64, 1024)
PLAIN = "plain"


@dataclass(frozen=True)
class Case:
    """A network, and the module that is watched."""

    name: str
    network: MazeNetwork | RecurrentMazeNetwork
    module: str
    tick: int | None


CASES = (
    Case("feed-forward, 5 convolutions of 32", MazeNetwork(stride=1), "convolutions.2", None),
    Case("recurrent, 6 ticks of 16", RecurrentMazeNetwork(), "cell", 3),
)


def ways(case: Case, policy: nn.Module, batch: int) -> dict[str, AbstractContextManager[Any]]:
    """Return the blocks in which a pass is timed; each can be entered again and again."""
    site, size = Site(case.module, case.tick), MAZE.size
    squares = [[(i % size, (i // size) % size)] for i in range(batch)]
    of_rows = Site(case.module, case.tick, positions=squares)
    channels = case.network.width
    value, vector = torch.zeros(channels, size, size), torch.zeros(channels)
    blocks: Mapping[str, Callable[[], AbstractContextManager[Any]]] = {
        PLAIN: nullcontext,
        "raw hook": lambda: raw_hook(policy, case.module),
        "cached": lambda: cached(policy, [site]),
        "replaced": lambda: edited(policy, [Replace(site, value)]),
        "added at a square of each row": lambda: edited(policy, [Add(of_rows, vector)]),
    }
    return {name: block() for name, block in blocks.items()}


@contextmanager
def raw_hook(policy: nn.Module, module: str) -> Any:
    """Keep the output by the least hook that does."""
    kept: list[Tensor] = []
    handle = policy.get_submodule(module).register_forward_hook(
        lambda _module, _arguments, output: kept.__setitem__(slice(None), [output])
    )
    try:
        yield
    finally:
        handle.remove()


def milliseconds(block: AbstractContextManager[Any], policy: nn.Module, x: Tensor) -> float:
    """Return the processor time of a pass, averaged over enough of them for the clock."""
    repeats = max(1, 100 // len(x))
    with block:
        policy(x)
        begin = time.thread_time()
        for _ in range(repeats):
            policy(x)
        return 1e3 * (time.thread_time() - begin) / repeats


def measure(case: Case, batch: int, rounds: int) -> dict[str, list[float]]:
    """Return the times of each way, one a round."""
    policy = case.network.build(MAZE.observation_shape, 4, rng=np.random.default_rng(0)).eval()
    x = torch.from_numpy(MAZE.make(batch, 0).reset())
    times: dict[str, list[float]] = {}
    for i in range(rounds):
        blocks = list(ways(case, policy, batch).items())
        for name, block in blocks[i % len(blocks) :] + blocks[: i % len(blocks)]:
            times.setdefault(name, []).append(milliseconds(block, policy, x))
    return {name: times[name] for name in ways(case, policy, batch)}


def table(found: Mapping[tuple[str, int], dict[str, list[float]]], rounds: int) -> str:
    """Return the report in Markdown."""
    [names, *_] = [list(times) for times in found.values()]
    lines = [
        "# What reading and editing activations costs",
        "",
        "Made by `python -m benchmarks.activations`; see there for what is measured.",
        f"Maze of 5 × 5 cells (observation 3 × 9 × 9), one thread, {rounds} rounds; torch "
        f"{version('torch')}, Python {platform.python_version()}, {platform.machine()}.",
        "Milliseconds of processor time of one forward pass, in brackets against the plain pass.",
        "",
        f"| network | batch | {' | '.join(names)} |",
        f"|---|---:|{'---:|' * len(names)}",
    ]
    for (network, batch), times in found.items():
        cells = []
        for name in names:
            ratio = statistics.median(map(float.__truediv__, times[name], times[PLAIN]))
            bracket = "" if name == PLAIN else f" ({ratio:.2f})"
            cells.append(f"{statistics.median(times[name]):.2f}{bracket}")
        lines.append(f"| {network} | {batch} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure every case and write the table beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    arguments = parser.parse_args()
    with one_thread(), torch.inference_mode():
        found = {
            (case.name, batch): measure(case, batch, arguments.rounds)
            for case in CASES
            for batch in BATCHES
        }
    report = table(found, arguments.rounds)
    arguments.out.write_text(report, encoding="utf-8")
    print(report, arguments.out, sep="\n")


if __name__ == "__main__":
    main()
