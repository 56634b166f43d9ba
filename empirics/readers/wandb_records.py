"""The records of a ``.wandb`` file, which W&B leaves of an offline run.

The frames are those of LevelDB's log (``doc/log_format.md`` of google/leveldb) behind a header of
seven bytes: checksum, length, type and payload; a record that crosses the end of a block of 32 KiB
lies in several frames. Where LevelDB has a masked CRC-32C, W&B has the plain CRC-32 of zip
archives, over the type and the payload.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import final

IDENT = b":W&B"
HEADER = struct.Struct("<4sHB")
MAGIC, VERSION = 0xBEE1, 0
BLOCK = 1 << 15
FRAME = struct.Struct("<IHB")
ZERO, FULL, FIRST, MIDDLE, LAST = range(5)
SUMS = [zlib.crc32(bytes([kind])) for kind in range(5)]
"""Checksums of the types, from which those of the frames go on."""


@final
@dataclass(frozen=True, eq=False)
class WandbRecords:
    """The whole records of a file.

    Attributes
    ----------
    payloads : tuple of bytes
    fault : str
        Why reading stopped before the end of the file; empty if it did not.
    """

    payloads: tuple[bytes, ...]
    fault: str = ""


def is_wandb(head: bytes) -> bool:
    """Tell whether a file that begins so is one of W&B's offline runs."""
    return head.startswith(IDENT)


def read_wandb_records(content: bytes) -> WandbRecords:
    """Find the records of a file, up to the first that is cut off or damaged.

    Raises
    ------
    ValueError
        If the file begins otherwise, or says another version.
    """
    if len(content) < HEADER.size:
        raise ValueError(f"it ends after {len(content)} bytes, within the header of a .wandb file")
    ident, magic, version = HEADER.unpack_from(content)
    if (ident, magic) != (IDENT, MAGIC):
        raise ValueError("it does not begin as a .wandb file does")
    if version != VERSION:
        raise ValueError(f"version {version} of .wandb files is not known; {VERSION} is")
    payloads: list[bytes] = []
    parts: list[bytes] = []
    at = start = HEADER.size  # start of the record that the frame is of
    while at < len(content):
        left = BLOCK - at % BLOCK
        if left < FRAME.size or content[at : at + FRAME.size] == bytes(FRAME.size):
            at += left  # nothing but zeros follows in the block
            start = start if parts else at
            continue
        frame = _frame(content, at, left)
        if frame is None or (frame[0] in (FULL, FIRST)) == bool(parts):
            return WandbRecords(tuple(payloads), _fault(content, start, len(payloads)))
        kind, payload = frame
        parts.append(payload)
        at += FRAME.size + len(payload)
        if kind in (FULL, LAST):
            payloads.append(b"".join(parts))
            parts, start = [], at
    fault = _fault(content, start, len(payloads)) if parts else ""
    return WandbRecords(tuple(payloads), fault)


def _frame(content: bytes, at: int, left: int) -> tuple[int, bytes] | None:
    """Return type and payload of a frame; None where it is cut off or damaged."""
    if at + FRAME.size > len(content):
        return None
    said, size, kind = FRAME.unpack_from(content, at)
    payload = content[at + FRAME.size : at + FRAME.size + size]
    if not ZERO < kind <= LAST or FRAME.size + size > left or len(payload) < size:
        return None
    return (kind, payload) if zlib.crc32(payload, SUMS[kind]) == said else None


def _fault(content: bytes, start: int, n: int) -> str:
    return f"record {n + 1} is cut off or damaged: {len(content) - start} bytes not read"
