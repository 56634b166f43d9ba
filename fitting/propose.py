"""Propose functional forms for a curve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np

from fitting.compare import compare
from fitting.comparison import Comparison
from fitting.noise_choice import NoiseChoice, choose_noises
from fitting.optimum.optima import Optima
from fitting.verdict import inconclusive
from theory.curve import Curve
from theory.form import Form
from theory.forms import COMMON, FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import NOISES, Noise

Named = TypeVar("Named", Form, Noise)


def propose(
    curve: Curve,
    *,
    seed: int = 0,
    forms: Iterable[Form | str] | None = None,
    noises: Iterable[Noise | str] | None = None,
    cross_check: bool = False,
    workers: int = 1,
) -> Comparison:
    """Which known functional forms fit a curve, with default priors.

    Parameters
    ----------
    curve
        The data. A legal curve that cannot be fitted (constant, or too short) gives an inconclusive
        comparison without scores, never an exception.
    seed
        Same seed, same result.
    forms
        Forms or names of registered ones; by default the common ones (`theory.forms.COMMON`).
    noises
        Noises or their names; by default those that suit the curve (`fitting.noise_choice`).
    cross_check
        As `fitting.compare.compare`.
    workers
        Threads; the result does not depend on it.

    Raises
    ------
    ValueError
        If a name is unknown, or a noise cannot be used on this curve.
    """
    chosen = _chosen(COMMON if forms is None else forms, FORMS, "form")
    named = None if noises is None else tuple(_chosen(noises, NOISES, "noise"))
    optima = Optima(curve)
    try:
        choice = choose_noises(curve, chosen, optima) if named is None else NoiseChoice(named)
        hypotheses = [default_hypothesis(f, n, curve) for f in chosen for n in choice.noises]
    except ValueError as error:
        return nothing_fitted(curve, str(error))
    found = compare(
        curve,
        hypotheses,
        rng=np.random.default_rng(seed),
        cross_check=cross_check,
        optima=optima,
        workers=workers,
    )
    notes = (*found.notes, choice.sentence) if choice.sentence else found.notes
    return replace(found, notes=notes)


def _chosen(wanted: Iterable[Named | str], known: Mapping[str, Named], what: str) -> list[Named]:
    found: list[Named] = []
    for item in wanted:
        if not isinstance(item, str):
            found.append(item)
        elif item in known:
            found.append(known[item])
        else:
            raise ValueError(f"no {what} is called {item!r}; choose from {sorted(known)}.")
    if not found:
        raise ValueError(f"at least one {what} is needed; choose from {sorted(known)}.")
    return found


def nothing_fitted(curve: Curve, reason: str) -> Comparison:
    """Return the comparison of a curve to which nothing could be fitted."""
    sentence = reason[0].upper() + reason[1:]
    return Comparison(
        curve=curve,
        scores=(),
        family_probabilities={},
        family_se={},
        sensitivity={},
        stages=None,
        forecast=None,
        verdict=inconclusive(sentence),
        notes=(sentence,),
    )
