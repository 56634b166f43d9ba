"""Stages of curves whose stages are known in closed form."""

import numpy as np
import pytest

from fitting.crossing import crossing_times
from fitting.humps import humps
from fitting.stages import stages
from theory.curve import Curve
from theory.family import Family, classify, family_grid
from theory.forms import FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import NOISES

T = np.linspace(0.0, 20.0, 2001)


def logistic(t: np.ndarray, midpoint: float, rate: float) -> np.ndarray:
    return 0.5 * (1.0 + np.tanh(0.5 * rate * (t - midpoint)))


def test_one_logistic_stage_has_its_closed_form_width() -> None:
    found = stages(T, logistic(T, 10.0, 2.0)[None, :], scale=1.0)
    (stage,) = found.stages
    assert stage.midpoint.value == pytest.approx(10.0, abs=1e-6)
    # 10-90 % of a logistic takes 2 ln 9 / rate.
    assert stage.width.value == pytest.approx(np.log(81.0) / 2.0, rel=1e-4)
    assert stage.onset.value == pytest.approx(10.0 - np.log(9.0) / 2.0, rel=1e-4)
    assert stage.share.value == pytest.approx(1.0)
    assert found.peak is None


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_two_stages_and_their_shares(sign: float) -> None:
    y = sign * (0.3 * logistic(T, 5.0, 4.0) + 0.7 * logistic(T, 14.0, 3.0))
    found = stages(T, y[None, :], scale=1.0)
    assert len(found.stages) == 2
    first, second = found.stages
    assert first.share.value == pytest.approx(0.3, abs=1e-3)
    assert second.share.value == pytest.approx(0.7, abs=1e-3)
    assert first.midpoint.value == pytest.approx(5.0, abs=1e-2)
    assert second.midpoint.value == pytest.approx(14.0, abs=1e-2)
    assert first.rise.value == pytest.approx(sign * 0.3, abs=1e-3)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_bump_has_a_rise_a_fall_and_a_peak(sign: float) -> None:
    y = sign * (np.exp(-T / 6.0) - np.exp(-T / 2.0))
    found = stages(T, y[None, :], scale=0.4)
    assert len(found.stages) == 2
    assert found.peak is not None
    # The maximum of exp(-t/a) - exp(-t/b) is at ln(a/b) a b / (a - b).
    assert found.peak.time.value == pytest.approx(np.log(3.0) * 12.0 / 4.0, abs=1e-4)
    assert found.peak.height.value == pytest.approx(y[np.argmax(np.abs(y))], abs=1e-6)
    assert found.peak.probability == 1.0


@pytest.mark.parametrize("rate", [0.6, 0.8, 1.0, 2.0, 4.0])
def test_two_stages_with_a_plateau_between_them_are_two(rate: float) -> None:
    t = family_grid(np.arange(1.0, 121.0))
    y = 0.5 * logistic(t, 30.0, rate) + 0.5 * logistic(t, 90.0, rate)
    first, second = stages(t, y[None, :], scale=1.0).stages
    for stage, midpoint in ((first, 30.0), (second, 90.0)):
        # The grid is half a unit wide, and a curve that is straight in between errs by less.
        assert stage.midpoint.value == pytest.approx(midpoint, abs=0.3)
        assert stage.width.value == pytest.approx(np.log(81.0) / rate, abs=0.6)
        assert stage.share.value == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("y", [np.full(T.size, 0.7), 0.3 + 0.1 * T])
def test_curves_without_a_change_of_rate_have_no_stages(y: np.ndarray) -> None:
    found = stages(T, np.tile(y, (3, 1)), scale=1.0)
    assert found.stages == ()
    assert found.peak is None


def test_the_number_of_stages_is_what_the_family_says() -> None:
    """A law over the prior-predictive shapes of all forms with steps of either sign."""
    t = np.arange(1.0, 121.0)
    curve = Curve("x", t, np.sin(t))
    grid = family_grid(t)
    rng = np.random.default_rng(0)
    seen = set()
    for form in ("logistic", "bump", "double_logistic", "signed_double_logistic"):
        hypothesis = default_hypothesis(FORMS[form], NOISES["white"], curve)
        theta = hypothesis.draw_prior(400, rng=rng)[:, : len(FORMS[form].names)]
        values = np.asarray(FORMS[form](grid, theta))
        for y, code in zip(values, classify(grid, values, scale=2.0), strict=True):
            family = tuple(Family)[code]
            number = len(humps(grid, y, family).pieces)
            seen.add(family)
            expected = {Family.NONE: number == 0, Family.SATURATING: number == 1,
                        Family.SIGMOID: number == 1}.get(family, number >= 2)  # fmt: skip
            assert expected, (form, family, number)
    assert seen == set(Family)


def test_a_peak_needs_half_of_the_draws_on_its_own_side() -> None:
    up = logistic(T, 5.0, 3.0) - logistic(T, 14.0, 3.0)
    draws = np.concatenate(
        [np.tile(up, (30, 1)), np.tile(-up, (28, 1)), np.tile(logistic(T, 9.0, 2.0), (42, 1))]
    )
    assert stages(T, draws, scale=1.0).peak is None
    found = stages(T, np.concatenate([draws, np.tile(up, (60, 1))]), scale=1.0).peak
    assert found is not None
    assert found.probability == pytest.approx(90 / 160)


def test_stages_are_equivariant() -> None:
    y = 0.4 * logistic(T, 5.0, 2.0) + 0.6 * logistic(T, 14.0, 3.0)
    plain = stages(T, y[None, :], scale=1.0)
    moved = stages(1e5 * T, 7.0 - 30.0 * y[None, :], scale=30.0)
    for a, b in zip(plain.stages, moved.stages, strict=True):
        assert b.midpoint.value == pytest.approx(1e5 * a.midpoint.value, rel=1e-9)
        assert b.width.value == pytest.approx(1e5 * a.width.value, rel=1e-9)
        assert b.share.value == pytest.approx(a.share.value, rel=1e-9)


def test_intervals_cover_the_spread_of_the_draws() -> None:
    rng = np.random.default_rng(1)
    middles = 10.0 + rng.standard_normal(400)
    draws = np.array([logistic(T, m, 3.0) for m in middles])
    (stage,) = stages(T, draws, scale=1.0).stages
    lower, upper = np.quantile(middles, [0.025, 0.975])
    assert stage.midpoint.lower == pytest.approx(lower, abs=0.02)
    assert stage.midpoint.upper == pytest.approx(upper, abs=0.02)


def test_crossing_of_two_logistics() -> None:
    rng = np.random.default_rng(0)
    goal = logistic(T, 12.0, 1.0)[None, :]
    proxy = 1.0 - logistic(T, 8.0, 1.0)[None, :]
    crossing = crossing_times(T, goal, proxy, rng=rng)
    assert crossing.time is not None
    # By symmetry the two meet half way between their midpoints.
    assert crossing.time.value == pytest.approx(10.0, abs=1e-6)
    assert crossing.never == crossing.always == 0.0


def test_crossings_that_do_not_happen_are_counted() -> None:
    rng = np.random.default_rng(0)
    a = np.array([0.0 * T, 0.0 * T + 2.0, T / 10.0, 3.0 - T])
    b = np.ones((4, T.size))
    crossing = crossing_times(T, a, b, rng=rng)
    assert crossing.never == 0.5
    assert crossing.always == 0.25
    assert crossing.time is not None
    assert crossing.time.value == pytest.approx(10.0)
