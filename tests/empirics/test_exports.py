"""What is exported is read back by `read_curves` with the same values."""

import importlib.util

import numpy as np
import polars as pl
import pytest

from empirics.exported_scores import export_scores, scores_of
from empirics.exported_table import export_table
from empirics.logged import Logged
from empirics.readers import read_curves
from empirics.store import RunRecord, Store
from empirics.store_summary import said_values, summary_of
from papers import dataset
from theory.curve import Curve, Progress, Schedule

T = np.array([0.0, 100.0, 250.0])


def a_curve(algorithm, task, seed, observable="episodic_return", **changes):
    rng = np.random.default_rng([len(algorithm), len(task), seed])
    settings = {
        "t": T,
        "y": rng.standard_normal(3) * 10.0 ** rng.integers(-12, 12, 3),
        "progress": Progress.ENV_STEPS,
        "run": f"{algorithm} {task} {seed}",
        "run_id": f"{algorithm}-{task}-{seed}",
        "conditions": {"algorithm": algorithm, "task": task, "seed": seed, "alpha": 0.1},
    }
    return Curve(observable, **(settings | changes))


@pytest.fixture
def curves():
    return [a_curve(a, k, s) for a in ("ppo", "dqn") for k in ("maze", "lock") for s in range(3)]


@pytest.fixture
def store(tmp_path, curves):
    store = Store(tmp_path / "store")
    store.append_curves(curves)
    return store


def values(curves):
    return {
        (c.run, c.observable): (
            c.progress,
            *(None if x is None else x.tolist() for x in (c.t, c.y, c.y_se, c.n_trials)),
            dict(c.conditions),
        )
        for c in curves
    }


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_is_read_back(store, curves, tmp_path, suffix):
    path = tmp_path / f"all{suffix}"
    assert export_table(store, path, rows=10) == []
    assert values(read_curves(path).curves) == values(curves)
    assert not list(tmp_path.glob(".export-*"))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_errors_and_trials_are_read_back(tmp_path, suffix):
    store, path = Store(tmp_path / "store"), tmp_path / f"all{suffix}"
    put = [
        a_curve(
            "a", "b", s, "p_goal", y=[0.1, 1 / 3, 1.0], y_se=[0.1, 0.2, 0.3], n_trials=[1, 3, 9]
        )
        for s in range(2)
    ]
    store.append_curves(put)
    export_table(store, path)
    assert values(read_curves(path).curves) == values(put)


def test_every_logged_row_is_exported(tmp_path, written):
    store, path = Store(tmp_path / "store"), tmp_path / "all.csv"
    found = read_curves(written("t,y\n0,1\n1,2\n1,3\n2,4\n"))
    store.append(found)
    export_table(store, path)
    (one,) = read_curves(path).logged
    assert isinstance(one, Logged) and one.rows.equals(found.logged[0].rows)


def test_runs_of_one_label_stay_apart(tmp_path):
    store, path = Store(tmp_path / "store"), tmp_path / "all.csv"
    store.append_curves([a_curve("a", "b", s, run="same") for s in range(2)])
    export_table(store, path)
    assert {c.run for c in read_curves(path).curves} == {"same a-b-0", "same a-b-1"}


def test_a_condition_named_like_a_column_and_one_that_drifts(tmp_path):
    store, path = Store(tmp_path / "store"), tmp_path / "all.csv"
    drift = Schedule([0.0, 1.0], [0.1, 0.2])
    store.append_curves([a_curve("a", "b", 0, conditions={"y": 3, "beta": drift, "large": 2**70})])
    assert export_table(store, path) == ["1 condition that drift stand as JSON texts: beta."]
    table = pl.read_csv(path)
    assert table["condition.y"].to_list() == [3] * 3
    assert table["beta"][0] == '{"schedule": {"t": [0.0, 1.0], "value": [0.1, 0.2]}}'


def test_a_selection_is_exported_and_several_axes_are_not(store, tmp_path):
    path = tmp_path / "some.csv"
    export_table(store, path, where="algorithm = ppo and seed = 1")
    assert {c.run for c in read_curves(path).curves} == {"ppo lock 1", "ppo maze 1"}
    store.append_curves([a_curve("a", "b", 0, progress=Progress.UPDATES)])
    with pytest.raises(ValueError, match="several progress axes, env_steps, updates; choose one"):
        export_table(store, path)
    with pytest.raises(ValueError, match="no curve fulfils seed = 99"):
        export_table(store, path, where="seed = 99")


def test_scores_are_runs_by_tasks_of_each_algorithm(store, curves, tmp_path):
    path = tmp_path / "scores.npz"
    notes = export_scores(store, path, algorithm="algorithm", task="task")
    assert notes == ["Columns are the tasks lock, maze."]
    scores = dict(np.load(path))
    assert {name: array.shape for name, array in scores.items()} == {"dqn": (3, 2), "ppo": (3, 2)}
    for i, (_, task) in enumerate([(0, "lock"), (1, "maze")]):
        expected = [c.y[-1] for c in curves if c.conditions["task"] == task]
        assert sorted([*scores["dqn"][:, i], *scores["ppo"][:, i]]) == sorted(expected)
    read = read_curves(path).curves
    assert {(c.observable, *c.y) for c in read} == {
        (name, *row) for name, array in scores.items() for row in array.tolist()
    }


