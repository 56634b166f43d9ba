"""Runs of Sacred, Trackio, rliable and Dopamine, and formats that other packages add."""

import io
import json
import pickle
import sqlite3
import sys
from contextlib import closing

import numpy as np
import pytest

from empirics.readers import read_curves
from empirics.readers.plugins import plugged


def points(found, observable, run=None):
    (curve,) = [c for c in found.of(observable) if run in (None, c.run)]
    return list(zip(curve.t.tolist(), curve.y.tolist(), strict=True))


@pytest.fixture
def sacred(tmp_path):
    """Give a function that writes the folder of a run."""

    def write(metrics):
        folder = tmp_path / "runs" / "7"
        folder.mkdir(parents=True, exist_ok=True)
        config = {"seed": 4, "optimizer": {"lr": 0.5}, "__doc__": "words"}
        for name, said in (
            ("config", config),
            ("run", {"experiment": {"name": "maze"}, "status": "COMPLETED"}),
            ("metrics", metrics),
        ):
            (folder / f"{name}.json").write_text(json.dumps(said))
        (folder / "cout.txt").write_text("training\n1,2\n")
        return folder

    return write


STAMPS = ["2026-01-01T00:00:00", "2026-01-01T00:00:01.500000"]


def test_a_run_of_sacred(sacred, tmp_path):
    words = {"values": ["a"], "steps": [0], "timestamps": STAMPS[:1]}
    metric = {"values": [1.5, float("nan")], "steps": [0, 10], "timestamps": STAMPS}
    sacred({"loss": metric, "acc": {**metric, "values": [0.25, 0.5]}, "word": words})
    found = read_curves(tmp_path)
    assert points(found, "loss") == [(0, 1.5)]
    assert points(found, "acc") == [(0, 0.25), (10, 0.5)]
    assert found.runs[0].run == "maze/7"
    assert dict(found.runs[0].conditions) == {"seed": 4, "optimizer/lr": 0.5}
    assert found.notes[0] == f"{tmp_path} holds Sacred run (1)."
    assert "1 metric left out (not numbers alone): word." in found.notes
    assert points(read_curves(tmp_path, t="wall_time"), "acc") == [(0, 0.25), (1.5, 0.5)]


def test_a_damaged_metric_of_sacred_is_one_sentence(sacred, sentence):
    folder = sacred({"loss": {"values": [1, 2], "steps": [0], "timestamps": STAMPS}})
    said = "is damaged: it has 2 values, 1 steps, 2 timestamps."
    assert sentence(read_curves, folder).endswith(said)
    assert sentence(read_curves, sacred({})).endswith("holds no metric of numbers.")


def insert(connection, table, values):
    connection.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(values))})", values)


@pytest.fixture(params=["by run_id", "by name"])
def trackio(request, tmp_path):
    """Write a database of two runs, as Trackio 0.43 has it and as it was before runs had ids."""
    path = tmp_path / "proj.db"
    has_id = request.param == "by run_id"
    key = "run_id TEXT, " if has_id else ""
    rows = [
        ("u1", "a", 0, {"loss": 1.0, "deep": {"q": 2}}),
        ("u1", "a", 5, {"loss": "NaN", "image": {"_type": "trackio.image"}}),
        ("u1", "a", 9, {"loss": 0.5}),
        ("u2", "b", 0, {"loss": 3.0}),
    ]
    configs = [("u1", "a", {"lr": 0.1, "_Group": "g", "_Username": None}), ("u2", "b", {"lr": 0.2})]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            f"CREATE TABLE metrics (id INTEGER PRIMARY KEY, {key}timestamp TEXT, run_name TEXT,"
            " step INTEGER, metrics TEXT)"
        )
        connection.execute(
            f"CREATE TABLE configs (id INTEGER PRIMARY KEY, {key}run_name TEXT, config TEXT)"
        )
        for i, (run, name, step, said) in enumerate(rows):
            stamp = f"2026-01-01T00:00:0{step}+00:00"
            values = (i, *([run] if has_id else []), stamp, name, step, json.dumps(said).encode())
            insert(connection, "metrics", values)
        for i, (run, name, said) in enumerate(configs):
            values = (i, *([run] if has_id else []), name, json.dumps(said))
            insert(connection, "configs", values)
    return path


def test_a_database_of_trackio_is_only_read(trackio):
    before = trackio.read_bytes()
    found = read_curves(trackio)
    assert points(found, "loss", "a") == [(0, 1), (9, 0.5)]
    assert points(found, "deep.q") == [(0, 2)]
    assert points(found, "loss", "b") == [(0, 3)]
    conditions = {run.run: dict(run.conditions) for run in found.runs}
    assert conditions == {
        "a": {"learning_rate": 0.1, "run_group": "g"},
        "b": {"learning_rate": 0.2},
    }
    assert trackio.read_bytes() == before
    assert sorted(path.name for path in trackio.parent.iterdir()) == ["proj.db"]


