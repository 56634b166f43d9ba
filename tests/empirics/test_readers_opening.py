"""Files that are no table end in a sentence that says what to do."""

import os

import numpy as np
import pytest

from empirics.readers import read_curves


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "x.csv is empty (0 bytes)."),
        ("\n\n", "x.csv holds no table."),
        ("t,y\n", "x.csv holds no rows below its header."),
        ("t,y\n1,2,3\n", "x.csv cannot be read as a table: line 2 has 3 cells, the header 2."),
        (
            "0,0.5\n1,0.7\n",
            "x.csv has no header: its first line holds numbers (0, 0.5); "
            "put a line with the names of the columns above it.",
        ),
        ("t,t,y\n0,1,2\n", "x.csv has 2 columns named 't'; give each column its own name."),
        ("t,y,y,y\n0,1,2,3\n", "x.csv has 3 columns named 'y'; give each column its own name."),
        (
            "t,y\r0,1\r1,2\r",
            "x.csv ends its lines with a carriage return alone, as old Macs did; "
            "save it with line feeds.",
        ),
        ("t,y\n0,é\n".encode("latin-1"), "x.csv is not UTF-8 text; save the table as UTF-8."),
        ("t,y\n0,1\n".encode("utf-16"), "x.csv is not UTF-8 text; save the table as UTF-8."),
        ("t,y\n0,1\n".encode("utf-16-le"), "x.csv is not UTF-8 text; save the table as UTF-8."),
        (bytes(range(256)), "x.csv is not UTF-8 text; save the table as UTF-8."),
    ],
)
def test_what_is_no_table_is_said_with_what_to_do(written, sentence, content, said):
    assert sentence(read_curves, written(content)) == said


def test_other_suffixes_are_not_guessed_at(written, sentence):
    said = sentence(read_curves, written("x", "x.npz"))
    assert said.startswith("x.npz is not a table this version reads; give a CSV, TSV, Parquet or")


@pytest.mark.parametrize("content", [b"PAR1 and no more", b"PAR1" + bytes(100) + b"PAR1"])
def test_a_damaged_parquet_file_is_named(written, sentence, content):
    said = sentence(read_curves, written(content, "x.parquet"))
    assert said.startswith("x.parquet is damaged and cannot be read (")
    assert said.endswith("; write or copy it anew.")


def test_a_pipe_is_no_file(tmp_path, sentence):
    os.mkfifo(tmp_path / "pipe")
    said = "pipe is neither a file nor a folder; save what it gives as a file."
    assert sentence(read_curves, tmp_path / "pipe") == said
    assert sentence(read_curves, "/dev/null").startswith("/dev/null is neither a file nor a folder")


def test_a_folder_that_is_no_store(tmp_path, sentence):
    assert "is not a store; give the folder" in sentence(read_curves, tmp_path)
    assert "is not a store; give the folder" in sentence(read_curves, tmp_path, t="step")


def test_separators_quotes_and_byte_order_marks(written):
    path = written('\ufeff"Step";"p; goal"\r\n"0";" 0.5"\r\n"1";"0.25"\r\n')
    (curve,) = read_curves(path).curves
    assert curve.observable == "p; goal"
    np.testing.assert_array_equal(curve.y, [0.5, 0.25])


def test_a_line_that_is_too_short_has_empty_cells(written):
    found = read_curves(written("t,a,b\n0,1,2\n1,2\n2,3,4\n"))
    assert [curve.n_obs for curve in found.curves] == [3, 2]
    assert found.notes == ("1 empty cell left out: b of x (1).",)
