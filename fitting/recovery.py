"""Recovery: how often the comparison is right on curves whose truth is known.

Wilson and Collins 2019, Ten simple rules for the computational modeling of behavioral data, boxes 5
and appendix: the confusion matrix P(verdict | truth) and the inversion matrix P(truth | verdict) on
the user's own design; Schad et al. 2022 on calibration of the model index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.trials.calibration import Calibration, calibration
from fitting.trials.error_rate import ErrorRate, Proportion
from fitting.trials.trial import Design, Record, StageRecord, trial
from fitting.verdict import VerdictKind
from theory.family import Family

FloatArray = NDArray[np.float64]

FAMILIES = tuple(str(family) for family in Family)
OUTCOMES = (*FAMILIES, str(VerdictKind.TIED), str(VerdictKind.INCONCLUSIVE))
"""What a verdict can be: decided for a family, tied, or inconclusive."""

ONE_STAGE = (str(Family.SATURATING), str(Family.SIGMOID))


@final
@dataclass(frozen=True, eq=False)
class Recovery:
    """What many simulated curves say about the verdicts.

    Attributes
    ----------
    records
        One a curve.
    """

    records: tuple[Record, ...]

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """Shape (5, 7): curves of each true family (rows) by what was said (`OUTCOMES`)."""
        counts = np.zeros((len(FAMILIES), len(OUTCOMES)), dtype=np.int64)
        for record in self.records:
            counts[FAMILIES.index(record.truth), OUTCOMES.index(outcome(record))] += 1
        return counts

    @cached_property
    def inversion(self) -> FloatArray:
        """Shape (7, 5): probability of each truth given the verdict, truths alike beforehand.

        Rows of verdicts that never came are zero.
        """
        counts = self.confusion.astype(np.float64)
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
        total = share.sum(axis=0)
        return np.asarray((share / np.where(total > 0, total, 1.0)).T)

    @cached_property
    def error_rate(self) -> ErrorRate:
        """Wrong among the DECIDED verdicts, and how many were decided."""
        return error_rate(self.records)

    def error_rate_of(self, family: Family | str) -> ErrorRate:
        """Wrong among the verdicts that decided for one family."""
        named = [r for r in self.records if r.decided and r.families == (str(family),)]
        return error_rate(named)

    @cached_property
    def tied_without_truth(self) -> Proportion:
        """TIED verdicts that name the truth in neither place."""
        tied = [r for r in self.records if r.kind == VerdictKind.TIED]
        return Proportion(sum(not r.right for r in tied), len(tied))

    def recognized(self, family: Family | str) -> Proportion:
        """Curves of one true family for which it was decided."""
        true = [r for r in self.records if r.truth == str(family)]
        return Proportion(sum(r.decided and r.right for r in true), len(true))

    @cached_property
    def calibration(self) -> Calibration | None:
        """Calibration of the family probabilities over truths drawn from the priors."""
        known = [r for r in self.records if r.probabilities and r.asked in FAMILIES]
        probabilities = np.array([r.probabilities for r in known]).reshape(-1, len(FAMILIES))
        truth = np.array([FAMILIES.index(r.truth) for r in known], dtype=np.intp)
        return calibration(probabilities, truth, rng=np.random.default_rng(0))

    @cached_property
    def spurious_second_stage(self) -> Proportion:
        """Truths of one stage that were called multistage."""
        single = [r for r in self.records if r.truth in ONE_STAGE]
        return Proportion(sum(r.families == (Family.MULTISTAGE,) for r in single), len(single))

    @cached_property
    def stages_counted(self) -> Proportion:
        """Decided and right verdicts, of shapes with stages, with the true number of stages."""
        told = [r for r in self.records if r.decided and r.right and r.true_stages]
        return Proportion(sum(len(r.stages) == len(r.true_stages) for r in told), len(told))

    @cached_property
    def midpoints_covered(self) -> Proportion:
        """Midpoints of stages of those curves whose 95 % interval holds the true one."""
        pairs = [pair for record in self.records for pair in _matched(record)]
        return Proportion(sum(_covers(found, true) for found, true in pairs), len(pairs))


def outcome(record: Record) -> str:
    """Return what was said: a family, `tied` or `inconclusive`."""
    return record.families[0] if record.decided else record.kind


def error_rate(records: Sequence[Record]) -> ErrorRate:
    """Wrong, decided and all of some records."""
    decided = [record for record in records if record.decided]
    return ErrorRate(sum(not r.right for r in decided), len(decided), len(records))


def recover(
    design: Design, number: int, *, seed: int = 0, known: Iterable[Record] = (), workers: int = 1
) -> Recovery:
    """Simulate curves of a design and compare the forms on each.

    Parameters
    ----------
    design
        What is simulated, and what competes.
    number
        Curves; trials 0 to `number` - 1. Shapes that the forms never have are left out.
    seed
        With the index of a trial it determines everything about it.
    known
        Records of an earlier run of the same design and seed, which are not made again.
    workers
        Threads; the result does not depend on it.
    """
    return Recovery(tuple(_records(design, number, seed, known, workers)))


def _records(
    design: Design, number: int, seed: int, known: Iterable[Record], workers: int
) -> Iterator[Record]:
    done = {record.index: record for record in known}
    for index in range(number):
        record = done.get(index) or trial(design, index, seed=seed, workers=workers)
        if record is not None:
            yield record


def _matched(record: Record) -> list[tuple[StageRecord, StageRecord]]:
    """Pairs (found, true) of stages where the verdict and the number of stages are right."""
    if not (record.decided and record.right and len(record.stages) == len(record.true_stages)):
        return []
    return list(zip(record.stages, record.true_stages, strict=True))


def _covers(found: StageRecord, true: StageRecord) -> bool:
    if found.lower is None or found.upper is None:
        return False
    return found.lower <= true.midpoint <= found.upper
