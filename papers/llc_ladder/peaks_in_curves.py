"""Where a curve without noise rises to a peak and falls again."""

from __future__ import annotations

import numpy as np
from scipy.signal import find_peaks

from theory.curve import Curve

PROMINENCE = 0.02
"""Share of the curve's range that a peak must stand out by."""


def peaks_of(curve: Curve) -> tuple[float, ...]:
    """Return when a curve has an interior maximum that stands out of both sides, in order."""
    (found, _) = find_peaks(curve.y, prominence=PROMINENCE * float(np.ptp(curve.y)) or None)
    return tuple(float(t) for t in curve.t[found])
