"""How often `ontogeny test` names the right mechanism of a pair with near-identical mean curves.

    python -m benchmarks.mechanism_recovery [--ladders N] [--only WORDS]

Ladders of runs are drawn from one mechanism of a pair at a stated design, unknowns from their
priors (a factor on the step size, a spread where the mechanism has no law of its own, a small
discrepancy of every rung), onsets bracketed by 40 log-spaced checkpoints and censored at the last;
both mechanisms are tested on them, beside the references. A ladder's record is appended as it is
made, and a second start goes on from there; the table is written to
benchmarks/mechanism_recovery.md.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from joblib import Parallel, delayed

from benchmarks.calibration import code_version
from fitting.ladders.evidence import DISCREPANCY
from fitting.ladders.hypothesis import of_mechanism
from fitting.ladders.mechanism_test import compare_mechanisms
from fitting.ladders.onset_evidence import DISCREPANCY_RANGE
from fitting.ladders.simulation import draw_onsets, observed
from fitting.trials.error_rate import ErrorRate
from theory.mechanisms import MECHANISMS
from theory.prior import LogUniform

HERE = Path(__file__).parent
RECORDS = HERE / "records" / "mechanism_recovery.jsonl"
SKILL = {"learning_rate": 0.5, "reward": 1.0, "n_arms": 10.0, "batch_size": 1.0}
START = "initial_probability"
CODE = code_version()


@dataclass(frozen=True)
class Pair:
    """Two mechanisms, and a ladder that a lab can afford."""

    name: str
    mechanisms: tuple[str, str]
    condition: str
    rungs: tuple[float, ...]
    n_runs: int
    shared: Mapping[str, float]
    known_steps: bool = True
    also: str = ""
    """A condition of one of the two that takes the same value at each rung."""

    def at(self, value: float) -> dict[str, float]:
        """Return the conditions of a rung."""
        return {**self.shared, self.condition: value, **({self.also: value} if self.also else {})}

    @property
    def design(self) -> str:
        """The design in words."""
        values = ", ".join(f"{v:g}" for v in self.rungs)
        pace = "" if self.known_steps else "; step sizes unknown"
        return f"{self.condition} {values}; {self.n_runs} runs a rung{pace}"


PAIRS = (
    Pair(
        "first hit or gradual",
        ("first_hit", "softmax_policy_gradient"),
        START,
        (0.1, 0.03, 0.01),
        20,
        SKILL,
    ),
    Pair(
        "first hit or gradual, pace unknown",
        ("first_hit", "softmax_policy_gradient"),
        START,
        (0.1, 0.03, 0.01),
        20,
        SKILL,
        False,
    ),
    Pair(
        "plain or natural gradient",
        ("softmax_policy_gradient", "natural_policy_gradient"),
        START,
        (0.2, 0.05, 0.0125),
        10,
        {**SKILL, "batch_size": 64.0},
        False,
    ),
    Pair(
        "plain or normalized gradient",
        ("softmax_policy_gradient", "normalized_policy_gradient"),
        START,
        (0.2, 0.05, 0.0125),
        10,
        {**SKILL, "learning_rate": 0.1, "batch_size": 64.0},
        False,
    ),
    Pair(
        "normalized or natural gradient",
        ("normalized_policy_gradient", "natural_policy_gradient"),
        START,
        (0.2, 0.05, 0.0125),
        10,
        {**SKILL, "learning_rate": 0.1, "batch_size": 4096.0},
        False,
    ),
    Pair(
        "delta rule or policy gradient",
        ("cue_delta_rule", "cue_policy_gradient"),
        "alpha",
        (0.2, 0.1, 0.05),
        20,
        {"salience_ratio": 2.0, "learning_rate": 0.05, "batch_size": 64.0},
        False,
    ),
    Pair(
        "lock or one hard skill",
        ("lock", "softmax_policy_gradient"),
        START,
        (0.4, 0.3, 0.2),
        10,
        {**SKILL, "horizon": 3.0, "gamma": 1.0},
        False,
    ),
    Pair(
        "plateau or saddle",
        ("softmax_policy_gradient", "deep_linear"),
        "learning_rate",
        (0.3, 0.1, 0.03),
        30,
        {
            **{name: value for name, value in SKILL.items() if name != "learning_rate"},
            START: 0.05,
            "singular_value": 1.0,
            "initial_scale": 0.03,
            "hidden_units": 1.0,
        },
        False,
    ),
    Pair(
        "wavefront or rewards at the end",
        ("td_wavefront", "lock"),
        "horizon",
        (2.0, 4.0, 6.0, 8.0),
        10,
        {**SKILL, START: 0.5, "gamma": 1.0, "n_states": 20.0},
        False,
        "distance",
    ),
)


def draw(pair: Pair, truth: str, rng: np.random.Generator) -> list[Any]:
    """Draw the onsets of a ladder from one mechanism."""
    shared = [pair.at(value) for value in pair.rungs]
    hypothesis = of_mechanism(MECHANISMS[truth], shared)
    priors = {**hypothesis.unknowns, DISCREPANCY: LogUniform(*DISCREPANCY_RANGE)}
    at = {k: np.array([[float(p.transport(rng.standard_normal()))]]) for k, p in priors.items()}
    drawn = [draw_onsets(law, at, pair.n_runs, rng=rng) for law in hypothesis.laws]
    pooled = np.concatenate(drawn)
    checkpoints = np.geomspace(pooled.min() / 3, float(np.quantile(pooled, 0.95)), 40)
    return [
        onset
        for onsets, given in zip(drawn, shared, strict=True)
        for onset in observed(onsets, checkpoints, given)
    ]


def tried(pair: Pair, index: int) -> dict[str, Any]:
    """Draw one ladder, test both mechanisms on it, and return what came out."""
    truth = pair.mechanisms[index % 2]
    began = time.process_time()
    onsets = draw(pair, truth, np.random.default_rng([PAIRS.index(pair), index]))
    found = compare_mechanisms(
        onsets,
        [MECHANISMS[name] for name in pair.mechanisms],
        ladder=[pair.condition],
        seed=index,
        known_steps=pair.known_steps,
        look_ahead=False,
    )
    verdict = found.comparison.verdict
    return {
        "pair": pair.name,
        "index": index,
        "truth": truth,
        "verdict": str(verdict.kind),
        "named": list(verdict.mechanisms),
        "log_evidence": {s.name: s.log_evidence for s in found.comparison.scores},
        "seconds": time.process_time() - began,
        "code": CODE,
    }


def outcome(record: Mapping[str, Any]) -> str:
    """Return right, wrong or undecided; "none of these" is wrong."""
    if record["verdict"] == "decided":
        return "right" if record["named"] == [record["truth"]] else "wrong"
    return "wrong" if record["verdict"] == "none of these" else "undecided"


def table(records: Sequence[Mapping[str, Any]]) -> str:
    """Return the page."""
    lines = [
        "# Mechanisms told apart",
        "",
        "`python -m benchmarks.mechanism_recovery`. Ladders drawn from either mechanism of a pair, "
        "unknowns from their priors, then tested with both. Wrong: another mechanism decided for, "
        'or "none of these". Bound: of the rate of wrong ones among decided ones, 95 %, exact.',
        f"Made by {', '.join(sorted({r['code'] for r in records}))}.",
        "",
        "| pair | design | ladders | decided | wrong/decided | bound | seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for pair in PAIRS:
        own = [r for r in records if r["pair"] == pair.name]
        if not own:
            continue
        outcomes = [outcome(r) for r in own]
        wrong, right = outcomes.count("wrong"), outcomes.count("right")
        decided = wrong + right
        rate = ErrorRate(wrong, decided, len(own))
        bound = f"{100 * rate.upper_bound:.1f} %" if decided else "–"
        seconds = float(np.median([r["seconds"] for r in own]))
        lines.append(
            f"| {pair.name} | {pair.design} | {len(own)} | {100 * decided / len(own):.0f} % "
            f"| {wrong}/{decided} | {bound} | {seconds:.1f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Draw ladders, test them, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ladders", type=int, default=200, help="a pair, half from each mechanism")
    parser.add_argument("--only", default="", help="pairs whose name has this in it")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--table-only", action="store_true")
    args = parser.parse_args()
    RECORDS.parent.mkdir(parents=True, exist_ok=True)
    records = (
        [json.loads(line) for line in RECORDS.read_text().splitlines()]
        if (RECORDS.exists())
        else []
    )
    done = {(r["pair"], r["index"]) for r in records}
    left = [
        (pair, index)
        for index in range(args.ladders)
        for pair in PAIRS
        if args.only in pair.name and (pair.name, index) not in done
    ]
    if not args.table_only:
        run = Parallel(n_jobs=args.workers, return_as="generator_unordered")
        for record in run(delayed(tried)(*job) for job in left):
            with RECORDS.open("a") as file:
                file.write(json.dumps(record) + "\n")
            records.append(record)
            print(f"{len(records)}: {record['pair']}, {record['truth']}: {outcome(record)}")
    (HERE / "mechanism_recovery.md").write_text(table(records))


if __name__ == "__main__":
    main()
