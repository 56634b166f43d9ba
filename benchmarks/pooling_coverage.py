"""How often 95 % intervals of a pooled fit cover the truth, and what pooling does to errors.

    python benchmarks/pooling_coverage.py --replicates 31 [--table-only]

A replicate is six runs of a logistic whose parameters come from a known population: floor 0.1 (sd
0.03), gain 0.8 (sd 0.1), rate 0.15 (sd of ln 0.3), midpoint 45 (sd of ln 0.25); 40 points under
white noise of sd 0.08. In every other replicate training ends at t = 50, before most runs reach
their plateau, else at 100. Replicate i is the same whoever makes it: records are appended to
`benchmarks/records/pooling_coverage/*.jsonl` as they come, an interrupted study goes on, and the
table is made from whatever is there.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitting.evidence import log_evidence
from fitting.runs.hierarchical import PooledFit, pool
from fitting.trials.error_rate import Proportion
from theory.curve import Curve
from theory.forms import FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import White

FloatArray = NDArray[np.float64]
Records = Sequence[dict[str, Any]]

SEED = 21
RUNS, POINTS, SD = 6, 40, 0.08
FORM = FORMS["logistic"]
CENTERS = {"floor": 0.1, "gain": 0.8, "rate": 0.15, "midpoint": 45.0}
SPREADS = {"floor": 0.03, "gain": 0.1, "rate": 0.3, "midpoint": 0.25}
LOGS = ("rate", "midpoint")
SHOWN = ("midpoint", "rate", "gain")
ENDS = {"whole": 100.0, "truncated": 50.0}
CHAINS = {"draws": 400, "tune": 400, "chains": 2}
BOOTSTRAPS = 4000
WORST: dict[str, Callable[[Sequence[float]], float]] = {"rhat": max, "ess": min, "divergent": max}
CHAIN_COLUMNS = (
    "design",
    "replicates",
    "status",
    "R-hat: median, largest",
    "effective size: median, smallest",
    "share divergent: median, largest",
)
FILE = Path(__file__).parent / "records" / "pooling_coverage" / "replicates.jsonl"


def design_of(index: int) -> str:
    """Return whether the runs of a replicate are whole or truncated."""
    return tuple(ENDS)[index % len(ENDS)]


def simulated(index: int) -> tuple[list[Curve], FloatArray]:
    """Draw the runs of a replicate, and their true parameters (R, 4)."""
    rng = np.random.default_rng([SEED, index])
    t = np.linspace(1.0, ENDS[design_of(index)], POINTS)
    columns = []
    for name in FORM.names:
        z = rng.standard_normal(RUNS)
        if name in LOGS:
            columns.append(CENTERS[name] * np.exp(SPREADS[name] * z))
        else:
            columns.append(CENTERS[name] + SPREADS[name] * z)
    theta = np.stack(columns, axis=1)
    clean = np.asarray(FORM(t, theta))
    y = clean + SD * rng.standard_normal(clean.shape)
    return [Curve("success", t, row, run=f"seed {i}") for i, row in enumerate(y)], theta


def make(index: int) -> dict[str, Any]:
    """Pool one replicate, and fit its runs one by one."""
    curves, theta = simulated(index)
    began = time.monotonic()
    fitted = pool(FORM, curves, rng=np.random.default_rng([SEED, index, 1]), **CHAINS)
    seconds = time.monotonic() - began
    return {
        "index": index,
        "seconds": round(seconds, 2),
        "status": str(fitted.status),
        "rhat": fitted.rhat,
        "ess": fitted.ess,
        "divergent": fitted.divergent,
        "truth": _columns(theta),
        "center": {name: _edges(fitted.centers[:, i]) for i, name in enumerate(FORM.names)},
        "spread": {name: _edges(fitted.spreads[:, i]) for i, name in enumerate(FORM.names)},
        "pooled": _of_runs(fitted.draws),
        "single": _of_runs(np.stack([_alone(c, index, i) for i, c in enumerate(curves)], axis=1)),
        "optimum": _optima(fitted),
    }


def _alone(curve: Curve, index: int, run: int) -> FloatArray:
    """Posterior draws (S, p) of a run by itself under the default priors."""
    hypothesis = default_hypothesis(FORM, White(), curve)
    rng = np.random.default_rng([SEED, index, 2, run])
    return np.asarray(log_evidence(hypothesis, curve, rng=rng).draws)


def _columns(theta: FloatArray) -> dict[str, list[float]]:
    return {name: theta[:, i].tolist() for i, name in enumerate(FORM.names)}


def _optima(fitted: PooledFit) -> dict[str, list[float]]:
    return _columns(np.array([one.theta for one in fitted.unpooled]))


def _of_runs(draws: FloatArray) -> dict[str, list[list[float]]]:
    """2.5 %, 50 % and 97.5 % quantiles of each run's parameters, from draws (S, R, p)."""
    runs = range(draws.shape[1])
    return {name: [_edges(draws[:, r, i]) for r in runs] for i, name in enumerate(FORM.names)}


