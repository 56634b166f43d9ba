"""PyTensor never falls back to plain Python unseen."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fitting.sampling import compiler
from fitting.sampling.compiler import NUMBA_FLAGS, prefer_numba


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a C++ compiler, but with Python's headers."""
    monkeypatch.setattr(compiler.shutil, "which", lambda name: None)
    monkeypatch.setattr(compiler.Path, "is_file", lambda path: True)


@pytest.mark.usefixtures("no_compiler")
def test_without_a_compiler_numba_is_chosen_and_said_in_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    environment: dict[str, str] = {}
    with caplog.at_level(logging.WARNING):
        sentence = prefer_numba(environment)
    assert environment == {"PYTENSOR_FLAGS": NUMBA_FLAGS}
    assert sentence == "PyTensor samples with Numba, because no C++ compiler was found."
    assert caplog.messages == [sentence]


@pytest.mark.usefixtures("no_compiler")
def test_it_is_said_once_and_other_flags_stay() -> None:
    environment = {"PYTENSOR_FLAGS": "floatX=float64"}
    assert prefer_numba(environment)
    assert environment == {"PYTENSOR_FLAGS": f"floatX=float64,{NUMBA_FLAGS}"}
    assert prefer_numba(environment) == ""


@pytest.mark.usefixtures("no_compiler")
@pytest.mark.parametrize("flags", ["mode=FAST_COMPILE", "floatX=float64, cxx=/opt/g++"])
def test_the_users_own_choice_is_left_alone(flags: str) -> None:
    environment = {"PYTENSOR_FLAGS": flags}
    assert prefer_numba(environment) == ""
    assert environment == {"PYTENSOR_FLAGS": flags}


def test_with_a_compiler_nothing_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler.shutil, "which", lambda name: "/usr/bin/" + name)
    monkeypatch.setattr(compiler.Path, "is_file", lambda path: True)
    environment: dict[str, str] = {}
    assert prefer_numba(environment) == ""
    assert environment == {}


def test_missing_headers_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler.Path, "is_file", lambda path: False)
    assert prefer_numba({}) == (
        "PyTensor samples with Numba, because Python's C headers are missing."
    )


def test_pytensor_itself_obeys_on_a_path_without_compilers(tmp_path: Path) -> None:
    code = (
        "from fitting.sampling.compiler import prefer_numba; prefer_numba();"
        "import pytensor; print(pytensor.config.mode, repr(pytensor.config.cxx))"
    )
    kept = {k: v for k, v in os.environ.items() if k != "PYTENSOR_FLAGS"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=kept | {"PATH": str(tmp_path)},
        cwd=Path(compiler.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["NUMBA", "''"]
    assert done.stderr.count("\n") == 1, done.stderr
