"""The score of a learned probe as a reading."""

from __future__ import annotations

from collections.abc import Mapping

from empirics.learned_probes.score import Score
from empirics.probe import Reading


def score_reading(
    score: Score, baselines: Mapping[str, float], support: tuple[float, float] | None = None
) -> Reading:
    """Return a score on held-out levels as a reading; the levels are those of all checkpoints.

    A gain over another score has no support (`change_reading`).
    """
    return Reading(
        score.value,
        score.se,
        n_levels=score.n_levels,
        support=support,
        baselines=baselines,
        se_is_shared=True,
    )
