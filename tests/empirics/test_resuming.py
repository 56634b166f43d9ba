"""What a run that was stopped, or is read back, says about itself."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from empirics import job
from empirics.checkpoint import SNAPSHOT, load_policy
from empirics.maze import MazeConfig
from empirics.networks import MLPSpec
from empirics.ppo import PPOConfig, train
from empirics.probe import Reading
from empirics.run_lock import lock_run
from empirics.toolchain import Toolchain, toolchain

ROOT = Path(__file__).parents[2]
MAZE = MazeConfig(cells=3, num_train_levels=20, num_held_out_levels=5)
CONFIG = PPOConfig(total_timesteps=64 * 4, num_envs=4, num_steps=16)
SPEC = MLPSpec((8,))
EVERY = (0, 64, 128, 192)


def environment(seed):
    return MAZE.make(4, seed)


def measure(checkpoint):
    value = checkpoint.policy(torch.ones(1, *MAZE.observation_shape))[1].item()
    return {"value": Reading(value)}


def stops_at(env_steps):
    def measured(checkpoint):
        if checkpoint.env_steps >= env_steps:
            raise InterruptedError
        return measure(checkpoint)

    return measured


def trained(folder, on_checkpoint=measure):
    return train(
        environment, SPEC, CONFIG, seed=0, schedule=EVERY, folder=folder,
        on_checkpoint=on_checkpoint,
    )  # fmt: skip


def home(folder):
    (path,) = (folder / "checkpoints").iterdir()
    return path


OLD = Toolchain({"python": "3.10.0", "torch": "1.0"}, "abc", "cpu x86_64")


def test_a_run_knows_what_computed_it():
    run = trained(None)
    here = toolchain("cpu")
    assert {"python", "ontogeny", "numpy", "torch", "gymnasium"} == set(run.versions)
    assert run.versions["numpy"] == np.__version__
    assert (run.versions, run.git_commit) == (here.versions, here.git_commit)
    assert run.device.startswith("cpu ")


def test_a_run_read_back_keeps_the_versions_that_computed_it(tmp_path, monkeypatch):
    monkeypatch.setattr(job, "toolchain", lambda device: OLD)
    before = trained(tmp_path)
    monkeypatch.undo()
    after = trained(tmp_path, on_checkpoint=lambda _: 1 / 0)
    assert after.versions == before.versions == OLD.versions
    assert (after.git_commit, after.device) == ("abc", "cpu x86_64")
    assert after.status == ""


def test_a_run_resumed_under_other_versions_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(job, "toolchain", lambda device: OLD)
    with pytest.raises(InterruptedError):
        trained(tmp_path, stops_at(128))
    now = replace(OLD, versions={"python": "3.10.0", "torch": "2.0"}, git_commit="")
    monkeypatch.setattr(job, "toolchain", lambda device: now)
    run = trained(tmp_path)
    assert run.status == (
        "Resumed at 64 env_steps under other software (git commit abc then, unknown now, "
        "torch 1.0 then, 2.0 now); an undisturbed run may differ."
    )
    assert run.versions == now.versions


def test_a_run_resumed_under_the_same_versions_says_nothing(tmp_path):
    with pytest.raises(InterruptedError):
        trained(tmp_path, stops_at(128))
    assert trained(tmp_path).status == ""


def test_another_kind_of_device_makes_another_run(monkeypatch):
    on_cpu = trained(None)
    monkeypatch.setattr(job, "device_kind", lambda device: "cuda")
    assert trained(None).run_id != on_cpu.run_id


def test_a_checkpoint_is_read_back_as_the_policy_that_was_measured(tmp_path):
    run = trained(tmp_path)
    network = SPEC.build(MAZE.observation_shape, 4, rng=np.random.default_rng(9))
    for t, value in zip(run.curve("value").t, run.curve("value").y, strict=True):
        policy = load_policy(home(tmp_path) / f"{int(t)}.safetensors", network)
        assert policy(torch.ones(1, *MAZE.observation_shape))[1].item() == pytest.approx(value)


def test_a_damaged_snapshot_names_the_file_to_delete(tmp_path):
    first = trained(tmp_path)
    path = home(tmp_path) / SNAPSHOT
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match=f"{path} is damaged; delete it to start this run anew"):
        trained(tmp_path)
    path.unlink()
    assert trained(tmp_path).curve("value").digest == first.curve("value").digest


# --- one process at a time ---


def test_a_run_that_another_process_trains_is_left_to_it(tmp_path):
    with pytest.raises(InterruptedError):
        trained(tmp_path, stops_at(128))
    with (
        lock_run(home(tmp_path)),
        pytest.raises(OSError, match="is being trained by another process; wait"),
    ):
        trained(tmp_path)
    assert trained(tmp_path).status == ""


def test_a_finished_run_can_be_read_by_many(tmp_path):
    before = trained(tmp_path)
    with lock_run(home(tmp_path)):
        assert trained(tmp_path).curve("value").digest == before.curve("value").digest


HOLDER = """
import sys, time
from pathlib import Path
from empirics.run_lock import lock_run
with lock_run(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no flock")
def test_the_lock_of_a_killed_process_is_gone(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(OSError, match="another process"), lock_run(tmp_path):
            pass
        process.send_signal(signal.SIGKILL)
    with lock_run(tmp_path):
        pass


TRAINER = """
import importlib.util, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("test_resuming", sys.argv[1])
tests = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tests)
print("ready", flush=True)
sys.stdin.readline()
try:
    print(tests.trained(Path(sys.argv[2])).curve("value").digest)
except OSError as error:
    print("busy" if "another process" in str(error) else error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no flock")
def test_processes_that_start_together_on_one_run_do_not_harm_each_other(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TRAINER, __file__, str(tmp_path)],
            cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate()[0].strip() for process in processes]
    expected = trained(None).curve("value").digest
    assert set(said) <= {expected, "busy"} and expected in said
