"""Peaks of curves as detectors."""

import numpy as np
import pytest

from papers.elliott2026_stagewise_rl.cheese_peaks import PEAKED, peaks_find
from papers.llc_ladder.detector import DetectorScore
from papers.llc_ladder.peaks_in_curves import peaks_of
from theory.curve import Curve

T = np.arange(101.0)


@pytest.mark.parametrize(
    ("y", "peaks"),
    [
        (np.exp(-((T - 30) ** 2) / 50) - T / 100, (30.0,)),
        (np.cos(T * 2 * np.pi / 50), (50.0,)),
        (-T, ()),
        (np.zeros(101), ()),
        # A ripple of a hundredth of the range is none.
        (-T + 0.7 * np.sin(T * np.pi / 2), ()),
    ],
)
def test_interior_peaks_that_stand_out_are_found(y, peaks):
    assert peaks_of(Curve("llc", T, y)) == peaks


@pytest.mark.parametrize(
    ("hits", "alarms", "verdict"), [(4, 0, True), (3, 0, False), (4, 1, False)]
)
def test_peaks_must_be_the_transitions(hits, alarms, verdict):
    agents = DetectorScore("agents", 4, 4, hits, alarms, 0.0)
    control = DetectorScore("control", 4, 0, 0, 0, None)
    for name in PEAKED:
        found = peaks_find(name, (agents, control))
        assert found.holds is verdict
        assert found.measured.startswith(f"{hits} of 4 transitions found, {alarms} false alarms")


def test_without_a_transition_nothing_can_be_told():
    assert peaks_find("llc_behavior_matched", (DetectorScore("a", 1, 0, 0, 0, None),)).holds is None
