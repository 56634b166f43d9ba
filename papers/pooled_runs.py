"""The runs of one observable as draws from a population, as an entry of the results file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from papers.curve_results import Document, estimate_json, number

if TYPE_CHECKING:
    from fitting.comparison import Comparison
    from fitting.fit import PointFit
    from fitting.runs.hierarchical import PooledFit
    from theory.curve import Curve
    from theory.form import Form

Progress = Callable[[str, int, int], None]
LIGHT = 0.01
"""Weight of the pooled form on a run below which the run is named."""


def pooled_runs(
    form: Form,
    members: Sequence[Comparison],
    *,
    seed: int,
    progress: Progress | None = None,
) -> Document:
    """Return ``pooled`` of an observable: the runs that can be fitted at all, as a population.

    Parameters
    ----------
    form : Form
        With one floor, one gain, one midpoint and one rate or timescale.
    members : sequence of Comparison
        Of all runs of the observable.
    seed : int
    progress : callable, optional
        Told (label, done, total).
    """
    import numpy as np

    from fitting.runs.hierarchical import FEWEST_RUNS, pool
    from fitting.runs.run_names import run_names

    curves = [member.curve for member in members]
    named = dict(zip(run_names(curves), curves, strict=True))
    reasons = {run: _why_not(form, curve) for run, curve in named.items()}
    left_out = [{"run": run, "reason": reason} for run, reason in reasons.items() if reason]
    usable = [curve for run, curve in named.items() if not reasons[run]]
    if len(usable) < FEWEST_RUNS:
        reason = (
            f"A population needs at least {FEWEST_RUNS} runs; of {curves[0].observable} there "
            f"{'is' if len(usable) == 1 else 'are'} {len(usable)} that can be fitted."
        )
        return {**_nothing(form, reason), "left_out": left_out}
    label = f"Pooling the runs of {curves[0].observable}"
    fitted = pool(
        form,
        usable,
        rng=np.random.default_rng(seed),
        progress=None if progress is None else lambda done, total: progress(label, done, total),
    )
    doubts = [*fitted.doubts, *_doubts_of_form(form, members)]
    return {**pooled_json(fitted), "doubts": doubts, "left_out": left_out}


def _why_not(form: Form, curve: Curve) -> str:
    """Say why a form cannot be fitted to a run by itself; empty if it can."""
    from theory.hypothesis import default_hypothesis
    from theory.noise import White

    try:
        default_hypothesis(form, White(), curve)
    except ValueError as error:
        return str(error)
    return ""


def _nothing(form: Form, reason: str) -> Document:
    numbers = dict.fromkeys(("rhat", "ess", "divergent"))
    texts = {"form": form.name, "expression": form.python, "noise": "white", "status": ""}
    return {**texts, **numbers, "reason": reason, "parameters": [], "runs": [], "doubts": []}


def pooled_json(fitted: PooledFit) -> Document:
    """Return the population and its runs: medians with posterior sd and 95 % intervals."""
    center, spread = fitted.population, fitted.population_sd
    return {
        **_nothing(fitted.form, ""),
        "status": str(fitted.status),
        **{name: number(getattr(fitted, name)) for name in ("rhat", "ess", "divergent")},
        "parameters": [
            {
                "name": prior.name,
                "log": prior.log,
                "median": estimate_json(center[prior.name]),
                "spread": estimate_json(spread[prior.name]),
            }
            for prior in fitted.priors
        ],
        "runs": [
            {
                "run": run,
                "pooled": {name: estimate_json(e) for name, e in fitted.run(run).items()},
                "single": _single(one),
                "status": str(one.status),
            }
            for run, one in zip(fitted.runs, fitted.unpooled, strict=True)
        ],
        "doubts": list(fitted.doubts),
    }


def _single(one: PointFit) -> Document:
    """Return a run's own estimates; an end on which its curve sets no limit is null."""
    columns = {"value": one.theta, "se": one.se, "lower": one.lower, "upper": one.upper}
    return {
        name: {key: number(float(values[i])) for key, values in columns.items()}
        for i, name in enumerate(one.names)
    }


def _doubts_of_form(form: Form, members: Sequence[Comparison]) -> list[str]:
    """Name the runs on which other forms are better."""
    from fitting.runs.run_names import run_names

    runs = run_names([member.curve for member in members])
    weights = {
        run: [score.weight for score in member.scores if score.form == form.name]
        for run, member in zip(runs, members, strict=True)
    }
    if not any(weights.values()):
        return [f"{form.name} was not among the forms compared: whether it fits is not known."]
    light = [run for run, found in weights.items() if sum(found) < LIGHT]
    if not light:
        return []
    return [
        f"On {len(light)} of {len(members)} runs {form.name} has less than {100 * LIGHT:.0f} % of "
        f"the weight ({', '.join(light)}): there the pooled numbers describe a form that the "
        "curve does not have."
    ]
