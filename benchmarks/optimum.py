"""How often the least-squares engine finds the optimum, and how fast beside lmfit.

Curves are simulated from every smooth form, with white or wandering noise, seen whole or cut short,
and every pair of a curve and a form drawn at random is fitted by `fit_many` and by lmfit from 64
starts drawn from the prior. The best sum of squares that either found is the truth; a fit succeeds
if it is within 1e-6 of it, relatively. Logged curves can be added. Run from the repository root:

    python benchmarks/optimum.py [--pairs 500] [--data FOLDER]     # writes benchmarks/optimum.md
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import lmfit
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from empirics.readers import read_curves
from fitting.point import fit_many
from theory.curve import Curve
from theory.form import Form
from theory.forms import FORMS
from theory.hypothesis import Hypothesis, default_hypothesis
from theory.noise import NOISES

FloatArray = NDArray[np.float64]

STARTS = 64
CLOSE = 1e-6
N_OBS = 100
NOISE_LEVELS = {"white": (0.02, 0.1), "ou_white": (0.05,)}
SMOOTH = [form for form in FORMS.values() if form.nonlinear and not form.breakpoints]


@dataclass(frozen=True)
class Pair:
    """A curve and a form, with the time and the sums of squares of both sides."""

    source: str
    form: str
    ours: float
    theirs: FloatArray
    seconds: float

    @property
    def least(self) -> float:
        """The best sum of squares known."""
        return min(self.ours, float(self.theirs.min()))


def simulated(rng: np.random.Generator) -> list[tuple[str, Curve]]:
    """Return curves of every smooth form, noise and truncation."""
    t = np.linspace(1.0, 1000.0, N_OBS)
    flat = Curve("y", t, t / t[-1])
    curves = []
    for form in SMOOTH:
        for noise, levels in NOISE_LEVELS.items():
            for level in levels:
                for last in (N_OBS, N_OBS // 2):
                    clean = _rising(form, flat, rng)
                    psi = {"sd_white": level, "sd_wander": level, "correlation_time": 60.0}
                    values = np.array([psi[name] for name in NOISES[noise].names])
                    y = NOISES[noise].simulate(clean, flat, values, rng=rng)
                    curves.append((f"{form.name}, {noise}", Curve("y", t[:last], y[:last])))
    return curves


def _rising(form: Form, flat: Curve, rng: np.random.Generator) -> FloatArray:
    """Draw a curve from the prior that changes by a twentieth at least, scaled to length 1."""
    hypothesis = default_hypothesis(form, NOISES["white"], flat)
    while True:
        theta = hypothesis.draw_prior(1, rng=rng)[0, : len(form.names)]
        y = np.asarray(form(flat.t, theta))
        if np.ptp(y) > 0.05 and np.all(np.isfinite(y)):
            return np.asarray(y / np.ptp(y))


def logged(folder: Path) -> list[tuple[str, Curve]]:
    """Return the curves of all CSV tables below a folder that need no telling how to read them."""
    curves = []
    for path in sorted(folder.rglob("*.csv")):
        try:
            found = read_curves(path).curves
        except ValueError:
            continue
        curves += [
            (f"{folder.name}/{path.parent.name}", curve)
            for curve in found
            if 10 <= curve.n_obs <= 2000 and np.ptp(curve.y) > 0
        ]
    return curves


def sums_by_lmfit(
    hypothesis: Hypothesis, curve: Curve, rng: np.random.Generator
) -> tuple[FloatArray, float]:
    """Return lmfit's sum of squares from each start, and the seconds all took."""
    form = hypothesis.form
    begin = time.process_time()
    sums = []
    for start in hypothesis.draw_prior(STARTS, rng=rng):
        parameters = lmfit.Parameters()
        for name, value in zip(form.names, start, strict=False):
            low, high = -np.inf, np.inf
            if name in form.nonlinear:
                low, high = (float(hypothesis.priors[name].ppf(u)) for u in (0.0, 1.0))
            parameters.add(name, float(value), True, low, high)

        def residuals(current: lmfit.Parameters) -> FloatArray:
            theta = np.array([current[name].value for name in form.names])
            rest = curve.y - np.asarray(form(curve.t, theta))
            return np.asarray(np.nan_to_num(rest, nan=1e6, posinf=1e6, neginf=-1e6))

        with np.errstate(all="ignore"):
            sums.append(float(lmfit.minimize(residuals, parameters, max_nfev=4000).chisqr))
    return np.array(sums), time.process_time() - begin


