"""Logs of training written byte by byte, as TensorBoard's and W&B's own writers would."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from empirics.readers.crc32c import crc32c

BLOCK, FRAME = 32_768, 7
"""Of W&B's log: bytes of a block, and of the head of a frame in it."""
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def varint(number: int) -> bytes:
    """Return a number as protobuf writes it."""
    out = b""
    while number > 127:
        out, number = out + bytes([number % 128 + 128]), number // 128
    return out + bytes([number])


def field(number: int, content: bytes) -> bytes:
    """Return a length-delimited protobuf field."""
    return varint(8 * number + 2) + varint(len(content)) + content


def event_file(tags: Sequence[str], steps: Iterable[int], rows: Iterable[Sequence[float]]) -> bytes:
    """Return an event file of float32 scalars, an event for every tag and step."""
    payloads = []
    for step, row in zip(steps, rows, strict=True):
        head = b"\x09" + struct.pack("<d", 1e9 + step) + b"\x10" + varint(step)
        for tag, y in zip(tags, row, strict=True):
            value = field(1, tag.encode()) + b"\x15" + struct.pack("<f", y)
            payloads.append(head + field(5, field(1, value)))
    lengths = [struct.pack("<Q", len(payload)) for payload in payloads]
    parts = zip(lengths, _masked(lengths), payloads, _masked(payloads), strict=True)
    return b"".join(part for record in parts for part in record)


def _masked(contents: Sequence[bytes]) -> list[bytes]:
    """Return the masked CRC-32C of each content, as a TFRecord has it."""
    whole = np.frombuffer(b"".join(contents), dtype=np.uint8)
    ends = np.cumsum([len(content) for content in contents])
    starts = np.concatenate(([0], ends[:-1]))
    crc = np.asarray(crc32c(whole, starts, ends), dtype=np.uint64)
    rotated = ((crc >> np.uint64(15)) | (crc << np.uint64(17))) & np.uint64(0xFFFFFFFF)
    masked = ((rotated + np.uint64(0xA282EAD8)) & np.uint64(0xFFFFFFFF)).astype("<u4")
    return [one.tobytes() for one in masked]


def wandb_file(rows: Iterable[Mapping[str, float]]) -> bytes:
    """Return an offline run of W&B: a history record a row, in frames that end with a block."""
    out = bytearray(b":W&B" + struct.pack("<HB", 0xBEE1, 0))
    for step, row in enumerate(rows):
        items = [
            field(1, field(1, name.encode()) + field(16, json.dumps(y).encode()))
            for name, y in row.items()
        ]
        rest, kinds = field(2, b"".join(items) + field(2, b"\x08" + varint(step))), (FULL, FIRST)
        while rest:
            room = BLOCK - len(out) % BLOCK
            if room < FRAME:
                out += bytes(room)
                continue
            part, rest = rest[: room - FRAME], rest[room - FRAME :]
            kind = kinds[bool(rest)]
            crc = zlib.crc32(bytes([kind]) + part)
            out += struct.pack("<IHB", crc, len(part), kind) + part
            kinds = (LAST, MIDDLE)
    return bytes(out)
