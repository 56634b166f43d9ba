import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from empirics.checkpoint import (
    SNAPSHOT,
    checkpoint_schedule,
    is_due,
    load_policy,
    load_snapshot,
    read_arrays,
    save_policy,
    save_snapshot,
    write_arrays,
)
from empirics.networks import MLPSpec, mlp_policy


def policy(seed=0, hidden=(4,)):
    return mlp_policy(MLPSpec(hidden), (3,), 2, rng=np.random.default_rng(seed))


def test_the_schedule_is_log_spaced_and_every_n():
    schedule = checkpoint_schedule(100_000, num_log=5, first=10, every=30_000)
    assert schedule == (0, 10, 100, 1000, 10_000, 30_000, 60_000, 90_000, 100_000)


def test_a_schedule_that_cannot_be_is_said():
    with pytest.raises(ValueError, match="first must lie in 1…total_timesteps = 5; it is 10"):
        checkpoint_schedule(5, first=10)
    with pytest.raises(ValueError, match="every at least 1"):
        checkpoint_schedule(50, first=10, every=0)


def test_a_moment_is_due_once():
    assert is_due((0, 10), -5, 0)
    assert is_due((0, 10), 5, 10)
    assert not is_due((0, 10), 10, 15)


def test_a_policy_comes_back_from_its_file(tmp_path):
    path = tmp_path / "deep" / "100.safetensors"
    save_policy(path, policy(1), {"run_id": "abc"})
    loaded = load_policy(path, policy(2))
    assert torch.equal(loaded.actor[0].weight, policy(1).actor[0].weight)
    assert read_arrays(path)[1] == {"run_id": "abc"}
    assert [p.name for p in path.parent.iterdir()] == ["100.safetensors"]


def test_a_policy_of_another_architecture_and_a_broken_file_are_said(tmp_path):
    path = tmp_path / "a.safetensors"
    save_policy(path, policy(), {})
    with pytest.raises(ValueError, match="holds another network"):
        load_policy(path, policy(hidden=(5,)))
    path.write_bytes(b"no safetensors")
    with pytest.raises(ValueError, match="is not a readable safetensors file"):
        load_policy(path, policy())


def test_a_snapshot_keeps_arrays_of_every_kind_and_exact_numbers(tmp_path):
    arrays = {
        "transposed": np.arange(6.0).reshape(2, 3).T,
        "scalar": np.array(3, dtype=np.int64),
        "words": np.array([2**64 - 1], dtype=np.uint64),
        "flags": np.array([True, False]),
        "empty": np.zeros((0, 4)),
    }
    facts = {"x": 0.1 + 0.2, "none": None, "n": 2**63}
    assert load_snapshot(tmp_path) is None
    save_snapshot(tmp_path, arrays, facts)
    loaded, loaded_facts = load_snapshot(tmp_path)
    assert loaded_facts == facts
    for name, array in arrays.items():
        assert loaded[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded[name], array)


WRITER = """
import sys
from pathlib import Path
import numpy as np
from empirics.checkpoint import save_snapshot
for i in range(10**9):
    save_snapshot(Path(sys.argv[1]), {"a": np.full(300_000, i)}, {"i": i})
    if i == 0:
        print("ready", flush=True)
"""


@pytest.mark.parametrize("delay", [0.0, 0.013, 0.05])
def test_a_process_killed_while_it_writes_leaves_a_whole_snapshot(tmp_path, delay):
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        process.stdout.readline()
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
    arrays, facts = load_snapshot(tmp_path)
    assert (arrays["a"] == facts["i"]).all()


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    write_arrays(tmp_path / SNAPSHOT, {"a": np.zeros(2)}, {"facts": "1"})

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="disk full"):
        write_arrays(tmp_path / SNAPSHOT, {"a": np.ones(2)}, {"facts": "2"})
    monkeypatch.undo()
    arrays, facts = load_snapshot(tmp_path)
    assert facts == 1 and not arrays["a"].any()