def measure(
    curves: Sequence[tuple[str, Curve]], number: int, rng: np.random.Generator
) -> tuple[list[Pair], float]:
    """Fit random pairs on both sides; return them, and our seconds a pair."""
    chosen = [
        (*curves[rng.integers(len(curves))], SMOOTH[rng.integers(len(SMOOTH))])
        for _ in range(number)
    ]
    chosen = [one for one in chosen if one[1].n_obs > len(one[2].names) + 1]
    hypotheses = [default_hypothesis(form, NOISES["white"], curve) for _, curve, form in chosen]
    only = [Curve("y", curve.t, curve.y) for _, curve, _ in chosen]
    fit_many(hypotheses[:1], only[:1])
    begin = time.process_time()
    fits = fit_many(hypotheses, only)
    ours = (time.process_time() - begin) / len(chosen)
    pairs = []
    for (source, curve, form), hypothesis, found in zip(chosen, hypotheses, fits, strict=True):
        rest = curve.y - np.asarray(form(curve.t, found.theta[: len(form.names)]))
        theirs, seconds = sums_by_lmfit(hypothesis, curve, rng)
        pairs.append(Pair(source, form.name, float(rest @ rest), theirs, seconds))
    return pairs, ours


def success(sums: FloatArray, pairs: Sequence[Pair]) -> float:
    """Return the share of pairs in which a sum of squares is the least known."""
    least = np.array([pair.least for pair in pairs])
    return float(np.mean(sums <= least * (1 + CLOSE) + 1e-24))


def table(title: str, pairs: Sequence[Pair], ours: float) -> list[str]:
    """Return one comparison as lines of Markdown."""
    mine = success(np.array([pair.ours for pair in pairs]), pairs)
    each = sum(pair.seconds for pair in pairs) / len(pairs) / STARTS
    lines = [
        f"## {title}: {len(pairs)} pairs",
        "",
        "| fit | found the least | ms a pair | time, ours = 1 |",
        "|---|---:|---:|---:|",
        f"| `fit_many` | {100 * mine:.1f} % | {1e3 * ours:.1f} | 1 |",
    ]
    for starts in (1, 4, 16, STARTS):
        found = success(np.array([pair.theirs[:starts].min() for pair in pairs]), pairs)
        seconds = starts * each
        lines.append(
            f"| lmfit, {starts} starts | {100 * found:.1f} % | {1e3 * seconds:.1f} "
            f"| {seconds / ours:.1f} |"
        )
    lines += ["", "| form | pairs | not found by `fit_many` | not by lmfit, 64 starts |"]
    lines += ["|---|---:|---:|---:|"]
    for name in dict.fromkeys(form.name for form in SMOOTH):
        some = [pair for pair in pairs if pair.form == name]
        if some:
            missed = [
                round(len(some) * (1 - success(np.array(sums), some)))
                for sums in ([p.ours for p in some], [p.theirs.min() for p in some])
            ]
            lines.append(f"| {name} | {len(some)} | {missed[0]} | {missed[1]} |")
    return [*lines, ""]


def many(rng: np.random.Generator, number: int = 1000) -> str:
    """Return the time of all forms on many curves of 200 points, on all processors."""
    t = np.linspace(1.0, 1000.0, 200)
    truth = FORMS["logistic"]
    flat = Curve("y", t, t / t[-1])
    curves = [
        Curve("y", t, _rising(truth, flat, rng) + 0.05 * rng.standard_normal(t.size))
        for _ in range(number)
    ]
    hypotheses = [default_hypothesis(f, NOISES["white"], c) for f in FORMS.values() for c in curves]
    begin = time.perf_counter()
    fit_many(hypotheses, curves * len(FORMS), workers=2)
    seconds = time.perf_counter() - begin
    return (
        f"{number:,} curves of 200 points × {len(FORMS)} forms, two threads: {seconds:.0f} s "
        f"({1e3 * seconds / len(hypotheses):.2f} ms a fit)."
    )


def main() -> None:
    """Measure and write the table beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--data", type=Path, help="a folder of logged curves, as CSV tables")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    for form in FORMS.values():
        form.compile()
    versions = ", ".join(f"{name} {version(name)}" for name in ("lmfit", "numpy", "scipy"))
    lines = [
        "# The least-squares optimum",
        "",
        "Made by `python benchmarks/optimum.py`; see there for what is compared. Processor time of",
        f"one thread; {versions}; Python {platform.python_version()}, {platform.machine()}.",
        "",
    ]
    with threadpool_limits(1):
        sources = [("simulated curves", simulated(rng))]
        if arguments.data is not None:
            sources.append(("logged curves", logged(arguments.data)))
        for title, curves in sources:
            lines += table(title, *measure(curves, arguments.pairs, rng))
        lines += ["## Many curves", "", many(rng)]
    arguments.out.write_text("\n".join(lines) + "\n")
    print("\n".join(lines), arguments.out, sep="\n")


if __name__ == "__main__":
    main()
