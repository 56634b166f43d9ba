import pickle
import shutil

import numpy as np
import pytest

from empirics.curve_table import read_logged
from empirics.logged import merge_equal_t
from empirics.store import RunRecord, Store
from theory.curve import Curve, Origin, Progress, Schedule


def a_curve(seed=0, n=7, **changes):
    rng = np.random.default_rng(seed)
    settings = {
        "observable": "p_goal",
        "t": np.cumsum(rng.uniform(0.1, 1.0, n)),
        "y": rng.uniform(0.0, 1.0, n),
        "run": f"seed {seed}",
        "run_id": f"{seed:08x}",
    }
    return Curve(**(settings | changes))


def rich_curve():
    n = 7
    return a_curve(
        1,
        n,
        unit="probability",
        progress=Progress.ENV_STEPS,
        y_se=np.linspace(0.01, 0.3, n),
        n_trials=np.arange(1, n + 1),
        window=5,
        origin=Origin.MEASURED,
        support=(0.0, 1.0),
        conditions={
            "alpha": 0.1,
            "seed": 3,
            "critic": True,
            "arm": "delta rule",
            "entropy": Schedule([0.0, 10.0], [0.1, 1e-300]),
        },
    )


def digests(curves):
    return sorted(curve.digest for curve in curves)


def test_curves_come_back_equal(tmp_path):
    store = Store(tmp_path / "store")
    put = [rich_curve(), a_curve(2), a_curve(2, observable="p_proxy", t=[0.0], y=[-0.0])]
    store.append_curves(put)
    got = store.curves()
    assert digests(got.curves) == digests(put)
    assert got.rejected == () and got.notes == ()
    assert got.curves[0].conditions["entropy"] == put[0].conditions["entropy"]


def test_extreme_floats_come_back_exactly(tmp_path):
    y = np.array([np.nextafter(0, 1), 1 / 3, -1e308, 123456789.123456789, np.pi])
    store = Store(tmp_path)
    store.append_curves([a_curve(y=y, t=np.arange(5.0))])
    np.testing.assert_array_equal(store.curves().curves[0].y, y)


def test_the_same_content_twice_is_one_file(tmp_path):
    store = Store(tmp_path)
    first = store.append_curves([a_curve(0), a_curve(1)])
    before = first.read_bytes()
    assert store.append_curves([a_curve(1), a_curve(0)]) == first
    assert first.read_bytes() == before
    assert len(list((tmp_path / "curves").iterdir())) == 1
    assert len(store.curves().curves) == 2


def test_two_stores_merge_by_copying_files(tmp_path):
    a, b, both = (Store(tmp_path / name) for name in ("a", "b", "both"))
    a.append_curves([a_curve(0), a_curve(1)])
    b.append_curves([a_curve(1), rich_curve()])
    a.append_run(RunRecord("one", "1"))
    b.append_run(RunRecord("two", "2"))
    for store in (a, b):
        shutil.copytree(store.path, both.path, dirs_exist_ok=True)
    expected = {curve.digest for store in (a, b) for curve in store.curves().curves}
    assert digests(both.curves().curves) == sorted(expected)
    assert [record.run for record in both.runs()] == ["one", "two"]


def test_selection_by_observable_and_run(tmp_path):
    store = Store(tmp_path)
    store.append_curves([a_curve(i, observable=o) for i in range(3) for o in ("p_goal", "p_proxy")])
    assert len(store.curves("p_goal").curves) == 3
    assert len(store.curves(run="seed 1").curves) == 2
    assert len(store.curves(run="00000001").curves) == 2
    (one,) = store.curves("p_proxy", "seed 2").curves
    assert one == a_curve(2, observable="p_proxy")
    assert store.curves("no such").curves == ()


def test_points_of_a_resumed_run_overlap(tmp_path):
    whole = a_curve(0, 10)
    store = Store(tmp_path)
    store.append_curves([a_curve(0, t=whole.t[:6], y=whole.y[:6])])
    store.append_curves([a_curve(0, t=whole.t[3:], y=whole.y[3:])])
    got = store.curves()
    assert digests(got.curves) == [whole.digest]
    assert got.notes == ()