def _edges(draws: FloatArray) -> list[float]:
    return [float(value) for value in np.quantile(draws, [0.025, 0.5, 0.975])]


def simulate(replicates: int) -> None:
    """Make what is missing, and append it as it comes."""
    known = {record["index"] for record in read()}
    code = code_version()
    FILE.parent.mkdir(parents=True, exist_ok=True)
    for index in (i for i in range(replicates) if i not in known):
        record = {"code": code, **make(index)}
        with FILE.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, allow_nan=False) + "\n")
        said = f"{index + 1}/{replicates}, {design_of(index)}: {record['seconds']:.0f} s"
        print(f"{said} {record['status']}".strip(), flush=True)


def read() -> list[dict[str, Any]]:
    """Every record that lies there, in order of the replicates."""
    if not FILE.is_file():
        return []
    found = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    return sorted(found, key=lambda record: record["index"])


def code_version() -> str:
    """Version and commit of the code; + where tracked files differ from it."""
    command = ("git", "describe", "--always", "--dirty=+", "--exclude=*")
    commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return f"{version('ontogeny')} {commit}".strip()


def of_design(records: Records, design: str) -> Records:
    """Return the replicates of a design."""
    return [record for record in records if design_of(record["index"]) == design]


def population_hits(records: Records, key: str, truth: dict[str, float], name: str) -> Proportion:
    """Count the intervals of a population's number that hold it."""
    hits = [r[key][name][0] <= truth[name] <= r[key][name][2] for r in records]
    return Proportion(sum(hits), len(hits))


def run_hits(records: Records, key: str, name: str) -> list[int]:
    """Count, in each replicate, the runs whose interval holds their own parameter."""
    return [
        sum(
            low <= true <= high
            for (low, _, high), true in zip(r[key][name], r["truth"][name], strict=True)
        )
        for r in records
    ]


def square_errors(records: Records, key: str, name: str) -> FloatArray:
    """Mean square error of the runs' estimates in each replicate, of ln for times and rates."""
    middles = [[v if key == "optimum" else v[1] for v in r[key][name]] for r in records]
    estimates, truths = np.array(middles), np.array([r["truth"][name] for r in records])
    if name in LOGS:
        estimates, truths = np.log(estimates), np.log(truths)
    return np.asarray(((estimates - truths) ** 2).mean(axis=1))


def bootstrapped(
    number: int, statistic: Callable[[NDArray[np.intp]], FloatArray]
) -> tuple[float, float, float]:
    """Value and 95 % percentile interval over replicates drawn again; statistic takes (B, N)."""
    rng = np.random.default_rng(SEED)
    value = float(statistic(np.arange(number)[None])[0])
    again = statistic(rng.integers(number, size=(BOOTSTRAPS, number)))
    low, high = np.quantile(again, [0.025, 0.975])
    return value, float(low), float(high)


def ratio(records: Records, other: str, name: str) -> str:
    """RMSE of the pooled estimates over that of others, with its interval."""
    ours, theirs = (square_errors(records, key, name) for key in ("pooled", other))
    value, low, high = bootstrapped(
        len(records), lambda rows: np.sqrt(ours[rows].mean(axis=1) / theirs[rows].mean(axis=1))
    )
    said = [f"{x:.2f}" if x >= 0.01 else "<0.01" for x in (value, low, high)]
    return f"{said[0]} [{said[1]}, {said[2]}]"


