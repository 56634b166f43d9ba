"""Predictions of mechanisms, integrated at the actual conditions, against really trained agents.

    python -m benchmarks.discriminating_tests [--seeds N]

Each row is one number. What is predicted is computed by the mechanism (`theory.mechanisms`) from
the conditions that the agents carry, without looking at them; what is observed comes from agents of
`empirics.bandit` and `empirics.lock`, which know no theory. Intervals are 95 %, by resampling runs.
A row fails where the prediction lies outside its interval by more than its stated allowance. The
table is written to benchmarks/discriminating_tests.md.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from benchmarks.prediction_rows import (
    Row,
    ladder_slope,
    median_onset,
    resampled,
    resolution,
    slope,
    write_page,
)
from empirics.bandit import bandit_onsets, train_bandits
from empirics.bandit_cell import BanditCell
from empirics.lock import lock_onsets
from empirics.lock_cell import LockCell
from theory.mechanisms import MECHANISMS

FloatArray = NDArray[np.float64]
HERE = Path(__file__).parent
RUNGS = (0.2, 0.05, 0.0125, 0.003125)
NOT_BLIND = (
    "Not blind in three places: after a first run Adam's step size was made ten times smaller "
    "(at 0.002, outside the range that the mechanism states, -0.520 was predicted and -0.461 "
    "seen), the widths of T4 were integrated instead of taken from print, and slopes got the "
    "allowance of whole updates."
)


def t1_ladder_of_chances(seeds: int) -> Iterator[Row]:
    """T1: the exponent of the onset in the initial probability names the optimizer."""
    arms = (
        ("softmax_policy_gradient", {"learning_rate": 0.5}, "policy_gradient", 10**6),
        (
            "normalized_policy_gradient",
            {"learning_rate": 0.05, "batch_size": 4096},
            "normalized_policy_gradient",
            3000,
        ),
        (
            "adam_step",
            {"learning_rate": 2e-4, "batch_size": 8, "optimizer": "adam"},
            "policy_gradient",
            200_000,
        ),
    )
    for name, settings, rule, updates in arms:
        cells = [BanditCell(p, update_rule=rule, **settings) for p in RUNGS]
        n = seeds if name != "adam_step" else 24
        onsets = [bandit_onsets(cell, n, 0, updates) for cell in cells]
        predicted = [median_onset(MECHANISMS[name], cell.conditions(0)) for cell in cells]
        found = resampled(onsets, lambda s: ladder_slope(s, RUNGS))
        expected = float(slope(RUNGS, np.array(predicted)))
        yield Row(
            "T1", name, "slope of ln onset on ln p0", expected, *found, resolution(onsets, RUNGS)
        )
    exact = [BanditCell(p, 0.005, "natural_policy_gradient", exact_gradient=True) for p in RUNGS]
    onsets = [bandit_onsets(cell, 1, 0, 10_000) for cell in exact]
    predicted = [
        median_onset(MECHANISMS["natural_policy_gradient"], cell.conditions(0)) for cell in exact
    ]
    observed = float(ladder_slope(onsets, RUNGS))
    expected = float(slope(RUNGS, np.array(predicted)))
    yield Row(
        "T1",
        "natural_policy_gradient, exact gradient",
        "slope of ln onset on ln p0",
        expected,
        observed,
        observed,
        observed,
        resolution(onsets, RUNGS),
    )


def t2_tail_and_plateau() -> Iterator[Row]:
    """T2: the exponents of plateau and tail multiply to 1, whatever the family's power."""
    for rule, rate in (("policy_gradient", 0.5), ("normalized_policy_gradient", 0.05)):
        cells = [BanditCell(p, rate, rule, exact_gradient=True) for p in (1e-3, 1e-4)]
        updates = 60_000
        runs = train_bandits(cells, [0], updates=updates, checkpoints=400)
        onsets = np.array([run.onset.upper for run in runs])
        plateau = float(slope((1e-3, 1e-4), onsets))
        curve = runs[0].curves[0]
        late = curve.t > max(20 * onsets[0], updates / 20)
        tail = float(np.polyfit(np.log(curve.t[late] - onsets[0]), np.log(1 - curve.y[late]), 1)[0])
        product = plateau * tail
        yield Row(
            "T2",
            f"{rule}, exact gradient",
            "plateau × tail exponent",
            1.0,
            product,
            product,
            product,
            0.15,
        )


def t3_scatter(seeds: int) -> Iterator[Row]:
    """T3: the coefficient of variation of the onset is set by the gain of a rewarded episode."""
    mechanism = MECHANISMS["softmax_policy_gradient"]
    for rate in (0.05, 0.2, 0.5, 1.0, 2.0, 4.0):
        cell = BanditCell(1e-3, rate)
        onsets = bandit_onsets(cell, max(4000, seeds), 0, 10**7)
        found = resampled([onsets], lambda s: s[0].std() / s[0].mean())
        values = mechanism.values(cell.conditions(0))
        at = {name: np.array([[value]], dtype=float) for name, value in values.items()}
        log_t = np.linspace(-4, 6, 4001)[None] + np.log(mechanism.onset(cell.conditions(0)))
        assert mechanism.onset_law is not None
        above = np.append(1.0, np.exp(mechanism.onset_law(log_t, at)[1][0]))
        t = np.append(0.0, np.exp(log_t[0]))
        mean, square = np.trapezoid(above, t), np.trapezoid(2 * t * above, t)
        h = rate * 10 / 9
        closed = np.sqrt(np.tanh(h / 2))
        yield Row(
            "T3",
            f"h = {h:.2f}",
            f"CV of the onset (√tanh(h/2) = {closed:.3f})",
            float(np.sqrt(square - mean**2) / mean),
            *found,
            0.002,
        )


