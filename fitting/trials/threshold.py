"""From which probability on a family may be called DECIDED: what simulated curves say of it.

Where the truth is known, a verdict can be held against every threshold: it would have been DECIDED
at any up to `Record.lowest`. The threshold is the smallest at which few enough of those were wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from fitting.recovery import FAMILIES
from fitting.trials.error_rate import ErrorRate
from fitting.trials.trial import Record
from fitting.verdict import DECISIVE, VerdictKind

LEVELS = (0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99)
"""Thresholds that are held against one another."""

MOST_WRONG = 0.02
"""Largest share of wrong ones among DECIDED verdicts, as seen."""

PROMISED = 0.05
"""What the 95 % upper bound of that share may be, at most."""


def error_rate_at(records: Iterable[Record], level: float) -> ErrorRate:
    """Wrong, decided and all, had DECIDED been said from probability `level` on."""
    known = list(records)
    decided = [r for r in known if r.lowest is not None and r.lowest >= level]
    return ErrorRate(sum(_leading(r) != r.truth for r in decided), len(decided), len(known))


def threshold(records: Sequence[Record], levels: Sequence[float] = LEVELS) -> float | None:
    """Return the smallest level at which DECIDED verdicts are wrong seldom enough.

    At most `MOST_WRONG` of them were wrong, and the upper bound of their share is `PROMISED` at
    most; None where no level is so.
    """
    for level in sorted(levels):
        rate = error_rate_at(records, level)
        if rate.wrong <= MOST_WRONG * rate.decided and rate.upper_bound <= PROMISED:
            return level
    return None


def judged(record: Record, level: float = DECISIVE) -> Record:
    """Return a record as it would be, had DECIDED been said from probability `level` on.

    It must have been made with a threshold that is at least as high.
    """
    if record.decided or record.lowest is None or record.lowest < level:
        return record
    return replace(record, kind=str(VerdictKind.DECIDED), families=(_leading(record),))


def _leading(record: Record) -> str:
    return FAMILIES[record.probabilities.index(max(record.probabilities))]