def test_what_trackio_is_still_writing_is_read(trackio):
    with closing(sqlite3.connect(trackio)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("UPDATE metrics SET step = 11 WHERE step = 9")
        writer.commit()
        assert points(read_curves(trackio), "loss", "a") == [(0, 1), (11, 0.5)]


def test_damaged_values_of_trackio_are_one_sentence(trackio, sentence):
    with closing(sqlite3.connect(trackio)) as connection, connection:
        connection.execute("UPDATE metrics SET metrics = '{\"loss\": ' WHERE step = 5")
    said = "proj.db is damaged: step 5 of a is no whole JSON object."
    assert sentence(read_curves, trackio) == said


SCORES = np.arange(12.0).reshape(2, 2, 3)


@pytest.mark.parametrize("kind", ["npz", "json"])
def test_scores_of_rliable_are_a_run_each(written, kind):
    said = {"frames": [1, 10, 25], "DQN": SCORES, "last": SCORES[:, :, 0]}
    if kind == "npz":
        file = io.BytesIO()
        np.savez(file, **said)
        content = file.getvalue()
    else:
        content = json.dumps({name: np.asarray(value).tolist() for name, value in said.items()})
    found = read_curves(written(content, f"scores.{kind}"))
    assert points(found, "score", "DQN, task 1, run 0") == [(1, 3), (10, 4), (25, 5)]
    assert len(found.curves) == 4 and found.curves[0].progress == "env_steps"
    of = {run.run: dict(run.conditions) for run in found.runs}
    assert of["DQN, task 1, run 0"] == {"algorithm": "DQN", "task": 1}
    assert any("1 array left out (not runs x tasks x frames): last." in n for n in found.notes)


def test_scores_without_frames_are_no_curves(written, sentence):
    path = written(json.dumps({"DQN": [[1, 2], [3, 4]]}), "scores.json")
    assert "holds scores without frames, so no curve over training" in sentence(read_curves, path)
    path = written(json.dumps({"steps": [1, 2], "DQN": SCORES.tolist()}), "scores.json")
    assert sentence(read_curves, path).endswith("has 2 values, 'DQN' has 3 frames.")


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_pickles_of_dopamine_are_refused_whatever_their_name(tmp_path, sentence, protocol):
    """Older versions name them `logs/log_3`, newer ones `metrics/pickle/pickle_3.pkl`."""
    content = pickle.dumps({"iteration_0": {"train_average_return": [1.0]}}, protocol)
    (tmp_path / "log_3").write_bytes(content)
    (tmp_path / "pickle_3.pkl").write_bytes(content)
    (tmp_path / "x.csv").write_text("t,y\n0,1\n1,2\n")
    assert "log_3, pickle_3.pkl skipped (opening it may run code)." in read_curves(tmp_path).notes
    for name in ("log_3", "pickle_3.pkl"):
        assert f"{name} is a pickle, and opening one may run code" in sentence(
            read_curves, tmp_path / name
        )


PLUGIN = """
from empirics.readers.format import Format
from empirics.readers.series import LoggedRun, Series
import numpy as np

def knows(path, head):
    return head.startswith(b"MINE")

def read(paths, label):
    y = np.frombuffer(paths[0].read_bytes()[4:], dtype=np.uint8).astype(float)
    if not y.size:
        raise KeyError("nothing")
    series = Series("y", {"step": np.arange(y.size)}, y)
    return [LoggedRun(label, paths[0].name, "0" * 64, (series,))]

def confused(path, head):
    raise RuntimeError("lost\\nmore")

mine = Format("file of mine", knows, read)
asks = Format("confused", confused, read)
word = "no format"
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Install a distribution with four readers, of which three are broken."""
    place = tmp_path / "site"
    info = place / "mine-1.0.dist-info"
    info.mkdir(parents=True)
    (place / "reader_of_mine.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    lines = ["mine = reader_of_mine:mine", "asks = reader_of_mine:asks"]
    lines += ["word = reader_of_mine:word", "gone = reader_that_is_gone:x"]
    (info / "entry_points.txt").write_text("\n".join(["[ontogeny.readers]", *lines]) + "\n")
    monkeypatch.syspath_prepend(str(place))
    plugged.cache_clear()
    yield
    plugged.cache_clear()
    sys.modules.pop("reader_of_mine", None)


@pytest.mark.usefixtures("plugin")
def test_another_package_adds_a_reader_and_broken_ones_are_named(tmp_path, written, sentence):
    found = read_curves(written(b"MINE\x01\x05", "x.mine"))
    assert points(found, "y") == [(0, 1), (1, 5)]
    assert found.notes == (
        "the reader 'gone' of mine cannot be loaded (ModuleNotFoundError: No module named "
        "'reader_that_is_gone').",
        "the reader 'word' of mine is a str, and no Format.",
        f"the reader 'asks' of mine cannot tell whether {tmp_path / 'x.mine'} is its own "
        "(RuntimeError: lost), and is asked no more.",
    )
    said = "the reader 'mine' of mine cannot read y.mine: KeyError: 'nothing'."
    assert sentence(read_curves, written(b"MINE", "y.mine")) == said
    assert len(read_curves(written("t,y\n0,1\n1,2\n"))) == 1
