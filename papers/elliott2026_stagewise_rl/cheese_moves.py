"""Whether regret and a coefficient move against each other, and what moves in the corner."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from papers.elliott2026_stagewise_rl.cheese_energies import Along
from papers.elliott2026_stagewise_rl.cheese_runs import CORNER, ELSEWHERE, Trained
from papers.llc_ladder.rung import Check

SURE = 2.0
"""Standard errors from which a move is told from none."""
MARGIN = 0.2
"""Share of the difference on all states from which one in the corner counts as the transition."""
Floats = NDArray[np.float64]
Pairs = tuple[Sequence[Floats], Sequence[Floats]]


def chain_moves(runs: Sequence[Along]) -> tuple[int, int, int]:
    """Count the steps of `steps` of all runs, by the chains."""
    counts = [
        steps(
            each.trained.run.curve("regret").y,
            np.array([math.nan if r.llc is None else r.llc for r in each.readings]),
            np.array([math.nan if r.llc_se is None else r.llc_se for r in each.readings]),
        )
        for each in runs
    ]
    return _summed(counts)


def exact_moves(
    runs: Sequence[Trained], values: Sequence[Floats], *, to_transition: bool = False
) -> tuple[int, int, int]:
    """Count the steps of `steps` of all runs, by values (C,) without an error.

    Parameters
    ----------
    runs : sequence of Trained
    values : sequence of (C,) arrays
    to_transition : bool
        Whether only up to the first checkpoint after a run's last transition.
    """
    counts = []
    for each, llc in zip(runs, values, strict=True):
        regret = each.run.curve("regret")
        end = max(each.transitions, default=math.inf) if to_transition else math.inf
        stop = int(np.searchsorted(regret.t, end)) + 1
        counts.append(steps(regret.y[:stop], llc[:stop], np.zeros_like(llc[:stop])))
    return _summed(counts)


def steps(regret: Floats, llc: Floats, se: Floats) -> tuple[int, int, int]:
    """Count steps between checkpoints: opposed to the regret, together with it, not told."""
    change, error = np.diff(llc), np.hypot(se[1:], se[:-1])
    told = (np.abs(change) > SURE * error) & (np.diff(regret) != 0)
    opposed = told & (change * np.diff(regret) < 0)
    return int(opposed.sum()), int((told & ~opposed).sum()), int((~told).sum())


def _summed(counts: Sequence[tuple[int, int, int]]) -> tuple[int, int, int]:
    opposed, together, unsure = np.sum(counts, axis=0).tolist()
    return opposed, together, unsure


def transition_in_corner(
    agents: Sequence[Trained], corner: Pairs, everywhere: Pairs, what: str
) -> Check:
    """Test whether the coefficient on corner states shows the transition that happens elsewhere.

    The change from the last checkpoint before the transition to the end, in agents that have one
    less the change over the same time in those that have none; sharpening policies are common to
    both. It is shown where the difference is surely a fair part of that on all states (`MARGIN`),
    and not where it surely is none.

    Parameters
    ----------
    agents : sequence of Trained
    corner, everywhere : pairs of sequences of (C,) arrays
        Coefficients of the agents and of the control, on the corner's states and on all.
    what : str
        What the coefficients are.
    """
    asked = "the coefficient on corner states alone shows the transition elsewhere"
    starts = [start for each in agents if (start := before(each)) is not None]
    if not starts:
        return Check(asked, "no agent had the transition", None)
    at = int(np.median(starts))
    (apart, se), (whole, _) = difference(corner, at), difference(everywhere, at)
    t, regret = agents[0].run.curve(CORNER).t[at], [r.run.curve(CORNER).y[at] for r in agents]
    measured = (
        f"change of the {what} from {t:.0f} steps to the end, less that of the control: "
        f"{apart:.2f} ± {se:.2f} on corner states, {whole:.2f} on all; regret in the corner falls "
        f"by less than {np.mean(regret):.3f} meanwhile"
    )
    if not math.isfinite(se):
        return Check(asked, f"{measured}; too few agents for an error", None)
    margin = MARGIN * abs(whole)
    if abs(apart) + SURE * se < margin:
        return Check(asked, measured, False)
    return Check(asked, measured, True if abs(apart) - SURE * se > margin else None)


def before(trained: Trained) -> int | None:
    """Return the last checkpoint at which the regret elsewhere is not yet a tenth down its drop."""
    regret = trained.run.curve(ELSEWHERE).y
    if len(trained.transitions) < 2:
        return None
    high, low = float(regret.max()), float(regret[-1])
    return int(np.flatnonzero(regret >= high - 0.1 * (high - low))[-1])


def difference(arms: Pairs, at: int) -> tuple[float, float]:
    """Return the mean change from a checkpoint to the last, less the control's, and its error."""
    one, other = (np.array([llc[-1] - llc[at] for llc in arm]) for arm in arms)
    apart = float(one.mean() - other.mean())
    if min(one.size, other.size) < 2:
        return apart, math.inf
    return apart, math.sqrt(one.var(ddof=1) / one.size + other.var(ddof=1) / other.size)