def test_two_versions_of_a_run_are_not_woven_together(tmp_path):
    whole, store = a_curve(0, 10), Store(tmp_path)
    last_bit = np.nextafter(whole.y, 1.0)
    store.append_curves([whole, a_curve(1)])
    store.append_curves([a_curve(0, 10, y=last_bit)])
    got = store.curves()
    assert len(got.curves) == 2 and got.rejected == ()
    first = min((tmp_path / "curves").iterdir())
    assert got.curves[0].digest in {each.digest for each in read_logged(first)}
    assert got.notes == (
        "10 rows left out, since files of the store disagree about these curves; the longest "
        "version is kept, of equals the one whose file's name comes first: p_goal of seed 0 (10).",
    )


def test_of_two_versions_of_a_run_the_longer_is_kept(tmp_path):
    store = Store(tmp_path)
    store.append_curves([a_curve(0, t=[0, 1, 2, 3], y=[0.1, 0.2, 0.3, 0.4])])
    store.append_curves([a_curve(0, t=[3, 4], y=[0.6, 0.7])])
    got = store.curves()
    np.testing.assert_array_equal(got.curves[0].y, [0.1, 0.2, 0.3, 0.4])
    assert got.notes[0].endswith("p_goal of seed 0 (2).")


def test_rows_between_the_rows_of_another_file_are_another_version(tmp_path):
    store = Store(tmp_path)
    store.append_curves([a_curve(0, t=[0, 2, 4], y=[0.1, 0.2, 0.3])])
    store.append_curves([a_curve(0, t=[1, 3], y=[0.6, 0.7])])
    np.testing.assert_array_equal(store.curves().curves[0].t, [0, 2, 4])


def test_merged_stores_that_describe_a_curve_differently_are_one_curve(tmp_path):
    a, b = (Store(tmp_path / name) for name in "ab")
    a.append_curves([a_curve(0, conditions={"alpha": 0.1})])
    b.append_curves([a_curve(0, conditions={"alpha": 0.2})])
    shutil.copytree(b.path, a.path, dirs_exist_ok=True)
    got = a.curves()
    assert len(got.curves) == 1
    assert got.notes[0].startswith("7 rows left out, since files of the store disagree")
    Store(tmp_path / "c").append(got)


def test_merging_weighs_by_trials():
    # 1 of 1 and 1 of 3 are 2 of 4; the se of a weighted sum of independent readings.
    merged, n = merge_equal_t(
        {
            "t": np.array([0.0, 1.0, 1.0, 2.0]),
            "y": np.array([0.5, 1.0, 1 / 3, 0.1]),
            "y_se": np.array([0.1, 0.4, 0.2, 0.3]),
            "n_trials": np.array([2, 1, 3, 7]),
        }
    )
    assert n == 1
    np.testing.assert_allclose(merged["y"], [0.5, 0.5, 0.1], rtol=1e-15)
    np.testing.assert_allclose(merged["y_se"], [0.1, np.hypot(0.4, 0.6) / 4, 0.3], rtol=1e-15)
    np.testing.assert_array_equal(merged["n_trials"], [2, 4, 7])


@pytest.mark.parametrize(
    ("column", "value"),
    [("y", np.inf), ("y_se", -0.1), ("y_se", np.nan), ("n_trials", 0), ("n_trials", np.inf)],
)
def test_what_no_row_can_be_is_not_hidden_in_a_mean(column, value):
    columns = {
        "t": np.array([0.0, 1.0, 1.0, 2.0]),
        "y": np.array([0.5, 1.0, 0.2, 0.1]),
        "y_se": np.full(4, 0.1),
        "n_trials": np.full(4, 5.0),
    }
    columns[column][2] = value
    with pytest.raises(ValueError, match=rf"{column} must be .*{column}\[2\] = {value}"):
        merge_equal_t(columns)


def test_mixed_runs_are_not_averaged():
    columns = {"t": np.repeat(np.arange(4.0), 3), "y": np.arange(12.0)}
    with pytest.raises(ValueError, match=r"4 of 4 values of t are repeated.*several runs"):
        merge_equal_t(columns)


