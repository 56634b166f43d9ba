"""How often 95 % intervals of a form's parameters cover the truth, and what they cost.

    python benchmarks/interval_coverage.py --curves 250

Every curve's record is appended to results/interval_coverage.jsonl as it is made, and a second
start goes on from there; the table is written to benchmarks/interval_coverage.md.
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

import lmfit
import numpy as np
from numpy.typing import NDArray

from fitting.evidence import log_evidence
from fitting.fit import PointFit
from fitting.optimum.intervals import intervals
from fitting.point import fit, fit_many
from theory.curve import Curve
from theory.forms import FORMS
from theory.hypothesis import Hypothesis, default_hypothesis
from theory.noise import NOISES

FloatArray = NDArray[np.float64]

HERE = Path(__file__).parent
RECORDS = HERE.parent / "results" / "interval_coverage.jsonl"
T = np.linspace(1.0, 100.0, 60)
SD = 0.08
WALD = 1.959963984540054
TIMED = 50

# Form, its true parameters, correlation of neighboring points, and those whose intervals count.
DESIGNS: dict[str, tuple[str, dict[str, float], float, tuple[str, ...]]] = {
    "logistic, rho 0": (
        "logistic",
        {"floor": 0.1, "gain": 0.8, "rate": 0.15, "midpoint": 45.0},
        0.0,
        ("rate", "midpoint", "gain"),
    ),
    "logistic, rho 0.8": (
        "logistic",
        {"floor": 0.1, "gain": 0.8, "rate": 0.15, "midpoint": 45.0},
        0.8,
        ("rate", "midpoint", "gain"),
    ),
    "hill, rho 0": (
        "hill",
        {"floor": 0.1, "gain": 0.8, "midpoint": 40.0, "exponent": 3.0},
        0.0,
        ("exponent", "midpoint", "gain"),
    ),
}
METHODS = (
    "Wald, white",
    "profile, white",
    "profile, ar1_white",
    "posterior, white",
    "posterior, ar1_white",
)


def main() -> None:
    """Make the records that are missing, and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--curves", type=int, default=250, help="of each design")
    args = parser.parse_args()
    RECORDS.parent.mkdir(exist_ok=True)
    done = {(one["design"], one["seed"]) for one in records()}
    for seed in range(args.curves):
        for design in DESIGNS:
            if (design, seed) not in done:
                with RECORDS.open("a") as file:
                    file.write(json.dumps(record(design, seed)) + "\n")
        print(f"{seed + 1}/{args.curves}", flush=True)
    text = table([one for one in records() if one["seed"] < args.curves], timing())
    (HERE / "interval_coverage.md").write_text(text)
    print(text)


def records() -> list[dict[str, Any]]:
    """Read what has been made so far."""
    if not RECORDS.exists():
        return []
    return [json.loads(line) for line in RECORDS.read_text().splitlines()]


def simulated(design: str, seed: int) -> Curve:
    """Draw a curve whose noise is a stationary AR(1) of sd `SD`."""
    name, truth, rho, _ = DESIGNS[design]
    form = FORMS[name]
    rng = np.random.default_rng([list(DESIGNS).index(design), seed])
    shocks = SD * rng.standard_normal(T.size)
    noise = shocks.copy()
    for i in range(1, T.size):
        noise[i] = rho * noise[i - 1] + np.sqrt(1 - rho**2) * shocks[i]
    return Curve("y", T, form(T, np.array([truth[n] for n in form.names])) + noise)


def record(design: str, seed: int) -> dict[str, Any]:
    """All intervals of one curve, with what they took."""
    form, _, _, names = DESIGNS[design]
    curve = simulated(design, seed)
    ends: dict[str, list[list[float | None]]] = {}
    seconds: dict[str, float] = {}
    for noise in ("white", "ar1_white"):
        hypothesis = default_hypothesis(FORMS[form], NOISES[noise], curve)
        found = fit(hypothesis, curve)
        if noise == "white":
            ends["Wald, white"] = _finite(wald(found, names))
        started = time.perf_counter()
        both = np.stack((found.lower, found.upper), axis=1)
        seconds[f"profile, {noise}"] = time.perf_counter() - started
        ends[f"profile, {noise}"] = _finite(both[_places(hypothesis, names)])
        started = time.perf_counter()
        rng = np.random.default_rng([seed, 1])
        draws = log_evidence(hypothesis, curve, rng=rng).draws
        seconds[f"posterior, {noise}"] = time.perf_counter() - started
        both = np.full((len(hypothesis.names), 2), np.nan)
        if len(draws):
            both = np.quantile(draws, [0.025, 0.975], axis=0).T
        ends[f"posterior, {noise}"] = _finite(both[_places(hypothesis, names)])
    return {"design": design, "seed": seed, "ends": ends, "seconds": seconds}


def _places(hypothesis: Hypothesis, names: tuple[str, ...]) -> list[int]:
    return [hypothesis.names.index(name) for name in names]


