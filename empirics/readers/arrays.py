"""Arrays of numpy (npz, npy) as curves; nothing in them is unpickled.

The progress axis is the array of an npz that goes by a name of progress (`names.PROGRESS`), else
the row's number, of which nobody says what it counts. An array of two dimensions is one run a row,
or one a column where only its rows are as many as the values of the axis.
"""

from __future__ import annotations

import math
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirics.notes import counted, listed
from empirics.readers.cells import Setting, setting
from empirics.readers.names import PROGRESS, known
from empirics.readers.series import LoggedRun, Series, digest_of

NPY, ZIP = b"\x93NUMPY", b"PK\x03\x04"
END, MANY = b"PK\x05\x06", 0xFFFF
"""Begin of the end of an archive, and the number of members that stands for a longer one."""
INDEX = "index"
LARGEST = 1 << 31
"""Bytes of the arrays of one file."""

LONGEST_HEADER = 1 << 14
"""Bytes in which the header of an array ends: numpy reads none of more than 10,000."""

ERRORS = (
    ValueError,
    TypeError,
    KeyError,
    OSError,
    EOFError,
    OverflowError,
    MemoryError,
    RuntimeError,
    SyntaxError,
    tokenize.TokenError,
    zlib.error,
    zipfile.BadZipFile,
)
"""What damaged archives and headers make zipfile and numpy raise."""

Arrays = Mapping[str, NDArray[Any]]


def is_npy(path: Path, head: bytes) -> bool:
    """Tell whether a file is an array of numpy."""
    return head.startswith(NPY)


def is_npz(path: Path, head: bytes) -> bool:
    """Tell whether a file is an archive of arrays of numpy."""
    if not head.startswith(ZIP):
        return False
    if path.suffix.lower() == ".npz":
        return True
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except ERRORS:
        return False
    return bool(names) and all(name.endswith(".npy") for name in names)


def arrays_of(path: Path, content: bytes) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Return the arrays of numbers, truths and texts of a file, and the names of the others.

    Raises
    ------
    ValueError
        If the file is damaged, or its arrays are too large.
    """
    if content.startswith(NPY):
        members = {"": content}
    else:
        members = _members(path, content)
    found: dict[str, NDArray[Any]] = {}
    others = []
    for name, member in members.items():
        try:
            array = _array(member)
        except ERRORS as error:
            raise ValueError(_damaged(path, error)) from None
        if array is None:
            others.append(name or path.name)
        else:
            found[name] = array
    return found, others


def dimensions_of(path: Path) -> dict[str, int]:
    """Return how many dimensions each array of numbers of an archive has, by the headers alone.

    Raises
    ------
    ERRORS
        If the archive or a header is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        found = {}
        for name in archive.namelist():
            with archive.open(name) as member:
                shape, dtype = _header(BytesIO(member.read(LONGEST_HEADER)))
            if dtype.kind in "biuf":
                found[name.removesuffix(".npy")] = len(shape)
    return found


def read_arrays(paths: Sequence[Path], label: str) -> list[LoggedRun]:
    """Read the runs of a file of arrays.

    Raises
    ------
    ValueError
        If the file is damaged, or holds no array that can be a curve.
    """
    (path,) = paths
    content = path.read_bytes()
    found, others = arrays_of(path, content)
    found = {name or path.stem: array for name, array in found.items()}
    numbers = {name: array for name, array in found.items() if array.dtype.kind in "biuf"}
    axes = {name: a.astype(np.float64) for name, a in numbers.items() if a.ndim == 1}
    named = next((name for name in known(axes, tuple(PROGRESS)) if len(numbers) > 1), None)
    series: dict[int, list[Series]] = {}
    for name, array in numbers.items():
        if name == named or array.ndim == 0:
            continue
        rows = _rows(array, None if named is None else axes[named].size)
        if rows is None:
            others.append(name)
        for i, y in enumerate(() if rows is None else rows):
            which = -1 if array.ndim == 1 else i
            series.setdefault(which, []).append(Series(name, _axes(axes, named, name, y.size), y))
    if not series:
        raise ValueError(f"{path} holds no array of numbers that can be a curve.")
    digest, notes = digest_of([content]), _left_out(others)
    settings = {name: _setting(a) for name, a in found.items() if a.ndim == 0}
    return [
        LoggedRun(
            label if i < 0 else f"{label} {i}", path.name, digest, tuple(of), settings, notes=notes
        )
        for i, of in series.items()
    ]


def _members(path: Path, content: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            _check_number(content, len(archive.infolist()))
            size = sum(each.file_size for each in archive.infolist())
            if size > LARGEST:
                raise ValueError(f"its arrays are {size} bytes, more than {LARGEST} are not read")
            return {
                each.filename.removesuffix(".npy"): archive.read(each)
                for each in archive.infolist()
            }
    except ERRORS as error:
        raise ValueError(_damaged(path, error)) from None


def _check_number(content: bytes, found: int) -> None:
    """Check that an archive lists as many members as it says, which zipfile does not."""
    end = content.rfind(END)
    said = int.from_bytes(content[end + 10 : end + 12], "little")
    if said not in (found, MANY):
        raise zipfile.BadZipFile(f"it lists {found} of {said} arrays")


def _array(content: bytes) -> NDArray[Any] | None:
    """Return an array, once its header promises what there is; None for objects and structures."""
    file = BytesIO(content)
    shape, dtype = _header(file)
    if dtype.kind not in "biufU":
        return None
    n_bytes = math.prod(shape) * dtype.itemsize
    if min(shape, default=1) < 0 or n_bytes != len(content) - file.tell():
        raise ValueError(f"its header promises {n_bytes} bytes of numbers")
    file.seek(0)
    array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    return array


def _header(file: BytesIO) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return the shape and type that a header says."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numpy, about headers that Python 2 wrote
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"version {version} of the format is not known")
        header = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = header(file)
    return shape, dtype


def _rows(array: NDArray[Any], n: int | None) -> list[NDArray[np.float64]] | None:
    """Return the runs of an array over an axis of n values; None where it has none."""
    if array.ndim > 2 or not array.size:
        return None
    table = np.atleast_2d(array).astype(np.float64)
    if n is not None and table.shape[1] != n:
        if array.ndim == 1 or table.shape[0] != n:
            return None
        table = table.T
    return list(table)


def _axes(
    axes: Mapping[str, NDArray[np.float64]], named: str | None, of: str, n: int
) -> dict[str, NDArray[np.float64]]:
    """Return the axes of a series: the named one, the row's number, and all others as long."""
    first = {} if named is None else {named: axes[named]}
    others = {name: axis for name, axis in axes.items() if name != of and axis.size == n}
    return {**first, INDEX: np.arange(n, dtype=np.float64), **others}


def _setting(array: NDArray[Any]) -> Setting:
    return setting(array.item())


def _left_out(names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        return ()
    arrays = counted(len(names), "array")
    return (
        f"{arrays} left out (objects, of another length, or of many dimensions): {listed(names)}.",
    )


def _damaged(path: Path, error: BaseException) -> str:
    first, *_ = str(error).strip().splitlines() or [type(error).__name__]
    return f"{path} is damaged and cannot be read ({first.rstrip('.')}); write or copy it anew."
