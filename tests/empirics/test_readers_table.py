from pathlib import Path

import numpy as np
import polars as pl
import pytest

from empirics.readers import read_curves
from empirics.readers.cells import scalar
from empirics.store import Store
from theory.curve import Curve, Progress

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="no folder of real logged curves")


def written(tmp_path, text, name="x.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_the_simplest_table(tmp_path):
    found = read_curves(written(tmp_path, "t,y\n0,1\n1,2.5\n2,-3e-1\n"))
    (curve,) = found.curves
    assert (curve.observable, curve.run, curve.progress) == ("y", "x", Progress.UNSPECIFIED)
    np.testing.assert_array_equal(curve.y, [1, 2.5, -0.3])
    assert found.rejected == found.notes == ()


LONG = """run,observable,env_steps,value,se,alpha,arm
a,p_goal,0,0.1,0.01,0.5,delta
a,p_goal,10,0.2,0.02,0.5,delta
a,p_proxy,0,0.3,0.03,0.5,delta
b,p_goal,0,0.4,0.04,1,exact critic
b,p_goal,20,0.5,0.05,1,exact critic
"""


def test_a_long_table(tmp_path):
    found = read_curves(written(tmp_path, LONG))
    assert [(c.run, c.observable, c.n_obs) for c in found.curves] == [
        ("a", "p_goal", 2),
        ("a", "p_proxy", 1),
        ("b", "p_goal", 2),
    ]
    last = found.curves[-1]
    assert last.progress is Progress.ENV_STEPS
    assert dict(last.conditions) == {"alpha": 1, "arm": "exact critic"}
    np.testing.assert_array_equal(last.y_se, [0.04, 0.05])
    assert found.curves[0].run_id == found.curves[1].run_id != last.run_id
    assert found.notes == found.rejected == ()


def test_parquet_and_csv_read_alike(tmp_path):
    csv = written(tmp_path, LONG)
    pl.read_csv(csv).write_parquet(tmp_path / "x.parquet")
    ours = read_curves(csv).curves
    theirs = read_curves(tmp_path / "x.parquet").curves
    for a, b in zip(ours, theirs, strict=True):
        assert a.conditions == b.conditions
        np.testing.assert_array_equal(a.y, b.y)


def test_named_columns_stand(tmp_path):
    path = written(tmp_path, "when,score,step,who\n1,5,9,a\n2,6,8,a\n")
    (curve,) = read_curves(path, t="when", y="score", run="who", progress="episodes").curves
    assert (curve.run, curve.observable, curve.progress) == ("a", "score", Progress.EPISODES)
    np.testing.assert_array_equal(curve.t, [1, 2])


def test_a_wide_table(tmp_path):
    path = written(
        tmp_path,
        "global_step,return,return_se,p_goal,env_id,_runtime,note,seed\n"
        "0,1,0.5,0.1,maze,12,x,3\n10,2,0.6,,maze,13,y,3\n20,3,0.7,0.3,maze,14,z,3\n",
    )
    found = read_curves(path)
    assert [c.observable for c in found.curves] == ["return", "p_goal"]
    returns, p_goal = found.curves
    assert dict(returns.conditions) == {"env_id": "maze", "seed": 3}
    np.testing.assert_array_equal(returns.y_se, [0.5, 0.6, 0.7])
    np.testing.assert_array_equal(p_goal.t, [0, 20])
    assert p_goal.y_se is None and p_goal.progress is Progress.ENV_STEPS
    assert found.notes == (
        "1 column ignored (other clocks): _runtime.",
        "1 column ignored (neither numbers nor one value a run): note.",
        "1 empty cell left out: p_goal of x (1).",
    )


def test_one_observable_of_a_table(tmp_path):
    path = written(tmp_path, LONG)
    assert [c.run for c in read_curves(path, observable="p_goal").curves] == ["a", "b"]
    assert len(read_curves(path, observable="observable").curves) == 3
    wide = written(tmp_path, "t,reward,p_goal\n0,1,2\n1,2,3\n", "wide.csv")
    assert [c.observable for c in read_curves(wide, observable="reward").curves] == ["reward"]
    with pytest.raises(ValueError, match="no observable 'rewards' in wide.csv; nearest: 'reward'"):
        read_curves(wide, observable="rewards")


def test_runs_are_told_apart_by_seed(tmp_path):
    path = written(tmp_path, "step,seed,alpha,p\n0,1,.1,.5\n1,1,.1,.6\n0,2,.1,.7\n1,2,.1,.8\n")
    found = read_curves(path)
    assert [(c.run, c.conditions["seed"]) for c in found.curves] == [("seed 1", 1), ("seed 2", 2)]
    assert found.curves[0].conditions["alpha"] == 0.1
    assert "runs are told apart by the column 'seed'." in found.notes


def test_mixed_runs_are_refused_not_averaged(tmp_path):
    path = written(tmp_path, "t,y,who\n0,1,a\n0,2,b\n1,3,a\n1,4,b\n")
    with pytest.raises(ValueError, match=r"several runs seem to be mixed; name the column"):
        read_curves(path).require()
    assert len(read_curves(path, run="who").curves) == 2


def test_a_repeated_t_is_merged_and_said(tmp_path):
    found = read_curves(written(tmp_path, "t,y\n0,1\n1,2\n1,4\n2,5\n3,6\n"))
    np.testing.assert_array_equal(found.curves[0].y, [1, 3, 5, 6])
    assert found.notes == ("y of x: 1 points at a t seen before, merged into the mean at that t",)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("0,1\n1,nan\n", "y must be finite; y[1] = nan."),
        ("0,1\n1,inf\n2,-inf\n", "y must be finite; y[1] = inf and 1 more are not finite."),
        ("2,1\n1,2\n", "t must be strictly increasing; t[0] = 2.0 is followed by 1.0."),
        ("nan,1\n1,2\n", "t must be finite; t[0] = nan."),
        ("-1,1\n1,2\n", "t must not be negative; t[0] = -1.0."),
        ("0,1\n1,oops\n2,3\n3,4\n", "'oops' in row 2 of column 'y' is not a number."),
        ("0,1\nlater,2\n", "'later' in row 2 of column 't' is not a number."),
        ("0,\n1,\n", "every cell is empty."),
    ],
)
def test_what_cannot_be_a_curve_is_rejected_in_a_sentence(tmp_path, rows, reason):
    found = read_curves(written(tmp_path, "t,y\n" + rows), y="y")
    assert [r.reason for r in found.rejected] == [reason]
    with pytest.raises(ValueError) as error:
        found.require()
    assert str(error.value) == f"no usable curve: y of x: {reason}"


