"""Damaged, changed and foreign files in a store end in a sentence that names the file."""

import numpy as np
import polars as pl
import pytest

from empirics.curve_table import read_headers, write_table
from empirics.run_record import TEXTS
from empirics.store import RunRecord, Store
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
        store.runs() if folder == "runs" else store.curves()
    assert str(error.value).startswith(str(path))


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
    write_table(path, *spoiled(pl.read_parquet(path), read_headers(path), what))
    with pytest.raises(ValueError, match=r"^[^\n]*[^.]\.$") as error:
        Store(tmp_path).curves()
    assert str(error.value).startswith(str(path))


def test_a_foreign_file_among_the_curves_is_named(tmp_path):
    store = Store(tmp_path)
    path = tmp_path / "curves" / "x.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(path)
    for read in (store.curves, store.observables, lambda: store.append_curves([a_curve(0)])):
        with pytest.raises(ValueError, match="was not written by a store") as error:
            read()
        assert str(error.value).startswith(str(path))


def test_a_flipped_bit_does_not_pass_for_a_result(tmp_path):
    store, rng = Store(tmp_path), np.random.default_rng(0)
    path = store.append_curves([a_curve(0)])
    content, read = path.read_bytes(), store.curves()
    for i in rng.integers(0, len(content), 60):
        flipped = bytearray(content)
        flipped[i] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        try:
            assert store.curves().curves == read.curves
        except ValueError as error:
            assert str(path) in str(error)
