"""Whether "the proxy first, the goal later" depends on the algorithm: the shard organism's arms.

    python -m benchmarks.algorithms [--seeds N] [--fractions F …] [--only NAME …] [--jobs N]

One agent a seed, algorithm and process fraction, each trained for as long as its arm of
`shard-organism` says. A run that has ended is appended to benchmarks/records/algorithms.jsonl, one
that was killed goes on from the snapshot in --store, and the table, with one row an algorithm and
fraction, is written to benchmarks/algorithms.md. The eight seeds of the organism:

    python -m benchmarks.algorithms --seeds 8 --jobs 2
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from joblib import Parallel, delayed

from empirics.appended_lines import AppendedLines
from empirics.experiment import Experiment
from empirics.experiments.shard_organism import EXPERIMENT
from empirics.probe import Reading
from empirics.provenance import provenance
from empirics.task import run as train_and_keep

HERE = Path(__file__).parent
RECORDS = HERE / "records" / "algorithms.jsonl"
ALGORITHMS = ("a2c", "ppo", "pqn", "reinforce")
MEASURED = ("p_goal", "p_proxy", "success_on_distribution", "success_off_distribution")
COLUMNS = (
    "algorithm", "process fraction", "seeds", "env_steps", "success on", "success off", "P(goal)",
    "P(proxy)", "peak of P(proxy)", "at env_steps", "P(goal) − P(proxy)", "processor seconds",
)  # fmt: skip
Key = tuple[str, float, int]


def trained(experiment: Experiment, seed: int, store: Path) -> dict[str, Any]:
    """Return a run's end and the peak of its proxy, as JSON; standard errors are over levels."""
    began = time.process_time()
    run = train_and_keep(experiment, seed, store)
    seconds = time.process_time() - began
    proxy, readings = run.curve("p_proxy"), dict(run.readings)
    peak, last = int(proxy.t[np.argmax(proxy.y)]), int(proxy.t[-1])
    return {
        "algorithm": run.conditions["algorithm"],
        "process_fraction": run.conditions["process_fraction"],
        "seed": run.seed,
        "run_id": run.run_id,
        "env_steps": last,
        "end": {name: _with_error(readings[last][name]) for name in MEASURED},
        "peak": _with_error(readings[peak]["p_proxy"]),
        "peak_t": peak,
        "seconds": seconds,
        "status": run.status,
        "git_commit": run.git_commit,
    }


def _with_error(reading: Reading) -> tuple[float, float | None]:
    return reading.value, reading.se


def key_of(record: Mapping[str, Any]) -> Key:
    """Return what a record is of."""
    return record["algorithm"], float(record["process_fraction"]), record["seed"]


def mean(values: Sequence[float], errors: Sequence[float]) -> str:
    """Return a mean and its standard error: over seeds, or over levels if there is one seed."""
    spread = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else errors[0]
    return f"{np.mean(values):.3f} ± {spread:.3f}"


def row(records: Sequence[Mapping[str, Any]]) -> str:
    """Return the row of one algorithm and process fraction."""
    ends = {name: np.array([each["end"][name] for each in records]) for name in MEASURED}
    apart = ends["p_goal"][:, 0] - ends["p_proxy"][:, 0]
    # Not less than the error of the difference: the two lie on the same levels.
    error = ends["p_goal"][:, 1] + ends["p_proxy"][:, 1]
    peaks = np.array([each["peak"] for each in records])
    one = records[0]
    cells = (
        one["algorithm"],
        f"{one['process_fraction']:g}",
        len(records),
        f"{one['env_steps']:,}",
        *(mean(*ends[name].T) for name in (*MEASURED[2:], *MEASURED[:2])),
        mean(*peaks.T),
        f"{np.median([each['peak_t'] for each in records]):,.0f}",
        mean(apart, error),
        f"{np.mean([each['seconds'] for each in records]):.0f}"
        + "†" * any("Resumed" in each["status"] for each in records),
    )
    return f"| {' | '.join(map(str, cells))} |"


def page(records: Sequence[Mapping[str, Any]]) -> str:
    """Return the page."""
    groups: dict[tuple[str, float], list[Mapping[str, Any]]] = {}
    for each in sorted(records, key=key_of):
        groups.setdefault(key_of(each)[:2], []).append(each)
    commits = ", ".join(sorted({each["git_commit"][:7] for each in records}))
    lines = [
        "# The shard organism by algorithm",
        "",
        "`python -m benchmarks.algorithms --seeds 8 --jobs 2` makes the table with eight seeds and "
        "goes on from the records there are; this one has as many as it says. 7 × 7 squares, "
        f"α = {EXPERIMENT.environment.alpha:g}.",
        "± is the standard error over seeds, with one seed that over held-out levels (of P(goal) − "
        "P(proxy), its upper bound). The peak is the largest reading of a curve, so it is biased "
        "upward. † A run was stopped: the seconds are those since it last went on.",
        f"Trained by {commits}; the page by {provenance().content()['versions']['ontogeny']}.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
        *(row(group) for group in groups.values()),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Train what is missing and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--fractions", type=float, nargs="+", default=(0.0, 1.0))
    parser.add_argument("--only", nargs="+", choices=ALGORITHMS, default=ALGORITHMS)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--store", type=Path, default=Path("results/algorithms"))
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    args = parser.parse_args()
    kept = AppendedLines(RECORDS)
    RECORDS.parent.mkdir(exist_ok=True)
    done = {key_of(record) for record in kept}
    wanted = product(args.only, args.fractions, range(args.seeds))
    missing = (
        delayed(trained)(EXPERIMENT.at(algorithm=name, process_fraction=fraction), seed, args.store)
        for name, fraction, seed in wanted
        if (name, fraction, seed) not in done
    )
    for record in Parallel(args.jobs, return_as="generator_unordered")(missing):
        kept.add(record)
    args.out.write_text(page(list(kept)), encoding="utf-8")
    print(args.out)


if __name__ == "__main__":
    main()
