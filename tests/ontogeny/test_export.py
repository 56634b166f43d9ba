"""`--where`, `show store --check` and `export` at the command line."""

import json
from pathlib import Path

import pytest

from empirics.readers import read_curves
from ontogeny.cli import main


@pytest.fixture
def store(tmp_path: Path) -> Path:
    rows = [
        f"{alpha}-{seed},{alpha},{seed},{t},{t * seed}"
        for alpha in (0.1, 0.2)
        for seed in range(3)
        for t in range(5)
    ]
    table = tmp_path / "logs.csv"
    table.write_text("\n".join(["run,alpha,seed,env_steps,episodic_return", *rows]))
    assert main(["import", str(table), "--out", str(tmp_path / "store"), "--quiet"]) == 0
    return tmp_path / "store"


def test_an_export_is_imported_with_the_same_values(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    file, again = tmp_path / "some.csv", tmp_path / "again"
    where = "alpha < 0.15 and seed in 1..7"
    assert main(["export", str(store), "--to", str(file), "--where", where]) == 0
    assert capsys.readouterr().out == f"{file}\n"
    assert main(["import", str(file), "--out", str(again), "--quiet"]) == 0
    got = {c.run: (c.t.tolist(), c.y.tolist()) for c in read_curves(again).curves}
    every = {c.run: (c.t.tolist(), c.y.tolist()) for c in read_curves(store).curves}
    assert got == {run: every[run] for run in ("0.1-1", "0.1-2")}


def test_a_selected_store_is_imported(store: Path, tmp_path: Path) -> None:
    words = ["show", "store", str(store), "--where", "seed != 0", "--quiet"]
    assert main([*words, "--json", str(tmp_path / "shown.json")]) == 0
    shown = json.loads((tmp_path / "shown.json").read_text(encoding="utf-8"))["store"]
    assert shown[0]["holds"] == "4 runs, 4 curves, 20 rows"
    assert shown[1]["values"] == ["alpha: 0.1, 0.2", "seed: 1, 2"]


def test_a_damaged_file_is_named(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "store", str(store), "--check"]) == 0
    assert "every file holds what its name says" in capsys.readouterr().out
    path = min((store / "runs").iterdir())
    path.write_bytes(path.read_bytes()[:50])
    assert main(["show", "store", str(store), "--check"]) == 1
    captured = capsys.readouterr()
    assert f"{path} is damaged and cannot be read" in captured.out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--to", "x.xls"], 2, "its ending must be one of .csv, .nc, .npz, .parquet"),
        (["--to", "x.csv", "--task", "seed"], 2, "--task is for scores, a file that ends in .npz"),
        (["--to", "x.csv", "--y", "nope"], 1, "no observable 'nope'"),
        (["--to", "x.csv", "--where", "sead = 1"], 1, "no condition 'sead'"),
        (["--to", "x.csv", "--where", "seed <"], 1, "a number is missing after '<' at place 7."),
    ],
)
def test_a_mistake_is_one_sentence(
    store: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str
) -> None:
    capsys.readouterr()
    assert main(["export", str(store), *words]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_where_selects_of_any_curves(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = store.parent / "logs.csv"
    for curves in (store, table):
        words = [str(curves), "--where", "seed > 5", "--mechanism", "first_hit"]
        assert main(["test", *words]) == 1
        assert f"{curves}: no curve fulfils seed > 5." in capsys.readouterr().err
        assert main(["compare", str(curves), "--where", "seed >"]) == 1
        assert "a number is missing after '>'" in capsys.readouterr().err
