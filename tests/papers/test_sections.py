import pytest

from papers.sections.forecast import forecast, times
from papers.sections.parameters import parameters
from papers.sections.stages import stages


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (0.61, "foretell better than the naive forecast"),
        (1.02, "foretell no better than"),
        (1.2, "foretell worse than"),
        (26.9, "fail beside"),
    ],
)
def test_a_forecast_is_called_what_it_is(make_curve, ratio, said):
    curve = make_curve()
    curve["forecast"] |= {"rmse_ratio": ratio, "n_train": 30, "n_test": 10}
    text = forecast(curve)
    assert said in text and "the first 30 points and scored on the last 10" in text
    assert ("diverges" in text) == (ratio > 10)
    assert ("Do not extrapolate" in text) == (1.05 < ratio < 10)


def test_a_forecast_says_what_the_forms_do_alone_and_how_much_their_interval_holds(make_curve):
    curve = make_curve()
    curve["forecast"] |= {"average_ratio": 0.4, "best_ratio": 1.3, "coverage": 0.875}
    text = forecast(curve)
    assert "half and half (0.400 alone, 1.30 by the best form alone)" in text
    assert text.endswith("88 % of the rest lie in its 90 % interval.")


@pytest.mark.parametrize(
    ("ratio", "text"), [(270890795.4, "2.7·10⁸"), (26.892, "26.9"), (0.612, "0.612")]
)
def test_an_exploded_ratio_is_a_power_of_ten(ratio, text):
    assert times(ratio) == text


def test_no_forecast_gives_its_reason(make_curve):
    nothing = {"baseline": None, "rmse_ratio": None, "reason": "No candidate could be fitted."}
    assert forecast(make_curve(forecast=nothing)) == "No forecast: no candidate could be fitted."
    assert forecast(make_curve(forecast=None)) == ""


def test_parameters_have_units_and_say_what_their_error_is(make_curve):
    curve = make_curve(unit="points")
    _, table = parameters(curve)[0]
    assert table.columns[1:5] == ("median", "posterior sd", "2.5 %", "97.5 %")
    units = {row[0]: row[5] for row in table.rows}
    assert units == {
        "floor": "points",
        "gain": "points",
        "midpoint": "environment steps",
        "rate": "1/environment steps",
        "sd_white": "points",
    }


def test_stages_say_their_condition_and_how_many_draws_agree(make_curve, make_peak):
    decided = stages(make_curve())
    assert "98 % of the draws have this number of stages" in decided.caption
    assert "if the shape" not in decided.caption
    curve = make_curve(peak=make_peak(-1))
    curve["verdict"] = {"kind": "inconclusive", "families": [], "forms": [], "reason": "No."}
    table = stages(curve)
    assert "if the shape is sigmoid (probability 0.97)" in table.caption
    assert [row[0] for row in table.rows] == ["stage 1", "trough"]
