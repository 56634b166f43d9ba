"""Which rows make a curve, which are left out, and which are of several runs."""

import numpy as np
import pytest

from empirics.readers import read_curves


def reasons(found):
    return [rejected.reason for rejected in found.rejected]


def test_rows_without_t_are_counted_apart_from_empty_cells(written):
    found = read_curves(written("t,a,b\n0,1,2\n,3,4\n1,,5\n2,6,7\n"))
    assert [curve.n_obs for curve in found.curves] == [2, 3]
    assert found.notes == (
        "1 row left out: the column 't' is empty there.",
        "1 empty cell left out: a of x (1).",
    )


def test_rows_without_a_run_or_an_observable_are_rejected_and_counted(written):
    text = "run,metric,t,value\na,p,0,1\na,p,1,2\n,p,0,1\n a ,,0,1\na,  ,1,1\n"
    found = read_curves(written(text))
    assert [(curve.run, curve.observable, curve.n_obs) for curve in found.curves] == [("a", "p", 2)]
    assert [str(rejected) for rejected in found.rejected] == [
        "1 row without a run (column 'run' is empty).",
        "2 rows without an observable (column 'metric' is empty).",
    ]


def test_a_table_of_loose_rows_is_one_sentence(written, sentence):
    found = read_curves(written("run,t,y\n,0,1\n,1,2\n"), run="run")
    said = "no usable curve: 2 rows without a run (column 'run' is empty)."
    assert sentence(found.require) == said


def test_a_row_that_repeats_another_exactly_counts_once(written):
    found = read_curves(written("t,y,n_trials\n0,0.5,20\n1,0.6,20\n1,0.6,20\n2,0.7,20\n3,0.7,20\n"))
    (curve,) = found.curves
    assert curve.n_trials.tolist() == [20, 20, 20, 20]
    assert found.notes == ("1 row repeating another exactly, counted once: y of x (1).",)


def test_a_log_written_twice_is_the_log(written):
    rows = "0,1\n1,2\n2,3\n"
    once = read_curves(written("t,y\n" + rows, "once.csv"))
    twice = read_curves(written("t,y\n" + rows + rows, "twice.csv"))
    np.testing.assert_array_equal(twice.curves[0].y, once.curves[0].y)
    said = "3 rows repeating another exactly, counted once: y of twice (3)."
    assert twice.notes == (said,)


def test_different_rows_at_one_t_are_merged_and_counted(written):
    found = read_curves(written("t,y\n0,1\n1,2\n1,4\n2,5\n3,6\n"))
    np.testing.assert_array_equal(found.curves[0].y, [1, 3, 5, 6])
    said = "1 row at a t seen before, merged into the mean at that t: y of x (1)."
    assert found.notes == (said,)


def test_one_note_says_what_was_done_to_many_curves(written):
    rows = [f"r{i:02},{t},{y}" for i in range(30) for t, y in ((0, 1), (1, 2), (1, 4), (2, 5))]
    found = read_curves(written("run,t,y\n" + "\n".join(rows) + "\n"))
    assert len(found.curves) == 30
    (note,) = found.notes
    assert note.startswith("30 rows at a t seen before, merged into the mean at that t: ")
    assert note.endswith("y of r05 (1) and 24 more.")


def test_words_that_tell_rows_at_one_t_apart_forbid_their_merge(written):
    text = "t,y,who\n0,1,A\n1,2,A\n1,5,B\n2,3,A\n2,6,B\n3,4,A\n4,5,A\n5,6,A\n"
    path = written(text)
    found = read_curves(path)
    assert reasons(found) == [
        "rows at one t (t = 1.0) seem to be of several runs; column 'who' may tell them apart: "
        "--run who."
    ]
    assert [curve.n_obs for curve in read_curves(path, run="who").curves] == [6, 2]


def test_even_equal_rows_are_not_taken_for_one_where_words_tell_them_apart(written):
    text = "t,y,who\n0,1,A\n0,1,B\n1,2,A\n2,3,A\n"
    assert "column 'who' may tell them apart" in reasons(read_curves(written(text)))[0]


