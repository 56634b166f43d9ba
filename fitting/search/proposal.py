"""Known forms and found expressions in one comparison."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from fitting.comparison import Comparison, Score
from fitting.propose import propose
from fitting.search.candidates import Progress
from fitting.search.search import SECONDS, Found, Search, search
from theory.curve import Curve
from theory.form import Form
from theory.forms import COMMON, FORMS
from theory.noise import Noise

CLEAR = 3.0
"""Nats by which a new form must lead every registered one to be called better: odds of 20.

On top of what its choice among so many expressions takes: `Proposal.needed`.
"""

CHOSEN = (
    "Forms called found_… were chosen by these data among many expressions; weights take every "
    "form that competes as equally likely beforehand."
)


@final
@dataclass(frozen=True, eq=False)
class Proposal:
    """A comparison in which what a search found competes too.

    Attributes
    ----------
    comparison : Comparison
    search : Search
    """

    comparison: Comparison
    search: Search

    def score(self, found: Found) -> Score | None:
        """Return the best score of a found form; None where it did not compete."""
        for score in self.comparison.scores:
            if score.form == found.competes_as:
                return score
        return None

    @property
    def needed(self) -> float:
        """Lead, in nats, from which a new form counts.

        If the registered forms that competed and the expressions looked at were equally likely
        as a whole, each of the many expressions would be less likely by the ratio of numbers.
        """
        known = {score.form for score in self.comparison.scores if score.form in FORMS}
        return CLEAR + max(0.0, float(np.log(self.search.looked / max(1, len(known)))))

    @property
    def conclusion(self) -> str:
        """Whether something new beats the registry, in a sentence."""
        new = [one for one in self.search.found if one.is_new]
        if not self.search.found:
            return "The search found no expression that could be fitted."
        if not new:
            return "Nothing new: every expression found equals a registered form, or a case of one."
        known = [
            s for s in self.comparison.scores if s.form in FORMS and s.log_evidence is not None
        ]
        rivals = [(one, score) for one in new if (score := self.score(one)) is not None]
        rivals = [(one, score) for one, score in rivals if score.log_evidence is not None]
        if not known or not rivals:
            return "Whether a new expression beats the registered forms could not be computed."
        best = max(known, key=lambda s: s.log_evidence or -np.inf)
        one, score = max(rivals, key=lambda pair: pair[1].log_evidence or -np.inf)
        lead = (score.log_evidence or 0.0) - (best.log_evidence or 0.0)
        if lead > self.needed:
            return (
                f"New: {one.form.name}, {one.form.python}, leads every registered form by "
                f"{lead:.1f} nats (best of them: {best.form}). It was chosen among "
                f"{self.search.looked} expressions by these data, so test it on other runs."
            )
        if lead > 0:
            return (
                f"Not decided: the new {one.form.name} leads {best.form} by {lead:.1f} nats, less "
                f"than the {self.needed:.1f} that would count for one expression in "
                f"{self.search.looked}."
            )
        return (
            f"Nothing new beats the registered forms: {best.form} leads the best new expression, "
            f"{one.form.name}, by {-lead:.1f} nats."
        )


def propose_and_search(
    curve: Curve,
    *,
    seed: int = 0,
    seconds: float = SECONDS,
    forms: Iterable[Form | str] | None = None,
    noises: Iterable[Noise | str] | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Proposal:
    """Compare known forms and the forms that a search finds, with default priors.

    A found form that equals a registered one competes under the registered name, and once.

    Parameters
    ----------
    curve, seed, forms, noises, workers
        As `fitting.propose.propose`.
    seconds, progress
        As `fitting.search.search.search`.
    """
    found = search(curve, seed=seed, seconds=seconds, progress=progress)
    known = list(COMMON if forms is None else forms)
    named = {form if isinstance(form, str) else form.name for form in known}
    added: dict[str, Form] = {}
    for one in found.found:
        name = one.competes_as
        if name not in named:
            added[name] = FORMS.get(name, one.form)
    comparison = propose(
        curve, seed=seed, forms=[*known, *added.values()], noises=noises, workers=workers
    )
    if added:
        comparison = replace(comparison, notes=(*comparison.notes, CHOSEN))
    return Proposal(comparison, found)
