import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from papers.figures import residuals as residual_figures
from papers.figures.axes import decades, is_log_spaced
from papers.figures.curve import curve_drawing, takeaway_of
from papers.figures.development import development_drawing
from papers.figures.ladder import ladder_drawing
from papers.figures.prior import prior_drawing
from papers.figures.residuals import residuals_drawing
from papers.figures.sparkline import sparkline
from papers.wording import short

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=["curve", "residuals", "prior", "ladder", "facets", "development"])
def draw(request, make_curve, study):
    ladder = study["ladders"][0]
    facets = ladder | {
        "onsets": [o | {"facet": f"r {r}"} for r in (1, 2) for o in ladder["onsets"]],
        "predictions": [p | {"facet": f"r {r}"} for r in (1, 2) for p in ladder["predictions"]],
    }
    return {
        "curve": lambda key: curve_drawing(make_curve(), key),
        "residuals": lambda key: residuals_drawing(make_curve(), key),
        "prior": lambda key: prior_drawing(make_curve(), key),
        "ladder": lambda key: ladder_drawing(ladder, key),
        "facets": lambda key: ladder_drawing(facets, key),
        "development": lambda key: development_drawing(
            study["developments"][0], study["curves"], key
        ),
    }[request.param]


def test_a_drawing_is_accessible_and_follows_the_page(draw):
    drawing = draw("one")
    assert drawing.takeaway.endswith(".")
    assert all(table.rows for table in drawing.tables)
    for i, panel in enumerate(drawing.panels):
        root = ElementTree.fromstring(panel)
        key = "one" if len(drawing.panels) == 1 else f"one-{i + 1}"
        assert root.attrib["role"] == "img"
        assert root.find(f"{SVG}title").text.startswith(drawing.title)
        assert root.find(f"{SVG}desc").text == drawing.takeaway
        assert root.attrib["aria-labelledby"].split() == [
            root.find(f"{SVG}title").attrib["id"],
            root.find(f"{SVG}desc").attrib["id"],
        ]
        assert root.attrib["aria-labelledby"].startswith(key)


def test_every_color_is_a_variable_of_the_page_and_nothing_is_fetched(draw):
    drawing = draw("one")
    for svg in (*drawing.panels, *(key.svg for key in drawing.keys)):
        colors = set(re.findall(r"(?:fill|stroke)(?:: ?|=\")([^;\"]+)", svg))
        assert colors <= {"none"} | {color for color in colors if color.startswith("var(--")}
        assert "<style" not in svg and "#0101" not in svg
        assert set(re.findall(r"https?://[^\"]+", svg)) <= {
            "http://www.w3.org/2000/svg",
            "http://www.w3.org/1999/xlink",
        }


def test_the_legend_is_text_of_the_page(draw):
    # In the picture it would be cut off, or shrink, where the page is narrow.
    drawing = draw("one")
    for key in drawing.keys:
        assert key.label and 'aria-hidden="true"' in key.svg
        assert not any(f">{key.label}<" in panel for panel in drawing.panels)


def test_a_drawing_is_the_same_bytes_every_time(draw):
    assert draw("one") == draw("one")


def test_identifiers_do_not_meet_on_one_page(draw):
    found = []
    for key in ("one", "two"):
        for panel in draw(key).panels:
            own = set(re.findall(r' id="([^"]+)"', panel))
            assert own and set(re.findall(r'(?:href="#|url\(#)([^")]+)', panel)) <= own
            found += own
    assert len(found) == len(set(found))


def drawn(curve, **more):
    return curve_drawing(curve | more, "k").panels[0]


def test_labels_keep_their_digits(make_curve):
    n = 30
    curve = make_curve(log_spaced=False, n=n)
    y = np.linspace(0.0, 0.02, n).tolist()
    average = {"median": y, "lower": y, "upper": y}
    svg = drawn(curve, y=y, y_se=None, fitted={"t": curve["t"], "average": average, "forms": []})
    assert {"0.005", "0.015"} <= set(re.findall(r">([\d.]+)<", svg))


def test_a_point_is_where_its_number_says(make_curve):
    curve = make_curve(n=4, log_spaced=False)
    svg = drawn(curve, y_se=None, fitted=None)
    path = max(re.findall(r' d="([^"]+)"', svg), key=lambda d: d.count("M"))
    x, y = np.array(re.findall(r"M(-?[\d.]+) (-?[\d.]+)", path), dtype=float).T
    for placed, values in ((x, curve["t"]), (y, curve["y"])):
        assert abs(np.corrcoef(placed, values)[0, 1]) == pytest.approx(1.0, abs=1e-3)


