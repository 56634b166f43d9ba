"""An onset: when a run's behavior switched, known up to the spacing of its checkpoints."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

import numpy as np

from theory.curve import Condition, Curve, Progress, check_conditions

SURE = 2.0
"""Standard errors from the level at which a noisy curve is surely on one side of it."""


@final
@dataclass(frozen=True)
class Onset:
    """The onset of one run, in the interval (lower, upper].

    Attributes
    ----------
    lower : float
        Last progress at which the onset had not happened, at least 0.
    upper : float
        First progress at which it had; infinite when the run ended before its onset
        (right-censored at `lower`).
    conditions : mapping
        The conditions of the run.
    run : str
        The user's label of the run.
    progress : Progress
        What the two times count.

    Raises
    ------
    ValueError
        If the interval is empty, negative, or says nothing (0, infinity].
    """

    lower: float
    upper: float
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    run: str = ""
    progress: Progress = Progress.UNSPECIFIED

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lower) and 0 <= self.lower < self.upper):
            raise ValueError(
                f"an onset needs 0 <= lower < upper; run {self.run!r} has "
                f"lower = {self.lower}, upper = {self.upper}."
            )
        if self.lower == 0 and self.censored:
            raise ValueError(f"run {self.run!r} was censored at 0 and says nothing; leave it out.")
        object.__setattr__(self, "conditions", check_conditions(self.conditions))

    @property
    def censored(self) -> bool:
        """Whether the run ended before its onset."""
        return math.isinf(self.upper)


def lasting_onset(curve: Curve, level: float = 0.5) -> Onset:
    """Bracket the progress from which a curve stays above a level until it ends.

    The last upward crossing is taken, so that a start above the level followed by a
    dip (a goal that is preferred by chance before the proxy wins) is no onset. A curve
    above the level at every point had its onset before its first positive progress.

    Raises
    ------
    ValueError
        If the only point is at progress 0, which dates nothing.
    """
    below = np.flatnonzero(curve.y <= level)
    first = int(np.searchsorted(curve.t, 0.0, side="right"))
    if first == curve.n_obs:
        raise ValueError(f"run {curve.run!r} was only observed at progress 0; it dates no onset.")
    lower, upper = 0.0, float(curve.t[first])
    if below.size:
        last = int(below[-1])
        lower = float(curve.t[last])
        upper = float(curve.t[last + 1]) if last + 1 < curve.n_obs else math.inf
    return Onset(lower, upper, curve.conditions, curve.run, curve.progress)


def noisy_onset(curve: Curve, level: float = 0.5) -> Onset:
    """Bracket the lasting onset of a curve that is measured with noise.

    From the last progress at which the curve is surely below the level to the first at which it is
    surely above it and stays so: by twice its standard errors, where it has them, by those of its
    counts, or else by twice the noise that its successive differences show (their median absolute
    size over 0.954, of white noise). A curve without noise is bracketed as by `lasting_onset`.

    Raises
    ------
    ValueError
        If the only point is at progress 0, which dates nothing.
    """
    if curve.y_se is not None:
        se = np.asarray(curve.y_se)
    elif curve.n_trials is not None:
        share = (curve.y * curve.n_trials + 1) / (curve.n_trials + 2)
        se = np.sqrt(share * (1 - share) / curve.n_trials)
    else:
        se = np.full(curve.n_obs, np.median(np.abs(np.diff(curve.y))) / 0.954)
    sure = SURE * se
    exact = lasting_onset(curve, level)
    not_yet = np.flatnonzero(curve.y < level - sure)
    lower = float(curve.t[not_yet[-1]]) if not_yet.size else 0.0
    after = (curve.t > lower) & (curve.y > level + sure)
    upper = float(curve.t[np.argmax(after)]) if after.any() else math.inf
    lower, upper = min(lower, exact.lower), max(upper, exact.upper)
    if lower == 0 and math.isinf(upper):
        lower = exact.lower
    return Onset(lower, upper, curve.conditions, curve.run, curve.progress)
