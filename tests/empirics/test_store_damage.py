"""Damaged, changed and foreign files in a store end in a sentence that names the file."""

import json
import shutil

import numpy as np
import polars as pl
import pytest

from empirics.curve_table import HEADERS, Table, read_entries, write_table
from empirics.run_record import TEXTS
from empirics.store import RunRecord, Store
from empirics.store_check import check_store
from theory.curve import Curve


def a_curve(seed):
    rng = np.random.default_rng(seed)
    return Curve(
        "p_goal",
        np.cumsum(rng.uniform(0.1, 1.0, 7)),
        rng.uniform(0.0, 1.0, 7),
        run=f"seed {seed}",
        run_id=f"{seed:08x}",
    )


@pytest.mark.parametrize("end", [0, 3, 8, 50, -8, -1])
@pytest.mark.parametrize("folder", ["runs", "curves"])
def test_a_truncated_file_is_named(tmp_path, folder, end):
    store = Store(tmp_path)
    store.append_run(RunRecord("a", "1"))
    store.append_curves([a_curve(0)])
    (path,) = (tmp_path / folder).iterdir()
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(ValueError, match="is damaged and cannot be read") as error:
        store.runs() if folder == "runs" else store.curves(strict=True)
    assert str(error.value).startswith(str(path))
    assert str(error.value) in set(check_store(Store(tmp_path)))


@pytest.mark.parametrize("end", [0, 500, -8])
def test_the_others_are_read_where_one_file_is_damaged(tmp_path, end):
    store = Store(tmp_path)
    for seed in (0, 1):
        store.append_run(RunRecord(f"seed {seed}", f"{seed:08x}"))
    kept, path = store.append_curves([a_curve(0)]), store.append_curves([a_curve(1)])
    path.write_bytes(path.read_bytes()[:end])
    found = Store(tmp_path).select()
    assert found.curves == (a_curve(0),)
    assert [record.run for record in found.runs] == ["seed 0"]
    (note,) = found.notes
    assert note.startswith(f"{path} is damaged and cannot be read")
    assert list(check_store(store)) == [
        note,
        "1 run (00000001) recorded without a curve that can be read: their files are missing or "
        "damaged.",
    ]
    renamed = kept.rename(kept.with_stem("0" * 64))
    said, _, lost = Store(tmp_path).select().notes
    assert said.startswith(f"{renamed} does not hold what its name says")
    assert lost == (
        f"1 file that the store held is missing: curves/{kept.name}; copy it anew, or take its "
        f"line out of {tmp_path / 'manifest'}."
    )


def test_a_lost_file_is_missed(tmp_path):
    store = Store(tmp_path / "store")
    lost, kept = store.append_curves([a_curve(0)]), store.append_curves([a_curve(1)])
    lost.unlink()
    found = Store(tmp_path / "store").curves()
    assert found.curves == (a_curve(1),)
    (note,) = found.notes
    assert f"missing: curves/{lost.name}; copy it anew" in note
    assert list(check_store(store)) == [note]
    with pytest.raises(ValueError, match="1 file that the store held is missing"):
        Store(tmp_path / "store").curves(strict=True)
    kept.unlink()
    (note,) = Store(tmp_path / "store").curves().notes
    assert note.startswith("2 files that the store held are missing: curves/")
    store.append_curves([a_curve(0), a_curve(1)])  # what they held, in another file
    assert Store(tmp_path / "store").curves().curves == (a_curve(0), a_curve(1))


def test_lists_of_merged_stores_lie_beside_each_other(tmp_path):
    paths = [Store(tmp_path / name).append_curves([a_curve(i)]) for i, name in enumerate("ab")]
    for folder in ("curves", "manifest"):
        shutil.copytree(tmp_path / "a" / folder, tmp_path / "b" / folder, dirs_exist_ok=True)
    assert list(check_store(Store(tmp_path / "b"))) == []
    (tmp_path / "b" / "curves" / paths[0].name).unlink()
    (note,) = check_store(Store(tmp_path / "b"))
    assert f"missing: curves/{paths[0].name};" in note


