"""Calibration of `propose`: verdicts and probabilities on simulated curves whose truth is known.

    python benchmarks/calibration.py --curves 1050 --workers 2 [--shard 0/4] [--table-only]
    python benchmarks/calibration.py --curves 300 --workers 2 --prior-noise

Designs: n = 60, 200, 500 points, evenly and geometrically spaced, under white noise, AR(1) in the
index (correlation .5, .8, .85) and an Ornstein-Uhlenbeck process in t, of log-normal size (median 5
% of the change; log sd .7). Truths in turn: one of each family, drawn from the default priors; a
shape that no form has; two plain steps under noise of at most 5 %. Curve i is the same whoever
makes it: records are appended to `benchmarks/records/calibration/*.jsonl` as they come, an
interrupted run goes on, shards may run on several machines, and the table is made from whatever is
there.

With `--prior-noise` the size of the noise is as uncertain as the priors have it: log-uniform from a
thousandth of the change to all of it, and all truths are drawn from the priors. Only then must
probabilities come true as often as they say; where changes are always larger than the noise, no
change is likelier than the priors know.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from benchmarks.calibration_designs import (
    GRIDS,
    NOISES,
    SIZES,
    TWO_STEPS,
    cell_of,
    design_of,
    prior_cell_of,
    prior_design_of,
)
from fitting.recovery import FAMILIES, OUTCOMES, Recovery, error_rate
from fitting.trials.error_rate import ErrorRate, Proportion
from fitting.trials.record_file import append_record, read_records
from fitting.trials.threshold import LEVELS, error_rate_at, judged, threshold
from fitting.trials.trial import Record, trial
from fitting.trials.truths import OUTSIDE
from fitting.verdict import DECISIVE

FloatArray = NDArray[np.float64]

SEED = 20
FOLDER = Path(__file__).parent / "records" / "calibration"
PRIOR_FOLDER = FOLDER.with_name("calibration_prior_noise")


def make(index: int, prior_noise: bool) -> Record:
    """Simulate and judge one curve."""
    design = prior_design_of(index) if prior_noise else design_of(index)
    record = trial(design, index, seed=SEED)
    assert record is not None, "the common forms have every shape"
    return record


def simulate(curves: int, workers: int, shard: tuple[int, int], prior_noise: bool) -> None:
    """Make what is missing of a shard, and append it as it comes."""
    folder = PRIOR_FOLDER if prior_noise else FOLDER
    known = {record.index for record, _ in read(folder)}
    todo = [i for i in range(curves) if i % shard[1] == shard[0] and i not in known]
    code = code_version()
    made = Parallel(n_jobs=workers, return_as="generator_unordered")(
        delayed(make)(index, prior_noise) for index in todo
    )
    path = folder / f"shard-{shard[0]}-of-{shard[1]}.jsonl"
    for done, record in enumerate(made, 1):
        append_record(path, record, code=code)
        print(f"{done}/{len(todo)}: {said(record, prior_noise)}", flush=True)


def read(folder: Path = FOLDER) -> list[tuple[Record, str]]:
    """Every record that lies there, once, with the code that made it."""
    found = {}
    for path in sorted(folder.glob("*.jsonl")):
        found.update({record.index: (record, code) for record, code in read_records(path)})
    return [found[index] for index in sorted(found)]


def code_version() -> str:
    """Version and commit of the code; + where tracked files differ from it."""
    command = ("git", "describe", "--always", "--dirty=+", "--exclude=*")
    commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return f"{version('ontogeny')} {commit}".strip()


def said(record: Record, prior_noise: bool = False) -> str:
    """Say one curve in a line."""
    of = prior_cell_of if prior_noise else cell_of
    cell = ", ".join(map(str, of(record.index)))
    truth = f"{record.truth} ({record.source})"
    verdict = " or ".join(record.families) or record.kind
    mark = "WRONG " if record.decided and not record.right else ""
    return f"{mark}curve {record.index}, {cell}: {truth} called {verdict} ({record.seconds:.0f} s)"


def rate_cells(rate: ErrorRate) -> tuple[str, ...]:
    """Cells of an error rate: wrong/decided, its bound, the share decided."""
    share = Proportion(rate.decided, rate.number)
    bound = f"{100 * rate.upper_bound:.1f} %"
    return str(rate.number), f"{rate.wrong}/{rate.decided}", bound, percent(share)


def percent(part: Proportion) -> str:
    """Write a share with Wilson's 95 % interval and its counts."""
    if part.value is None:
        return "–"
    low, high = part.interval
    return (
        f"{100 * part.value:.0f} % [{100 * low:.0f}, {100 * high:.0f}] ({part.count}/{part.number})"
    )


