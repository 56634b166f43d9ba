"""What `propose` and `compare` say of several runs of an observable, and the option `--pool`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ontogeny.command import UsageError, check_names

if TYPE_CHECKING:
    from theory.curve import Curve
    from theory.form import Form


def pooled_form(name: str | None) -> Form | None:
    """Return the form that `--pool` names; None where it was not given.

    Raises
    ------
    UsageError
        If there is no such form, or runs cannot be pooled under it.
    """
    if name is None:
        return None
    from fitting.runs.population import is_poolable
    from theory.forms import FORMS

    check_names((name,), FORMS, "form")
    if not is_poolable(FORMS[name]):
        known = sorted(each for each, form in FORMS.items() if is_poolable(form))
        raise UsageError(
            f"--pool {name}: runs are pooled under a form with one floor, one gain, one midpoint "
            f"and one rate or timescale: {', '.join(known)}."
        )
    return FORMS[name]


def check_runs_to_pool(curves: Sequence[Curve], path: Path) -> None:
    """Check that some observable has enough runs, before anything is compared.

    Raises
    ------
    ValueError
        If none has.
    """
    from fitting.runs.hierarchical import FEWEST_RUNS

    counts = Counter((c.observable, c.unit, c.progress) for c in curves)
    (observable, _, _), most = counts.most_common(1)[0]
    if most < FEWEST_RUNS:
        raise ValueError(
            f"--pool needs at least {FEWEST_RUNS} runs of one observable; {path} has {most} of "
            f"{observable}. Leave out --pool, or name the column of runs by --run."
        )


def said_together(entry: Mapping[str, Any]) -> str:
    """Say what the runs of one observable come to, in a few lines."""
    from papers.sections.population import pooled_said, shapes_said

    lines = [f"{entry['observable']}, {entry['number']} runs together: {shapes_said(entry)}"]
    if entry.get("pooled"):
        lines.append(f"  {pooled_said(entry)}")
    return "\n".join(lines)
