"""Logs of Stable-Baselines3, RLlib, Transformers, MLflow and numpy, and folders of them."""

import io
import json
import pickle
import sqlite3
import zipfile

import numpy as np
import pytest

from empirics.readers import read_curves
from empirics.store import Store

SEED = 3
MONITOR = '#{"t_start": 100.0, "env_id": "Cart"}\nr,l,t\n1.0,10,1.0\n2.0,20,3.0\n4.0,5,9.5\n'


def points(found, observable):
    (curve,) = found.of(observable)
    return list(zip(curve.t.tolist(), curve.y.tolist(), strict=True))


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE runs (run_uuid TEXT, name TEXT);"
            "CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);"
            "CREATE TABLE metrics (key TEXT, value REAL, timestamp INT, run_uuid TEXT, step INT,"
            " is_nan INT);"
            "INSERT INTO runs VALUES ('u1', 'first'), ('u2', 'second');"
            "INSERT INTO params VALUES ('lr', '0.1', 'u1');"
            "INSERT INTO metrics VALUES ('loss', 0.5, 1000, 'u1', 0, 0),"
            " ('loss', 0, 2000, 'u1', 1, 1), ('loss', 0.25, 3000, 'u1', 2, 0),"
            " ('loss', 7, 1000, 'u2', 0, 0);"
        )
    connection.close()
    return path


def test_monitor_files_of_a_folder_are_merged_by_time(tmp_path, written):
    (tmp_path / "ppo" / "Cart_1").mkdir(parents=True)
    other = MONITOR.replace("100.0", "101.0").replace("4.0,5,9.5", "8.0,7,2.5")
    written(MONITOR, "ppo/Cart_1/0.monitor.csv")
    written(other + "1.0,1", "ppo/Cart_1/1.monitor.csv")
    results = np.array([[1.0, 3.0], [5.0, 5.0]])
    content = npz(timesteps=[50, 60], results=results, successes=results > 2)
    written(content, "ppo/Cart_1/evaluations.npz")
    found = read_curves(tmp_path)
    (run,) = found.runs
    assert run.run == "ppo/Cart_1"
    assert dict(run.conditions) == {"algorithm": "ppo", "environment": "Cart", "num_envs": 2}
    # Ends at 101, 102 (second file), 103, 103.5 (second), 104 (second), 109.5.
    ends = [(10, 1), (20, 1), (40, 2), (47, 8), (67, 2), (72, 4)]
    assert points(found, "episodic_return") == ends
    assert points(found, "eval_episodic_return") == [(50, 2), (60, 5)]
    np.testing.assert_allclose(found.of("eval_episodic_return")[0].y_se, [1, 0])  # sqrt(2 / 2)
    (successes,) = found.of("eval_p_success")
    assert successes.y.tolist() == [0.5, 1] and successes.n_trials.tolist() == [2, 2]
    assert "1.monitor.csv: the last row is cut off, and not read." in found.notes
    episodes = read_curves(tmp_path / "ppo/Cart_1/0.monitor.csv", t="episodes", y="monitor/r")
    assert points(episodes, "episodic_return") == [(1, 1), (2, 2), (3, 4)]
    assert episodes.curves[0].progress == "episodes"


@pytest.mark.parametrize("name", ["progress.csv", "progress.json"])
def test_progress_of_stable_baselines3(written, name):
    rows = [
        {"time/total_timesteps": 100, "rollout/ep_rew_mean": 1.5, "train/approx_kl": None},
        {"time/total_timesteps": 200, "rollout/ep_rew_mean": 2.5, "train/approx_kl": 0.25},
    ]
    text = lines(*rows)
    if name == "progress.csv":
        body = [",".join("" if v is None else str(v) for v in row.values()) for row in rows]
        text = "\n".join([",".join(rows[0]), *body]) + "\n"
    found = read_curves(written(text, name))
    assert points(found, "episodic_return") == [(100, 1.5), (200, 2.5)]
    assert points(found, "approx_kl") == [(200, 0.25)]
    assert {curve.progress for curve in found.curves} == {"env_steps"}


