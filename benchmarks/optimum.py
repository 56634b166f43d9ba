"""Whether point fits find the optimum, how fast, and lmfit beside them.

    python -m benchmarks.optimum [--data FOLDER] [--each 5] [--pairs 90] [--only-many]

Curves: from every registered form with parameters drawn from its default priors, under white noise
of 2, 5 and 15 % of the change, seen whole or only to half of their time; and every real curve of
the folder, if there is one. Every smooth form is fitted to every curve (`fitting.point.fit_many`).
The best sum of squares known of a pair is the least of: this fit, the same descent from 48 random
draws of the prior, and on a sample of pairs lmfit from 64 random draws. A fit has found the optimum
if its sum of squares is within 1e-6 of that, relatively.

lmfit's side: `lmfit.minimize(method="leastsq")` on the form's compiled expression, bounds as the
priors have them, linear parameters started at their least-squares values. It needs as many starts
as bring its own share of successes to ours; times are processor seconds of one thread.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import lmfit
import numpy as np
from numpy.typing import NDArray

from benchmarks.real_curves import FOLDER, read
from fitting.optimum.coordinates import coordinates
from fitting.optimum.descent import descend_in_chunks
from fitting.optimum.projection import project
from fitting.point import fit_many
from theory.curve import Curve
from theory.form import Form
from theory.forms import FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import White

FloatArray = NDArray[np.float64]

SMOOTH = tuple(form for form in FORMS.values() if not form.breakpoints)
N = 80
T = np.linspace(1.0, 100.0, N)
SCATTERS = (0.02, 0.05, 0.15)
SEEN = (1.0, 0.5)
RANDOM = 48
LMFIT = 64
CLOSE = 1e-6
LEAST_CHANGE = 0.2
SEED = 7
MANY = "## Many curves"


@dataclass(eq=False)
class Pair:
    """One form on one curve: sums of squares, and what each way of finding them took."""

    source: str
    form: Form
    curve: Curve
    ours: float
    best: float = np.inf
    others: FloatArray = field(default_factory=lambda: np.empty(0))
    seconds: float = 0.0

    @property
    def found(self) -> bool:
        """Whether this fit is the best known, to rounding of the curve's own square."""
        rounding = 1e-15 * float(np.square(self.curve.y - self.curve.y.mean()).sum())
        return self.ours <= self.best * (1 + CLOSE) + rounding


def simulated(each: int) -> list[Curve]:
    """Curves of every form, scatter and part seen."""
    rng = np.random.default_rng(SEED)
    curves = []
    for form in FORMS.values():
        for seen in SEEN:
            template = Curve("y", T / seen, np.linspace(0.0, 1.0, N))
            hypothesis = default_hypothesis(form, White(), template)
            for sd in SCATTERS:
                for k in range(each):
                    truth = _drawn(hypothesis, form, rng)
                    y = truth + sd * rng.standard_normal(N)
                    curves.append(Curve("y", T, y, run=f"{form.name} {sd} {seen} {k}"))
    return curves


def _drawn(hypothesis, form: Form, rng: np.random.Generator) -> FloatArray:
    """Draw a curve that changes on the window, by 1."""
    for _ in range(1000):
        z = rng.standard_normal((1, len(form.names)))
        theta = hypothesis.transport(z, form.names)
        with np.errstate(all="ignore"):
            values = np.asarray(form(T, theta))[0]
        change = float(np.ptp(values))
        if np.isfinite(change) and (change > LEAST_CHANGE or form.name == "constant"):
            return values / change if change else values
    raise RuntimeError(f"{form.name} never changes on the window.")


def fitted(curves: Sequence[Curve], source: str) -> list[Pair]:
    """Fit every smooth form to every curve, those on one grid together."""
    pairs = []
    for form in SMOOTH:
        hypotheses = [default_hypothesis(form, White(), curve) for curve in curves]
        started = time.process_time()
        fits = fit_many(hypotheses, curves)
        seconds = (time.process_time() - started) / len(curves)
        for curve, fit in zip(curves, fits, strict=True):
            square = np.inf
            if np.isfinite(fit.theta).all():
                values = np.asarray(form(curve.t, fit.theta[: len(form.names)]))
                square = float(np.square(curve.y - values).sum())
            pairs.append(Pair(source, form, curve, square, best=square, seconds=seconds))
    return pairs