def wald(found: PointFit, names: tuple[str, ...]) -> FloatArray:
    """Intervals (k, 2) of 1.96 standard errors, of the logarithm for rates and exponents."""
    rows = []
    for i in _places(found.hypothesis, names):
        value, se = found.theta[i], found.se[i]
        if found.names[i] in ("rate", "exponent"):
            rows.append(value * np.exp(np.array([-1, 1]) * WALD * se / value))
        else:
            rows.append(value + np.array([-1, 1]) * WALD * se)
    return np.array(rows)


def _finite(ends: FloatArray) -> list[list[float | None]]:
    return [[float(x) if np.isfinite(x) else None for x in row] for row in ends]


def timing() -> dict[str, float]:
    """Milliseconds a fit of the logistic's intervals under white noise, ours and lmfit's."""
    curves = [simulated("logistic, rho 0", seed) for seed in range(TIMED)]
    hypotheses = [default_hypothesis(FORMS["logistic"], NOISES["white"], c) for c in curves]
    fits = fit_many(hypotheses, curves)
    intervals(fits[:1])
    started = time.perf_counter()
    intervals(fits)
    together = time.perf_counter() - started
    alone, theirs = [], []
    for one in fits:
        alone.append(_seconds(lambda one=one: intervals([one])))
        minimizer, result = _lmfit(one)
        theirs.append(
            _seconds(lambda m=minimizer, r=result: lmfit.conf_interval(m, r, sigmas=[0.95]))
        )
    return {
        "ours, alone": 1e3 * float(np.median(alone)),
        f"ours, {TIMED} at once": 1e3 * together / TIMED,
        "lmfit.conf_interval": 1e3 * float(np.median(theirs)),
    }


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _lmfit(found: PointFit) -> tuple[lmfit.Minimizer, Any]:
    form = found.hypothesis.form
    parameters = lmfit.Parameters()
    for name, value in zip(form.names, found.theta, strict=False):
        parameters.add(name, float(value))

    def residuals(current: lmfit.Parameters) -> FloatArray:
        theta = np.array([current[name].value for name in form.names])
        return np.asarray(found.curve.y - form(found.curve.t, theta))

    minimizer = lmfit.Minimizer(residuals, parameters)
    return minimizer, minimizer.minimize(method="leastsq")


def table(found: list[dict[str, Any]], milliseconds: dict[str, float]) -> str:
    """Write coverage, widths and times."""
    number = min(sum(one["design"] == design for one in found) for design in DESIGNS)
    error = 100 * np.sqrt(0.95 * 0.05 / number)
    lines = [
        "# Coverage of 95 % intervals",
        "",
        f"`python benchmarks/interval_coverage.py --curves {number}`, {os.cpu_count()} cores (one "
        f"is used), seeds 0 to {number - 1}. {T.size} points, noise of sd {SD}, a tenth of the "
        "gain; rho is the correlation of neighboring points. Share of curves whose interval holds "
        f"the truth, with the width's median in brackets; {number} curves a row, so that a true "
        f"95 % has a binomial error of {error:.1f} points (one sd). An open side holds what lies "
        "on it; a missing interval holds nothing.",
        "",
        "Wald: 1.96 standard errors, of the logarithm for rates and exponents. Profile: deviance "
        "below 3.84. Posterior: central 95 % of the draws behind the evidence, default priors. "
        "white and ar1_white name the noise of the fit; the latter's correlation is fitted, and "
        "profiled or integrated out.",
        "",
        "Maximum likelihood takes part of the wander into the form and underrates what is left, "
        "and so does its profile, whatever the search; integrating over the wander does not.",
        "",
    ]
    for design, (_, truth, _, names) in DESIGNS.items():
        some = [one for one in found if one["design"] == design]
        lines += [f"## {design}", "", f"| interval | {' | '.join(names)} | all | seconds |"]
        lines.append("|---" * (len(names) + 3) + "|")
        for method in METHODS:
            ends = np.array([one["ends"][method] for one in some], dtype=np.float64)
            true = np.array([truth[name] for name in names])
            hits = _covered(ends, true)
            width = np.median(np.nan_to_num(ends[..., 1] - ends[..., 0], nan=np.inf), axis=0)
            cells = [
                f"{100 * h:.1f} % ({w:.3g})" for h, w in zip(hits.mean(axis=0), width, strict=True)
            ]
            times = [one["seconds"][method] for one in some if method in one["seconds"]]
            spent = f"{np.median(times):.3f}" if times else ""
            lines.append(
                f"| {method} | {' | '.join(cells)} | {100 * hits.mean():.1f} % | {spent} |"
            )
        lines.append("")
    lines += ["Seconds: median of one curve's intervals, without the point fit.", ""]
    lines += ["## Time", "", "Logistic, white noise, milliseconds a fit.", ""]
    lines += ["| " + " | ".join(milliseconds) + " |", "|---" * len(milliseconds) + "|"]
    lines += ["| " + " | ".join(f"{v:.1f}" for v in milliseconds.values()) + " |", ""]
    return "\n".join(lines)


def _covered(ends: FloatArray, true: FloatArray) -> NDArray[np.bool_]:
    """Whether intervals (C, k, 2) hold the truth (k,), one open side counting as endless."""
    low, high = ends[..., 0], ends[..., 1]
    there = np.isfinite(low) | np.isfinite(high)
    return there & ~(low > true) & ~(high < true)


if __name__ == "__main__":
    main()
