"""Where there is no room a command ends with a sentence, damages nothing, and goes on later."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from empirics.appended_lines import AppendedLines
from empirics.experiments import EXPERIMENTS
from empirics.store import Store
from ontogeny.cli import main

resource = pytest.importorskip("resource", reason="limits on file sizes are Unix's")


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [10, 300, 3000])
def test_a_run_without_room_goes_on_when_there_is(
    size: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    short = replace(EXPERIMENTS["bandit"], updates=100)
    monkeypatch.setattr("empirics.experiments.EXPERIMENTS", {"short": short})
    store = tmp_path / "store"
    words = ["run", "short", "--vary", "n_arms", "2", "3", "--seeds", "2", "--quiet"]
    with room_for(size):
        assert main([*words, "--out", str(store)]) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert "there is no room left to write (File too large); what is done stays" in captured.err
    assert not list(store.rglob("*.tmp"))
    assert main([*words, "--out", str(store)]) == 0
    assert main([*words, "--out", str(tmp_path / "straight")]) == 0
    found = [Store(path).curves() for path in (store, tmp_path / "straight")]
    assert [c.digest for c in found[0].curves] == [c.digest for c in found[1].curves]
    assert len(found[0].curves) > 0 and not found[0].notes


@pytest.mark.skipif(sys.platform == "darwin", reason="writes there are cut off elsewhere")
def test_a_line_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    lines = AppendedLines(tmp_path / "lines.jsonl")
    lines.add({"a": 1})
    with room_for(lines.path.stat().st_size + 4), pytest.raises(OSError, match="too large"):
        lines.add({"a": 2})
    assert list(lines) == [{"a": 1}]
    lines.add({"a": 3})
    assert list(lines) == [{"a": 1}, {"a": 3}]
