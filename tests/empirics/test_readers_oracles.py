"""What the trackers' own readers read must be what ours read; each skips without its tracker."""

import math

import pytest

from empirics.readers import read_curves

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of what the trackers themselves import
]
N = 300


def values(step):
    """Return what a run logs at a step: two curves, and a key of some steps with NaN in it."""
    found = {"charts/episodic_return": math.sin(step), "loss": 1 / (step + 1)}
    if step % 7 == 0:
        found["rare"] = math.nan if step % 2 else float(step)
    return found


def logged():
    """Return the finite points of each key, as they were logged."""
    expected = {}
    for i in range(N):
        for key, value in values(3 * i).items():
            if math.isfinite(value):
                expected.setdefault(key, []).append((3.0 * i, value))
    return expected


def read(path, run=None):
    """Return the points of each key, as we read them."""
    found = read_curves(path)
    assert not found.rejected
    keys = {"episodic_return": "charts/episodic_return"}
    return {
        keys.get(c.observable, c.observable): list(zip(c.t.tolist(), c.y.tolist(), strict=True))
        for c in found.curves
        if run in (None, c.run)
    }


def test_tensorboard_reads_what_we_read(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(tmp_path))
    for i in range(N):
        points = values(3 * i).items()
        summary = Summary(value=[Summary.Value(tag=k, simple_value=v) for k, v in points])
        writer.add_event(Event(wall_time=1e9 + i, step=3 * i, summary=summary))
    writer.close()
    theirs = EventAccumulator(str(tmp_path), size_guidance={"scalars": 0})
    theirs.Reload()
    expected = {
        tag: [(e.step, e.value) for e in theirs.Scalars(tag) if math.isfinite(e.value)]
        for tag in theirs.Tags()["scalars"]
    }
    assert set(expected) == set(logged())
    assert read(tmp_path) == expected


def test_wandb_reads_what_we_read(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    from wandb.proto import wandb_internal_pb2

    from empirics.readers.wandb_records import read_wandb_records

    monkeypatch.chdir(tmp_path)
    config = {"lr": 0.5, "net": {"width": 8}}
    settings = wandb.Settings(silent=True, console="off", x_disable_stats=True)
    run = wandb.init(project="p", name="swift", mode="offline", config=config, settings=settings)
    for i in range(N):
        run.log(values(3 * i), step=3 * i)
    run.finish()
    wandb.teardown()  # waits until the file is whole
    (path,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    records = read_wandb_records(path.read_bytes())
    parsed = [wandb_internal_pb2.Record.FromString(payload) for payload in records.payloads]
    assert not records.fault
    assert sum(record.HasField("history") for record in parsed) == N
    assert read(path.parent) == read(path) == logged()
    conditions = read_curves(path).runs[0].conditions
    assert dict(conditions) == {"project": "p", "learning_rate": 0.5, "net.width": 8}


def test_trackio_reads_what_we_read(tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path))
    trackio = pytest.importorskip("trackio")
    for name in ("a", "b"):
        trackio.init(project="proj", name=name, config={"lr": 0.5})
        for i in range(N):
            trackio.log(values(3 * i), step=3 * i)
        trackio.finish()
    for name in ("a", "b"):
        assert read(tmp_path / "proj.db", name) == logged()


def test_mlflow_reads_what_we_read(tmp_path, monkeypatch):
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    from mlflow import MlflowClient

    client = MlflowClient((tmp_path / "mlruns").as_uri())
    run = client.create_run(client.create_experiment("e")).info.run_id
    for i in range(N):
        for key, value in values(3 * i).items():
            client.log_metric(run, key, value, step=3 * i)
    client.set_terminated(run)
    expected = {
        key: [(m.step, m.value) for m in client.get_metric_history(run, key)] for key in logged()
    }
    found = read(tmp_path / "mlruns")
    assert set(found) == set(expected)
    for key, points in expected.items():
        assert found[key] == [(t, y) for t, y in sorted(points) if math.isfinite(y)]
