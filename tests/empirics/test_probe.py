import numpy as np
import pytest

from empirics.probe import Reading, curves_from_readings, level_mean
from theory.curve import Origin, Progress


def test_se_over_levels_equals_the_plain_se_with_one_square_a_level():
    y = np.random.default_rng(0).random(50)
    mean, se, n = level_mean(y, np.arange(50))
    assert n == 50
    assert mean == pytest.approx(y.mean(), rel=1e-14)
    assert se == pytest.approx(y.std(ddof=1) / np.sqrt(50), rel=1e-12)


def test_repeating_the_squares_of_a_level_adds_no_certainty():
    y = np.random.default_rng(1).random(30)
    _, se, _ = level_mean(y, np.arange(30))
    _, repeated, n = level_mean(np.repeat(y, 4), np.repeat(np.arange(30), 4))
    assert n == 30 and repeated == pytest.approx(se, rel=1e-12)


def test_se_over_levels_covers_the_scatter_of_the_mean():
    # Levels N(0, 1), squares N(level, 1), 40 levels of 3: sd of the mean is sqrt(4/3/40).
    rng = np.random.default_rng(2)
    levels = np.repeat(np.arange(40), 3)
    draws = rng.normal(size=(2000, 40))[:, levels] + rng.normal(size=(2000, 120))
    results = [level_mean(draw, levels) for draw in draws]
    truth = np.sqrt((1 + 1 / 3) / 40)
    mean_variance = np.mean([se**2 for _, se, _ in results])
    # The variance estimate has relative sd sqrt(2/39) a draw, .5 % over 2,000.
    assert np.sqrt(mean_variance) == pytest.approx(truth, rel=0.02)


def test_one_level_has_no_se():
    assert level_mean(np.array([0.2, 0.4]), np.array([7, 7])) == (pytest.approx(0.3), None, 1)


def test_curves_carry_their_ledger_and_only_independent_errors():
    readings = [
        (0, {"p": Reading(0.2, 0.01, support=(0, 1), se_is_shared=True), "r": Reading(1.0, 0.1)}),
        (64, {"p": Reading(0.4, 0.01, support=(0, 1), se_is_shared=True), "r": Reading(2.0, 0.1)}),
        (128, {"r": Reading(3.0, 0.2, n_trials=None)}),
    ]
    p, r = curves_from_readings(readings, conditions={"alpha": 0.1}, run="a", run_id="b")
    assert (p.observable, r.observable) == ("p", "r")
    assert p.t.tolist() == [0, 64] and r.y.tolist() == [1, 2, 3]
    assert p.y_se is None and r.y_se.tolist() == [0.1, 0.1, 0.2]
    assert p.support == (0, 1) and r.support is None
    assert p.progress is Progress.ENV_STEPS and p.origin is Origin.MEASURED
    assert p.conditions == {"alpha": 0.1} and (p.run, p.run_id) == ("a", "b")


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (Reading(0.5, 0.1, unit="nats"), "unit; it is '' at 0 and 'nats' at 64"),
        (Reading(0.5, 0.1, support=(0, 1)), r"support; it is None at 0 and \(0, 1\) at 64"),
        (Reading(0.5), "kind of se; it is 'independent' at 0 and 'none' at 64"),
        (Reading(0.5, 0.1, se_is_shared=True), "'independent' at 0 and 'shared' at 64"),
        (Reading(0.5, 0.1, n_trials=9), "kind of n_trials; it is 'none' at 0 and 'known' at 64"),
    ],
)
def test_readings_that_are_not_alike_are_no_curve(other, sentence):
    readings = [(0, {"p": Reading(0.2, 0.1)}), (64, {"p": other})]
    with pytest.raises(ValueError, match=f"all readings of 'p' must have the same .*{sentence}"):
        curves_from_readings(readings, conditions={})


def test_a_reading_is_compared_with_its_strongest_baseline():
    assert Reading(0.6, baselines={"a": 0.25, "b": 0.5}).above_baseline == pytest.approx(0.1)
    assert Reading(0.6).above_baseline is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"value": np.nan}, "a reading must be finite; its value is nan."),
        ({"value": 0.0, "se": -1.0}, "se must be finite and not negative; it is -1.0."),
        ({"value": 1.5, "support": (0.0, 1.0)}, "a reading of 1.5 lies outside its support"),
    ],
)
def test_impossible_readings_are_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        Reading(**arguments)
