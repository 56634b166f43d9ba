"""Which learning rule of cue competition could have made how far the goal leads the proxy."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from papers.curve_results import Document
from papers.development.cue_fit import CueFit, CueFits, cue_fit, log_odds, path_lead
from papers.development.grown import Grown
from papers.proposals import Progress, of_each
from papers.wording import words
from theory.curve import Curve

LABEL = "Fitting learning rules to curves"
EXPLAINED = (
    "How far the goal leads the proxy is taken from behavior (log-odds of their steps on decision "
    "squares) and from the weights of heuristics (the path to the goal minus that to the proxy, "
    "where the goal is far). To every run each rule is fitted with unknowns of its own, and so are "
    "the common forms."
)


def fit_rules(
    agents: Sequence[Grown], *, seed: int, progress: Progress, forms: Sequence[str] = ()
) -> tuple[CueFits, ...]:
    """Fit learning rules and free forms to the leads of the agents for whom they are meant.

    Parameters
    ----------
    agents : sequence of Grown
    seed : int
        Drives the Monte-Carlo part of every fit.
    progress : callable
        Told (label, done, total).
    forms : sequence of str
        Names of free forms; by default the common ones.

    Returns
    -------
    tuple of CueFits
        One an organism and lead, over its runs.
    """
    groups: dict[tuple[str, str], list[Curve]] = {}
    for agent in agents:
        if agent.organism.learning_rules:
            for curve in (log_odds(agent.curves), path_lead(agent.curves)):
                groups.setdefault((agent.organism.name, curve.observable), []).append(curve)
    curves = [curve for group in groups.values() for curve in group]
    fits = iter(of_each(partial(_fit, forms, seed), curves, progress, None, _lost, LABEL))
    return tuple(CueFits(tuple(next(fits) for _ in group)) for group in groups.values())


def _fit(
    forms: Sequence[str], seed: int, curve: Curve, *, workers: int, within: Progress | None
) -> CueFit:
    return cue_fit(curve, forms=forms, seed=seed)


def _lost(curve: Curve, reason: str) -> CueFit:
    raise OSError(f"no rule was fitted to {curve.observable} of {curve.run!r}: {reason}.")


def rules_page(found: Sequence[CueFits]) -> Document:
    """Return the page of the study."""
    rows = [
        [fits.fits[0].curve.observable, len(fits.fits), *row]
        for fits in found
        for row in (
            *((words(rule), round(value, 2)) for rule, value in fits.rules.items()),
            ("free forms", round(fits.free, 2)),
        )
    ]
    return {
        "title": "Which learning rule could have made it",
        "paragraphs": [EXPLAINED, *(fits.sentence for fits in found)],
        "tables": [
            {
                "caption": "Log evidence over all runs, best rule first",
                "columns": ["curve", "runs", "under", "log evidence"],
                "rows": rows,
            }
        ],
    }