def test_a_line_of_the_manifest_that_a_kill_cut_off_says_nothing(tmp_path):
    store = Store(tmp_path)
    lost = store.append_curves([a_curve(0)])
    (manifest,) = (tmp_path / "manifest").iterdir()
    manifest.write_bytes(manifest.read_bytes()[:20])
    lost.unlink()
    assert list(check_store(store)) == []
    store.append_curves([a_curve(1)]).unlink()
    (note,) = check_store(store)
    assert note.startswith("1 file that the store held is missing")


def test_without_a_manifest_the_others_tell_that_a_file_is_missing(tmp_path):
    store = Store(tmp_path)
    store.append_run(RunRecord("seed 0", "00000000"))
    path = store.append_curves([a_curve(0), a_curve(1)])
    assert list(check_store(store)) == [
        f"1 run (00000001) with curves and without a record: their files in {tmp_path / 'runs'} "
        "are missing."
    ]
    path.unlink()
    shutil.rmtree(tmp_path / "manifest")  # as stores of earlier versions are
    assert list(check_store(store)) == [
        "1 run (00000000) recorded without a curve that can be read: their files are missing, or "
        "they never had one."
    ]


def test_a_sound_store_has_nothing_said_of_it(tmp_path):
    store = Store(tmp_path)
    store.append_curves([a_curve(0), a_curve(1)])
    assert list(check_store(store)) == []