def test_curves_without_fits_are_drawn(make_curve):
    curve = make_curve() | {
        "fitted": None,
        "residuals": None,
        "prior": None,
        "candidates": [],
        "y_se": None,
    }
    assert "goes from" in curve_drawing(curve, "k").takeaway
    assert residuals_drawing(curve, "k") is None
    assert prior_drawing(curve, "k") is None
    short_curve = make_curve() | {"t": [5.0], "y": [1.0], "y_se": None, "fitted": None}
    assert curve_drawing(short_curve, "k").tables[0].rows == ((5.0, 1.0),)


def test_a_curve_without_draws_still_shows_its_forms(make_curve):
    curve = make_curve()
    curve["fitted"]["average"] = None
    drawing = curve_drawing(curve, "k")
    assert [key.label for key in drawing.keys][1:] == [
        "logistic (weight 0.90)",
        "gompertz (weight 0.06)",
    ]


def test_the_table_of_a_curve_holds_every_drawn_line(make_curve):
    curve = make_curve()
    (table,) = curve_drawing(curve, "k").tables
    assert table.columns == (
        "env steps", "observed", "se", "average", "2.5 %", "97.5 %", "logistic", "gompertz"
    )  # fmt: skip
    last = dict(zip(table.columns, table.rows[-1], strict=True))
    assert last["gompertz"] == curve["fitted"]["forms"][1]["median"][-1]
    assert last["97.5 %"] == curve["fitted"]["average"]["upper"][-1]


def test_the_tables_of_residuals_hold_points_and_lags(make_curve):
    curve = make_curve()
    points, lags = residuals_drawing(curve, "k").tables
    assert [row[1] for row in points.rows] == curve["residuals"]["values"]
    assert [row[1] for row in lags.rows] == curve["residuals"]["autocorrelation"]
    assert [row[2] for row in lags.rows] == curve["residuals"]["before"]["autocorrelation"]


def test_the_table_of_a_development_holds_every_point(study):
    drawing = development_drawing(study["developments"][0], study["curves"], "k")
    (table,) = drawing.tables
    assert table.columns[3:] == ("success", "p_proxy", "p_goal")
    values = {value for row in table.rows for value in row[3:]}
    assert values == {y for curve in study["curves"] for y in curve["y"]}


def test_the_table_is_thinned_and_says_so(make_curve):
    curve = make_curve(log_spaced=False, n=100)
    (table,) = curve_drawing(curve, "k", most_rows=30).tables
    assert len(table.rows) == 25
    assert "every 4. point" in table.caption


def test_a_curve_that_turns_is_said_to(make_curve):
    assert "up to 1." in takeaway_of(make_curve(shape="transient"))
    assert "p_goal goes from 0.12 to 0.735." in takeaway_of(make_curve())
    fall = make_curve(shape="transient")
    average = fall["fitted"]["average"]
    average["median"] = [-y for y in average["median"]]
    assert "down to −1." in takeaway_of(fall)


def test_no_form_is_called_the_best(make_curve):
    for kind in ("decided", "inconclusive"):
        curve = make_curve()
        curve["verdict"]["kind"] = kind
        said = takeaway_of(curve)
        assert "best" not in said
        assert "logistic (weight 0.90), gompertz (weight 0.06)" in said


def test_the_caption_of_residuals_agrees_with_the_picture(make_curve):
    residuals = make_curve()["residuals"]
    n = len(residuals["values"])
    edge = residual_figures.band(n)
    assert edge == pytest.approx(1.96 / np.sqrt(n))
    outside = residual_figures.takeaway_of(residuals | {"autocorrelation": [edge + 0.01, 0.0]})
    assert f"is {edge + 0.01:.2f}, outside the grey band of ±{edge:.2f}, and 1 of the 2" in outside
    inside = residual_figures.takeaway_of(residuals | {"autocorrelation": [-edge + 0.01, 0.0]})
    assert f"is −{edge - 0.01:.2f}, inside" in inside and "and 0 of the 2" in inside
    assert inside.endswith(
        "Before the noise model, the autocorrelation at lag 1 is 0.80 (grey dots)."
    )


@pytest.mark.parametrize(("p", "said"), [(0.53, "does not find"), (0.0001, "finds")])
def test_the_caption_of_residuals_says_what_the_test_found(make_curve, p, said):
    residuals = make_curve()["residuals"]
    residuals["ljung_box"]["p_value"] = p
    text = residual_figures.takeaway_of(residuals)
    assert f"{said} autocorrelation at the level of 0.01 (p " in text


