"""Recovery of cue-competition mechanisms: agents trained by each rule, judged by all.

    python benchmarks/cue_recovery.py [--ladders 50] [--out benchmarks/cue_recovery.md]

Every ladder is a fresh set of trained agents. "Wrong" is a verdict that decides for another
mechanism, ties two others, or says "none of these"; for agents outside the set the right
verdict is "none of these". The 95 % upper bound is Clopper and Pearson's, one-sided.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from scipy.stats import beta

from empirics.cue_competition import CueCell, UpdateRule, train_cue_agents
from fitting.ladders.onsets import (
    KNOWN_CLOCK_SD,
    UNKNOWN_CLOCK_SD,
    OnsetComparison,
    OnsetHypothesis,
    OnsetVerdictKind,
    compare_onsets,
)
from papers.goal_switch.cue_half import LEARNING_RATES, outcome
from theory.mechanisms.cue_competition import CUE_COMPETITION
from theory.onset import Onset

OUTSIDE = "outside the set"


@dataclass(frozen=True)
class Design:
    """A ladder and what is known about its clock."""

    name: str
    alphas: tuple[float, ...]
    ratios: tuple[float, ...]
    n_seeds: int
    batch_size: int
    clock_sd: float
    updates: int = 6000

    @property
    def n_runs(self) -> int:
        """Agents in a ladder."""
        return len(self.alphas) * len(self.ratios) * self.n_seeds


STUDY = Design(
    "study, step size known", (0.08, 0.04, 0.02, 0.01), (1.2, 2.0), 8, 64, KNOWN_CLOCK_SD
)
DESIGNS = (
    STUDY,
    replace(STUDY, name="study, clock unknown", clock_sd=UNKNOWN_CLOCK_SD),
    Design("small, clock unknown", (0.08, 0.04, 0.02), (1.3, 2.0), 4, 16, UNKNOWN_CLOCK_SD),
    Design("one salience, clock unknown", (0.08, 0.04, 0.02), (2.0,), 4, 16, UNKNOWN_CLOCK_SD),
    Design("two rungs, clock unknown", (0.08, 0.02), (2.0,), 4, 16, UNKNOWN_CLOCK_SD),
)
_onsets: dict[tuple[str, tuple[Any, ...]], float] = {}


def predict(name: str, conditions: Mapping[str, Any]) -> float:
    """Return a mechanism's median onset, remembered between ladders."""
    mechanism = CUE_COMPETITION[name]
    key = (name, tuple(conditions[q.name] for q in mechanism.conditions))
    if key not in _onsets:
        _onsets[key] = mechanism.onset(conditions)
    return _onsets[key]


@cache
def agents_onsets(design: Design, rule: UpdateRule, ladders: int, outside: bool) -> list[Onset]:
    """Train the agents of many ladders at once and read off their flips.

    Outside the set: delta-rule agents whose step size falls and rises along the ladder, which
    their records do not say.
    """
    said, true = [], []
    for index, alpha in enumerate(design.alphas):
        factor = (1.0, 0.4, 2.5, 0.7)[index] if outside else 1.0
        for ratio in design.ratios:
            cell = CueCell(alpha, ratio, rule, LEARNING_RATES[rule], design.batch_size)
            said.append(cell)
            true.append(replace(cell, learning_rate=cell.learning_rate * factor))
    recorded = dict(zip(true, said, strict=True))
    seeds = range(ladders * design.n_seeds)
    runs = train_cue_agents(true, seeds, updates=design.updates, observables=())
    return [replace(run.onset, conditions=recorded[run.cell].conditions(run.seed)) for run in runs]


def judge(design: Design, onsets: list[Onset]) -> OnsetComparison:
    """Compare the three mechanisms on a ladder."""
    hypotheses = [
        OnsetHypothesis(name, partial(predict, name), design.clock_sd) for name in CUE_COMPETITION
    ]
    return compare_onsets(onsets, hypotheses, ladder=("alpha", "salience_ratio"))


def recover(design: Design, rule: UpdateRule, ladders: int, *, outside: bool) -> Counter[str]:
    """Count right, wrong and undecided verdicts, and censored runs."""
    counts: Counter[str] = Counter()
    # The clock prior belongs to the judge: agents are shared by designs that differ in it.
    onsets = agents_onsets(replace(design, name="", clock_sd=1.0), rule, ladders, outside)
    for ladder in range(ladders):
        chosen = [o for o in onsets if int(str(o.conditions["seed"])) // design.n_seeds == ladder]
        found = judge(design, chosen)
        counts["censored"] += sum(onset.censored for onset in chosen)
        if outside:
            kinds = {
                OnsetVerdictKind.NONE_OF_THESE: "right",
                OnsetVerdictKind.INCONCLUSIVE: "undecided",
            }
            counts[kinds.get(found.verdict.kind, "wrong")] += 1
        else:
            counts[outcome(found, f"cue_{rule}")] += 1
    return counts


def row(design: Design, truth: str, counts: Counter[str], ladders: int) -> str:
    """Return a line of the table."""
    decided = counts["right"] + counts["wrong"]
    bound = beta.ppf(0.95, counts["wrong"] + 1, decided - counts["wrong"]) if decided else 1.0
    cells = (
        design.name,
        str(design.n_runs),
        truth,
        f"{counts['wrong']}/{decided}",
        f"{100 * (bound if decided > counts['wrong'] else 1.0):.1f} %",
        f"{100 * decided / ladders:.0f} %",
        f"{100 * counts['censored'] / (ladders * design.n_runs):.0f} %",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Run all designs and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ladders", type=int, default=50, help="ladders a rule and design")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    arguments = parser.parse_args()
    started, n = time.perf_counter(), arguments.ladders
    lines = []
    for design in DESIGNS:
        pooled: Counter[str] = Counter()
        for rule in UpdateRule:
            counts = recover(design, rule, n, outside=False)
            pooled += counts
            lines.append(row(design, str(rule), counts, n))
        lines.append(row(design, "all three", pooled, 3 * n))
        counts = recover(design, UpdateRule.DELTA_RULE, n, outside=True)
        lines.append(row(design, OUTSIDE, counts, n))
        print("\n".join(lines[-5:]), flush=True)
    text = TEMPLATE.format(n=n, table="\n".join(lines), seconds=time.perf_counter() - started)
    arguments.out.write_text(text)
    print(arguments.out)


TEMPLATE = """# Recovery of cue-competition mechanisms

`python benchmarks/cue_recovery.py --ladders {n}` ({seconds:.0f} s). Agents are trained afresh for
every ladder; the three mechanisms and free medians are compared on their flip times. "Outside the
set": agents whose step size jumps along the ladder, unrecorded; right is "none of these".

| design | runs a ladder | truth | wrong/decided | 95 % upper bound | decided | censored runs |
|---|---|---|---|---|---|---|
{table}
"""

if __name__ == "__main__":
    main()