FOREIGN = {
    "nothing of a store": pl.DataFrame({"a": [1]}),
    "two rows": pl.DataFrame({"run": ["a", "b"], "run_id": ["1", "1"]}),
    "numbers for texts": pl.DataFrame({name: [1] for name in TEXTS}),
    "nulls": pl.DataFrame({name: [None] for name in TEXTS}, schema=dict.fromkeys(TEXTS, pl.String)),
    "bad JSON": pl.DataFrame({name: ["{"] for name in TEXTS}),
    "a list for an object": pl.DataFrame(dict.fromkeys(TEXTS, ["[]"])),
    "another run": pl.DataFrame(
        {"run": "a", "run_id": "2", "source": "", "sha256": "", "versions": "{}", "config": "{}"}
    ),
    "a condition of no kind": pl.DataFrame(
        {"run": "a", "run_id": "1", "source": "", "sha256": "", "versions": "{}", "config": "{}"}
    ).with_columns(pl.Series("condition.x", [[1, 2]])),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_foreign_file_among_the_runs_is_named(tmp_path, what):
    store = Store(tmp_path)
    path = tmp_path / "runs" / "1.parquet"
    FOREIGN[what].write_parquet(path)
    with pytest.raises(ValueError, match=r"^.*is not a run of a store: [^\n]*[^.]\.$") as error:
        store.runs()
    assert str(error.value).startswith(str(path))


def old(path, table, headers):
    """Write a file as the first versions did: with headers and without an index."""
    table.write_parquet(path, metadata={HEADERS: json.dumps(headers)})


def read_texts(path):
    return pl.read_parquet(path).with_columns(pl.col(pl.Categorical).cast(pl.String))


def test_a_file_of_the_first_versions_is_read(tmp_path):
    path = Store(tmp_path).append_curves([a_curve(0), a_curve(1)])
    headers = [entry.header for entry in reversed(read_entries(path))]
    old(path, read_texts(path).sort("run_id", "t"), headers)
    store = Store(tmp_path)
    assert [entry.digest for entry in read_entries(path)] == ["", ""]
    assert store.curves().curves == (a_curve(0), a_curve(1))
    assert store.curves(run="seed 1").curves == (a_curve(1),)
    assert list(check_store(store)) == []
    assert [each.curves for each in store.portions(rows=1)] == [(a_curve(0), a_curve(1))]


def spoiled(table, headers, what):
    """Return a table and headers that a store did not write."""
    first, *rest = headers
    changes = {
        "another column": (table.with_columns(z=1), headers),
        "another type": (table.cast({"t": pl.Float32}), headers),
        "a header too few": (table, rest),
        "a header too many": (table.head(1), headers),
        "no run_id": (table.with_columns(run_id=pl.lit(None, pl.String)), headers),
        "t going back": (table.reverse(), headers),
        "NaN": (table.with_columns(y=pl.lit(float("nan"))), headers),
        "a changed number": (table.with_columns(y=pl.col("y") / 2), headers),
        "a changed header": (table, [first | {"run": "z"}, *rest]),
        "a header without a field": (table, [{"run_id": "1"}]),
        "a header of other types": (table, [first | {"conditions": []}, *rest]),
        "a condition of no kind": (table, [first | {"conditions": {"a": {"b": 1}}}, *rest]),
        "an unknown origin": (table, [first | {"origin": "dreamt"}, *rest]),
        "a window of no size": (table, [first | {"window": -1}, *rest]),
    }
    return changes[what]


@pytest.mark.parametrize(
    "what",
    [
        "another column",
        "another type",
        "a header too few",
        "a header too many",
        "no run_id",
        "t going back",
        "NaN",
        "a changed number",
        "a changed header",
        "a header without a field",
        "a header of other types",
        "a condition of no kind",
        "an unknown origin",
        "a window of no size",
    ],
)
def test_a_changed_file_among_the_curves_is_named(tmp_path, what):
    store = Store(tmp_path)
    path = store.append_curves([a_curve(0), a_curve(1)])
    headers = [entry.header for entry in read_entries(path)]
    old(path, *spoiled(read_texts(path), headers, what))
    with pytest.raises(ValueError, match=r"^[^\n]*[^.]\.$") as error:
        Store(tmp_path).curves(strict=True)
    assert str(error.value).startswith(str(path))
    assert Store(tmp_path).curves().notes == (str(error.value),)


@pytest.mark.parametrize(
    ("what", "n_read"),
    # What tells the curves apart the index says; only a check looks at the columns that repeat it.
    [
        ("another column", 2),
        ("no run_id", 2),
        ("NaN", 0),
        ("t going back", 0),
        ("a changed number", 0),
        ("a changed header", 0),
    ],
)
def test_changed_rows_below_an_index_are_named(tmp_path, what, n_read):
    path = Store(tmp_path).append_curves([a_curve(0), a_curve(1)])
    entries = read_entries(path)
    index = {"rows": [7, 7], "digests": [entry.digest for entry in entries]}
    table, headers = spoiled(read_texts(path), [entry.header for entry in entries], what)
    write_table(path, Table(table, headers, index))
    found = Store(tmp_path).curves()
    assert len(found.curves) == n_read and len(found.notes) == (n_read == 0)
    for said in (*found.notes, next(check_store(Store(tmp_path)))):
        assert said.startswith(str(path))


INDICES = {
    "a digest too few": {"rows": [7, 7], "digests": ["0"]},
    "no digests": {"rows": [7, 7]},
    "no rows": {"rows": [0, 7], "digests": ["0", "1"]},
    "no numbers": {"rows": ["x", 7], "digests": ["0", "1"]},
    "a list": [7, 7],
    "other digests": {"rows": [7, 7], "digests": ["0", "1"]},
    "other rows": {"rows": [6, 8]},
    "more rows": {"rows": [7, 70]},
}


@pytest.mark.parametrize("what", INDICES)
def test_a_changed_index_is_named(tmp_path, what):
    path = Store(tmp_path).append_curves([a_curve(0), a_curve(1)])
    entries, index = read_entries(path), INDICES[what]
    if what in ("other rows", "more rows"):
        index = index | {"digests": [entry.digest for entry in entries]}
    write_table(path, Table(pl.read_parquet(path), [entry.header for entry in entries], index))
    found = Store(tmp_path).curves()
    assert found.curves == () and len(found.notes) == 1
    assert found.notes[0].startswith(str(path)) and found.notes[0].endswith(".")


def test_a_foreign_file_among_the_curves_is_named(tmp_path):
    store = Store(tmp_path)
    path = tmp_path / "curves" / "x.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(path)
    for read in (lambda: store.curves(strict=True), lambda: store.append_curves([a_curve(0)])):
        with pytest.raises(ValueError, match="was not written by a store") as error:
            read()
        assert str(error.value).startswith(str(path))
    assert store.observables() == ()
    assert store.curves().notes[0].startswith(f"{path} was not written by a store")


def test_a_flipped_bit_does_not_pass_for_a_result(tmp_path):
    store, rng = Store(tmp_path), np.random.default_rng(0)
    path = store.append_curves([a_curve(0)])
    content, read = path.read_bytes(), store.curves()
    for i in rng.integers(0, len(content), 60):
        flipped = bytearray(content)
        flipped[i] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        found = Store(tmp_path).curves()
        assert found.curves == read.curves or str(path) in found.notes[0]
