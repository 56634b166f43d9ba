"""Known forms and found expressions in one comparison."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.comparison import Comparison, Score
from fitting.point import fit_many
from fitting.propose import propose
from fitting.search.candidates import Progress, resolved
from fitting.search.search import SECONDS, Found, Search, search
from theory.curve import Curve
from theory.form import Form
from theory.forms import COMMON, FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import NOISES, Noise

FloatArray = NDArray[np.float64]

CLEAR = 3.0
"""Nats by which a new form must lead every known one, after its handicap: odds of 20."""

NEAR = 10.0
"""Nats by which an uncommon registered form may be behind to compete all the same."""

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
    def handicap(self) -> float:
        """Nats that an expression's choice among many costs it beside a registered form.

        If the registered forms that competed and all expressions of the grammar were equally
        likely as a whole, each of the many expressions would be less likely by the ratio of
        numbers: also where time ended before most were looked at, or Operon bred the expression.
        """
        return max(0.0, math.log(max(1, self.search.total) / max(1, self._n_known)))

    @property
    def _n_known(self) -> int:
        return len({score.form for score in self.comparison.scores if score.form in FORMS})

    @property
    def leaders(self) -> tuple[Score | None, Score | None]:
        """The scores of largest evidence of a form that is not new, and of one that is."""
        new = {one.competes_as for one in self.search.found if one.is_new}
        computed = [score for score in self.comparison.scores if score.log_evidence is not None]
        known = [score for score in computed if score.form not in new]
        found = [score for score in computed if score.form in new]
        return (known[0] if known else None, found[0] if found else None)

    @property
    def best(self) -> Score | None:
        """The score of largest evidence after the handicap; None if none could be computed."""
        known, found = self.leaders
        if known is None or found is None:
            return known or found
        return found if self._lead(known, found) > self.handicap else known

    @property
    def conclusion(self) -> str:
        """Whether something new beats the registry, in a sentence."""
        if not self.search.found:
            return "The search found no expression that could be fitted."
        if not any(one.is_new for one in self.search.found):
            return "Nothing new: every expression found equals a registered form, or a case of one."
        known, found = self.leaders
        if known is None or found is None:
            return "Whether a new expression beats the known forms could not be computed."
        lead, number = self._lead(known, found), self.search.total
        needed = CLEAR + self.handicap
        if lead > needed:
            return (
                f"New: {found.form}, {found.expression}, leads every known form by {lead:.1f} nats "
                f"(best of the {self._n_known} that competed: {known.form}). It was chosen among "
                f"{number} expressions and more by these data, so test it on other runs."
            )
        if lead > 0:
            return (
                f"Not decided: the new {found.form} leads {known.form} by {lead:.1f} nats, less "
                f"than the {needed:.1f} that would count for one expression in {number}."
            )
        return (
            f"Nothing new beats the known forms: {known.form} leads the best new expression, "
            f"{found.form}, by {-lead:.1f} nats."
        )

    def _lead(self, known: Score, found: Score) -> float:
        return (found.log_evidence or 0.0) - (known.log_evidence or 0.0)


def propose_and_search(
    curve: Curve,
    *,
    seed: int = 0,
    seconds: float = SECONDS,
    forms: Iterable[Form | str] | None = None,
    noises: Iterable[Noise | str] | None = None,
    cross_check: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> Proposal:
    """Compare known forms and the forms that a search finds, with default priors.

    A found form that equals a registered one competes under the registered name, and once.

    Parameters
    ----------
    curve, seed, noises, cross_check, workers
        As `fitting.propose.propose`.
    forms
        Forms or names of registered ones; by default the common ones, and of all others those that
        come near the best found form, so that nothing is called new that only was not asked.
    seconds, progress
        As `fitting.search.search.search`.
    """
    found = search(curve, seed=seed, seconds=seconds, progress=progress)
    known = [*COMMON, *_near(curve, found)] if forms is None else list(forms)
    named = {form if isinstance(form, str) else form.name for form in known}
    added: dict[str, Form] = {}
    for one in found.found:
        name = one.competes_as
        if name not in named:
            added[name] = FORMS.get(name, one.form)
    comparison = propose(
        curve,
        seed=seed,
        forms=[*known, *added.values()],
        noises=noises,
        cross_check=cross_check,
        workers=workers,
    )
    if added:
        comparison = replace(comparison, notes=(*comparison.notes, CHOSEN))
    return Proposal(comparison, found)


def _near(curve: Curve, search: Search) -> list[str]:
    """Name the uncommon registered forms whose BIC is less than `NEAR` nats behind what was found.

    Under white noise, which is enough for a first look.
    """
    if not search.found:
        return []
    least = max(_half_bic(curve, one.form, one.theta) for one in search.found) - NEAR
    others = [form for name, form in FORMS.items() if name not in COMMON]
    hypotheses = [default_hypothesis(form, NOISES["white"], curve) for form in others]
    points = fit_many(hypotheses, [curve] * len(others))
    return [
        form.name
        for form, point in zip(others, points, strict=True)
        if np.isfinite(point.theta).all()
        and _half_bic(curve, form, point.theta[: len(form.names)]) > least
    ]


def _half_bic(curve: Curve, form: Form, theta: FloatArray) -> float:
    """Return log likelihood minus (p/2) ln n, up to a constant of the curve."""
    n = curve.n_obs
    square = float(np.square(curve.y - form(curve.t, theta)).sum())
    square = resolved(square, curve.y - curve.y.mean())
    return -0.5 * n * math.log(square / n) - 0.5 * len(theta) * math.log(n)
