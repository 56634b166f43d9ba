"""Plateaus, steps in curves, and what the runs of a small arm come to."""

from dataclasses import replace

import numpy as np
import pytest

from empirics.toy_model_cell import ToyModelCell, ToyModelPPOCell
from empirics.toy_model_drift import RareSweep, draw_features, train_drifting
from papers.chen2023_tms import drift, learning, posterior
from papers.chen2023_tms.drift import Way, extrapolated, way_of
from papers.chen2023_tms.found import (
    detection,
    found_in,
    known_coefficients,
    known_transitions,
)
from papers.chen2023_tms.plateaus import (
    Plateau,
    Transition,
    path_of,
    plateaus_of,
    share_at_levels,
    transitions_of,
)
from papers.chen2023_tms.runs import SCALES, run_arm
from papers.chen2023_tms.steps_in_curves import steps_of
from theory.curve import Curve
from theory.learning_coefficients.drift import frequencies
from theory.learning_coefficients.k_gons import LEVEL_TOLERANCE

FOUR, FOUR_PLUS, FIVE = 1 / 9, 1 / 9 - 1 / 144, 0.06874
"""Losses of k-gons with six features (Chen et al. 2023)."""


def curve(y: list[float]) -> Curve:
    return Curve("loss", np.arange(len(y), dtype=float), np.array(y))


def test_plateaus_are_named_by_their_loss() -> None:
    loss = curve([FOUR] * 3 + [0.107] + [FOUR_PLUS] * 4 + [0.08, 0.075] + [FIVE] * 2)

    found = plateaus_of(loss, 6, LEVEL_TOLERANCE)

    assert found == (Plateau("4", 0, 2), Plateau("4+", 4, 7), Plateau("5", 10, 11))
    assert transitions_of(found) == (Transition("4", "4+", 2, 4), Transition("4+", "5", 7, 10))
    assert path_of(found) == "4 → 4+ → 5"
    assert share_at_levels(loss.y, 6, LEVEL_TOLERANCE) == pytest.approx(9 / 12)


def test_an_excursion_does_not_split_a_plateau_and_a_passing_level_is_none() -> None:
    loss = curve([FOUR, FOUR, 0.108, FOUR, FOUR, FOUR_PLUS, 0.09, FIVE, FIVE])

    assert path_of(plateaus_of(loss, 6, LEVEL_TOLERANCE)) == "4 → 5"


@pytest.mark.parametrize("cut", [6, 30, 54])
def test_a_step_of_many_noise_widths_is_found_where_it_is(cut: int) -> None:
    y = (-1.0) ** np.arange(60)
    y[cut:] += 30

    assert steps_of(curve(y.tolist())) == (cut - 0.5,)


def test_two_steps_are_found_in_order() -> None:
    y = (-1.0) ** np.arange(90)
    y[30:] += 30
    y[60:] += 30

    assert steps_of(curve(y.tolist())) == (29.5, 59.5)


def test_noise_alone_is_seldom_called_a_step() -> None:
    # A cut of k points of noise gains the square of a standard normal; over the about n cuts of a
    # curve it exceeds 3 ln n with chance below n · P(χ²₁ > 3 ln n), .03 here. The noise is
    # estimated with an error of about 15 %, so that the level moves by 30 %: .12 at the worst.
    rng = np.random.default_rng(2)
    alarms = sum(bool(steps_of(curve(rng.standard_normal(60).tolist()))) for _ in range(200))

    assert alarms <= 0.12 * 200


def test_a_curve_that_is_too_short_has_no_steps() -> None:
    assert steps_of(curve([0.0, 1.0, 1.0])) == ()


def silent(*_: object) -> None:
    pass


def test_a_small_arm_comes_to_a_page() -> None:
    scale = SCALES["tiny"]
    told: list[tuple[str, int, int]] = []
    runs = run_arm(scale.arms[0], [0, 1], scale, lambda *each: told.append(each))
    again = run_arm(scale.arms[0], [1], scale, silent)

    assert told[-1][1:] == (2, 2)
    assert again[0].llc == runs[1].llc
    assert runs[0].llc.run_id == runs[0].loss.run_id

    found = found_in(runs)
    rung = learning.rung(seed=0, scale="tiny", progress=silent)
    assert rung.detectors == found.detectors
    assert rung.checks[0].holds is (found.share >= 0.9)
    assert rung.tables[0][2][0][:3] == (found.label, found.share, len(found.transitions))
    assert len(rung.curves) == 2 * (len(runs[0].trained.curves) + 1)


@pytest.fixture(scope="module")
def run():
    return run_arm(SCALES["tiny"].arms[0], [0], SCALES["tiny"], silent)[0]


def with_loss(run, loss: list[float]):
    """Return the run, which starts at a 4-gon, with another course of its loss."""
    made = curve(loss)
    found = plateaus_of(made, 6, LEVEL_TOLERANCE)
    return replace(run, trained=replace(run.trained, curves=(made,)), plateaus=found)


