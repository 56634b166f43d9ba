"""Which learning rule of cue competition a shard's curve fits, beside forms that know no rule."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from fitting.doubts import FAILED
from fitting.evidence import log_evidence
from fitting.fit import PosteriorFit
from fitting.ladders.onsets import DECISIVE
from fitting.log_sum_exp import log_sum_exp
from papers.development.cue_form import cue_hypothesis
from papers.wording import joined, plural, words
from theory.curve import Curve, FloatArray
from theory.forms import COMMON, FORMS
from theory.hypothesis import default_hypothesis
from theory.mechanisms.cue_competition import CUE_COMPETITION
from theory.noise import NOISES

NOISE = "ou_white"
"""The noise of all candidates: wander, and white noise on it."""

UNKNOWN = (
    "Step size, salience of the corner and scale of the log-odds are unknown in a maze and free in "
    "every run, so this says that a curve has a shape that a rule can make, not that the rule made "
    "it; the law of the flip along alpha, which would tell, needs a measured salience."
)
"""What can be said of a maze's curves, and what cannot."""


@final
@dataclass(frozen=True, eq=False)
class CueFit:
    """One run's curve under every learning rule and every free form.

    Attributes
    ----------
    curve : Curve
    rules, forms : mapping of str to PosteriorFit
        By name, all under one noise.
    """

    curve: Curve
    rules: Mapping[str, PosteriorFit]
    forms: Mapping[str, PosteriorFit]

    @property
    def free(self) -> float:
        """Log evidence of "one of the free forms, each as likely as the others"."""
        values = np.array([_number(fit) for fit in self.forms.values()])
        return float(log_sum_exp(values, axis=0)) - math.log(values.size)


@final
@dataclass(frozen=True, eq=False)
class CueFits:
    """The curves of some runs, each with unknowns of its own.

    Attributes
    ----------
    fits : tuple of CueFit
    """

    fits: tuple[CueFit, ...]

    @cached_property
    def rules(self) -> Mapping[str, float]:
        """Log evidence of each rule over all runs, best first."""
        total = {
            name: sum(_number(fit.rules[name]) for fit in self.fits) for name in CUE_COMPETITION
        }
        return dict(sorted(total.items(), key=lambda item: -item[1]))

    @property
    def free(self) -> float:
        """Log evidence of free forms over all runs."""
        return sum(fit.free for fit in self.fits)

    @property
    def sentence(self) -> str:
        """Say which rules fit the curves, how much better or worse than free forms, how surely."""
        best, *others = self.rules
        near: list[str] = []
        far: list[str] = []
        for name in others:
            gap = self.rules[best] - self.rules[name]
            (near if gap < DECISIVE else far).append(f"{words(name)} ({gap:.1f} nats behind)")
        of = f"{self.fits[0].curve.observable} of {plural(len(self.fits), 'run')}"
        parts = [f"{of}: of the rules {words(best)} fits best"]
        parts += [f"from it one CANNOT TELL {joined(near)}"] if near else []
        parts += [f"it fits better than {joined(far)}"] if far else []
        gap = self.free - self.rules[best]
        how = "as well" if abs(gap) < DECISIVE else "better" if gap > 0 else "worse"
        parts += [f"free forms fit {how} ({gap:+.1f} nats)"]
        return f"{'; '.join(parts)}.{self._rough()} {UNKNOWN}"

    def _rough(self) -> str:
        """Name the rules whose evidence is not to be trusted to a nat."""
        rough = [n for n in self.rules if any(fit.rules[n].status in FAILED for fit in self.fits)]
        return f" The evidence of {joined([words(n) for n in rough])} is rough." if rough else ""


def _number(fit: PosteriorFit) -> float:
    return -math.inf if fit.log_evidence is None else fit.log_evidence


def cue_fit(
    curve: Curve, *, part: str = "lead", forms: Iterable[str] = (), seed: int = 0
) -> CueFit:
    """Fit the learning rules and free forms to a run's curve.

    Parameters
    ----------
    curve : Curve
        In log-odds, with alpha among its conditions.
    part : str
        What of the mechanism it is; see `papers.development.cue_form.PARTS`.
    forms : iterable of str
        Names of free forms; by default the common ones.
    seed : int
        Of the Monte-Carlo part.

    Raises
    ------
    ValueError
        If the curve has no alpha, does not vary, or a form is unknown.
    """
    names = tuple(forms) or COMMON
    unknown = sorted(set(names) - set(FORMS))
    if unknown:
        raise ValueError(f"no form {', '.join(unknown)}; choose from {', '.join(sorted(FORMS))}.")
    noise = NOISES[NOISE]
    rules = {name: cue_hypothesis(name, noise, curve, part) for name in CUE_COMPETITION}
    free = {name: default_hypothesis(FORMS[name], noise, curve) for name in names}
    fits = {
        name: log_evidence(hypothesis, curve, rng=np.random.default_rng(seed))
        for name, hypothesis in {**rules, **free}.items()
    }
    return CueFit(curve, {n: fits[n] for n in rules}, {n: fits[n] for n in free})


def log_odds(curves: Mapping[str, Curve], goal: str = "p_goal", proxy: str = "p_proxy") -> Curve:
    """Return ln(P(goal step)/P(proxy step)) at decision squares, the part ``lead`` of a rule.

    Parameters
    ----------
    curves : mapping of str to Curve
        Of one run, by observable.

    Raises
    ------
    ValueError
        If a probability is 0 somewhere.
    """
    one, other = curves[goal], curves[proxy]
    if not (one.y > 0).all() or not (other.y > 0).all():
        raise ValueError(f"run {one.run!r} has a P(goal) or P(proxy) of 0, without log-odds.")
    return _curve("log_odds_goal_proxy", one, np.log(one.y) - np.log(other.y))


def path_lead(curves: Mapping[str, Curve], context: str = "far") -> Curve:
    """Return the weight of the path to the goal minus that to the proxy, the part ``lead``."""
    goal, proxy = (curves[f"weight_{each}_path_{context}"] for each in ("goal", "proxy"))
    return _curve(f"path_lead_{context}", goal, goal.y - proxy.y)


def _curve(name: str, like: Curve, y: FloatArray) -> Curve:
    return Curve(
        name,
        like.t,
        y,
        unit="log-odds",
        progress=like.progress,
        run=like.run,
        run_id=like.run_id,
        conditions=like.conditions,
        origin=like.origin,
    )
