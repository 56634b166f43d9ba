"""What a person installs: the metadata agree with each other and with the files."""

import importlib
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import ontogeny

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pins}


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_are_typed_and_never_namespaces(package: str) -> None:
    assert (ROOT / package / "__init__.py").is_file()
    assert (ROOT / package / "py.typed").is_file()


def test_one_version_everywhere() -> None:
    version = PYPROJECT["project"]["version"]
    assert ontogeny.__version__ == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_console_script_leads_somewhere() -> None:
    module, _, name = PYPROJECT["project"]["scripts"]["ontogeny"].partition(":")
    assert callable(getattr(importlib.import_module(module), name))


def test_every_dependency_is_pinned_to_a_version_it_allows() -> None:
    groups = PYPROJECT["dependency-groups"].values()
    asked = [*PYPROJECT["project"]["dependencies"]]
    asked += [line for group in groups for line in group if isinstance(line, str)]
    pins = pinned()
    for requirement in map(Requirement, asked):
        assert pins[canonicalize_name(requirement.name)] in requirement.specifier


def test_torch_is_pinned_without_a_local_suffix() -> None:
    assert pinned()["torch"] == "2.13.0"
    assert not [version for version in pinned().values() if "+" in version]


def test_python_has_no_upper_cap() -> None:
    assert PYPROJECT["project"]["requires-python"] == ">=3.11"


def test_contributing_stays_short() -> None:
    assert len((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_makefile_says_in_one_line_that_python_is_missing(tmp_path: Path) -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    done = subprocess.run(
        [make, "test", "PYTHON=python-that-is-not-there"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    ours = [line for line in done.stderr.splitlines() if not re.match(r"make(\[\d+\])?:", line)]
    assert ours == [
        "Ontogeny needs Python 3.11 or newer, and none of 'python-that-is-not-there' is one; "
        "install it or name it: make test PYTHON=/path/to/python3.12"
    ]
    assert not (tmp_path / ".venv").exists()
