"""Which back end PyTensor compiles with on this machine.

PyTensor turns a model into C++ when it finds a compiler. Without one it falls back to plain Python,
about 600 times slower, while its Numba back end needs no compiler and is as fast. So where C++
cannot be compiled, `prefer_numba` chooses Numba before PyTensor is imported; every module that
samples with PyMC calls it first.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import sysconfig
from collections.abc import MutableMapping
from pathlib import Path

NUMBA_FLAGS = "mode=NUMBA,cxx="

_logger = logging.getLogger(__name__)


def compiler() -> str | None:
    """Return the path of a C++ compiler that PyTensor would use, or None.

    PyTensor asks for `g++`, on macOS and FreeBSD for `clang++`; the headers of this Python must be
    there too, or every compilation fails.
    """
    name = "clang++" if sys.platform.startswith(("darwin", "freebsd")) else "g++"
    headers = Path(sysconfig.get_path("include"), "Python.h")
    return shutil.which(name) if headers.is_file() else None


def missing() -> str:
    """Return what keeps PyTensor from compiling C++, as part of a sentence; empty if nothing."""
    if compiler() is not None:
        return ""
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        return "Python's C headers are missing"
    return "no C++ compiler was found"


def prefer_numba(environment: MutableMapping[str, str] | None = None) -> str:
    """Let PyTensor use Numba where it cannot compile C++; say so once.

    Call it before PyMC or PyTensor is imported. Flags that a user has set for `mode` or `cxx` are
    left alone.

    Parameters
    ----------
    environment
        Where PyTensor reads its flags; `os.environ` unless told.

    Returns
    -------
    str
        What was done in one sentence, empty if nothing needed doing.
    """
    environment = os.environ if environment is None else environment
    flags = environment.get("PYTENSOR_FLAGS", "")
    chosen = {flag.partition("=")[0].strip() for flag in flags.split(",")}
    reason = missing()
    if not reason or chosen & {"mode", "cxx"}:
        return ""
    environment["PYTENSOR_FLAGS"] = f"{flags},{NUMBA_FLAGS}".lstrip(",")
    if "pytensor" in sys.modules and environment is os.environ:
        # Too late for the flags, which are read once; the mode itself can still be changed.
        sys.modules["pytensor"].config.mode = "NUMBA"
    sentence = f"PyTensor samples with Numba, because {reason}."
    _logger.warning(sentence)
    return sentence
