"""How well the first half of a real curve foretells the second, beside the last value.

    python -m benchmarks.forecast --data FOLDER

FOLDER holds logged curves, as `benchmarks/real_curves.py` says. Every curve's record is appended to
results/forecast.jsonl as it is made, and a second start goes on from there; the table is written to
benchmarks/forecast.md.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from benchmarks.real_curves import FOLDER, read
from fitting.criteria import bic
from fitting.forecast import FIRST_PART, LEVEL, first_part, forecast, without_hindsight
from fitting.point import fit_many
from theory.curve import Curve
from theory.forms import COMMON, FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import noises_for

FloatArray = NDArray[np.float64]

HERE = Path(__file__).parent
RECORDS = HERE.parent / "results" / "forecast.jsonl"
KINDS = ("best form", "evidence average", "our forecast", "BIC average", "best form in hindsight")


def main() -> None:
    """Make the records that are missing, and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=FOLDER)
    parser.add_argument("--first", type=float, default=0.5, help="share of points that are seen")
    parser.add_argument("--curves", type=int, help="this many curves, evenly chosen, at most")
    args = parser.parse_args()
    RECORDS.parent.mkdir(exist_ok=True)
    curves = list(read(args.data))
    if args.curves:
        some = np.linspace(0, len(curves) - 1, min(args.curves, len(curves))).round().astype(int)
        curves = [curves[i] for i in some]
    done = {one["digest"] for one in records()}
    for i, (source, curve) in enumerate(curves):
        if curve.digest in done:
            continue
        one = scored(source, curve, args.first)
        with RECORDS.open("a") as file:
            file.write(json.dumps(one) + "\n")
        print(f"{i + 1}/{len(curves)} {curve.run} {curve.observable}", flush=True)
    text = table([one for one in records() if one["first"] == args.first], len(curves))
    (HERE / "forecast.md").write_text(text)
    print(text)


def records() -> list[dict[str, Any]]:
    """Read what has been made so far."""
    if not RECORDS.exists():
        return []
    return [json.loads(line) for line in RECORDS.read_text().splitlines()]


def scored(source: str, curve: Curve, first: float) -> dict[str, Any]:
    """Foretell one curve, and hold what came against it."""
    started = time.process_time()
    pairs = [(form, noise) for form in COMMON for noise in noises_for(curve)]
    hypotheses = [
        default_hypothesis(FORMS[f] if isinstance(f, str) else f, n, curve) for f, n in pairs
    ]
    found = forecast(curve, hypotheses, rng=np.random.default_rng(0), first=first)
    seconds = time.process_time() - started
    train = first_part(curve, found.n_train)
    naive = found.baseline_rmse or np.nan
    blind = [without_hindsight(h, curve, train) for h in hypotheses]
    rest = curve.y[found.n_train :]
    error = float(np.sqrt(np.mean((_bic_average(blind, train, curve) - rest) ** 2)))
    errors = [value for value in found.rmse if value is not None]
    return {
        "digest": curve.digest,
        "source": source,
        "run": f"{source}/{curve.run}",
        "observable": curve.observable,
        "n_obs": curve.n_obs,
        "first": first,
        "seconds": seconds,
        "coverage": found.coverage,
        "best form": found.best_ratio,
        "evidence average": found.average_ratio,
        "our forecast": found.rmse_ratio,
        "BIC average": error / naive,
        "best form in hindsight": min(errors) / naive if errors else None,
        "reason": found.reason,
    }


def _bic_average(hypotheses: list[Any], train: Curve, curve: Curve) -> FloatArray:
    """Mean of the best curves of all hypotheses, weighted by exp(-BIC / 2)."""
    fits = [f for f in fit_many(hypotheses, [train] * len(hypotheses)) if _fitted(f)]
    criteria = np.array([bic(f.log_likelihood, f.n_obs, f.n_free) for f in fits])
    weights = np.exp(-0.5 * (criteria - criteria.min()))
    ahead = curve.t[train.n_obs :]
    means = [f.hypothesis.form(ahead, f.theta[: len(f.hypothesis.form.names)]) for f in fits]
    return np.asarray(weights @ np.array(means) / weights.sum())


def _fitted(fit: Any) -> bool:
    return bool(np.isfinite(fit.log_likelihood) and np.all(np.isfinite(fit.theta)))


def table(found: list[dict[str, Any]], number: int) -> str:
    """Write the ratios of errors, by source and in all; `number` is how many curves there are."""
    some = [one for one in found if one["our forecast"] is not None]
    lines = [
        "# Forecasts of real curves",
        "",
        f"`python -m benchmarks.forecast`. The first {found[0]['first']:.0%} of the "
        f"points are seen, nothing else ({FIRST_PART:.0%} in `ontogeny propose`). Error (root mean "
        "square) over that of the last value (mean of the last 10 % of the seen points), geometric "
        "mean over curves, 95 % interval from 2,000 resamples of whole runs; share of curves on "
        f"which it is better; coverage of the {LEVEL:.0%} interval of single points. Records: "
        f"{len(found)}; curves: {number}.",
        "",
        "These are no blind figures: the median of the draws took the place of their mean after "
        "the mean had diverged on some of these very curves.",
        "",
        "| source | curves | runs | " + " | ".join(KINDS) + f" | coverage of {LEVEL:.0%} |",
        "|---" * (4 + len(KINDS)) + "|",
    ]
    for source in [*dict.fromkeys(one["source"] for one in some), "all"]:
        part = [one for one in some if source in ("all", one["source"])]
        cells = [_ratio(part, kind) for kind in KINDS]
        inside = _clustered(part, lambda rows: float(np.mean([r["coverage"] for r in rows])))
        runs = len({one["run"] for one in part})
        lines.append(f"| {source} | {len(part)} | {runs} | {' | '.join(cells)} | {inside} |")
    lines += ["", _left_out(found), ""]
    return "\n".join(lines)


def _ratio(part: list[dict[str, Any]], kind: str) -> str:
    def mean(rows: list[dict[str, Any]]) -> float:
        return float(np.exp(np.mean([np.log(max(r[kind], 1e-12)) for r in rows])))

    better = float(np.mean([r[kind] < 1.0 for r in part]))
    return f"{_clustered(part, mean)}; {better:.0%}"


def _clustered(
    part: list[dict[str, Any]], statistic: Callable[[list[dict[str, Any]]], float]
) -> str:
    runs: dict[str, list[dict[str, Any]]] = {}
    for one in part:
        runs.setdefault(one["run"], []).append(one)
    groups, rng = list(runs.values()), np.random.default_rng(0)
    values = []
    for _ in range(2000):
        chosen = rng.integers(len(groups), size=len(groups))
        values.append(statistic([row for i in chosen for row in groups[i]]))
    low, high = np.quantile(values, [0.025, 0.975])
    return f"{statistic(part):.3f} ({low:.3f} to {high:.3f})"


def _left_out(found: list[dict[str, Any]]) -> str:
    without = [one for one in found if one["our forecast"] is None]
    seconds = float(np.median([one["seconds"] for one in found]))
    named = "; ".join(f"{one['run']} {one['observable']}: {one['reason']}" for one in without)
    return (
        f"Without a forecast: {len(without)}{f' ({named})' if named else ''}. Processor time of a "
        f"forecast: {seconds:.1f} s (median)."
    )


if __name__ == "__main__":
    main()