def test_run_records_round_trip(tmp_path):
    store = Store(tmp_path)
    record = RunRecord(
        "seed 3, alpha 0.1",
        "abc-1.2_3",
        source="goal_switch",
        sha256="0" * 64,
        versions={"numpy": "2"},
        config={"ppo": {"gamma": 0.99}, "seeds": [1, 2]},
        conditions=rich_curve().conditions | {"large": 2**63 - 1, "whole": 1.0},
    )
    store.append_run(record)
    (got,) = store.runs()
    assert got == record == pickle.loads(pickle.dumps(record))
    assert [type(value) for value in got.conditions.values()] == [
        type(value) for value in record.conditions.values()
    ]


def test_a_config_is_what_json_says_it_is(tmp_path):
    record = RunRecord("a", "1", config={"layers": (64, 64), 3: {"x": (1, 2)}})
    assert dict(record.config) == {"layers": [64, 64], "3": {"x": [1, 2]}}
    store = Store(tmp_path)
    assert store.append_run(record) == store.append_run(record)
    with pytest.raises(ValueError, match="config of run 'a' must be JSON values"):
        RunRecord("a", "1", config={"x": float("nan")})


def test_a_run_is_written_once(tmp_path):
    store = Store(tmp_path)
    path = store.append_run(RunRecord("a", "1", conditions={"alpha": 0.1}, versions={"x": "1"}))
    before = path.read_bytes()
    store.append_run(RunRecord("a", "1", conditions={"alpha": 0.1}, versions={"x": "2"}))
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match="run_id '1' is already stored with other conditions"):
        store.append_run(RunRecord("a", "1", conditions={"alpha": 0.2}))


@pytest.mark.parametrize("run_id", ["", "../x", "a/b", ".hidden", "-x", "a\n", "x" * 129, "a b"])
def test_a_run_id_stays_inside_the_store(tmp_path, run_id):
    with pytest.raises(ValueError, match="a run_id is 1 to 128"):
        RunRecord("a", run_id)
    with pytest.raises(ValueError, match="a run_id is 1 to 128"):
        Store(tmp_path).append_curves([a_curve(run_id=run_id)])


def test_two_different_curves_of_one_name_are_refused(tmp_path):
    with pytest.raises(ValueError, match="two different curves of 'p_goal' share the run_id"):
        Store(tmp_path).append_curves([a_curve(0), a_curve(0, n=3)])
    assert Store(tmp_path).append_curves([]) is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            '{"format": "ontogeny-store", "version": 99}',
            "is a store of format version 99; this Ontogeny reads version 1",
        ),
        ('{"version": 1}', "is not a store: its format.json is missing or damaged"),
        ('{"format": "x", "version": 1}', "is not a store: its format.json says format 'x'"),
        ("[1]", "is not a store: its format.json is missing or damaged"),
        ("{", "is not a store: its format.json is missing or damaged"),
    ],
)
def test_a_folder_that_says_it_is_something_else_is_one_sentence(tmp_path, content, said):
    Store(tmp_path)
    (tmp_path / "format.json").write_text(content)
    with pytest.raises(ValueError, match=said):
        Store(tmp_path)


def test_a_folder_of_other_things_is_not_made_a_store(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(ValueError, match="holds other files and is not a store"):
        Store(tmp_path)
    with pytest.raises(ValueError, match="is a file; a store is a folder"):
        Store(tmp_path / "thesis.tex")
    with pytest.raises(ValueError, match="does not exist"):
        Store(tmp_path / "absent", create=False)
    assert not (tmp_path / "absent").exists()


def test_a_half_made_store_is_completed(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / ".format.json.0.tmp").write_text("")
    assert Store(tmp_path).runs() == ()


def test_left_over_temporary_files_are_no_curves(tmp_path):
    store = Store(tmp_path)
    path = store.append_curves([a_curve(0)])
    (path.parent / ".x.parquet.0.tmp").write_bytes(b"PAR1")
    assert len(store.curves().curves) == 1


def test_no_temporary_file_is_left(tmp_path):
    store = Store(tmp_path)
    store.append_curves([a_curve(0)])
    store.append_run(RunRecord("a", "1"))
    assert not list(tmp_path.rglob("*.tmp"))
