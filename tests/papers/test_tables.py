import csv
import io

import pytest

from papers.tables import Table, fixed, shown, to_csv, to_latex, to_markdown

TABLE = Table("Some rows", ("name", "a|b", "p"), (("x_1", -1.25, 0.5), ("y & z", None, 1e-9)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (-0.123456, "−0.1235"),
        (1234.5678, "1235"),
        (199500.0, "199\u202f500"),
        (1e-7, "1.000·10⁻⁷"),
        (2.5e12, "2.500·10¹²"),
        (1500, "1\u202f500"),
        (True, "yes"),
        ("word", "word"),
    ],
)
def test_cells_as_a_reader_sees_them(value, text):
    assert shown(value) == text


def test_fixed_decimals_never_hide_a_small_number():
    assert fixed(0.0001, 3) == "<\u20090.001"
    assert fixed(0.0, 3) == "0.000"
    assert fixed(-2.25, 1) == "−2.2"


@pytest.mark.parametrize(
    ("value", "text"), [(-2.7e20, "−2.7·10²⁰"), (1.5e7, "1.5·10⁷"), (9_999_999.0, "9999999.0")]
)
def test_an_exploded_number_is_a_power_of_ten(value, text):
    assert fixed(value, 1) == text


def test_csv_keeps_all_digits():
    table = Table("x", ("a", "b"), ((1 / 3, "p, q"), (None, "")))
    rows = list(csv.reader(io.StringIO(to_csv(table))))
    assert rows[0] == ["a", "b"] and float(rows[1][0]) == 1 / 3
    assert rows[1:] == [[repr(1 / 3), "p, q"], ["", ""]]


def test_latex_escapes():
    text = to_latex(TABLE)
    assert r"x\_1 & $-$1.250 & 0.5000 \\" in text
    assert r"y \& z & -- & 1.000$\cdot$10$^{-}$$^{9}$ \\" in text
    assert r"\begin{tabular}{lrr}" in text


def test_markdown_escapes():
    lines = to_markdown(TABLE).splitlines()
    assert lines[0] == "| name | a\\|b | p |"
    assert lines[1] == "| :--- | ---: | ---: |"


def test_markdown_shows_markup_as_text():
    nasty = Table("x", ("a",), (("<b>*bold*</b> `code` [link](http://x) & more",),))
    cell = to_markdown(nasty).splitlines()[2]
    assert cell == ("| &lt;b&gt;\\*bold\\*&lt;/b&gt; \\`code\\` [link]\\(http://x) &amp; more |")


def test_every_column_has_a_name():
    with pytest.raises(ValueError, match="every column of 'x' needs a name"):
        Table("x", ("a", ""), ())


def test_rows_fit_their_header():
    with pytest.raises(ValueError, match="every row of 'x' needs 2 cells; one has 1"):
        Table("x", ("a", "b"), ((1,),))
