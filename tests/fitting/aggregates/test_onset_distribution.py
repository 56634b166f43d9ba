"""Distributions of onsets: a published table, scipy, and runs that end before their onset."""

import numpy as np
import pytest
from scipy import stats

from fitting.aggregates.onset_distribution import halfway_level, onset_distribution, onsets_of
from theory.curve import Curve
from theory.onset import Onset

# Remission in weeks under 6-MP: Freireich et al. (1963), as in Kalbfleisch and Prentice (1980).
SEEN = (6, 6, 6, 7, 10, 13, 16, 22, 23)
ENDED = (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)
REMAINING = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}


def remissions() -> list[Onset]:
    seen = [Onset(time - 1.0, float(time)) for time in SEEN]
    return [*seen, *(Onset(float(time), np.inf) for time in ENDED)]


def test_the_published_estimate() -> None:
    found = onset_distribution(remissions())
    assert dict(zip(found.t, (1 - found.share).round(3), strict=True)) == REMAINING
    assert (found.n_runs, found.n_censored, found.median) == (21, 12, 23.0)


def test_bands_agree_with_scipy() -> None:
    found = onset_distribution(remissions())
    sample = stats.CensoredData(uncensored=SEEN, right=ENDED)
    peer = stats.ecdf(sample).sf.confidence_interval(0.95, method="log-log")
    places = np.searchsorted(peer.low.quantiles, found.t)
    assert found.upper == pytest.approx(1 - peer.low.probabilities[places], rel=1e-9)
    assert found.lower == pytest.approx(1 - peer.high.probabilities[places], rel=1e-9)


def test_without_censoring_it_is_the_empirical_distribution() -> None:
    found = onset_distribution([Onset(t - 1.0, t) for t in (2.0, 4.0, 4.0, 8.0)])
    assert found.share.tolist() == [0.25, 0.75, 1.0]
    assert np.isnan(found.upper).tolist() == [False, False, True]


def test_runs_that_never_rise_count_until_their_end() -> None:
    t = np.arange(10.0)
    curves = [Curve("y", t, (t > 3).astype(float)), Curve("y", t, np.zeros(10))]
    onsets, left_out = onsets_of(curves, 0.5)
    assert [(o.lower, o.upper) for o in onsets] == [(3.0, 4.0), (9.0, np.inf)]
    assert (onset_distribution(onsets).median, left_out) == (4.0, ())


def test_where_runs_begin_above_the_level_an_onset_is_a_fall() -> None:
    t = np.arange(10.0)
    curves = [Curve("loss", t, 5.0 - 4.0 * (t > k)) for k in (2, 5)]
    onsets, _ = onsets_of(curves, halfway_level(curves))
    assert [o.upper for o in onsets] == [3.0, 6.0]