def test_scores_at_a_progress_are_those_of_the_last_point_up_to_it(curves):
    for at, i in ((0.0, 0), (249.9, 1), (250.0, 2), (1e9, 2)):
        scores, _ = scores_of(curves[:1], at=at)
        assert scores["all"].tolist() == [[curves[0].y[i]]]


def test_scores_with_holes_are_refused(curves):
    with pytest.raises(ValueError, match=r"numbers of runs in its tasks \(lock: 3, maze: 2\)"):
        scores_of(curves[1:6], algorithm="algorithm", task="task")
    with pytest.raises(ValueError, match="has no value at -1"):
        scores_of(curves, at=-1.0)
    with pytest.raises(ValueError, match="conditions: algorithm, alpha, seed, task"):
        scores_of(curves, task="level")
    with pytest.raises(ValueError, match="scores are of one observable, and here are a, b"):
        scores_of([a_curve("a", "b", 0, name) for name in "ab"])


needs_xarray = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("xarray", "h5netcdf")),
    reason="xarray and h5netcdf are not installed",
)


@needs_xarray
def test_netcdf_holds_every_point(store, curves, tmp_path):
    import xarray

    path = tmp_path / "all.nc"
    short = a_curve("ppo", "maze", 9, t=[50.0], y=[0.5], y_se=[0.25], n_trials=[4])
    dataset.export_dataset(path, [*curves, short])
    with xarray.open_dataset(path, engine="h5netcdf") as found:
        found.load()
    assert found.sizes == {"run": 13, "env_steps": 4}
    assert found["env_steps"].values.tolist() == [0.0, 50.0, 100.0, 250.0]
    for i, curve in enumerate([*curves, short]):
        row = found["episodic_return"].isel(run=i).dropna("env_steps")
        assert row["env_steps"].values.tolist() == curve.t.tolist()
        assert row.values.tolist() == curve.y.tolist()
        assert str(found["run_id"].values[i]) == curve.run_id
        assert str(found["condition.task"].values[i]) == curve.conditions["task"]
    assert found["condition.seed"].values.tolist() == [0, 1, 2] * 4 + [9]
    assert found["episodic_return.y_se"].isel(run=12).values[1] == 0.25
    assert found["episodic_return.n_trials"].isel(run=12).values[1] == 4


@needs_xarray
def test_runs_logged_at_different_times_make_no_array(monkeypatch):
    monkeypatch.setattr(dataset, "SMALL", 10)
    put = [a_curve("a", "b", s, t=T + 1 + s) for s in range(9)]
    with pytest.raises(ValueError, match="27 points in an array of 243 cells; export CSV"):
        dataset.dataset_of(put)


def test_without_xarray_a_sentence_says_what_is_missing(curves, monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "h5netcdf", None)
    with pytest.raises(ImportError, match="NetCDF files need xarray and h5netcdf, which are not"):
        dataset.export_dataset(tmp_path / "x.nc", curves)


def test_summing_up_says_what_varies_and_what_is_missing(store, curves):
    store.append_curves([a_curve("ppo", "maze", 5), a_curve("ppo", "maze", 5, "llc")])
    found = summary_of(store)
    assert (found.n_runs, found.n_curves, found.n_rows) == (13, 14, 42)
    assert found.shared == {"alpha": 0.1}
    assert found.varied == {
        "algorithm": ("dqn", "ppo"),
        "seed": (0, 1, 2, 5),
        "task": ("lock", "maze"),
    }
    assert found.observables == {
        "episodic_return": "13 runs, 3 rows a run over env_steps",
        "llc": "1 run, 3 rows a run over env_steps",
    }
    assert found.gaps == (
        "llc is missing in 12 runs: dqn lock 0, dqn lock 1, dqn lock 2, dqn maze 0, dqn maze 1, "
        "dqn maze 2 and 6 more.",
        "seeds of 0, 1, 2, 5 are missing in 3 of 4 combinations of conditions: algorithm=dqn, "
        "task=lock lacks 5, algorithm=dqn, task=maze lacks 5, algorithm=ppo, task=lock lacks 5.",
    )
    store.append_run(RunRecord("killed at once", "bare"))
    assert summary_of(store).gaps == ("1 run without a curve: bare.", *found.gaps)
    part = summary_of(store, "task = lock")
    assert part.n_runs == 6 and not any("without a curve" in gap for gap in part.gaps)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((0, 1, 2, 3), "0..3"),
        ((0, 1), "0, 1"),
        ((0, 2, 5), "0, 2, 5"),
        (tuple(x / 8 for x in range(1, 9)), "8 values from 0.125 to 1"),
        (("a", "b"), "a, b"),
        ((False, True), "False, True"),
    ],
)
def test_values_of_a_condition_in_words(values, said):
    assert said_values(values) == said
