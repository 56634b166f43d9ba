import numpy as np
import pytest

from fitting.stages import stages
from fitting.trials.outsiders import SHAPES
from fitting.trials.scatter import PriorScatter
from fitting.trials.trial import Design, draw_truth
from fitting.trials.truths import OUTSIDE, from_registry, planted
from theory.curve import Curve
from theory.family import Family, classify
from theory.forms import FORMS
from theory.hypothesis import center_and_extent
from theory.noise import OUWhite, White

T = np.geomspace(1.0, 100.0, 60)
TEMPLATE = Curve("y", T, np.linspace(0.0, 2.0, 60))
SCATTER = PriorScatter((White(), OUWhite()))
NAMES = ("constant", "exponential_approach", "logistic", "double_logistic", "bump")
FORMS_HERE = tuple(FORMS[name] for name in NAMES)


@pytest.mark.parametrize("family", list(Family))
def test_a_truth_has_the_shape_asked_for(family):
    rng = np.random.default_rng(0)
    truth = from_registry(FORMS_HERE, family, TEMPLATE, 1.5, SCATTER, rng)
    assert truth is not None
    extent = center_and_extent(truth.curve)[1]
    code = int(classify(truth.grid, truth.values, scale=extent))
    assert tuple(Family)[code] is truth.family is family
    if family is not Family.NONE:
        assert np.ptp(truth.values) == pytest.approx(1.5)
    assert np.ptp(truth.values) <= 1.5 + 1e-9


def test_forms_that_never_turn_give_no_transient_truth():
    forms = (FORMS["constant"], FORMS["logistic"])
    rng = np.random.default_rng(0)
    assert from_registry(forms, Family.TRANSIENT, TEMPLATE, 1.0, SCATTER, rng) is None


def test_the_same_seed_and_index_give_the_same_curve():
    design = Design(TEMPLATE, SCATTER, 1.0, forms=FORMS_HERE)
    first, again, other = (draw_truth(design, i, seed=4) for i in (5, 5, 11))
    assert first is not None and again is not None and other is not None
    assert first.curve == again.curve != other.curve
    assert design.kinds[5] == design.kinds[11 % 6] == OUTSIDE
    assert first.source != other.source


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_planted_shapes_are_finite_and_of_the_size_asked_for(name):
    rng = np.random.default_rng(1)
    for _ in range(5):
        truth = planted(name, TEMPLATE, 1.5, SCATTER, rng)
        assert np.isfinite(truth.values).all()
        assert np.ptp(truth.values) <= 1.5 + 1e-9


def test_two_steps_are_three_widths_apart():
    t = np.linspace(1.0, 100.0, 200)
    rng = np.random.default_rng(2)
    for _ in range(10):
        truth = planted("two_steps", Curve("y", t, t / 100), 1.0, SCATTER, rng)
        first, second = stages(truth.grid, truth.values[None], scale=1.0).stages
        assert truth.family is Family.MULTISTAGE
        width = max(first.width.value, second.width.value)
        # On a grid of 200 points a width of nine of them is known to a tenth or so.
        assert second.midpoint.value - first.midpoint.value > 0.9 * 3 * width
        assert min(first.share.value, second.share.value) > 0.29


def test_truths_of_trials_are_proportions_of_them():
    trials = np.full(60, 20)
    template = Curve("p", T, np.round(np.linspace(0, 1, 60) * 20) / 20, n_trials=trials)
    truth = planted("ringing", template, 0.8, SCATTER, np.random.default_rng(0))
    counts = truth.curve.y * 20
    assert np.allclose(counts, np.rint(counts))
