"""Predictions of mechanisms against locks that are learned from their end, or not.

    python -m benchmarks.curriculum_tests [--seeds N]

As `benchmarks.discriminating_tests`, whose T5 it goes on with. Under a backward curriculum episodes
start ever earlier; `theory.mechanisms.backward_lock` says that the onset grows about in proportion
to the horizon, and `theory.mechanisms.lock` that it does so exponentially without one. The table is
written to benchmarks/curriculum_tests.md.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from benchmarks.prediction_rows import Row, median_onset, resampled, slope, write_page
from empirics.lock import lock_onsets
from empirics.lock_cell import LockCell
from theory.mechanisms import MECHANISMS

HERE = Path(__file__).parent
HORIZONS = (1, 2, 4, 8)
ARMS: tuple[tuple[str, dict[str, float]], ...] = (
    ("backward_lock", {"curriculum_threshold": 0.5}),
    ("backward_lock", {"curriculum_threshold": 0.9}),
    ("backward_lock", {"curriculum_threshold": 0.9, "gamma": 0.9}),
    ("lock", {}),
)
SAID = (
    "Chance, step size and arms are those of T5; thresholds and discounts were fixed before any "
    "agent was trained with them. Not blind in one place: after a first run, in which the same "
    "rows held and failed, slopes no longer took half an update off medians, which the law of "
    "`backward_lock` counts whole. A row of the rival says what `lock` expects of the agents with "
    "a curriculum; it is expected to fail."
)


def t5_backward(seeds: int) -> Iterator[Row]:
    """T5: with a backward curriculum a doubled lock waits about twice as long."""
    for name, settings in ARMS:
        cells = [LockCell(0.2, 0.3, horizon=h, n_arms=5, **settings) for h in HORIZONS]
        arm = ", ".join([name, *(f"{key} = {value}" for key, value in settings.items())])
        onsets = [lock_onsets(cell, seeds, 0, 10**7) for cell in cells]
        predicted = [median_onset(MECHANISMS[name], cell.conditions(0)) for cell in cells]
        for i in range(1, len(HORIZONS)):
            found = resampled(
                onsets[i - 1 : i + 1], lambda s: np.log(np.median(s[1]) / np.median(s[0]))
            )
            ratio = f"ln ratio of median onsets, horizon {HORIZONS[i - 1]} to {HORIZONS[i]}"
            yield Row("T5", arm, ratio, float(np.log(predicted[i] / predicted[i - 1])), *found)
        found = resampled(onsets, lambda s: slope(HORIZONS, np.median(s, axis=1)))
        whole = "slope of ln onset on ln horizon"
        yield Row("T5", arm, whole, float(slope(HORIZONS, np.array(predicted))), *found)
        if name != "lock":
            rival = [median_onset(MECHANISMS["lock"], cell.conditions(0)) for cell in cells]
            expected = float(slope(HORIZONS, np.array(rival)))
            yield Row("T5", f"{arm}: what lock says, expected to fail", whole, expected, *found)


def main() -> None:
    """Run every test and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=400)
    args = parser.parse_args()
    write_page(
        HERE / "curriculum_tests.md",
        "Backward curricula: predictions against trained agents",
        f"python -m benchmarks.curriculum_tests --seeds {args.seeds}",
        [t5_backward(args.seeds)],
        SAID,
    )


if __name__ == "__main__":
    main()