def test_a_bad_curve_leaves_the_others(tmp_path):
    found = read_curves(written(tmp_path, "t,a,b\n0,1,nan\n1,2,3\n"))
    assert [c.observable for c in found.curves] == ["a"]
    assert [r.observable for r in found.rejected] == ["b"]


@pytest.mark.parametrize(
    ("text", "options", "sentence"),
    [
        ("", {}, "x.csv is empty (0 bytes)."),
        ("\n\n", {}, "x.csv holds no table."),
        ("t,y\n", {}, "x.csv holds no rows below its header."),
        ("t,y\n1,2,3\n", {}, "x.csv cannot be read: line 2 has 3 cells, the header 2."),
        (
            "step,y\n1,2\n",
            {"t": "setp"},
            "no column 'setp' in x.csv; nearest: 'step'. Columns: step, y.",
        ),
        ("a,y\n1,2\n", {"y": "zzz"}, "no column 'zzz' in x.csv; Columns: a, y."),
        ("t,name\n1,x\n", {}, "x.csv has no column of numbers besides 't'; columns: t, name."),
        ("t,y\nx,1\n", {}, "column 't' of x.csv is not numbers; it says 'x'."),
    ],
)
def test_bad_tables_are_one_sentence(tmp_path, text, options, sentence):
    with pytest.raises(ValueError) as error:
        read_curves(written(tmp_path, text), **options)
    assert str(error.value) == sentence