def row(*cells: object) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def head(*columns: str) -> list[str]:
    """Return the two lines that begin a table."""
    return [row(*columns), row(*("---" for _ in columns))]


def rates_table(records: Sequence[Record]) -> list[str]:
    """Error rates and calibration of everything, and by noise, grid, points and truth."""
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        noise, grid, n = cell_of(record.index)
        source = {OUTSIDE: "outside the registry", TWO_STEPS: "two plain steps"}
        kind = source.get(record.asked, "from the priors")
        for name in ("all", f"noise {noise}", f"{grid} grid", f"n = {n}", f"truths {kind}"):
            groups[name].append(record)
    order = ("all", *sorted(name for name in groups if name != "all"))
    lines = head(
        "curves", "number", "wrong/decided", "95 % upper bound", "decided", "ECE", "by chance"
    )
    for name in order if records else ():
        found = Recovery(tuple(groups[name])).calibration
        errors = ("–", "–") if found is None else (f"{found.error:.3f} ± {found.se:.3f}",)
        chance = () if found is None else (f"{found.chance:.3f}",)
        lines.append(row(name, *rate_cells(error_rate(groups[name])), *errors, *chance))
    return lines


def threshold_table(records: Sequence[Record]) -> list[str]:
    """Error rates, had other probabilities been enough; and which is the smallest that will do."""
    lines = head("DECIDED from", "number", "wrong/decided", "95 % upper bound", "decided")
    for level in LEVELS:
        lines.append(row(f"{100 * level:g} %", *rate_cells(error_rate_at(records, level))))
    found = threshold(records)
    said = "None of these will do." if found is None else f"{100 * found:g} % will do."
    return [*lines, "", said]


def stage_table(records: Sequence[Record]) -> list[str]:
    """Spurious second stages by noise and points; two planted steps; midpoints."""
    lines = head("stages", "share [95 % interval]")
    for noise, n in itertools.product(("white", "ar .5", "ar .8", "ar .85", "ou"), SIZES):
        group = [r for r in records if cell_of(r.index)[0::2] == (noise, n)]
        part = Recovery(tuple(group)).spurious_second_stage
        lines.append(row(f"spurious second stage, {noise}, n = {n}", percent(part)))
    whole = Recovery(tuple(records))
    lines.append(row("spurious second stage, all", percent(whole.spurious_second_stage)))
    for grid in GRIDS:
        two = [r for r in records if r.asked == TWO_STEPS and cell_of(r.index)[1] == grid]
        seen = sum(r.decided and r.families == ("multistage",) for r in two)
        lines.append(
            row(f"two plain steps found, {grid} grid", percent(Proportion(seen, len(two))))
        )
    lines.append(row("true number of stages, where decided", percent(whole.stages_counted)))
    lines.append(row("true midpoint in its 95 % interval", percent(whole.midpoints_covered)))
    lines.append(row("tied without the truth, of tied", percent(whole.tied_without_truth)))
    return lines


def confusion_table(records: Sequence[Record]) -> list[str]:
    """Count verdicts by truth."""
    counts = Recovery(tuple(records)).confusion
    lines = head("truth", *OUTCOMES)
    return lines + [row(name, *counts[i]) for i, name in enumerate(FAMILIES)]


def inversion_table(records: Sequence[Record]) -> list[str]:
    """Probability of each truth given the verdict."""
    shares = Recovery(tuple(records)).inversion
    lines = head("verdict", *FAMILIES)
    return lines + [row(name, *(f"{p:.2f}" for p in shares[i])) for i, name in enumerate(OUTCOMES)]


def reliability_table(records: Sequence[Record]) -> list[str]:
    """Claimed and true shares of all family probabilities."""
    found = Recovery(tuple(records)).calibration
    lines = head("probability claimed", "claims", "mean claimed", "came true")
    for one in () if found is None else found.bins:
        name = f"{one.lower:.1f} to {one.upper:.1f}"
        lines.append(row(name, one.number, f"{one.claimed:.3f}", f"{one.true:.3f}"))
    return lines


def overall_table(records: Sequence[Record]) -> list[str]:
    """Mean probability minus share of truths, by family."""
    found = Recovery(tuple(records)).calibration
    lines = head("family", "mean probability − share of truths")
    for i, name in enumerate(FAMILIES if found is not None else ()):
        assert found is not None
        lines.append(row(name, f"{found.overall[i]:+.3f} ± {found.overall_se[i]:.3f}"))
    return lines


