"""Look-ahead in the game of forced replies, through the checkpoints of agents that a store holds.

    python -m ontogeny run forced-replies --seeds 2 --out STORE
    python -m benchmarks.forced_replies --store STORE  # writes benchmarks/forced_replies.md

Run from the repository root. The weak agent, which chooses the inputs of patching with the last
checkpoint, is the last one within `--weak-share` of training; `--until` looks at runs as if they
had ended earlier.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from torch import nn

from empirics.checkpoint import load_policy
from empirics.experiments.forced_replies import EXPERIMENT
from empirics.maze_agent import checkpoints_of
from empirics.one_thread import one_thread
from empirics.probe import Probe, Reading
from empirics.probes.forced_replies.plan import ForcedRepliesPlan
from empirics.probes.lookahead.draw_inputs import NoInputs
from empirics.store import Store

PAGE = Path(__file__).with_suffix(".md")
Point = tuple[int, Path]
GAME, PLAN = EXPERIMENT.environment, ForcedRepliesPlan()
COLUMNS = (
    "win_rate",
    "loss_rate",
    "p_win_one",
    "p_win_two",
    "p_win_three",
    "p_threat_three",
    "p_line_three",
    "win_rate_three",
    "third_move_accuracy",
    "third_move",
    "patching_third_move",
    "patching_other_squares",
    "third_move_patching",
)


def policy_of(path: Path) -> nn.Module:
    """Return the policy of a checkpoint."""
    squares = GAME.board.area
    policy = EXPERIMENT.network.build(GAME.observation_shape, squares, rng=np.random.default_rng(0))
    load_policy(path, policy)
    return policy


def section(run: str, points: Sequence[Point], number: int, weak_share: float) -> list[str]:
    """Return the lines of one run: a table by checkpoint, and what was compared with what."""
    last, path = points[-1]
    strong, weak_at = policy_of(path), max(t for t, _ in points if t <= weak_share * last)
    weak = policy_of(dict(points)[weak_at])
    lines = [f"## {run}", ""]
    probes: tuple[Probe, ...] = PLAN.probes(GAME)
    try:
        patching, third_move = PLAN.lookahead(GAME, weak=weak, strong=strong)
        probes = (*probes, third_move, patching)
        fell = ", ".join(f"{why}: {n}" for why, n in patching.inputs.fallen.items())
        lines += [
            f"Patched on {len(patching.inputs)} positions; weak agent at {weak_at:,} ({fell})."
        ]
    except NoInputs as error:
        probes = (*probes, PLAN.third_move(GAME, strong))
        lines += [f"Nothing was patched: {error}"]
    chosen = sorted({int(i) for i in np.rint(np.linspace(0, len(points) - 1, number))})
    rows = [(points[i][0], measured(policy_of(points[i][1]), probes)) for i in chosen]
    return [*lines, "", *table(rows), "", *baselines(rows[-1][1]), ""]


def measured(policy: nn.Module, probes: Sequence[Probe]) -> dict[str, Reading]:
    """Return all readings of a policy."""
    return {name: reading for probe in probes for name, reading in probe(policy).items()}


def table(rows: Sequence[tuple[int, Mapping[str, Reading]]]) -> list[str]:
    """Return a row a checkpoint."""
    names = [name for name in COLUMNS if name in rows[-1][1]]
    head = ["| env_steps | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    return head + [
        f"| {t:,} | " + " | ".join(_number(found[name]) for name in names) + " |"
        for t, found in rows
    ]


def baselines(found: Mapping[str, Reading]) -> list[str]:
    """Return the baselines of the last checkpoint's readings."""
    return ["Baselines at the last checkpoint:", ""] + [
        f"- {name}: " + ", ".join(f"{which} {value:.3f}" for which, value in each.baselines.items())
        for name, each in found.items()
        if each.baselines
    ]


def _number(reading: Reading) -> str:
    return f"{reading.value:.3f}" + ("" if reading.se is None else f" ± {reading.se:.3f}")


def main() -> None:
    """Measure the runs of a store and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--checkpoints", type=int, default=10, help="measured of each run")
    parser.add_argument("--until", type=int, metavar="ENV_STEPS", help="the last checkpoint used")
    parser.add_argument("--weak-share", type=float, default=0.25)
    parser.add_argument("--out", type=Path, default=PAGE)
    args = parser.parse_args()
    runs = [
        record
        for record in Store(args.store, create=False).runs()
        if record.conditions.get("experiment") == EXPERIMENT.name
    ]
    if not runs:
        parser.error(f"{args.store} holds no run of {EXPERIMENT.name}.")
    page = [
        "# Look-ahead in the game of forced replies",
        "",
        "Made by `python -m benchmarks.forced_replies --store STORE`; see there.",
        "",
    ]
    with one_thread():
        for record in runs:
            kept = checkpoints_of(args.store, record)
            points = [(t, path) for t, path in kept if args.until is None or t <= args.until]
            page += section(record.run, points, args.checkpoints, args.weak_share)
    args.out.write_text("\n".join(page), encoding="utf-8")
    print(args.out)


if __name__ == "__main__":
    main()