def random_descents(pairs: Sequence[Pair]) -> None:
    """Descend from random draws of the prior, on every pair of one form and one grid at once."""
    groups: dict[tuple[str, bytes], list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[pair.form.name, pair.curve.t.tobytes()].append(pair)
    for (name, _), members in groups.items():
        form, first = FORMS[name], members[0].curve
        if not form.nonlinear:
            continue
        rng = np.random.default_rng([SEED, 1])
        hypothesis = default_hypothesis(form, White(), first)
        space = coordinates(hypothesis, first, form.nonlinear)
        z = rng.standard_normal((RANDOM, len(form.nonlinear)))
        x = np.tile(space.of(hypothesis.transport(z, form.nonlinear)), (len(members), 1))
        y = np.stack([pair.curve.y - pair.curve.y.mean() for pair in members])
        owner = np.repeat(np.arange(len(members)), RANDOM)
        still = np.zeros(x.shape, dtype=bool)
        weight = np.ones_like(y)

        def evaluate(at: FloatArray, rows, form=form, t=first.t, y=y, weight=weight, space=space):
            return project(form, t, y, weight, rows, space.natural(at))

        with np.errstate(all="ignore"):
            _, end, _ = descend_in_chunks(evaluate, space, x, owner, still, rounds=150)
        if "floor" not in form.linear:
            continue  # the mean was taken off, which only a floor gives back
        least = end.square.reshape(len(members), RANDOM).min(axis=1)
        for pair, square in zip(members, least, strict=True):
            pair.best = min(pair.best, float(square))


def by_lmfit(pair: Pair, rng: np.random.Generator) -> float:
    """Fit a pair by lmfit from random starts; keep every sum of squares, return seconds a start."""
    form, curve = pair.form, pair.curve
    hypothesis = default_hypothesis(form, White(), curve)
    bounds = {
        name: tuple(float(hypothesis.priors[name].ppf(u)) for u in (0.0, 1.0))
        for name in form.nonlinear
    }

    def residuals(current: lmfit.Parameters) -> FloatArray:
        theta = np.array([current[name].value for name in form.names])
        with np.errstate(all="ignore"):
            rest = curve.y - np.asarray(form(curve.t, theta))
        return np.nan_to_num(rest, nan=1e6, posinf=1e6, neginf=-1e6)

    starts = hypothesis.transport(rng.standard_normal((LMFIT, len(form.nonlinear))), form.nonlinear)
    squares = []
    started = time.process_time()
    for start in starts:
        with np.errstate(all="ignore"):
            columns = np.nan_to_num(form.design(curve.t, start[None])[0], posinf=0.0, neginf=0.0)
        linear = np.linalg.lstsq(columns, curve.y, rcond=None)[0]
        parameters = lmfit.Parameters()
        for name in form.names:
            if name in bounds:
                low, high = bounds[name]
                parameters.add(name, float(start[form.nonlinear.index(name)]), True, low, high)
            else:
                parameters.add(name, float(linear[form.linear.index(name)]))
        result = lmfit.minimize(
            residuals, parameters, method="leastsq", ftol=1e-12, xtol=1e-12, max_nfev=2000
        )
        squares.append(float(np.square(result.residual).sum()))
    pair.others = np.array(squares)
    pair.best = min(pair.best, float(pair.others.min()))
    return (time.process_time() - started) / LMFIT


def share(pairs: Sequence[Pair]) -> str:
    """Write the share of pairs whose optimum was found, and how many were not."""
    missed = sum(not pair.found for pair in pairs)
    return f"{100 * (1 - missed / len(pairs)):.2f} % ({missed} of {len(pairs)} missed)"


def starts_needed(pairs: Sequence[Pair]) -> tuple[float, int | None, float]:
    """Our share of successes, the starts lmfit needs for it, and what all its starts reach."""
    ours = float(np.mean([pair.found for pair in pairs]))
    reached = np.array(
        [np.minimum.accumulate(p.others) <= p.best * (1 + CLOSE) for p in pairs]
    ).mean(axis=0)
    enough = np.flatnonzero(reached >= ours)
    return ours, int(enough[0]) + 1 if enough.size else None, float(reached[-1])


def lmfit_table(pairs: list[Pair], number: int) -> list[str]:
    """Fit a sample by lmfit too, evenly over forms with nonlinear parameters."""
    rng = np.random.default_rng([SEED, 2])
    lines = [
        "| nonlinear parameters | pairs | found by us | lmfit, one start | lmfit, 64 starts "
        "| starts for our share | lmfit, ms a start | ours, ms | times faster |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    groups: dict[str, list[tuple[Pair, float]]] = defaultdict(list)
    forms = [form for form in SMOOTH if form.nonlinear]
    for k in range(number):
        form = forms[k % len(forms)]
        some = [pair for pair in pairs if pair.form is form]
        pair = some[int(rng.integers(len(some)))]
        groups[str(len(form.nonlinear))].append((pair, by_lmfit(pair, rng)))
        print(f"lmfit: {k + 1} of {number}, {form.name}", flush=True)
    for name, members in [*sorted(groups.items()), ("all", sum(groups.values(), []))]:
        chosen = [pair for pair, _ in members]
        ours, starts, reached = starts_needed(chosen)
        one = np.mean([p.others[0] <= p.best * (1 + CLOSE) for p in chosen])
        theirs = float(np.mean([seconds for _, seconds in members]))
        mine = float(np.mean([pair.seconds for pair in chosen]))
        ratio = theirs * (starts or LMFIT) / mine
        lines.append(
            f"| {name} | {len(chosen)} | {100 * ours:.1f} % | {100 * one:.0f} % | "
            f"{100 * reached:.1f} % | {starts or f'more than {LMFIT}'} | {1e3 * theirs:.1f} | "
            f"{1e3 * mine:.2f} | {'' if starts else '> '}{ratio:.0f} |"
        )
    return lines


def many(number: int = 1000) -> list[str]:
    """Time all forms on many curves at once, with as many threads as there are processors."""
    rng = np.random.default_rng([SEED, 3])
    curves = []
    for _ in range(number):
        rate, midpoint, sd = rng.uniform(0.05, 0.5), rng.uniform(5, 95), rng.choice(SCATTERS)
        y = 1 / (1 + np.exp(-rate * (T - midpoint))) + sd * rng.standard_normal(N)
        curves.append(Curve("y", T, y))
    pairs = [(default_hypothesis(f, White(), c), c) for f in FORMS.values() for c in curves]
    threads = os.cpu_count() or 1
    load = os.getloadavg()[0]
    wall, busy = time.perf_counter(), time.process_time()
    fit_many([h for h, _ in pairs], [c for _, c in pairs], workers=threads)
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    forms = len(FORMS)
    return [
        f"{number} curves of {N} points × {forms} forms in {wall:.0f} s with {threads} threads "
        f"({busy:.0f} s of processor time, {1e3 * busy / len(pairs):.2f} ms a fit); 28 of {forms} "
        f"forms, evenly, are {wall * 28 / forms:.0f} s. Load of the machine before it: {load:.1f}."
    ]


def missed_table(pairs: Sequence[Pair]) -> list[str]:
    """List forms whose optimum was missed, and by how much."""
    lines = ["| form | missed | of | largest excess of the sum of squares |", "|---|---|---|---|"]
    for form in SMOOTH:
        own = [pair for pair in pairs if pair.form is form]
        missed = [pair for pair in own if not pair.found]
        if missed:
            worst = max(pair.ours / pair.best - 1 for pair in missed)
            lines.append(f"| {form.name} | {len(missed)} | {len(own)} | {worst:.1e} |")
    return lines if len(lines) > 2 else ["None was missed."]


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=FOLDER)
    parser.add_argument("--each", type=int, default=5, help="curves a form, scatter and part seen")
    parser.add_argument("--pairs", type=int, default=90, help="pairs that lmfit fits too")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    parser.add_argument("--only-many", action="store_true", help="only the last section anew")
    args = parser.parse_args()
    if args.only_many:
        before = args.out.read_text(encoding="utf-8").partition(MANY)[0]
        args.out.write_text("\n".join([before + MANY, "", *many(), ""]), encoding="utf-8")
        return
    for form in FORMS.values():
        form.compile()
    made = simulated(args.each)
    real = [curve for _, curve in read(args.data)] if args.data.exists() else []
    fit_many([default_hypothesis(f, White(), made[0]) for f in SMOOTH], [made[0]] * len(SMOOTH))
    pairs = fitted(made, "simulated") + (fitted(real, "real") if real else [])
    print(f"fitted {len(pairs)} pairs", flush=True)
    random_descents(pairs)
    print("descended from random starts", flush=True)
    beside = lmfit_table(pairs, args.pairs)
    groups = {"simulated": len(made), "real": len(real)}
    lines = ["| curves | number | optimum found |", "|---|---|---|"]
    for source, number in groups.items():
        own = [pair for pair in pairs if pair.source == source]
        if own:
            lines.append(f"| {source} | {number} | {share(own)} |")
    lines.append(f"| all | {len(made) + len(real)} | {share(pairs)} |")
    text = "\n".join(
        [
            "# Optimum of point fits",
            "",
            f"`python -m benchmarks.optimum --each {args.each} --pairs {args.pairs}`, seed {SEED}; "
            f"{os.cpu_count()} processors, Python {platform.python_version()}, lmfit "
            f"{lmfit.__version__}. What is measured is said in the script.",
            "",
            f"## Share of (curve, smooth form) pairs, {len(SMOOTH)} forms",
            "",
            *lines,
            "",
            *missed_table(pairs),
            "",
            "## Beside lmfit",
            "",
            *beside,
            "",
            MANY,
            "",
            *many(),
            "",
        ]
    )
    args.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