def leading_table(records: Sequence[Record]) -> list[str]:
    """Claimed and true shares of the leading family, by family, of truths from the priors."""
    known = [record for record in records if record.probabilities and record.asked in FAMILIES]
    lines = head("leading family", "curves", "mean claimed", "came true")
    for family in FAMILIES:
        own = [r for r in known if FAMILIES[int(np.argmax(r.probabilities))] == family]
        if own:
            claimed = float(np.mean([max(r.probabilities) for r in own]))
            true = Proportion(sum(r.truth == family for r in own), len(own))
            lines.append(row(family, len(own), f"{claimed:.3f}", percent(true)))
    return lines


def prior_noise_table() -> list[str]:
    """Calibration where noise is drawn from its prior too."""
    known = read(PRIOR_FOLDER)
    if not known:
        return ["No curve was simulated so."]
    records = [judged(record) for record, _ in known]
    lines = head(
        "curves", "number", "wrong/decided", "95 % upper bound", "decided", "ECE", "by chance"
    )
    for name in ("all", *NOISES):
        own = [r for r in records if name in ("all", r.noise)]
        found = Recovery(tuple(own)).calibration
        if found is not None:
            cells = (f"{found.error:.3f} ± {found.se:.3f}", f"{found.chance:.3f}")
            lines.append(row(name, *rate_cells(error_rate(own)), *cells))
    codes = Counter(code for _, code in known)
    made = ", ".join(f"{number} by {code}" for code, number in codes.items())
    return [*lines, "", f"Made: {made}.", "", *leading_table(records)]


def wrong_lines(records: Iterable[Record]) -> list[str]:
    """List every wrong DECIDED verdict."""
    wrong = [record for record in records if record.decided and not record.right]
    return [f"- {said(record).removeprefix('WRONG ')}" for record in wrong] or ["None."]


def page(known: Sequence[tuple[Record, str]]) -> str:
    """Return the table as Markdown."""
    records = [judged(record) for record, _ in known]
    codes = Counter(code for _, code in known)
    seconds = float(np.median([record.seconds for record in records])) if records else 0.0
    sections = {
        "Error rates and calibration": rates_table(records),
        "Thresholds": threshold_table(records),
        "Stages": stage_table(records),
        "Verdicts by truth": confusion_table(records),
        "Truth by verdict, truths alike beforehand": inversion_table(records),
        "Reliability, truths from the priors": reliability_table(records),
        "Calibration of the model index": overall_table(records),
        "The leading family": leading_table(records),
        "Noise as uncertain as its prior": prior_noise_table(),
        "Every wrong verdict": wrong_lines(records),
    }
    body = "\n\n".join(f"## {title}\n\n" + "\n".join(lines) for title, lines in sections.items())
    made = ", ".join(f"{number} by {code}" for code, number in codes.items())
    facts = {"number": len(records), "made": made, "seconds": seconds, "level": 100 * DECISIVE}
    return f"{HEAD.format(**facts)}\n\n{body}\n"


HEAD = """# Calibration of the verdicts

`python benchmarks/calibration.py`: {number} simulated curves ({made}; median {seconds:.0f} s of
processor time a curve). Designs, truths and noise are described in the script. DECIDED is said
from a probability of {level:g} % on, of records made with a higher threshold too. Bounds are
one-sided 95 % (Clopper and Pearson), intervals two-sided 95 % (Wilson). ECE: expected calibration
error of the leading family, truths drawn from the priors; "by chance": what right probabilities
would show with as many curves. Where several states of the code made the curves, no figure is that
of a single one."""


def shard_of(text: str) -> tuple[int, int]:
    """Read ``k/K``."""
    k, _, number = text.partition("/")
    if not (k.isdigit() and number.isdigit() and int(k) < int(number)):
        raise argparse.ArgumentTypeError(f"a shard is k/K with k below K, as 0/4; not {text!r}")
    return int(k), int(number)


def main() -> None:
    """Make what is missing, then the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--curves", type=int, default=1050)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--shard", type=shard_of, default=(0, 1), metavar="k/K")
    parser.add_argument("--table-only", action="store_true")
    parser.add_argument("--prior-noise", action="store_true", help="the study of the probabilities")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    arguments = parser.parse_args()
    if not arguments.table_only:
        simulate(arguments.curves, arguments.workers, arguments.shard, arguments.prior_noise)
    arguments.out.write_text(page(read()), encoding="utf-8")
    print(arguments.out)


if __name__ == "__main__":
    main()
