"""Accuracy and time of the log evidence against independent referees, and of other methods.

    python benchmarks/evidence.py [--seeds 10] [--peer-seeds 2] [--without-peers]

Writes benchmarks/evidence.md. Peers that are not installed are named in the table; they come with
the dependency group `bench`.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from benchmarks.evidence_peers import PEERS, NotInstalled
from benchmarks.evidence_referees import (
    Truth,
    by_quadrature,
    by_sampling,
    collapsed,
    counted,
)
from fitting.evidence import log_evidence
from theory.curve import Curve
from theory.forms import FORMS
from theory.hypothesis import Hypothesis, default_hypothesis
from theory.noise import NOISES

FloatArray = NDArray[np.float64]
Estimate = tuple[float | None, str]

HERE = Path(__file__).parent
OURS = "ours"
WELL = "no status"


@dataclass(frozen=True)
class Case:
    """A curve and a hypothesis, the error sought in nats, and whether peers are run on it."""

    name: str
    curve: Curve
    hypothesis: Hypothesis
    sought: float
    with_peers: bool = False


@dataclass(frozen=True)
class Row:
    """Errors and seconds of one method on one case."""

    case: str
    method: str
    errors: tuple[float, ...]
    statuses: Counter[str]
    seconds: float


def cases() -> Iterator[Case]:
    """Curves whose truth is known, each with the form it was made from unless said otherwise."""
    line = _line()
    yield _case("line, known errors", line, "linear", "known_se", 0.02)
    yield _case("line, white", Curve("x", line.t, line.y), "linear", "white", 0.02)
    seen = _steps(200, 10.0, 0.05, (1.2, 5.0, 0.9))
    yield _case("logistic, white, plateau seen", seen, "logistic", "white", 0.02, True)
    unseen = _steps(25, 4.2, 0.03, (1.2, 5.0, 0.9))
    yield _case("logistic, white, plateau unseen", unseen, "logistic", "white", 0.02, True)
    two = _steps(150, 10.0, 0.05, (3.0, 3.0, 0.4), (3.0, 7.0, 0.6))
    yield _case("two stages, white", two, "double_logistic", "white", 0.05, True)
    three = _steps(200, 10.0, 0.05, (5.0, 2.0, 0.4), (5.0, 5.0, 0.4), (5.0, 8.0, 0.4))
    yield _case("three stages, white", three, "triple_logistic", "white", 0.05)
    yield _case("two-stage form on one stage, white", seen, "double_logistic", "white", 0.05)
    yield _case("logistic, wander and white", _wandering(), "logistic", "ou_white", 0.05)
    yield _case("logistic, binomial", _counts(), "logistic", "binomial", 0.05)


def _case(
    name: str, curve: Curve, form: str, noise: str, sought: float, with_peers: bool = False
) -> Case:
    hypothesis = default_hypothesis(FORMS[form], NOISES[noise], curve)
    return Case(name, curve, hypothesis, sought, with_peers)


def _line() -> Curve:
    rng = np.random.default_rng(5)
    t = np.sort(rng.uniform(0.1, 8, 30))
    return Curve("x", t, 0.3 * t + 0.4 * rng.standard_normal(30), y_se=rng.uniform(0.3, 0.5, 30))


def _steps(n: int, last: float, sd: float, *steps: tuple[float, float, float]) -> Curve:
    """Sum of logistic steps (rate, midpoint, rise) on 0.1, with white noise."""
    t = np.linspace(last / n, last, n)
    y = 0.1 + sum(rise * expit(rate * (t - place)) for rate, place, rise in steps)
    return Curve("x", t, y + sd * np.random.default_rng(11).standard_normal(n))


def _wandering() -> Curve:
    rng = np.random.default_rng(4)
    t = np.linspace(1.0, 60.0, 40)
    clean = expit(0.2 * (t - 30.0))
    psi = np.array([0.1, 6.0, 0.03])
    y = NOISES["ou_white"].simulate(clean, Curve("x", t, clean), psi, rng=rng)
    return Curve("x", t, y)


def _counts() -> Curve:
    rng = np.random.default_rng(9)
    t, trials = np.linspace(0.5, 10, 20), np.full(20, 30)
    p = 0.2 + 0.6 * expit(1.5 * (t - 5))
    return Curve("p", t, rng.binomial(trials, p) / trials, n_trials=trials)


def truth(case: Case) -> Truth:
    """Ask the referee that suits."""
    hypothesis, curve = case.hypothesis, case.curve
    if hypothesis.noise.name == "known_se":
        return Truth(float(collapsed(hypothesis, curve)[1](np.empty((1, 0)))[0]), 0.0, "closed")
    if hypothesis.form.name == "linear":
        return by_quadrature(collapsed(hypothesis, curve)[1], (2000,))
    if hypothesis.form.name == "logistic" and hypothesis.noise.name == "white":
        points = (32, 32, 32) if curve.n_obs > 100 else (80, 240, 24)
        return by_quadrature(collapsed(hypothesis, curve)[1], points)
    names, log_density = (counted if hypothesis.noise.name == "binomial" else collapsed)(
        hypothesis, curve
    )
    return by_sampling(
        log_density,
        _guide(case, names),
        size=150_000 if hypothesis.noise.name == "ou_white" else 400_000,
        rng=np.random.default_rng(1000),
    )


def _guide(case: Case, names: tuple[str, ...]) -> FloatArray:
    """Deviates of posterior draws: where the referee looks first."""
    parts = []
    for seed in range(100, 105):
        found = log_evidence(
            case.hypothesis, case.curve, rng=np.random.default_rng(seed), draws=4000
        )
        columns = [found.names.index(name) for name in names]
        parts.append(case.hypothesis.standard(found.draws[:, columns], names))
    return np.concatenate(parts)


def ours(case: Case, seed: int) -> Estimate:
    """Run the estimator under test."""
    found = log_evidence(case.hypothesis, case.curve, rng=np.random.default_rng(seed))
    return found.log_evidence, str(found.status) or WELL


def measured(
    case: Case,
    known: Truth,
    method: str,
    estimate: Callable[[Case, int], Estimate],
    seeds: int,
) -> Row:
    """Run a method with several seeds."""
    errors, statuses, seconds = [], Counter[str](), []
    for seed in range(seeds):
        started = time.perf_counter()
        value, status = estimate(case, seed)
        seconds.append(time.perf_counter() - started)
        statuses[status] += 1
        if value is not None:
            errors.append(value - known.value)
    print(f"{case.name} | {method} | {np.round(errors, 4)} | {np.round(seconds, 2)}", flush=True)
    return Row(case.name, method, tuple(errors), statuses, float(np.median(seconds)))


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--peer-seeds", type=int, default=2)
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    args = parser.parse_args()
    chosen = [case for case in cases() if args.only in case.name]
    truths = {case.name: truth(case) for case in chosen}
    for name, known in truths.items():
        print(name, known, flush=True)
    ours(chosen[0], 0)  # compiled before it is timed
    rows = [measured(c, truths[c.name], OURS, ours, args.seeds) for c in chosen]
    absent: dict[str, str] = {}
    for case in [] if args.without_peers else [c for c in chosen if c.with_peers]:
        for name, peer in PEERS.items():
            try:
                rows.append(measured(case, truths[case.name], name, peer, args.peer_seeds))
            except NotInstalled as missing:
                absent[name] = str(missing)
            if not args.only:  # peers are slow: what is known so far is kept
                (HERE / "evidence.md").write_text(table(chosen, truths, rows, absent))
    text = table(chosen, truths, rows, absent)
    if not args.only:
        (HERE / "evidence.md").write_text(text)
    print(text)


def table(
    chosen: list[Case], truths: dict[str, Truth], rows: list[Row], absent: dict[str, str]
) -> str:
    """Write truths, our errors and those of the peers."""
    lines = [
        "# Log evidence against referees",
        "",
        "`python benchmarks/evidence.py`, one core. Errors in nats, estimate minus referee, over "
        "seeds; seconds of one estimate (median). Referees are written apart from the estimator: "
        "dense algebra, then a closed form, a grid, or a long run of importance sampling from a "
        "wide mixture and the prior.",
        "",
        "| case | log evidence | its error | referee |",
        "|---|---|---|---|",
    ]
    for case in chosen:
        known = truths[case.name]
        lines.append(f"| {case.name} | {known.value:.4f} | {known.se:.4f} | {known.how} |")
    lines += ["", "## Ours", "", _head("sought")]
    for case in chosen:
        row = next(r for r in rows if r.case == case.name and r.method == OURS)
        largest = max(map(abs, row.errors), default=np.inf)
        verdict = f"{case.sought} {'met' if largest <= case.sought else '**missed**'}"
        lines.append(_line_of(row, case.name, verdict))
    peers = [row for row in rows if row.method != OURS]
    if peers or absent:
        lines += ["", "## Other methods", "", _head("method")]
        lines += [_line_of(row, row.case, row.method) for row in peers]
        lines += [f"| every case | {name}: {reason} |||||||" for name, reason in absent.items()]
    return "\n".join([*lines, ""])


def _head(column: str) -> str:
    names = (column, "runs", "mean error", "sd", "largest", "statuses", "s")
    return f"| case | {' | '.join(names)} |\n" + "|---" * (len(names) + 1) + "|"


def _line_of(row: Row, case: str, second: str) -> str:
    runs = sum(row.statuses.values())
    statuses = "; ".join(f"{n} {status}" for status, n in row.statuses.items())
    if not row.errors:
        return (
            f"| {case} | {second} | {runs} | none | none | none | {statuses} | {row.seconds:.2f} |"
        )
    errors = np.array(row.errors)
    sd = f"{errors.std(ddof=1):.4f}" if errors.size > 1 else "one run"
    numbers = f"{errors.mean():+.4f} | {sd} | {np.abs(errors).max():.4f}"
    return f"| {case} | {second} | {runs} | {numbers} | {statuses} | {row.seconds:.2f} |"


if __name__ == "__main__":
    main()
