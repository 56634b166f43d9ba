import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from papers.figures.curve import curve_drawing, takeaway_of
from papers.figures.development import development_drawing
from papers.figures.drawing import decades, is_log_spaced, short
from papers.figures.ladder import ladder_drawing
from papers.figures.residuals import residuals_drawing
from papers.figures.sparkline import sparkline

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=["curve", "residuals", "ladder", "facets", "development"])
def draw(request, make_curve, study):
    ladder = study["ladders"][0]
    facets = ladder | {
        "onsets": [o | {"facet": f"r {r}"} for r in (1, 2) for o in ladder["onsets"]],
        "predictions": [p | {"facet": f"r {r}"} for r in (1, 2) for p in ladder["predictions"]],
    }
    return {
        "curve": lambda key: curve_drawing(make_curve(), key),
        "residuals": lambda key: residuals_drawing(make_curve(), key),
        "ladder": lambda key: ladder_drawing(ladder, key),
        "facets": lambda key: ladder_drawing(facets, key),
        "development": lambda key: development_drawing(
            study["developments"][0], study["curves"], key
        ),
    }[request.param]


def test_a_drawing_is_accessible_and_follows_the_page(draw):
    drawing = draw("one")
    root = ElementTree.fromstring(drawing.svg)
    assert root.attrib["role"] == "img"
    assert root.find(f"{SVG}title").text == drawing.title
    assert root.find(f"{SVG}desc").text == drawing.takeaway
    assert root.attrib["aria-labelledby"] == "one-title one-desc"
    assert drawing.table.rows and drawing.takeaway.endswith(".")
    # Every color is a variable of the page, and nothing is fetched.
    colors = set(re.findall(r"(?:fill|stroke): ?([^;\"]+)", drawing.svg))
    assert colors <= {"none"} | {color for color in colors if color.startswith("var(--")}
    assert "<style" not in drawing.svg and "#0101" not in drawing.svg
    assert set(re.findall(r"https?://[^\"]+", drawing.svg)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_a_drawing_is_the_same_bytes_every_time(draw):
    assert draw("one").svg == draw("one").svg


def test_identifiers_do_not_meet_on_one_page(draw):
    one, two = (set(re.findall(r' id="([^"]+)"', draw(key).svg)) for key in ("one", "two"))
    assert one and not one & two
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', draw("one").svg)) <= one


def test_labels_keep_their_digits(make_curve):
    n = 30
    curve = make_curve(log_spaced=False, n=n)
    y = np.linspace(0.0, 0.02, n).tolist()
    best = {"form": "linear", "t": curve["t"], "median": y, "lower": y, "upper": y, "others": []}
    svg = curve_drawing(curve | {"y": y, "y_se": None, "best": best}, "k").svg
    assert {"0.005", "0.015"} <= set(re.findall(r">([\d.]+)<", svg))


def test_a_point_is_where_its_number_says(make_curve):
    curve = make_curve(n=4, log_spaced=False) | {"y_se": None, "best": None}
    svg = curve_drawing(curve, "k").svg
    path = max(re.findall(r' d="([^"]+)"', svg), key=lambda d: d.count("M"))
    x, y = np.array(re.findall(r"M(-?[\d.]+) (-?[\d.]+)", path), dtype=float).T
    for placed, values in ((x, curve["t"]), (y, curve["y"])):
        assert abs(np.corrcoef(placed, values)[0, 1]) == pytest.approx(1.0, abs=1e-3)


def test_curves_without_fits_are_drawn(make_curve):
    curve = make_curve() | {"best": None, "residuals": None, "candidates": [], "y_se": None}
    assert "goes from" in curve_drawing(curve, "k").takeaway
    assert residuals_drawing(curve, "k") is None
    short_curve = make_curve() | {"t": [5.0], "y": [1.0], "y_se": None, "best": None}
    assert curve_drawing(short_curve, "k").table.rows == ((5.0, 1.0),)


def test_the_table_is_thinned_and_says_so(make_curve):
    drawing = curve_drawing(make_curve(log_spaced=False, n=100), "k", most_rows=30)
    assert len(drawing.table.rows) == 25
    assert "every 4. point" in drawing.table.caption


def test_a_transient_curve_names_its_peak(make_curve):
    assert "over 1." in takeaway_of(make_curve(shape="transient"))


def test_a_ladder_shows_censored_runs_and_gaps(study):
    table = ladder_drawing(study["ladders"][0], "k").table
    assert "not reached" in {row[4] for row in table.rows}
    normalized = table.columns.index("normalized gradient")
    assert {row[normalized] for row in table.rows if row[0] == 0.2} == {None}


def test_a_mechanism_keeps_its_color_whatever_its_rank(study):
    ladder = study["ladders"][0]
    turned = ladder | {"predictions": ladder["predictions"][::-1]}
    assert ladder_drawing(ladder, "k").svg == ladder_drawing(turned, "k").svg


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
        (300.0, 800.0, 5, [500.0]),
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
