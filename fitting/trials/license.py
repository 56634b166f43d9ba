"""Whether a verdict may be relied on: the record of such verdicts on simulated curves.

DECIDED verdicts promise that at most one in twenty is wrong (`fitting.trials.threshold`). The
license is lost where the simulated curves contradict the promise: where the one-sided 95 % lower
bound of wrong/decided, of all verdicts or of those that named this family, lies above 5 %. It is
never proof that the rate is below 5 % (that takes 59 decided curves without an error), which is why
the upper bound is always said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

from fitting.recovery import Recovery
from fitting.trials.error_rate import ErrorRate
from fitting.trials.threshold import PROMISED
from fitting.verdict import Verdict, VerdictKind, inconclusive
from theory.family import Family


@final
@dataclass(frozen=True, eq=False)
class License:
    """How verdicts came out at the design of one curve.

    Attributes
    ----------
    recovery
        Simulated curves at the same times, with the noise of the curves of that design.
    failed
        Why the verdict was withdrawn; empty if it was not.
    """

    recovery: Recovery
    failed: str = ""

    @property
    def sentence(self) -> str:
        """What the simulated curves say of a DECIDED verdict."""
        rate = self.recovery.error_rate
        if not rate.decided:
            return f"At this design none of {rate.number} simulated curves was decided."
        return (
            f"At this design a DECIDED verdict was right in {rate.decided - rate.wrong} of "
            f"{rate.decided} simulated curves ({_bound(rate)}); {rate.number - rate.decided} of "
            f"{rate.number} were not decided."
        )

    def recognized(self, family: Family) -> str:
        """How often a shape was recognized, as a sentence."""
        found = self.recovery.recognized(family)
        if not found.number:
            return f"There was no simulated curve whose shape is {family}."
        return f"A curve whose shape is {family} was recognized in {found.count} of {found.number}."


def licensed(verdict: Verdict, recovery: Recovery) -> tuple[Verdict, License]:
    """Return a verdict with its license: as it is with what was found, or withdrawn.

    Parameters
    ----------
    verdict
        DECIDED verdicts can be withdrawn; a sentence is added to the others.
    recovery
        Simulated curves at the design of the curve.
    """
    failed = _failure(verdict, recovery) if verdict.kind is VerdictKind.DECIDED else ""
    found = License(recovery, failed)
    if failed:
        return inconclusive(failed), found
    said = [verdict.reason, found.sentence]
    said += [found.recognized(family) for family in verdict.families]
    return replace(verdict, reason=" ".join(said)), found


def _failure(verdict: Verdict, recovery: Recovery) -> str:
    family = verdict.families[0]
    for rate, which in (
        (recovery.error_rate, "a DECIDED verdict"),
        (recovery.error_rate_of(family), f"the verdict that the shape is {family}"),
    ):
        if rate.lower_bound > PROMISED:
            return (
                f"The shape would be {family}, but at this design {which} was wrong in "
                f"{rate.wrong} of {rate.decided} simulated curves, which is more than one in "
                f"twenty (95 % lower bound of the error rate {100 * rate.lower_bound:.1f} %)."
            )
    return ""


def _bound(rate: ErrorRate) -> str:
    return f"95 % upper bound of the error rate {100 * rate.upper_bound:.1f} %"
