"""Logged curves in the store: every row kept, every run recorded, no two runs woven together."""

import pickle

import numpy as np
import polars as pl
import pytest

from empirics.curve_table import read_logged
from empirics.provenance import sha256_of
from empirics.readers import read_curves
from empirics.store import Store

LONG = """run,observable,env_steps,value,se,alpha,arm
a,p_goal,0,0.1,0.01,0.5,delta
a,p_goal,10,0.2,0.02,0.5,delta
a,p_proxy,0,0.3,0.03,0.5,delta
b,p_goal,0,0.4,0.04,1,exact critic
b,p_goal,20,0.5,0.05,1,exact critic
"""


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def digests(found):
    return sorted(curve.digest for curve in found.curves)


def test_a_table_goes_through_the_store(written, store, sentence):
    found = read_curves(written(LONG))
    store.append(found)
    again = read_curves(store.path)
    assert digests(again) == digests(found)
    assert again.runs == found.runs
    assert len(read_curves(store.path, y="p_goal").curves) == 2
    assert len(read_curves(store.path, y=["p_proxy", "p_goal"]).curves) == 3
    assert len(read_curves(store.path, observable="p_proxy").curves) == 1
    said = "no observable 'p_gaol' in store; nearest: 'p_goal'. Observables: p_goal, p_proxy."
    assert sentence(read_curves, store.path, y="p_gaol") == said
    said = "store is a store, which has no columns to choose: leave out t, run."
    assert sentence(read_curves, store.path, t="t", run="x") == said
    said = "give the observables of a store as y or as observable, not as both."
    assert sentence(read_curves, store.path, y="p_goal", observable="p_proxy") == said


def test_an_empty_store_is_one_sentence(store, sentence):
    assert sentence(read_curves(store.path).require) == "there is no curve here."


def test_a_run_is_recorded_with_its_source_and_how_it_was_read(written, store):
    path = written(LONG)
    store.append(read_curves(path))
    first, second = store.runs()
    assert (first.run, second.run) == ("a", "b")
    assert (first.source, first.sha256) == ("x.csv", sha256_of(path))
    assert dict(first.config) == {"t": "env_steps", "run": "run", "observable": "observable"}
    assert dict(first.conditions) == {"alpha": 0.5, "arm": "delta"}
    assert "polars" in first.versions
    assert {first.run_id, second.run_id} == {c.run_id for c in store.curves().curves}


def test_a_store_read_into_a_store_is_the_same_store(written, store, tmp_path):
    store.append(read_curves(written("run,t,y\na,0,1\na,1,2\na,1,4\na,2,5\nb,0,1\nb,1,1\n")))
    other = Store(tmp_path / "other")
    other.append(read_curves(store.path))
    assert other.runs() == store.runs() != ()
    files = [sorted(p.name for p in (s.path / "curves").iterdir()) for s in (store, other)]
    assert files[0] == files[1]
    part = Store(tmp_path / "part")
    part.append(read_curves(store.path, y="y"))
    assert part.runs() == store.runs()


def test_the_store_keeps_every_row_and_merges_at_reading(written, store):
    found = read_curves(written("t,y\n0,1\n1,2\n1,4\n2,5\n2,5\n3,6\n4,7\n"))
    store.append(found)
    (path,) = (store.path / "curves").iterdir()
    assert pl.read_parquet(path)["y"].to_list() == [1, 2, 4, 5, 5, 6, 7]
    again = store.curves()
    np.testing.assert_array_equal(again.curves[0].y, [1, 3, 5, 6, 7])
    assert digests(again) == digests(found)
    assert again.notes == found.notes != ()


def test_what_was_done_at_reading_is_said_once_and_of_what_was_read(written, store):
    store.append(read_curves(written("t,p,q\n0,1,1\n1,2,2\n1,4,\n2,5,5\n3,5,6\n")))
    said = "1 row at a t seen before, merged into the mean at that t: p of x (1)."
    assert read_curves(store.path, y=["p", "q"]).notes == (said,)
    assert read_curves(store.path, y="q").notes == ()


def test_two_progress_axes_of_one_table_are_two_curves(written, store):
    path = written("step,gstep,loss\n0,0,9\n1,100,7\n2,200,6\n3,300,4\n")
    for t in ("step", "gstep"):
        store.append(read_curves(path, t=t, y="loss"))
    by_step, by_gstep = sorted(store.curves().curves, key=lambda curve: curve.t[-1])
    np.testing.assert_array_equal(by_step.t, [0, 1, 2, 3])
    np.testing.assert_array_equal(by_gstep.t, [0, 100, 200, 300])
    assert by_step.run_id != by_gstep.run_id
    assert sorted(record.config["t"] for record in store.runs()) == ["gstep", "step"]


def test_two_columns_of_values_are_two_curves(written, store):
    path = written("t,metric,raw,smooth\n0,p,1,2\n1,p,2,3\n2,p,3,3\n0,q,1,1\n1,q,2,3\n")
    for y in ("raw", "smooth"):
        store.append(read_curves(path, y=y, observable="metric"))
    names = [curve.observable for curve in store.curves().curves]
    assert names == ["p/raw", "p/smooth", "q/raw", "q/smooth"]
    assert len(store.runs()) == 1


def test_a_table_read_in_parts_is_the_table_read_whole(written, store, tmp_path):
    path = written("t,a,b,lr\n0,1,2,0.1\n1,3,4,0.1\n")
    whole = Store(tmp_path / "whole")
    whole.append(read_curves(path, y=["a", "b"]))
    for y in ("a", "b", ["a", "b"]):
        store.append(read_curves(path, y=y))
    assert digests(store.curves()) == digests(whole.curves())
    assert store.runs() == whole.runs()
    Store(tmp_path / "again").append(read_curves(store.path))


def test_one_curve_under_two_headers_is_refused(written, store, sentence):
    found = read_curves(written("t,y,alpha\n0,1,0.1\n1,2,0.1\n"))
    store.append(found)
    (curve,) = found.curves
    other = type(curve)(
        curve.observable,
        curve.t,
        curve.y,
        run=curve.run,
        run_id=curve.run_id,
        conditions={"alpha": 0.2},
    )
    assert sentence(store.append_curves, [other]) == (
        "store already holds y of 'x' with alpha = 0.1, now 0.2; one curve cannot have both: "
        "read it as before, or use another store."
    )
    assert digests(store.curves()) == digests(found)


def test_what_is_refused_leaves_the_store_as_it_was(written, store, sentence, tmp_path):
    found = read_curves(written("t,y\n0,1\n1,2\n"))
    store.append(found)
    other = Store(tmp_path / "other")
    record = found.runs[0]
    other.append_run(type(record)(record.run, record.run_id, conditions={"alpha": 1}))
    said = sentence(other.append, found)
    assert said.startswith(f"run_id '{record.run_id}' is already stored with other conditions")
    assert other.curves().curves == ()


def test_what_was_read_can_be_pickled(written):
    found = read_curves(written(LONG))
    again = pickle.loads(pickle.dumps(found))
    assert again.curves == found.curves and again.runs == found.runs
    assert [each.digest for each in again.logged] == [each.digest for each in found.logged]


def test_a_file_of_curves_is_read_back_as_it_was_written(written, store):
    found = read_curves(written(LONG))
    store.append(found)
    (path,) = (store.path / "curves").iterdir()
    assert sorted(each.digest for each in read_logged(path)) == digests(found)