def test_a_step_inside_a_long_transition_is_a_hit(run) -> None:
    made = with_loss(run, [FOUR] * 10 + list(np.linspace(FOUR, FIVE, 12)[1:-1]) + [FIVE] * 10)
    step = curve([0.0, 0.1] * 8 + [9.0, 9.1] * 7)
    found = detection(made, step)
    assert (found.hits, found.false_alarms) == (1, 0)
    assert found.lags[0] == pytest.approx((15.5 - (9 + 20) / 2) / 29)


def test_a_first_plateau_with_another_number_of_vertices_is_reached_by_a_transition(run) -> None:
    passing = with_loss(run, [0.09, 0.08, FIVE, FIVE, FIVE])
    staying = with_loss(run, [0.109, 0.108, FOUR_PLUS, FOUR_PLUS, FIVE, FIVE])
    assert known_transitions(passing) == (Transition("start", "5", 0, 2),)
    assert known_transitions(staying) == (Transition("4+", "5", 3, 4),)
    assert known_transitions(with_loss(run, [0.09] * 5)) == ()


def test_coefficients_of_the_polygons_are_those_published() -> None:
    assert known_coefficients(6) == {"5": 7.0, "5+": 8.5, "6": 8.5}


def test_a_sweep_goes_down_evenly_and_comes_back() -> None:
    sweep = RareSweep(0.05, 100, 10)
    p = sweep.probability(np.array([0, 25, 50, 75, 100]), 5)
    np.testing.assert_allclose(p, [0.2, 0.125, 0.05, 0.125, 0.2], rtol=1e-12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"lowest": 0.0}, "lowest must be above 0"), ({"updates": 1}, "updates must be at least 2")],
)
def test_a_sweep_out_of_range_is_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RareSweep(**settings)


def test_a_sweep_must_turn_below_the_even_probability() -> None:
    with pytest.raises(ValueError, match="lowest must be below 1/c = 0.1667; it is 0.2"):
        train_drifting([ToyModelCell()], RareSweep(0.2, 10, 2), [0])


def test_features_are_drawn_as_often_as_they_should() -> None:
    n = 60_000
    counts = np.bincount(draw_features(np.full(n, 0.04), 6, np.random.default_rng(3)), minlength=6)
    expected = n * frequencies(0.04)
    # Pearson's statistic of five degrees of freedom exceeds 20.5 once in a thousand.
    assert ((counts - expected) ** 2 / expected).sum() < 20.5


@pytest.mark.parametrize(
    "cell",
    [
        ToyModelCell(learning_rate=0.1),
        ToyModelPPOCell(learning_rate=0.05, num_envs=20, num_minibatches=2),
    ],
)
def test_runs_under_drift_do_not_depend_on_their_company_or_checkpoints(cell) -> None:
    both = train_drifting([cell], RareSweep(0.05, 40, 4), [1, 2])
    (alone,) = train_drifting([cell], RareSweep(0.05, 40, 4), [2])
    assert np.array_equal(both[1].weights, alone.weights)
    assert not np.array_equal(both[0].weights, alone.weights)
    schedule = alone.curves[0].conditions["rare_probability"]
    assert schedule.content()["value"][0] == pytest.approx(1 / 6)


def test_a_way_down_and_back_is_read_off_its_curves() -> None:
    run = train_drifting([ToyModelCell()], RareSweep(0.05, 40, 8), [0])[0]
    p, flat = run.curves[1], np.full(9, 6.0)

    def way(represented: np.ndarray) -> Way:
        curves = (run.curves[0], p, Curve("num_represented", p.t, represented))
        return way_of(replace(run, curves=curves))

    lost, back = flat.copy(), flat.copy()
    lost[3:] = 5
    back[3:6] = 5
    assert way(flat) == Way(40, None, None)
    assert way(lost) == Way(40, p.y[3], None)
    assert way(back) == Way(40, p.y[3], p.y[6])


def test_the_limit_of_no_speed_is_that_of_a_fold() -> None:
    ways = {
        ("SGD", n): [Way(n, 0.06 - 10.0 * n ** (-2 / 3), None)] for n in (10_000, 20_000, 80_000)
    }
    assert extrapolated(ways, "SGD") == pytest.approx(0.06)
    assert extrapolated(ways, "PPO") is None


@pytest.mark.parametrize("module", [posterior, drift])
def test_the_pages_of_posterior_and_drift_are_made(module) -> None:
    page = module.rung(seed=0, scale="tiny", progress=silent).page()
    assert len(page["tables"]) >= 2
    assert all(table["rows"] for table in page["tables"])


@pytest.mark.slow
def test_the_posterior_changes_its_mind_nearer_to_laplace_than_to_leading_order() -> None:
    assert [c.holds for c in posterior.rung(seed=1, scale="quick", progress=silent).checks] == [
        True,
        True,
    ]
