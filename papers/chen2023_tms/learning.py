"""Toy models that learn, from fixed data by gradient descent and as a policy by PPO.

The toy model of superposition learns from fixed data by gradient descent, and as the mean of a
policy by PPO on the one-step bandit whose mean reward is the same loss. Its plateaus are known by
their loss, so that the coefficient's curve can be judged as a detector of transitions.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from papers.chen2023_tms.found import ArmFound, found_in, known_coefficients
from papers.chen2023_tms.runs import FEWEST_AT_LEVELS, SCALES, LadderRun, run_arm
from papers.llc_ladder.rung import Cell, Check, Rung, Trust
from papers.proposals import Progress, propose_all
from theory.learning_coefficients.k_gons import LEVEL_TOLERANCE

ALIKE = 0.5
"""Largest difference of median coefficients on one plateau under two rules of learning."""


def rung(*, seed: int, scale: str, progress: Progress) -> Rung:
    """Return the page of toy models that learn.

    Parameters
    ----------
    seed : int
        Of the first run of every arm; the others follow.
    scale : str
        ``"quick"`` or ``"full"``.
    progress : callable
        Told (label, done, total).
    """
    plan = SCALES[scale]
    seeds = range(seed, seed + plan.num_seeds)
    arms = [run_arm(arm, seeds, plan, progress) for arm in plan.arms]
    found = [found_in(runs) for runs in arms]
    eventful = sorted(chain(*arms), key=lambda run: -len(run.plateaus))[: plan.fitted]
    curves = [curve for run in eventful for curve in (run.loss, run.llc)]
    return Rung(
        name="Toy models that learn: supervised, and by PPO",
        changed=(
            "First rung: fixed data and gradient descent. Then the loss is the same, but PPO "
            "estimates its gradient from the rewards of sampled actions."
        ),
        paragraphs=(
            "The coefficient is read on each run's own data by chains as short as the paper's, "
            f"which order the plateaus but leave doubts: {_trusted(found)} of the readings are "
            "free of them. Longer chains at the phases themselves are in "
            "benchmarks/toy_model_llc.md.",
        ),
        checks=checks(found),
        detectors=tuple(score for arm in found for score in arm.detectors),
        trust=(Trust("llc along training, 500 moves a chain", _all_hit(found), _because(found)),),
        tables=(
            ("runs", ("arm", "checkpoints at levels", "transitions", "paths"), _runs(found)),
            (
                "median llc on the plateaus",
                ("arm", "plateau", "llc", "sd", "checkpoints", "λ"),
                _llcs(found, arms[0][0]),
            ),
        ),
        comparisons=propose_all(curves, seed=seed, progress=progress),
        curves=tuple(
            curve for runs in arms for run in runs for curve in (*run.trained.curves, run.llc)
        ),
    )


def checks(found: Sequence[ArmFound]) -> tuple[Check, ...]:
    """Return what the arms should show, the first of them being the paper's own."""
    first = found[0]
    others = [
        (name, arm.label, abs(arm.llcs[name][0] - first.llcs[name][0]))
        for arm in found[1:]
        for name in arm.llcs
        if name in first.llcs
    ]
    widest = max(others, key=lambda each: each[2], default=None)
    return (
        Check(
            f"{FEWEST_AT_LEVELS:.0%} of checkpoints lie within {LEVEL_TOLERANCE:g} of a k-gon's "
            "loss, by the paper's protocol",
            f"{first.share:.1%}",
            first.share >= FEWEST_AT_LEVELS,
        ),
        Check(
            f"a plateau has the same coefficient under every rule (medians within {ALIKE:g})",
            "no plateau in common"
            if widest is None
            else f"widest apart {widest[2]:.2f}: {widest[0]}, {widest[1]}",
            None if widest is None else widest[2] <= ALIKE,
        ),
    )


def _runs(found: Sequence[ArmFound]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(
        (
            arm.label,
            arm.share,
            len(arm.transitions),
            "; ".join(f"{path or 'none'}: {number}" for path, number in arm.paths.items()),
        )
        for arm in found
    )


def _llcs(found: Sequence[ArmFound], run: LadderRun) -> tuple[tuple[Cell, ...], ...]:
    known = known_coefficients(run.trained.cell.num_features)
    return tuple(
        (arm.label, name, median, sd, number, known.get(name))
        for arm in found
        for name, (median, sd, number) in arm.llcs.items()
    )


def _trusted(found: Sequence[ArmFound]) -> str:
    return f"{sum(arm.trusted for arm in found) / len(found):.0%}"


def _all_hit(found: Sequence[ArmFound]) -> bool | None:
    scores = [arm.detectors[0] for arm in found]
    if not sum(score.transitions for score in scores):
        return None
    return all(score.hits == score.transitions and not score.false_alarms for score in scores)


def _because(found: Sequence[ArmFound]) -> str:
    scores = [arm.detectors[0] for arm in found]
    return (
        f"{sum(score.hits for score in scores)} of {sum(score.transitions for score in scores)} "
        f"transitions found, {sum(score.false_alarms for score in scores)} false alarms"
    )