def t4_widths(seeds: int) -> Iterator[Row]:
    """T4: a run rises in a small part of the time in which the mean over runs does."""
    for h, published in ((0.06, 0.06), (1.1, 0.01)):
        cell = BanditCell(1e-3, h * 9 / 10)
        mean_onset = 1 / (1e-3 * -np.expm1(-h))
        runs = train_bandits(
            [cell], range(max(100, seeds // 2)), updates=int(8 * mean_onset), checkpoints=3000
        )
        t = runs[0].curves[0].t
        p = np.array([run.curves[0].y for run in runs])

        def ratio(rows: FloatArray, t: FloatArray = t) -> float:
            single = [np.interp([0.1, 0.9], row, t) for row in rows]
            mean = np.interp([0.15, 0.8], rows.mean(axis=0), t)
            return float(np.median(np.diff(single, axis=1)) / (mean[1] - mean[0]))

        rng = np.random.default_rng(0)
        found = [ratio(p[rng.integers(len(p), size=len(p))]) for _ in range(200)]
        lower, upper = np.quantile(found, [0.025, 0.975])
        yield Row(
            "T4",
            f"h = {h:g}",
            f"rise of a run over rise of the mean (published: {published})",
            mean_width_ratio(cell, t),
            ratio(p),
            float(lower),
            float(upper),
            0.1 * published,
        )


def mean_width_ratio(cell: BanditCell, t: FloatArray) -> float:
    """Return the rise of the mean field over that of its mean over the law of onsets.

    The allowance of a tenth is for runs of finite steps, whose rise is not the mean field's.
    """
    mechanism = MECHANISMS["softmax_policy_gradient"]
    given = cell.conditions(0)
    onset = mechanism.onset(given)
    fine = np.linspace(0.0, float(t[-1]), 20_001)
    states, _ = mechanism.integrate(given, fine)
    p = states[:, 0]
    values = mechanism.values(given)
    at = {name: np.array([[value]], dtype=float) for name, value in values.items()}
    assert mechanism.onset_law is not None
    below = np.exp(mechanism.onset_law(np.log(np.maximum(fine, 1e-9))[None], at)[0][0])
    onsets = np.interp((np.arange(500) + 0.5) / 500, below, fine)
    mean = np.mean([np.interp(fine - own + onset, fine, p) for own in onsets], axis=0)
    single = np.diff(np.interp([0.1, 0.9], p, fine))[0]
    return float(single / np.diff(np.interp([0.15, 0.8], mean, fine))[0])


def t5_horizons(seeds: int) -> Iterator[Row]:
    """T5: each further step of a lock multiplies the onset by about 1/(gamma p0)."""
    horizons = (1, 2, 3, 4)
    cells = [LockCell(0.2, 0.3, horizon=h, n_arms=5, gamma=0.9) for h in horizons]
    onsets = [lock_onsets(cell, seeds, 0, 10**6) for cell in cells]
    predicted = [median_onset(MECHANISMS["lock"], cell.conditions(0)) for cell in cells]
    for i in range(1, len(horizons)):
        found = resampled(
            [onsets[i - 1], onsets[i]], lambda s: np.log(np.median(s[1]) / np.median(s[0]))
        )
        yield Row(
            "T5",
            f"horizon {horizons[i - 1]} to {horizons[i]}",
            "ln ratio of median onsets",
            float(np.log(predicted[i] / predicted[i - 1])),
            *found,
        )


def t6_batches(seeds: int) -> Iterator[Row]:
    """T6: without rewards in most batches, normalization no longer shortens the plateau."""
    n = max(40, seeds // 4)
    for name in ("normalized_policy_gradient", "softmax_policy_gradient"):
        rate = 0.02 if name.startswith("normalized") else 0.2
        for batch, pair in ((64, (0.002, 0.0005)), (64, (0.2, 0.05)), (4096, (0.02, 0.005))):
            cells = [
                BanditCell(p, rate, name.replace("softmax_", ""), batch_size=batch) for p in pair
            ]
            onsets = [bandit_onsets(cell, n, 0, 60_000) for cell in cells]
            predicted = [median_onset(MECHANISMS[name], cell.conditions(0)) for cell in cells]
            found = resampled(onsets, lambda s, pair=pair: ladder_slope(s, pair))
            yield Row(
                "T6",
                f"{name}, B·p0 = {batch * pair[0]:g} to {batch * pair[1]:g}",
                "local slope of ln onset on ln p0",
                float(slope(pair, np.array(predicted))),
                *found,
                resolution(onsets, pair),
            )


def main() -> None:
    """Run every test and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=400)
    args = parser.parse_args()
    tests = (
        t1_ladder_of_chances(args.seeds),
        t2_tail_and_plateau(),
        t3_scatter(args.seeds),
        t4_widths(args.seeds),
        t5_horizons(args.seeds),
        t6_batches(args.seeds),
    )
    write_page(
        HERE / "discriminating_tests.md",
        "Predictions against trained agents",
        f"python -m benchmarks.discriminating_tests --seeds {args.seeds}",
        tests,
        NOT_BLIND,
    )


if __name__ == "__main__":
    main()
