"""Plateaus, steps in curves, and what the runs of a small arm come to."""

import numpy as np
import pytest

from empirics.toy_model_cell import ToyModelCell
from papers.chen2023_tms.found import found_in, sentences
from papers.chen2023_tms.plateaus import (
    Plateau,
    Transition,
    path_of,
    plateaus_of,
    share_at_levels,
    transitions_of,
)
from papers.chen2023_tms.runs import Arm, Scale, run_arm
from papers.chen2023_tms.steps_in_curves import Score, score, steps_of
from papers.chen2023_tms.study import study_json, verdict
from theory.curve import Curve
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


def test_steps_are_scored_against_transitions() -> None:
    transitions = [Transition("4", "4+", 10, 12), Transition("4+", "5", 30, 34)]

    assert score([11.5, 20.0, 36.0], transitions, 2.0) == Score(2, 0, 1, (0.5, 4.0))
    assert score([], transitions, 2.0) == Score(0, 2, 0, ())
    assert score([11.0, 11.5], transitions[:1], 2.0) == Score(1, 0, 1, (0.0,))


def test_a_curve_that_is_too_short_has_no_steps() -> None:
    assert steps_of(curve([0.0, 1.0, 1.0])) == ()


def test_a_small_arm_comes_to_sentences_and_plain_values() -> None:
    scale = Scale((Arm(ToyModelCell(), 200),), 2, 4, 2, 1)
    told: list[tuple[str, int, int]] = []
    runs = run_arm(scale.arms[0], [0, 1], scale, lambda *each: told.append(each))
    again = run_arm(scale.arms[0], [1], scale, lambda *each: None)

    assert told[-1][1:] == (2, 2)
    assert again[0].llc == runs[1].llc
    assert runs[0].llc.run_id == runs[0].loss.run_id

    found = found_in(runs)
    said = study_json([found], scale)
    assert said["verdict"] == verdict([found])
    assert said["paragraphs"] == [sentences(found, 6)]
    assert said["found"][0]["share_at_levels"] == found.share