def test_words_that_differ_on_every_row_tell_nothing_apart(written):
    found = read_curves(written("t,y,host\n0,1,a\n1,2,b\n1,4,c\n2,3,d\n3,3,e\n"))
    assert [curve.n_obs for curve in found.curves] == [4]


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        ("0,1,\n1,nan,\n", {}, "y must be finite; y[1] = nan."),
        ("0,1,\n1,inf,\n2,-inf,\n", {}, "y must be finite; y[1] = inf and 1 more are not finite."),
        ("nan,1,\n1,2,\n", {}, "t must be finite; t[0] = nan."),
        ("inf,1,\ninf,2,\n", {}, "t must be finite; t[0] = inf and 1 more are not finite."),
        ("-1,1,\n1,2,\n", {}, "t must not be negative; t[0] = -1.0."),
        ("0,1,\n1,oops,\n2,3,\n3,4,\n", {}, "'oops' in row 2 of column 'y' is not a number."),
        ("0,1,\nlater,2,\n", {}, "'later' in row 2 of column 't' is not a number."),
        (
            '0,1,\n1,"0,5",\n2,3,\n3,4,\n',
            {},
            "'0,5' in row 2 of column 'y' is not a number (a decimal comma: write decimals with "
            "a point).",
        ),
        ("0,,\n1,,\n", {"y": "y"}, "every cell is empty."),
        (
            "0,1,\n1,2,\n5,3,\n3,4,\n",
            {},
            "t goes back from 5.0 to 3.0 in row 4: if several runs follow one another, name the "
            "column that tells the runs apart with --run; if a run was resumed, leave out the "
            "rows it repeats; else sort the rows by t.",
        ),
        (
            "0,1,a\n1,2,a\n0,3,b\n1,4,b\n",
            {},
            "t goes back from 1.0 to 0.0 in row 3: several runs seem to follow one another; "
            "column 'c' may tell them apart: --run c.",
        ),
        (
            "0,1,\n0,2,\n1,3,\n1,4,\n",
            {},
            "2 of 2 values of t are repeated (t = 0.0 occurs 2 times): several runs seem to be "
            "mixed; name the column that tells the runs apart with --run.",
        ),
        (
            "9007199254740992,1,\n9007199254740993,2,\n",
            {},
            "column 't' reaches 9.0072e+15, and beyond 2**53 = 9007199254740992 different whole "
            "numbers become one; subtract the first from all.",
        ),
    ],
)
def test_what_cannot_be_a_curve_is_rejected_in_a_sentence(written, sentence, text, options, reason):
    found = read_curves(written("t,y,c\n" + text), **options)
    assert reasons(found) == [reason]
    assert sentence(found.require) == f"no usable curve: y of x: {reason}"


def test_runs_of_two_conditions_without_a_column_of_runs(written):
    rows = [
        f"{alpha},{rep},{t},{y}"
        for alpha in (0.1, 0.2)
        for rep in (1, 2)
        for t, y in ((0, 0.1), (1, 0.3), (2, 0.7), (3, 0.8))
    ]
    found = read_curves(written("alpha,rep,t,p\n" + "\n".join(rows)), y="p")
    assert "columns 'alpha' and 'rep' together may tell them apart: make one" in reasons(found)[0]


def test_a_column_of_runs_that_does_not_tell_all_apart(written):
    text = "run,t,y\na,0,1\na,1,2\na,0,3\na,1,4\n"
    found = read_curves(written(text))
    assert "name a column that tells more runs apart than 'run' with --run;" in reasons(found)[0]


def test_values_tell_no_runs_apart(written):
    found = read_curves(written("t,y\n0,0\n1,0\n2,0\n0,1\n1,1\n2,1\n"))
    assert "'y'" not in reasons(found)[0]


def test_seeds_that_alone_do_not_tell_runs_apart(written):
    rows = [
        f"{alpha},{seed},{t},{y}"
        for alpha in (0.1, 0.2)
        for seed in (1, 2)
        for t, y in ((0, 0.1), (1, 0.3), (2, 0.7), (3, 0.8))
    ]
    found = read_curves(written("alpha,seed,t,p\n" + "\n".join(rows)), y="p")
    assert not found.curves
    assert "columns 'seed' and 'alpha' together may tell them apart: make one" in reasons(found)[0]


@pytest.mark.parametrize("column", ["y_se", "n_trials"])
@pytest.mark.parametrize("cells", [("inf", "1"), ("nan", "1"), ("-1", "1"), ("1", "1e30")])
def test_errors_and_trials_out_of_range_are_a_sentence(written, column, cells):
    rows = "".join(f"{t},0.5,{cell}\n" for t, cell in enumerate((*cells, "1", "1", "1")))
    found = read_curves(written(f"t,y,{column}\n{rows}4,0.7,1\n"))  # t = 4 is merged
    if column == "y_se" and cells == ("1", "1e30"):
        assert len(found.curves) == 1
    else:
        assert reasons(found)[0].startswith(f"{column} must ")


def test_errors_with_an_empty_cell_are_left_out_and_said_once(written):
    rows = "run,t,y,se\na,0,1,0.1\na,1,2,\nb,0,1,\nb,1,2,0.1\n"
    found = read_curves(written(rows))
    assert [curve.y_se for curve in found.curves] == [None, None]
    said = "column 'se' has empty cells or words, and is left out of y of a, y of b."
    assert found.notes == (said,)


def test_a_table_that_may_have_been_cut_off_says_so(written):
    whole = "t,y\n0,0.5\n1,0.75\n"
    assert not read_curves(written(whole)).notes
    found = read_curves(written(whole[:-2]))
    assert found.curves[0].y.tolist() == [0.5, 0.7]
    assert found.notes[0].endswith("if it was cut off, its last value may be too.")