@pytest.mark.parametrize(
    ("steps", "mean"),
    [
        ("timesteps_total", {"episode_reward_mean": 2.0}),
        ("num_env_steps_sampled_lifetime", {"env_runners": {"episode_return_mean": 2.0}}),
    ],
    ids=["old stack", "new stack"],
)
def test_results_of_rllib(written, steps, mean):
    config = {
        "config": {
            "lr": 0.001,
            "long": "x" * 9000,
            "env": "Cart",
            "seed": 4,
            "model": {"fcnet": [64, 64]},
        }
    }
    nothing = {
        k: {n: np.nan for n in v} if isinstance(v, dict) else np.nan for k, v in mean.items()
    }
    rows = [
        {"training_iteration": i, "trial_id": "a", steps: 100 * i, **each, **config}
        for i, each in ((1, nothing), (2, mean), (3, mean), (3, mean), (2, mean), (3, mean))
    ]
    found = read_curves(written(lines(*rows), "result.json"))
    assert points(found, "episodic_return") == [(200, 2), (300, 2)]
    conditions = found.runs[0].conditions
    assert conditions["learning_rate"] == 0.001 and conditions["environment"] == "Cart"
    assert conditions["seed"] == 4 and conditions["model/fcnet"] == "[64, 64]"
    assert found.runs[0].config["settings"]["lr"] == 0.001
    assert any("the run was resumed" in note for note in found.notes)
    over = read_curves(written(lines(*rows), "result.json"), t="training_iteration")
    assert over.curves[0].progress == "updates"


def test_a_history_of_transformers_counts_updates(written):
    history = [{"step": 5, "loss": 2.0, "epoch": 0.5}, {"step": 10, "loss": 1.0, "epoch": 1.0}]
    state = {"log_history": [*history, {"step": 10, "train_runtime": 9.0}], "max_steps": 10}
    for indent in (None, 2):
        found = read_curves(written(json.dumps(state, indent=indent), "trainer_state.json"))
        assert points(found, "loss") == [(5, 2), (10, 1)]
        assert found.of("loss")[0].progress == "updates"
        assert found.runs[0].conditions["max_steps"] == 10


def test_json_lines_are_a_table(written):
    rows = [
        {"step": i, "run": r, "loss": i + 0.5, "deep": {"x": i}} for r in "ab" for i in range(3)
    ]
    found = read_curves(written(lines(*rows) + '{"step": 3, "ru', "metrics.jsonl"))
    assert [(c.run, c.observable) for c in found.curves] == [
        ("a", "loss"),
        ("a", "deep/x"),
        ("b", "loss"),
        ("b", "deep/x"),
    ]
    assert found.curves[0].y.tolist() == [0.5, 1.5, 2.5]
    assert found.notes[0] == "line 7 is cut off, and not read."


def test_a_file_store_of_mlflow(tmp_path):
    run = tmp_path / "mlruns" / "0" / "abc"
    (run / "metrics" / "losses").mkdir(parents=True)
    (run / "params").mkdir()
    (run / "meta.yaml").write_text("run_id: abc\nrun_name: 'swift-fox'\n")
    (run / "metrics" / "losses" / "approx_kl").write_text("1000 0.5 0\n3000 nan 1\n2000 0.25 2\n90")
    (run / "params" / "lr").write_text("0.01")
    found = read_curves(tmp_path)
    assert points(found, "approx_kl") == [(0, 0.5), (2, 0.25)]
    assert found.curves[0].run == "swift-fox"
    assert dict(found.curves[0].conditions) == {"learning_rate": 0.01}
    assert "1 last line cut off, and not read." in found.notes


def test_a_database_of_mlflow_is_only_read(database):
    before = database.read_bytes()
    found = read_curves(database)
    assert [(c.run, c.y.tolist()) for c in found.curves] == [
        ("first", [0.5, 0.25]),
        ("second", [7]),
    ]
    assert dict(found.curves[0].conditions) == {"learning_rate": 0.1}
    assert database.read_bytes() == before


def test_arrays_with_and_without_an_axis(written, tmp_path):
    y = np.arange(6.0).reshape(2, 3)
    found = read_curves(written(npz(env_steps=[0, 10, 20], y=y, z=[1, 2, 4], seed=7), "a.npz"))
    assert [(c.run, c.observable, c.progress) for c in found.curves] == [
        ("a 0", "y", "env_steps"),
        ("a 1", "y", "env_steps"),
        ("a", "z", "env_steps"),
    ]
    assert found.curves[1].y.tolist() == [3, 4, 5]
    assert found.curves[2].conditions["seed"] == 7
    np.save(tmp_path / "b.npy", y)
    found = read_curves(tmp_path / "b.npy", progress="episodes")
    assert [(c.t.tolist(), c.progress) for c in found.curves] == [([0, 1, 2], "episodes")] * 2


def test_nothing_is_unpickled_and_nothing_is_unpacked_without_bound(written, tmp_path, sentence):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    bad = np.array([Trap()], dtype=object)
    np.savez(tmp_path / "trap.npz", bad=bad)
    assert "holds no array of numbers" in sentence(read_curves, tmp_path / "trap.npz")
    (tmp_path / "params.pkl").write_bytes(pickle.dumps(1))
    bomb = b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (10**15,), }"
    (tmp_path / "bomb.npy").write_bytes(bomb.ljust(127) + b"\n")
    assert "is damaged" in sentence(read_curves, tmp_path / "bomb.npy")
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("y.npy", bytes(10**6))
    content = (tmp_path / "bomb.npz").read_bytes()
    written(
        content.replace((10**6).to_bytes(4, "little"), (2**32 - 2).to_bytes(4, "little")),
        "bomb.npz",
    )
    assert "more than 2147483648 are not read" in sentence(read_curves, tmp_path / "bomb.npz")
    assert not (tmp_path / "sprung").exists()


