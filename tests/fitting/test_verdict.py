"""Verdicts from family probabilities."""

import numpy as np
import pytest

from fitting.verdict import VerdictKind, credible, judge
from theory.family import Family

SURE = np.array([0.0, 0.01, 0.98, 0.01, 0.0])
FORMS = [("logistic", 0.7), ("gompertz", 0.27), ("hill", 0.03)]


def test_decided_needs_everything() -> None:
    verdict = judge(SURE, np.tile(SURE, (50, 1)), [(0.5, SURE), (2.0, SURE)], FORMS)
    assert verdict.kind is VerdictKind.DECIDED
    assert verdict.families == (Family.SIGMOID,)
    assert verdict.forms == ("logistic", "gompertz")


def test_a_lead_within_the_monte_carlo_error_is_inconclusive() -> None:
    doubtful = np.array([0.0, 0.2, 0.8, 0.0, 0.0])
    replicates = np.concatenate([np.tile(SURE, (80, 1)), np.tile(doubtful, (20, 1))])
    verdict = judge(SURE, replicates, [(0.5, SURE), (2.0, SURE)], FORMS)
    assert verdict.kind is VerdictKind.INCONCLUSIVE
    assert "Monte-Carlo" in verdict.reason
    assert verdict.families == verdict.forms == ()


def test_a_lead_that_depends_on_the_priors_is_inconclusive() -> None:
    other = np.array([0.0, 0.1, 0.9, 0.0, 0.0])
    verdict = judge(SURE, np.tile(SURE, (50, 1)), [(0.5, SURE), (2.0, other)], FORMS)
    assert verdict.kind is VerdictKind.INCONCLUSIVE
    assert "priors" in verdict.reason


def test_two_families_together_tie() -> None:
    two = np.array([0.0, 0.4, 0.58, 0.02, 0.0])
    verdict = judge(two, np.tile(two, (50, 1)), [(0.5, two)], FORMS)
    assert verdict.kind is VerdictKind.TIED
    assert verdict.families == (Family.SIGMOID, Family.SATURATING)


def test_three_families_and_failures_are_inconclusive() -> None:
    three = np.array([0.0, 0.3, 0.4, 0.3, 0.0])
    assert judge(three, three[None], [], FORMS).kind is VerdictKind.INCONCLUSIVE
    failed = judge(SURE, SURE[None], [], FORMS, failures=["bump × white failed."])
    assert failed.kind is VerdictKind.INCONCLUSIVE
    assert failed.reason == "bump × white failed."
    nothing = judge(np.zeros(5), np.zeros((1, 5)), [], [])
    assert nothing.reason == "No candidate has an evidence to compare."


@pytest.mark.parametrize(("level", "kept"), [(0.5, 1), (0.95, 2), (0.98, 3)])
def test_credible_set_is_the_smallest(level: float, kept: int) -> None:
    assert len(credible(FORMS, level)) == kept
