"""Where a result comes from: versions, git commit, machine, and the hashes of its inputs."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any, final

from theory.curve import relock

PACKAGES = (
    "ontogeny",
    "numpy",
    "scipy",
    "sympy",
    "networkx",
    "polars",
    "torch",
    "gymnasium",
    "safetensors",
    "joblib",
    "threadpoolctl",
    "numba",
    "lmfit",
    "pymc",
    "pytensor",
    "arviz",
    "matplotlib",
    "jinja2",
)


@final
@dataclass(frozen=True)
class Provenance:
    """The software and the machine behind a result.

    Attributes
    ----------
    versions : mapping of str to str
        Installed version by distribution name, with ``"python"`` first.
    git_commit : str or None
        Commit (40 hexadecimal digits) of the source tree; None when it is not a git tree.
    git_dirty : bool or None
        Whether tracked files differ from the commit; None when unknown.
    platform : str
        Operating system and architecture.
    processor_count : int
        Processors this process may use.
    """

    versions: Mapping[str, str]
    git_commit: str | None
    git_dirty: bool | None
    platform: str
    processor_count: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "versions", MappingProxyType(dict(self.versions)))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "versions": dict(self.versions)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        relock(self, state)

    def content(self) -> dict[str, Any]:
        """Return plain values, as they are written to JSON."""
        return {
            "versions": dict(self.versions),
            "git_commit": self.git_commit,
            "git_dirty": self.git_dirty,
            "platform": self.platform,
            "processor_count": self.processor_count,
        }


def provenance() -> Provenance:
    """Describe the running software and machine; reads, never imports, the packages."""
    commit, dirty = git_state(Path(__file__).resolve().parent.parent)
    return Provenance(
        versions=versions_of(PACKAGES),
        git_commit=commit,
        git_dirty=dirty,
        platform=f"{platform.system()} {platform.machine()}",
        processor_count=processors(),
    )


def versions_of(packages: Iterable[str]) -> dict[str, str]:
    """Return the installed versions; a package that is not installed is left out."""
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


@lru_cache(maxsize=8)
def git_state(folder: Path) -> tuple[str | None, bool | None]:
    """Return the commit of the git tree whose root is `folder`, and whether it is dirty.

    A folder inside somebody else's git tree (an installed package in a repository's
    virtual environment, say) is not that repository's commit: it gives (None, None).
    """
    if not (folder / ".git").exists():
        return None, None
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return None, None
    status = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return commit, None if status is None else bool(status)


def _git(folder: Path, *arguments: str) -> str | None:
    # git answers about the folder, whatever repository the environment points at.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
            env=environment,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def processors() -> int:
    """Return how many processors this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def sha256_of(path: Path) -> str:
    """Return the sha256 (hexadecimal) of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def data_hashes(path: Path) -> dict[str, str]:
    """Return the sha256 of a file, or of every data file of a folder, by relative path."""
    if path.is_file():
        return {path.name: sha256_of(path)}
    files = sorted(file for file in path.rglob("*") if file.is_file() and file.name[0] != ".")
    return {file.relative_to(path).as_posix(): sha256_of(file) for file in files}