def test_other_bad_paths_are_one_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"absent.csv does not exist\."):
        read_curves(tmp_path / "absent.csv")
    with pytest.raises(ValueError, match=r"x.npz is not a table this version reads"):
        read_curves(written(tmp_path, "x", "x.npz"))
    with pytest.raises(ValueError, match=r"no column of x.csv is known as training progress"):
        read_curves(written(tmp_path, "a,b\n1,2\n"))
    with pytest.raises(ValueError, match=r"is not a store; give the folder"):
        read_curves(tmp_path)
    (tmp_path / "x.csv").write_bytes(b"t,y\n\xff\xfe,1\n")
    with pytest.raises(ValueError, match=r"'t' of x.csv is not numbers|cannot be read"):
        read_curves(tmp_path / "x.csv")
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(ValueError, match=r"x.parquet cannot be read"):
        read_curves(tmp_path / "x.parquet")


def test_separators_quotes_and_byte_order_marks(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes('\ufeff"Step";"p; goal"\r\n"0";" 0.5"\r\n"1";"0.25"\r\n'.encode())
    (curve,) = read_curves(path).curves
    assert curve.observable == "p; goal"
    np.testing.assert_array_equal(curve.y, [0.5, 0.25])


def test_a_row_index_column_is_no_curve(tmp_path):
    found = read_curves(written(tmp_path, ",t,y2\n0,5,1\n1,6,2\n"))
    assert [c.observable for c in found.curves] == ["y2"]


def test_cells_say_conditions():
    said = ["3", " 0.1", "True", "false", "sgd", "", "nan", None, 2, 0.5, True]
    assert [scalar(s) for s in said] == [
        3,
        0.1,
        True,
        False,
        "sgd",
        None,
        "nan",
        None,
        2,
        0.5,
        True,
    ]


def test_a_table_goes_through_the_store(tmp_path):
    curves = read_curves(written(tmp_path, LONG)).require()
    Store(tmp_path / "store").append_curves(curves)
    again = read_curves(tmp_path / "store")
    assert {c.digest for c in again.curves} == {c.digest for c in curves}
    assert len(read_curves(tmp_path / "store", y="p_goal").curves) == 2
    assert len(read_curves(tmp_path / "store", y=["p_proxy", "p_goal"]).curves) == 3
    assert len(read_curves(tmp_path / "store", observable="p_proxy").curves) == 1
    with pytest.raises(ValueError, match=r"no observable 'p_gaol' in .*nearest: 'p_goal'"):
        read_curves(tmp_path / "store", y="p_gaol")
    with pytest.raises(ValueError, match=r"has no columns to choose: leave out t, run\."):
        read_curves(tmp_path / "store", t="t", run="x")


def test_an_empty_set_is_one_sentence(tmp_path):
    Store(tmp_path)
    with pytest.raises(ValueError, match="there is no curve here"):
        read_curves(tmp_path).require()


@needs_data
def test_learned_planner_files():
    for path in sorted((DATA / "learned_planner").glob("*.csv")):
        found = read_curves(path)
        table = pl.read_csv(path)
        assert len(found.curves) == 32 and not found.rejected and not found.notes
        for curve in found.curves:
            assert isinstance(curve, Curve) and curve.n_obs == table.height
            assert curve.y.sum() == pytest.approx(table[curve.observable].sum(), rel=1e-14)


@needs_data
def test_wandb_chart_exports():
    for path in sorted((DATA / "jaxgmg_corner").glob("*.csv")):
        found = read_curves(path)
        assert sorted(c.run for c in found.curves) == sorted(f"cs{i}" for i in range(1, 12))
        assert len({c.observable for c in found.curves}) == 1
        assert any(note.startswith("22 columns ignored (bounds") for note in found.notes)
        table = pl.read_csv(path)
        for curve in found.curves:
            column = table[f"{curve.run} - {curve.observable}"]
            assert curve.n_obs == column.drop_nulls().len()
            assert curve.y.sum() == pytest.approx(column.sum(), rel=1e-14)
