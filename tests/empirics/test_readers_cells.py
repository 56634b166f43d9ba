"""Numbers, truth values, and what a cell says as a condition."""

import datetime

import numpy as np
import polars as pl
import pytest

from empirics.readers import read_curves
from empirics.readers.cells import cells_of, setting, settings


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-12", -12),
        ("0", 0),
        (" 0.1", 0.1),
        (".1", 0.1),
        ("1.0", 1.0),
        ("3e-4", 3e-4),
        ("1e+06", 1e6),
        ("2.5E-4", 2.5e-4),
        ("True", True),
        ("FALSE", False),
        ("sgd", "sgd"),
        ("2.10", "2.10"),  # a version of torch is no 2.1
        ("12e5", "12e5"),  # a commit is no 1200000.0
        ("007", "007"),
        ("1_000", "1_000"),
        ("+3", "+3"),
        ("٣", "٣"),
        ("0.1234567890123456789", "0.1234567890123456789"),
        ("1e400", "1e400"),
        ("18446744073709551616", "18446744073709551616"),
        (18446744073709551616, "18446744073709551616"),
        ("", None),
        ("nan", None),
        (float("nan"), None),
        (float("inf"), "inf"),
        (None, None),
        (2, 2),
        (0.5, 0.5),
        (True, True),
        (datetime.date(2024, 1, 2), "2024-01-02"),
    ],
)
def test_a_cell_becomes_a_number_only_if_it_says_no_more_than_it(text, value):
    assert setting(text) == value
    assert type(setting(text)) is type(value)


def test_what_is_text_in_one_run_is_text_in_all():
    assert settings(pl.Series(["2.9", "2.10"])) == {"2.9": "2.9", "2.10": "2.10"}
    assert settings(pl.Series(["2.9", "2.1", None])) == {"2.9": 2.9, "2.1": 2.1}


def test_text_that_looks_like_a_number_is_said(written):
    found = read_curves(written("t,y,torch\n0,1,2.10\n1,2,2.10\n"))
    assert dict(found.curves[0].conditions) == {"torch": "2.10"}
    said = "1 condition kept as text, since a number would not say the same: torch ('2.10')."
    assert found.notes == (said,)


def test_a_huge_whole_number_is_a_condition(written):
    found = read_curves(written("t,y,hash\n0,1,18446744073709551616\n1,2,18446744073709551616\n"))
    assert dict(found.curves[0].conditions) == {"hash": "18446744073709551616"}


@pytest.mark.parametrize("words", [("true", "false"), ("True", "False"), ("TRUE", "FALSE")])
def test_truth_values_are_one_and_zero(words):
    cells = cells_of(pl.Series([words[0], words[1], None]))
    np.testing.assert_array_equal(cells.values, [1, 0, np.nan])
    np.testing.assert_array_equal(cells.missing, [False, False, True])
    assert not cells.wrong.any() and cells.is_numeric


def test_truth_values_of_csv_and_parquet_read_alike(written, tmp_path):
    frame = pl.DataFrame({"t": [0, 1, 2], "y": [True, False, True]})
    frame.write_parquet(tmp_path / "x.parquet")
    (ours,) = read_curves(written(frame.write_csv())).curves
    (theirs,) = read_curves(tmp_path / "x.parquet").curves
    np.testing.assert_array_equal(ours.y, [1, 0, 1])
    np.testing.assert_array_equal(theirs.y, ours.y)


def test_a_condition_that_is_nan_is_none(tmp_path):
    frame = pl.DataFrame({"t": [0, 1], "y": [1.0, 2.0], "clip": [float("nan")] * 2})
    frame.write_parquet(tmp_path / "x.parquet")
    found = read_curves(tmp_path / "x.parquet", y="y")
    assert dict(found.curves[0].conditions) == {}
    assert found.notes == ("1 column ignored (NaN alone): clip.",)


def test_nested_cells_are_no_condition(tmp_path):
    frame = pl.DataFrame(
        {"t": [0, 1], "y": [1.0, 2.0], "layers": [[64, 64]] * 2, "env": [{"size": 13}] * 2}
    )
    frame.with_columns(raw=pl.lit(b"\xff")).write_parquet(tmp_path / "x.parquet")
    found = read_curves(tmp_path / "x.parquet")
    assert dict(found.curves[0].conditions) == {}
    said = "3 columns ignored (lists, structures or bytes): layers, env, raw."
    assert found.notes == (said,)