def test_a_folder_names_what_it_skips_and_what_failed(tmp_path, written, sentence):
    for name in ("LICENSE", "README.md", "params.pkl", "notes.yaml", ".hidden.csv"):
        written("t,y\n0,1\n", name)
    (tmp_path / "one").mkdir()
    written(lines({"step": 0, "y": 1}, {"step": 1, "y": 2}), "one/metrics.jsonl")
    written("t,t\n0,1\n", "two.csv")
    found = read_curves(tmp_path)
    assert [curve.run for curve in found.curves] == ["one"]
    assert found.notes[0] == f"{tmp_path} holds table (2)."
    assert found.notes[1:4] == (
        "LICENSE, README.md skipped (text about the data).",
        "notes.yaml skipped (of no format that is known).",
        "params.pkl skipped (opening it may run code).",
    )
    (failed,) = found.rejected
    assert failed.reason.endswith("two.csv has 2 columns named 't'; give each column its own name.")
    said = "no observable 'episodic_lenght' in 0.monitor.csv; nearest: 'episodic_length', "
    path = written(MONITOR, "0.monitor.csv")
    assert sentence(read_curves, path, y="episodic_lenght").startswith(said)
    assert "says itself what is a run; leave out run." in sentence(read_curves, path, run="x")


def test_the_same_log_twice_is_one_run_of_the_store(tmp_path, written):
    path, store = written(MONITOR, "0.monitor.csv"), Store(tmp_path / "store")
    store.append(read_curves(path))
    store.append(read_curves(path, y="episodic_return"))
    assert len(store.runs()) == 1 and len(store.curves()) == 2


@pytest.mark.parametrize("kind", ["monitor", "lines", "result", "npz", "npy", "state", "sqlite"])
def test_mutated_logs_are_read_or_end_in_one_sentence(kind, written, database):
    y = np.arange(30.0)
    npy = io.BytesIO()
    np.save(npy, y)
    rows = [{"training_iteration": i, "trial_id": "a", "loss": i / 2} for i in range(9)]
    name, content = {
        "monitor": ("0.monitor.csv", MONITOR.encode()),
        "lines": ("x.jsonl", lines(*({"step": i, "loss": i / 2} for i in range(9))).encode()),
        "result": ("result.json", lines(*rows).encode()),
        "npz": ("x.npz", npz(steps=y, loss=y)),
        "npy": ("x.npy", npy.getvalue()),
        "state": (
            "trainer_state.json",
            json.dumps({"log_history": [{"step": i, "loss": i / 2} for i in range(9)]}).encode(),
        ),
        "sqlite": ("m.db", database.read_bytes()),
    }[kind]
    try:
        whole = {
            c.observable: points(read_curves(written(content, name)), c.observable)
            for c in read_curves(written(content, name)).curves
        }
    except ValueError:
        whole = {}
    rng = np.random.default_rng(SEED)
    n_read = 0
    for trial in range(40):
        mutated = bytearray(content)
        if trial % 2:
            del mutated[rng.integers(len(mutated)) :]
        else:
            mutated[rng.integers(len(mutated))] ^= 1 << rng.integers(8)
        try:
            found = read_curves(written(bytes(mutated), name))
        except ValueError as error:
            assert "\n" not in str(error)
            continue
        if trial % 2 and kind != "sqlite":  # nothing in a text says that a digit was flipped
            for curve in found.curves:
                n_read += 1
                said = points(found, curve.observable)
                assert said == whole[curve.observable][: len(said)]
    assert n_read or kind in ("npz", "npy", "state", "sqlite")


def test_an_archive_that_lists_fewer_arrays_than_it_says_is_damaged(written, sentence):
    y = np.arange(30.0)
    content = bytearray(npz(steps=y, loss=2 * y))
    second = content.rfind(b"PK\x01\x02")
    content[second + 30 : second + 32] = b"\xff\x00"  # a longer field swallows what follows
    content[second : second + 4] = b"PK\x09\x09"
    assert "is damaged" in sentence(read_curves, written(bytes(content), "x.npz"))


def test_a_row_log_whose_axis_has_a_damaged_cell_ends_in_one_sentence(written, sentence):
    table = "time/total_timesteps,rollout/ep_rew_mean\n256,1.0\n5q2,2.0\n768,3.0\n"
    said = sentence(read_curves, written(table, "progress.csv"))
    assert "no progress axis with a number wherever something was measured" in said