def clustered(records: Records, key: str, name: str) -> str:
    """Share of runs covered; its interval comes from replicates, whose runs go together."""
    hits = np.array(run_hits(records, key, name))
    part = Proportion(int(hits.sum()), RUNS * len(hits))
    _, low, high = bootstrapped(len(hits), lambda rows: hits[rows].mean(axis=1) / RUNS)
    return f"{percent(part)}; over replicates [{100 * low:.0f}, {100 * high:.0f}]"


def percent(part: Proportion) -> str:
    """Write a share with Wilson's 95 % interval and its counts."""
    if part.value is None:
        return "–"
    low, high = (100 * edge for edge in part.interval)
    return f"{100 * part.value:.0f} % [{low:.0f}, {high:.0f}] ({part.count}/{part.number})"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table in Markdown."""
    lines = [tuple(columns), ("---",) * len(columns), *map(tuple, rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def page(records: Records) -> str:
    """Return the tables as Markdown."""
    parts = {design: of_design(records, design) for design in ENDS}
    groups = {**parts, "all": records}
    columns = ("interval of", *groups)
    population = [
        (
            f"{words}, {name}",
            *(percent(population_hits(g, key, truth, name)) for g in groups.values()),
        )
        for words, key, truth in (
            ("population median", "center", CENTERS),
            ("population spread", "spread", SPREADS),
        )
        for name in SHOWN
    ]
    runs = [
        (f"a run's {name}, {words}", *(clustered(g, key, name) for g in groups.values()))
        for words, key in (("pooled", "pooled"), ("by itself", "single"))
        for name in SHOWN
    ]
    errors = [
        (f"{name}, against {words}", *(ratio(g, key, name) for g in groups.values()))
        for words, key in (("its own posterior median", "single"), ("its own optimum", "optimum"))
        for name in SHOWN
    ]
    sections = {
        "Coverage of the population": table(columns, population),
        "Coverage of the runs": table(columns, runs),
        "RMSE of pooled over unpooled estimates": table(("parameter", *groups), errors),
        "How the chains went": table(CHAIN_COLUMNS, _chains(parts)),
    }
    body = "\n\n".join(f"## {title}\n\n" + "\n".join(lines) for title, lines in sections.items())
    return f"{_head(records)}\n\n{body}\n"


def _chains(parts: dict[str, Records]) -> list[tuple[str, ...]]:
    return [
        (
            design,
            str(number),
            status or "well",
            *(_median_and(group, key, worst) for key, worst in WORST.items()),
        )
        for design, records in parts.items()
        for status, number in Counter(record["status"] for record in records).most_common()
        for group in [[record for record in records if record["status"] == status]]
    ]


def _median_and(group: Records, key: str, worst: Callable[[Sequence[float]], float]) -> str:
    values = [record[key] for record in group]
    return f"{np.median(values):.4g}, {worst(values):.4g}"


def _head(records: Records) -> str:
    made = ", ".join(f"{n} by {code}" for code, n in Counter(r["code"] for r in records).items())
    seconds = float(np.median([record["seconds"] for record in records]))
    return HEAD.format(number=len(records), made=made, seconds=seconds, **CHAINS)


HEAD = """# Coverage of partial pooling

`python benchmarks/pooling_coverage.py --replicates {number}`: {number} replicates of six runs,
every other truncated at t = 50 ({made}; median {seconds:.0f} s each).
Replicates of an earlier state of the code are kept only where the change since leaves the starts of
their chains, and hence every number, as they were. Populations, noise and design are described in
the script. {chains} chains of {draws} draws after {tune}: short ones, so that most do not pass the
strict test of their R-hat; replicates are counted whatever their status. The number of replicates
is what fitted into the time, whatever they showed.

Shares have Wilson's 95 % interval, which takes runs of one replicate for independent; beside it
stands one that draws whole replicates again. With so few, a cell of the first table cannot tell a
true 95 % from a true 85 %. RMSE: of ln for midpoint and rate, with the 95 % interval over
replicates drawn again; below 1 pooling is better. A run's own optimum can lie anywhere where its
plateau is not seen."""


def main() -> None:
    """Make what is missing, then the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=31)
    parser.add_argument("--table-only", action="store_true")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    arguments = parser.parse_args()
    if not arguments.table_only:
        simulate(arguments.replicates)
    arguments.out.write_text(page(read()), encoding="utf-8")
    print(arguments.out)


if __name__ == "__main__":
    main()