def test_a_ladder_shows_censored_runs_and_gaps(study):
    (table,) = ladder_drawing(study["ladders"][0], "k").tables
    assert "not reached" in {row[table.columns.index("before")] for row in table.rows}
    normalized = table.columns.index("normalized gradient")
    assert {row[normalized] for row in table.rows if row[0] == 0.2} == {None}


def test_the_table_of_a_ladder_names_the_condition_of_its_panels(study):
    ladder = study["ladders"][0]
    ladder["onsets"] = [
        onset | {"facet": f"salience ratio {r}", "conditions": {"salience_ratio": r}}
        for r in (1.2, 2.0)
        for onset in ladder["onsets"]
    ]
    (table,) = ladder_drawing(ladder, "k").tables
    column = table.columns.index("salience ratio")
    assert "arm" not in table.columns
    assert {row[column] for row in table.rows} == {1.2, 2.0}


def test_a_prediction_at_one_rung_is_no_line(study):
    ladder = study["ladders"][0]
    for prediction in ladder["predictions"]:
        prediction["median"] = [None, None, None, 100.0]
    drawing = ladder_drawing(ladder, "k")
    assert [key.label.split()[0] for key in drawing.keys] == ["runs,", "runs"]
    assert "delta rule" not in drawing.tables[0].columns
    assert "line" not in drawing.takeaway


def test_an_anchor_is_marked_as_what_it_is(study):
    ladder = study["ladders"][0]
    for prediction in ladder["predictions"]:
        prediction["anchor"] = 0.1
    drawing = ladder_drawing(ladder, "k")
    (table,) = drawing.tables
    column = table.columns.index("delta rule")
    cells = {row[0]: row[column] for row in table.rows}
    assert cells[0.1] == "120 (anchor)" and isinstance(cells[0.03], float)
    assert "pass through the median run at alpha = 0.1 by construction" in drawing.takeaway


def test_a_ladder_within_a_decade_has_labels(study):
    ladder = study["ladders"][0] | {"predictions": []}
    for i, onset in enumerate(ladder["onsets"]):
        onset |= {"lower": 165e3 + 100 * i, "upper": 206e3}
    (panel,) = ladder_drawing(ladder, "k").panels
    assert len(set(re.findall(r">(1[5-9]\dk|2[01]\dk)<", panel))) >= 2


def test_the_caption_of_a_ladder_does_not_repeat_its_verdict(study):
    ladder = study["ladders"][0]
    assert "nats" not in ladder_drawing(ladder, "k").takeaway


def test_a_mechanism_keeps_its_color_whatever_its_rank(study):
    ladder = study["ladders"][0]
    turned = ladder | {"predictions": ladder["predictions"][::-1]}
    assert ladder_drawing(ladder, "k").panels == ladder_drawing(turned, "k").panels


def test_log_spacing_is_seen():
    assert is_log_spaced(np.geomspace(1, 1e6, 40))
    assert is_log_spaced([0.0, *np.geomspace(1, 1e6, 40)])
    assert not is_log_spaced(np.arange(100.0))
    assert not is_log_spaced([1.0, 10.0])


@pytest.mark.parametrize(
    ("first", "last", "most", "expected"),
    [
        (1e3, 1e6, 5, [1e3, 1e4, 1e5, 1e6]),
        (1e3, 1e6, 3, [1e4, 1e6]),
        (50.0, 2e6, 5, [1e2, 1e3, 1e4, 1e5, 1e6]),
        (300.0, 800.0, 5, [400.0, 600.0, 800.0]),
        (165e3, 206e3, 5, [180e3, 200e3]),
    ],
)
def test_ticks_of_a_logarithmic_axis(first, last, most, expected):
    assert decades(first, last, most) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.5e6, "1.5M"), (2e5, "200k"), (1000.0, "1000"), (-0.25, "−0.25"), (3e9, "3G"), (0, "0")],
)
def test_short_numbers(value, text):
    assert short(value) == text


def test_a_sparkline_stays_in_its_box(make_curve):
    svg = sparkline(make_curve())
    points = np.array(re.findall(r"([\d.]+),([\d.]+)", svg), dtype=float)
    assert (points >= 0).all() and points[:, 0].max() <= 96 and points[:, 1].max() <= 22
    assert "polyline" in sparkline(make_curve() | {"y": [1.0] * 60})


def test_the_caption_of_the_prior_counts_the_points_it_covers(make_curve):
    curve = make_curve(n=40)
    upper = np.interp(curve["t"], curve["prior"]["t"], curve["prior"]["upper"])
    inside = int(np.sum((np.array(curve["y"]) <= upper) & (np.array(curve["y"]) >= -1.0)))
    assert f": {inside} of the 40 points observed are there" in prior_drawing(curve, "k").takeaway
