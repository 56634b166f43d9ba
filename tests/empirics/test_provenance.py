import hashlib
import pickle
import subprocess

import numpy as np

from empirics.provenance import data_hashes, git_state, provenance, versions_of


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True)


def test_versions_are_the_installed_ones():
    versions = versions_of(["numpy", "no-such-distribution"])
    assert versions["numpy"] == np.__version__
    assert list(versions) == ["python", "numpy"]


def test_git_state_is_the_commit_and_whether_files_changed(tmp_path):
    assert git_state(tmp_path) == (None, None)
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "-q")
    (repository / "a").write_text("1")
    git(repository, "add", "a")
    git(repository, "commit", "-qm", "one")
    commit, dirty = git_state(repository)
    assert len(commit) == 40 and dirty is False
    git_state.cache_clear()
    (repository / "a").write_text("2")
    assert git_state(repository) == (commit, True)
    inside = repository / "inside"
    inside.mkdir()
    assert git_state(inside) == (None, None)


def test_provenance_is_plain_values():
    found = provenance()
    assert pickle.loads(pickle.dumps(found)) == found
    content = found.content()
    assert content["versions"]["python"].startswith("3.")
    assert content["processor_count"] >= 1
    assert set(content) == {
        "versions",
        "git_commit",
        "git_dirty",
        "platform",
        "processor_count",
    }


def test_data_hashes_are_sha256(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.csv").write_bytes(b"t,y\n")
    (tmp_path / ".hidden").write_bytes(b"")
    expected = hashlib.sha256(b"t,y\n").hexdigest()
    assert data_hashes(tmp_path) == {"b/x.csv": expected}
    assert data_hashes(tmp_path / "b" / "x.csv") == {"x.csv": expected}
