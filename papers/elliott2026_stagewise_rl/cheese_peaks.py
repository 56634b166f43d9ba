"""Peaks of coefficients along training, against the transition from the corner to elsewhere.

Coefficients of behavior do not step, they rise while something new is learned and fall while the
policy sharpens. At matched entropy the sharpening is taken out. Found on eight agents and eight
controls of seeds 0 to 7 (alpha 0.1): there the peaks and the share they stand out by were chosen,
and held after that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from papers.elliott2026_stagewise_rl.cheese_energies import UNIFORM
from papers.elliott2026_stagewise_rl.cheese_quadratic import MATCHED, quadratic_curve
from papers.elliott2026_stagewise_rl.cheese_runs import ELSEWHERE, Trained, fall
from papers.elliott2026_stagewise_rl.cheese_values import Floats, Quadratics
from papers.llc_ladder.detector import DetectorScore, detect, score
from papers.llc_ladder.peaks_in_curves import peaks_of
from papers.llc_ladder.rung import Check
from theory.curve import Curve

Arms = tuple[Sequence[Trained], Sequence[Trained]]
PEAKED: Mapping[str, str] = MappingProxyType(
    {UNIFORM: "on all states alike", MATCHED: "on all states alike, at matched entropy"}
)
"""Coefficients whose peaks are looked for."""


def matched_curves(arms: Arms, quadratics: Quadratics) -> tuple[Curve, ...]:
    """Return the exact coefficient at matched entropy along every run."""
    return tuple(
        quadratic_curve(each, MATCHED, values[1])
        for runs, found in zip(arms, quadratics[MATCHED], strict=True)
        for each, values in zip(runs, found, strict=True)
    )


def peak_scores(arms: Arms, quadratics: Quadratics, tolerance: float) -> tuple[DetectorScore, ...]:
    """Score the peaks of exact coefficients against the fall of the regret elsewhere.

    Parameters
    ----------
    arms : pair of sequences of Trained
        Agents, and the control, in which nothing is learned elsewhere.
    quadratics : mapping of str to pair of sequences of (2, C) arrays
    tolerance : float
        Largest distance of a peak from its transition, in environment steps.
    """
    return tuple(
        score(
            f"peaks of {name.replace('llc_', 'llc_quadratic_')} against the fall elsewhere{suffix}",
            [
                detect(_peaks(each, name, values[1]), fell_elsewhere(each), tolerance=tolerance)
                for each, values in zip(runs, found, strict=True)
            ],
        )
        for name in PEAKED
        for runs, found, suffix in zip(arms, quadratics[name], ("", ", control"), strict=True)
    )


def _peaks(each: Trained, name: str, values: Floats) -> tuple[float, ...]:
    return peaks_of(quadratic_curve(each, name, values))


def fell_elsewhere(each: Trained) -> tuple[float, ...]:
    """Return when the regret elsewhere fell through half of its drop, if it did."""
    at = fall(each.run, ELSEWHERE)
    return () if at is None else (at,)


def peaks_find(name: str, scores: Sequence[DetectorScore]) -> Check:
    """Return whether a coefficient's peaks are the transitions, all of them and nothing else."""
    transitions, hits, alarms, runs = (
        sum(getattr(each, field) for each in scores)
        for field in ("transitions", "hits", "false_alarms", "runs")
    )
    return Check(
        f"the coefficient {PEAKED[name]} peaks where the corner is left for elsewhere, and only "
        "there",
        f"{hits} of {transitions} transitions found, {alarms} false alarms in {runs} runs, half of "
        "them without a transition",
        None if not transitions else hits == transitions and not alarms,
    )
