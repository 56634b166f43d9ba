"""Natural units, and the pure numbers that are left."""

from dataclasses import replace

import numpy as np
import pytest
import sympy

from theory.derivation.derive import story_of
from theory.derivation.scales import nondimensionalize, powers_of, suffices
from theory.derivation.story import Story
from theory.mechanisms.registry import MECHANISMS

P = sympy.Symbol("p", positive=True)
C, START, S, H, M = sympy.symbols("c p0 s h m", positive=True)
TYPICAL = {"c": 0.3, "p0": 0.05, "s": 1.7, "h": 0.2, "m": 1.6}


def scaled(drift):
    found = nondimensionalize(Story(P, START, TYPICAL, flow=drift))
    return str(found.time_unit), str(found.state_unit), [str(g) for g in found.groups]


@pytest.mark.parametrize(
    ("drift", "time", "state", "groups"),
    [
        (C * S * (P * (1 - P)) ** 2, "1/(c*s)", "1", ["p0"]),
        (C * (P * (1 - P)) ** M, "1/c", "1", ["p0", "m"]),
        (C * P * (S - P**2), "1/(c*s)", "sqrt(s)", ["p0/sqrt(s)"]),
        (C * P - S * P**3 + H * P**5, "1/c", "sqrt(c)/sqrt(s)", ["c*h/s**2", "p0*sqrt(s)/sqrt(c)"]),
        (C * P - C * P**2 + S * sympy.exp(-P), "1/c", "1", ["s/c", "p0"]),
    ],
)
def test_units_and_groups(drift, time, state, groups):
    assert scaled(drift) == (time, state, groups)


def test_runs_that_share_the_groups_collapse():
    story = story_of(MECHANISMS["deep_linear"])
    found = nondimensionalize(story)
    given = story.typical | {"singular_value": 3.0, "learning_rate": 0.7}
    scale = np.sqrt(3.0 / story.typical["singular_value"])
    given["initial_scale"] = story.typical["initial_scale"] * scale
    (group,) = found.groups
    assert story.number(group, **given) == pytest.approx(story.number(group), rel=1e-12)
    speeds = []
    for values in (dict(story.typical), given):
        state, unit = (story.number(e, **values) for e in (found.state_unit, found.time_unit))
        at = story.drift.subs(story.state, 0.4 * state)
        speeds.append(story.number(at, **values) * unit / state)
    assert speeds[0] == pytest.approx(speeds[1], rel=1e-12)


def test_too_few_groups_are_noticed():
    story = Story(P, START, TYPICAL, flow=C * P - S * P**3 + H * P**5)
    found = nondimensionalize(story)
    assert suffices(found, story)
    for groups in ((), found.groups[:1], found.groups[1:]):
        assert not suffices(replace(found, groups=groups), story)


def test_powers():
    powers = powers_of(3 * C**2 / sympy.sqrt(S * H) * (1 + M))
    assert powers == {C: 2, S: -sympy.Rational(1, 2), H: -sympy.Rational(1, 2), 1 + M: 1}
