import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from empirics.checkpoint import (
    FORMAT,
    SNAPSHOT,
    STALE_SECONDS,
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
import time
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


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    save_snapshot(tmp_path, {"a": np.zeros(2)}, {"n": 1})

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="disk full"):
        save_snapshot(tmp_path, {"a": np.ones(2)}, {"n": 2})
    monkeypatch.undo()
    arrays, facts = load_snapshot(tmp_path)
    assert facts == {"n": 1} and not arrays["a"].any()
    assert [path.name for path in tmp_path.iterdir()] == [SNAPSHOT]


def test_a_damaged_snapshot_says_how_to_start_anew(tmp_path):
    save_snapshot(tmp_path, {"a": np.zeros(2)}, {"n": 1})
    path = tmp_path / SNAPSHOT
    whole = path.read_bytes()
    for content in (whole[:-3], b"", b"no safetensors"):
        path.write_bytes(content)
        with pytest.raises(
            ValueError, match=f"{path} is damaged; delete it to start this run anew"
        ):
            load_snapshot(tmp_path)


@pytest.mark.parametrize(
    ("metadata", "trouble"),
    [
        ({}, "is damaged"),
        ({"format": FORMAT, "facts": "{"}, "is damaged"),
        ({"facts": "{}"}, "is of another version of Ontogeny"),
    ],
)
def test_a_snapshot_without_its_facts_says_how_to_start_anew(tmp_path, metadata, trouble):
    write_arrays(tmp_path / SNAPSHOT, {"a": np.zeros(2)}, metadata)
    with pytest.raises(ValueError, match=f"{trouble}; delete it to start this run anew"):
        load_snapshot(tmp_path)


def test_only_old_temporaries_are_removed(tmp_path):
    """A young one may belong to a process that is alive and about to rename it."""
    young, old = tmp_path / "a.tmp", tmp_path / "b.tmp"
    young.touch()
    old.touch()
    os.utime(old, (0, time.time() - STALE_SECONDS - 60))
    assert load_snapshot(tmp_path) is None
    assert young.exists() and not old.exists()
