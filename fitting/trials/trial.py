"""One trial of a recovery study: a simulated curve, compared, and what came out."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from fitting.compare import compare
from fitting.comparison import Comparison
from fitting.noise_choice import choose_noises
from fitting.optimum.optima import Optima
from fitting.stages import stages
from fitting.trials.outsiders import OUTSIDERS, SHAPES
from fitting.trials.scatter import Scatter
from fitting.trials.truths import OUTSIDE, Truth, from_registry, planted
from fitting.verdict import VerdictKind
from theory.curve import Curve
from theory.family import Family
from theory.form import Form
from theory.forms import COMMON, FORMS
from theory.hypothesis import center_and_extent, default_hypothesis
from theory.noise import Noise

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Design:
    """What is simulated, and what competes.

    Attributes
    ----------
    template
        Its times, known errors, trials and units are those of every simulated curve.
    scatter
        The noise of the simulated curves.
    size
        Change of the truths on the window, in units of y.
    kinds
        What the truths are, in turn: a family, one of `fitting.trials.outsiders.SHAPES`, or
        `OUTSIDE` for those that no form has.
    forms
        What competes, and what the other truths are drawn from.
    noises
        What competes; None for those that suit each curve.
    """

    template: Curve
    scatter: Scatter
    size: float
    kinds: tuple[str, ...] = (*(str(family) for family in Family), OUTSIDE)
    forms: tuple[Form, ...] = tuple(FORMS[name] for name in COMMON)
    noises: tuple[Noise, ...] | None = None


@final
@dataclass(frozen=True)
class StageRecord:
    """Midpoint with its 95 % interval, width and share of one stage (truths: no interval)."""

    midpoint: float
    width: float
    share: float
    lower: float | None = None
    upper: float | None = None


@final
@dataclass(frozen=True)
class Record:
    """What one simulated curve was, and what was said of it; plain values, as kept in a file.

    Attributes
    ----------
    index
        Of the trial; with seed and design it determines everything but `seconds`.
    asked
        The kind of truth that was asked for.
    source, noise
        What made the shape and the scatter.
    truth
        Family of the true shape.
    kind, families, reason
        The verdict.
    probabilities
        Of the families, in the order of `Family`; empty if nothing could be compared.
    true_stages, stages
        Of the truth, and of the leading family's curves.
    seconds
        Processor time of the comparison.
    lowest
        As the verdict's: up to which threshold it would be decided.
    """

    index: int
    asked: str
    source: str
    noise: str
    truth: str
    kind: str
    families: tuple[str, ...]
    reason: str
    probabilities: tuple[float, ...]
    true_stages: tuple[StageRecord, ...]
    stages: tuple[StageRecord, ...]
    seconds: float
    lowest: float | None = None

    @property
    def decided(self) -> bool:
        """Whether the verdict named one family."""
        return self.kind == VerdictKind.DECIDED

    @property
    def right(self) -> bool:
        """Whether the verdict named the true family, alone or with another."""
        return self.truth in self.families

    def content(self) -> dict[str, Any]:
        """Return plain values, as they are written to JSON."""
        return asdict(self)

    @classmethod
    def of(cls, content: dict[str, Any]) -> Self:
        """Make the record of what `content` gave, also after a way through JSON."""
        lists = {
            name: tuple(StageRecord(**stage) for stage in content[name])
            for name in ("true_stages", "stages")
        }
        plain = {name: tuple(content[name]) for name in ("families", "probabilities")}
        return cls(**{**content, **plain, **lists})


def draw_truth(design: Design, index: int, *, seed: int) -> Truth | None:
    """Draw the curve of one trial; the same design, seed and index, the same curve.

    None if the forms of the design never have the shape whose turn it is.
    """
    rng = np.random.default_rng([seed, index, 0])
    kind, turn = design.kinds[index % len(design.kinds)], index // len(design.kinds)
    if kind == OUTSIDE:
        kind = OUTSIDERS[turn % len(OUTSIDERS)]
    if kind in SHAPES:
        return planted(kind, design.template, design.size, design.scatter, rng)
    family = Family(kind)
    return from_registry(design.forms, family, design.template, design.size, design.scatter, rng)


def trial(design: Design, index: int, *, seed: int, workers: int = 1) -> Record | None:
    """Simulate one curve and compare the forms of the design on it.

    Parameters
    ----------
    design
        What is simulated, and what competes.
    index, seed
        Determine the truth, its noise and the draws of the comparison.
    workers
        Threads; the result does not depend on it.

    Returns
    -------
    Record or None
        None if the forms of the design never have the shape whose turn it is.
    """
    truth = draw_truth(design, index, seed=seed)
    if truth is None:
        return None
    began = time.process_time()
    optima = Optima(truth.curve)
    noises = design.noises
    if noises is None:
        noises = choose_noises(truth.curve, design.forms, optima).noises
    comparison = compare(
        truth.curve,
        [default_hypothesis(f, noise, truth.curve) for f in design.forms for noise in noises],
        rng=np.random.default_rng([seed, index, 1]),
        with_forecast=False,
        optima=optima,
        workers=workers,
    )
    seconds = time.process_time() - began
    return _record(index, design.kinds[index % len(design.kinds)], truth, comparison, seconds)


def _record(index: int, asked: str, truth: Truth, comparison: Comparison, seconds: float) -> Record:
    verdict = comparison.verdict
    known = comparison.family_probabilities
    extent = center_and_extent(truth.curve)[1]
    true = stages(truth.grid, truth.values[None], scale=extent).stages
    found = comparison.stages.stages if comparison.stages is not None else ()
    return Record(
        index=index,
        asked=asked,
        source=truth.source,
        noise=truth.noise,
        truth=str(truth.family),
        kind=str(verdict.kind),
        families=tuple(str(family) for family in verdict.families),
        reason=verdict.reason,
        probabilities=tuple(known[family] for family in Family) if known else (),
        true_stages=tuple(
            StageRecord(s.midpoint.value, s.width.value, s.share.value) for s in true
        ),
        stages=tuple(
            StageRecord(
                s.midpoint.value, s.width.value, s.share.value, s.midpoint.lower, s.midpoint.upper
            )
            for s in found
        ),
        seconds=seconds,
        lowest=verdict.lowest,
    )
