"""`import`: what people logged goes into a store, and what does not is said."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ontogeny.cli import main

Rows = list[tuple[float, float]]
Written = Callable[[str, str], Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Give a function that writes a text as a file."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def imported(tmp_path: Path, *words: object) -> list[dict[str, Any]]:
    """Import, and return what `--json` says about each path."""
    file = tmp_path / "said.json"
    store = tmp_path / "store"
    assert main(["import", *map(str, words), "--out", str(store), "--json", str(file)]) == 0
    entries = json.loads(file.read_text(encoding="utf-8"))["imported"]
    assert isinstance(entries, list)
    return entries


def stored(tmp_path: Path) -> Any:
    from empirics.store import Store

    return Store(tmp_path / "store", create=False)


def test_import_makes_a_store_and_show_lists_it(
    rising: Rows, table: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    assert main(["import", str(table(rising)), "--out", str(store)]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == str(store)
    assert captured.err == "importing: 1/1\n"
    assert main(["show", "store", str(store)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[:2] == [str(store), "    1 run, 1 curve, 60 rows"]
    at = shown.index("runs")
    assert shown[at + 1] == "    episodic_return: 60 points over env_steps, 0 to 5900"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("t,y\n0,1\n1,1\n2,1\n3,1\n", [1, 1, 1, 1]),
        ("t,y\n0,1\n1,2\n2,3\n", [1, 2, 3]),
        ("t,y\n0,true\n1,false\n2,true\n", [1, 0, 1]),
    ],
    ids=["a constant curve", "three points", "truth values"],
)
def test_unusual_curves_are_curves(
    text: str, values: list[float], written: Written, tmp_path: Path
) -> None:
    imported(tmp_path, written("x.csv", text))
    (curve,) = stored(tmp_path).curves().curves
    assert curve.y.tolist() == values


def test_a_huge_whole_number_is_a_condition(written: Written, tmp_path: Path) -> None:
    huge = str(2**64)
    imported(tmp_path, written("x.csv", f"t,y,hash\n0,1,{huge}\n1,2,{huge}\n"))
    (record,) = stored(tmp_path).runs()
    assert dict(record.conditions) == {"hash": huge}


def test_structures_of_a_parquet_file_are_ignored_and_said(tmp_path: Path) -> None:
    frame = pl.DataFrame({"t": [0, 1], "y": [1.0, 2.0], "config": [{"lr": 0.1}] * 2})
    frame.write_parquet(tmp_path / "x.parquet")
    (entry,) = imported(tmp_path, tmp_path / "x.parquet")
    assert entry["notes"] == ["1 column ignored (lists, structures or bytes): config."]
    (curve,) = stored(tmp_path).curves().curves
    assert dict(curve.conditions) == {}


def test_json_carries_notes_and_rejections(written: Written, tmp_path: Path) -> None:
    path = written("x.csv", "t,a,b,note\n0,1,1,u\n1,2,nan,v\n1,4,3,w\n2,5,4,x\n")
    (entry,) = imported(tmp_path, path)
    assert entry == {
        "path": str(path),
        "curves": 1,
        "rejected": ["b of x: y must be finite; y[1] = nan."],
        "notes": [
            "1 column ignored (neither numbers nor one value a run): note.",
            "1 row at a t seen before, merged into the mean at that t: a of x (1).",
        ],
    }


def test_runs_are_recorded_and_travel_from_store_to_store(written: Written, tmp_path: Path) -> None:
    imported(tmp_path, written("x.csv", "run,t,y,lr\na,0,1,0.1\na,1,2,0.1\nb,0,1,0.2\nb,1,3,0.2\n"))
    first = stored(tmp_path)
    (tmp_path / "there").mkdir()
    imported(tmp_path / "there", tmp_path / "store")
    second = stored(tmp_path / "there")
    assert [record.run for record in first.runs()] == ["a", "b"]
    assert second.runs() == first.runs()


def test_the_same_table_twice_changes_nothing(written: Written, tmp_path: Path) -> None:
    path = written("x.csv", "t,y,alpha\n0,1,0.1\n1,2,0.1\n")
    imported(tmp_path, path)
    before = sorted((tmp_path / "store").rglob("*"))
    imported(tmp_path, path, "--y", "y")
    assert sorted((tmp_path / "store").rglob("*")) == before


def test_the_unit_of_progress_can_be_said(written: Written, tmp_path: Path) -> None:
    imported(tmp_path, written("x.csv", "step,y\n0,1\n1,2\n"), "--progress", "updates")
    (curve,) = stored(tmp_path).curves().curves
    assert curve.progress == "updates"


def test_the_units_of_progress_are_those_of_curves() -> None:
    from ontogeny.curves import PROGRESS
    from theory.curve import Progress

    assert list(Progress) == list(PROGRESS)


def test_a_file_without_a_usable_curve_is_named(
    written: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = written("a.csv", "t,y\n0,1\n1,2\n")
    bad = written("b.csv", "t,y\n0,nan\n1,2\n")
    assert main(["import", str(good), str(bad), "--out", str(tmp_path / "store")]) == 1
    err = capsys.readouterr().err
    assert (
        err == f"ontogeny import: {bad}: no usable curve: y of b: y must be finite; y[0] = nan.\n"
    )
    assert not (tmp_path / "store").exists()


def test_thirty_runs_of_one_kind_do_not_take_thirty_lines(
    written: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "t,y,note\n0,1,u\n1,2,v\n1,4,w\n2,5,x\n"
    bad = [f"z{i:02},{t},{y}\n" for i in range(30) for t, y in ((0, 1), (1, "nan"))]
    many = written("many.csv", "run,t,y\nok,0,1\nok,1,2\n" + "".join(bad))
    paths = [written(f"r{i:02}.csv", rows) for i in range(30)]
    imported(tmp_path, *paths, many)
    err = capsys.readouterr().err.splitlines()
    notes = [line for line in err if not line.startswith("importing: ")]
    assert f"{paths[0]} and 29 more: 1 column ignored (neither" in notes[0]
    left_out = [line for line in notes if "Left out: " in line]
    assert left_out == [
        f"{many}: Left out: y of z00, y of z01, y of z02, y of z03, y of z04, y of z05 and 24 "
        "more: y must be finite; y[1] = nan."
    ]


def test_two_axes_of_one_table_are_two_curves(written: Written, tmp_path: Path) -> None:
    path = written("x.csv", "step,gstep,loss\n0,0,9\n1,100,7\n2,200,6\n")
    for t in ("step", "gstep"):
        imported(tmp_path, path, "--t", t, "--y", "loss")
    curves = stored(tmp_path).curves().curves
    assert sorted(curve.t.tolist() for curve in curves) == [[0, 1, 2], [0, 100, 200]]


def test_a_table_adds_conditions_that_later_commands_select_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        Path(f"{name}.csv").write_text("env_steps,loss\n0,1\n1,2\n")
    Path("told.csv").write_text("run,width\na,16\nb,32\n")
    words = ["import", "a.csv", "b.csv", "--conditions", "told.csv", "--out"]
    assert main([*words, "store"]) == 0
    assert main(["export", "store", "--to", "wide.csv", "--where", "width > 20"]) == 0
    assert Path("wide.csv").read_text().count("b,") == 2
    Path("told.csv").write_text("run,width\nc,16\n")
    assert main([*words, "other"]) == 1
    assert "told.csv: no run 'c' in what was read; runs: a, b." in capsys.readouterr().err
    assert not Path("other").exists()
