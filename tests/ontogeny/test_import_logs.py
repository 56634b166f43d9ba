"""`import` of other people's folders: the right runs and rows, and what is no log named."""

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from empirics.store import Store
from ontogeny.cli import main

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="shared/data is not here")
MONITOR = '#{"t_start": 100.0, "env_id": "Cart"}\nr,l,t\n1.0,10,1.0\n2.0,20,3.0\n'


def rows_of(store: Path) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(path) for path in (store / "curves").iterdir()])


@needs_data
def test_the_zoo_of_stable_baselines3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(DATA / "sb3_zoo"), "--out", str(tmp_path / "store")]) == 0
    assert "LICENSE skipped (text about the data)." in capsys.readouterr().err
    runs = {run.run: run for run in Store(tmp_path / "store").runs()}
    rows = rows_of(tmp_path / "store")
    folders = [path.parent for path in DATA.glob("sb3_zoo/*/*/evaluations.npz")]
    assert sorted(runs) == sorted(f"{path.parent.name}/{path.name}" for path in folders)
    for folder in folders:
        run = runs[f"{folder.parent.name}/{folder.name}"]
        monitors = sorted(folder.glob("*.monitor.csv"))
        assert run.conditions["algorithm"] == folder.parent.name
        assert run.conditions["num_envs"] == len(monitors)
        of_run = rows.filter(pl.col("run_id") == run.run_id)
        logged = [
            row for path in monitors for row in list(csv.reader(path.read_text().splitlines()))[2:]
        ]
        returns = of_run.filter(pl.col("observable") == "episodic_return")
        assert returns.height == len(logged)
        assert returns["y"].sum() == pytest.approx(sum(float(r) for r, *_ in logged), rel=1e-12)
        assert returns["t"].max() == sum(int(row[1]) for row in logged)
        with np.load(folder / "evaluations.npz") as file:
            archive = dict(file)
        evaluations = of_run.filter(pl.col("observable") == "eval_episodic_return")
        assert evaluations.height == archive["timesteps"].size
        results = archive["results"].reshape(archive["timesteps"].size, -1).astype(float)
        assert evaluations["y"].sum() == pytest.approx(results.mean(axis=1).sum(), rel=1e-12)


@needs_data
@pytest.mark.parametrize(
    ("name", "n_runs", "n_curves"), [("learned_planner", 15, 480), ("jaxgmg_corner", 11, 99)]
)
@pytest.mark.parametrize("whole", [True, False], ids=["folder", "files"])
def test_folders_of_tables(
    name: str, n_runs: int, n_curves: int, whole: bool, tmp_path: Path
) -> None:
    paths = sorted((DATA / name).iterdir())
    asked = [DATA / name] if whole else paths
    assert main(["import", *map(str, asked), "--quiet", "--out", str(tmp_path / "store")]) == 0
    store = Store(tmp_path / "store")
    assert len(store.runs()) == len({run.run for run in store.runs()}) == n_runs
    n_rows, total = 0, 0.0
    for path in paths:
        if path.suffix == ".csv":
            table = pl.read_csv(path, infer_schema_length=None)
            kept = [c for c in table.columns[1:] if not c.endswith(("__MIN", "__MAX", "_step"))]
            values = table.select(pl.col(kept).cast(pl.Float64, strict=False))
            n_rows += sum(values[c].drop_nulls().len() for c in kept)
            total += sum(values[c].sum() for c in kept)
    rows = rows_of(store.path)
    assert rows.select("run_id", "observable").n_unique() == n_curves
    assert rows.height == n_rows
    assert rows["y"].sum() == pytest.approx(total, rel=1e-12)


def test_files_of_one_run_named_one_by_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / name for name in ("0.monitor.csv", "1.monitor.csv", "LICENSE")]
    for path in paths:
        path.write_text(MONITOR, encoding="utf-8")
    assert main(["import", *map(str, paths), "--out", str(tmp_path / "store")]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[0] == f"{paths[0]}: 2 curves of 1 run"
    assert f"{paths[2]} skipped (text about the data)." in captured.err
    (run,) = Store(tmp_path / "store").runs()
    assert run.conditions["num_envs"] == 2
    assert main(["import", str(paths[2]), "--out", str(tmp_path / "other")]) == 1
    assert "LICENSE is no log (text about the data); name a log" in capsys.readouterr().err
