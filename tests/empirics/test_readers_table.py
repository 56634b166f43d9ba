from pathlib import Path

import numpy as np
import polars as pl
import pytest

from empirics.readers import read_curves
from theory.curve import Curve, Progress

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="no folder of real logged curves")


def test_the_simplest_table(written):
    found = read_curves(written("t,y\n0,1\n1,2.5\n2,-3e-1\n"))
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


def test_a_long_table(written):
    found = read_curves(written(LONG))
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


def test_parquet_and_csv_read_alike(written, tmp_path):
    csv = written(LONG)
    pl.read_csv(csv).write_parquet(tmp_path / "x.parquet")
    ours = read_curves(csv).curves
    theirs = read_curves(tmp_path / "x.parquet").curves
    for a, b in zip(ours, theirs, strict=True):
        assert a.conditions == b.conditions
        np.testing.assert_array_equal(a.y, b.y)


def test_named_columns_stand(written):
    path = written("when,score,step,who\n1,5,9,a\n2,6,8,a\n")
    (curve,) = read_curves(path, t="when", y="score", run="who", progress="episodes").curves
    assert (curve.run, curve.observable, curve.progress) == ("a", "score", Progress.EPISODES)
    np.testing.assert_array_equal(curve.t, [1, 2])


def test_a_wide_table(written):
    path = written(
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


def test_one_observable_of_a_table(written):
    path = written(LONG)
    assert [c.run for c in read_curves(path, observable="p_goal").curves] == ["a", "b"]
    assert len(read_curves(path, observable="observable").curves) == 3
    wide = written("t,reward,p_goal\n0,1,2\n1,2,3\n", "wide.csv")
    assert [c.observable for c in read_curves(wide, observable="reward").curves] == ["reward"]
    with pytest.raises(ValueError, match="no observable 'rewards' in .*; nearest: 'reward'"):
        read_curves(wide, observable="rewards")


def test_runs_are_told_apart_by_seed(written):
    path = written("step,seed,alpha,p\n0,1,.1,.5\n1,1,.1,.6\n0,2,.1,.7\n1,2,.1,.8\n")
    found = read_curves(path)
    assert [(c.run, c.conditions["seed"]) for c in found.curves] == [("seed 1", 1), ("seed 2", 2)]
    assert found.curves[0].conditions["alpha"] == 0.1
    assert "runs are told apart by the column 'seed'." in found.notes


def test_a_bad_curve_leaves_the_others(written):
    found = read_curves(written("t,a,b\n0,1,nan\n1,2,3\n"))
    assert [c.observable for c in found.curves] == ["a"]
    assert [r.observable for r in found.rejected] == ["b"]


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
        assert any("22 columns ignored (bounds of a chart" in note for note in found.notes)
        table = pl.read_csv(path)
        for curve in found.curves:
            column = table[f"{curve.run} - {curve.observable}"]
            assert curve.n_obs == column.drop_nulls().len()
            assert curve.y.sum() == pytest.approx(column.sum(), rel=1e-14)
