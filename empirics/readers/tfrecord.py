"""The frames of a TFRecord file: length, its checksum, payload, its checksum."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.readers.crc32c import crc32c, masked

HEAD, TAIL = 12, 4
"""Bytes before and after a payload."""


@final
@dataclass(frozen=True, eq=False)
class Records:
    """The whole records of a file.

    Attributes
    ----------
    starts, ends : (n,) int64 arrays
        Where the payloads lie in the content.
    fault : str
        Why reading stopped before the end of the file; empty if it did not.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    fault: str = ""


def is_tfrecord(head: bytes) -> bool:
    """Tell whether a file that begins so is a TFRecord file: its first length has its checksum."""
    if len(head) < HEAD:
        return False
    start = np.zeros(1, dtype=np.int64)
    content = np.frombuffer(head[:HEAD], dtype=np.uint8)
    return bool(masked(crc32c(content, start, start + 8))[0] == content[8:].view("<u4")[0])


def read_records(content: NDArray[np.uint8]) -> Records:
    """Find the records of a file, up to the first that is cut off or damaged.

    Parameters
    ----------
    content : (m,) uint8 array
    """
    found, stop = _frames(content)
    starts, ends = found[:, 0], found[:, 1]
    for first, last, at in ((starts - HEAD, starts - TAIL, starts - TAIL), (starts, ends, ends)):
        good = masked(crc32c(content, first, last)) == _words(content, at)
        n = int(good.argmin()) if not good.all() else good.size
        if n < starts.size:
            stop = int(starts[n]) - HEAD
        starts, ends = starts[:n], ends[:n]
    if stop == content.size:
        return Records(starts, ends)
    what = "is damaged" if starts.size < len(found) else "is cut off or damaged"
    return Records(
        starts, ends, f"record {starts.size + 1} {what}: {content.size - stop} bytes not read"
    )


def _frames(content: NDArray[np.uint8]) -> tuple[NDArray[np.int64], int]:
    """Return start and end of each payload, as the lengths say, and where the last record ends."""
    length_at, size, at = struct.Struct("<Q").unpack_from, content.size, 0
    frames: list[tuple[int, int]] = []
    whole = content.data
    while at + HEAD + TAIL <= size:
        start = at + HEAD
        end = start + length_at(whole, at)[0]
        if end + TAIL > size:
            break
        frames.append((start, end))
        at = end + TAIL
    return np.array(frames, dtype=np.int64).reshape(-1, 2), at


def _words(content: NDArray[np.uint8], at: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Return the little-endian words of four bytes at some places."""
    return np.ascontiguousarray(content[at[:, None] + np.arange(4)]).view("<u4")[:, 0]
