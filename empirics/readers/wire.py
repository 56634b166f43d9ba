"""Protocol-buffer messages of one kind, many at once: the fields of each, undecoded.

The encoding is that of https://protobuf.dev/programming-guides/encoding: a tag (field number and
wire type) as a varint, then a varint, eight bytes, a length and as many bytes, or four bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5
LONGEST = 10
"""Bytes of a varint."""

FEW = 100
"""So few messages go faster one by one."""

Ints = NDArray[np.int64]


@final
@dataclass(frozen=True, eq=False)
class Fields:
    """Fields of messages; those of one message in their order.

    Attributes
    ----------
    message, number, wire : (n,) int64 arrays
        Which message the field is of, its number and its wire type.
    start, end : (n,) int64 arrays
        Where its bytes lie in the content.
    value : (n,) int64 array
        What a varint says; 0 for the other wire types.
    broken : (m,) bool array
        Which messages do not follow the encoding; their fields up to there are kept.
    """

    message: Ints
    number: Ints
    wire: Ints
    start: Ints
    end: Ints
    value: Ints
    broken: NDArray[np.bool_]

    def of(self, number: int, wire: int) -> Ints:
        """Return which fields have a number and a wire type."""
        return np.flatnonzero((self.number == number) & (self.wire == wire))


def padded(content: bytes) -> NDArray[np.uint8]:
    """Return a content with zero bytes behind it, so that a varint may be looked for anywhere."""
    return np.frombuffer(content + bytes(2 * LONGEST), dtype=np.uint8)


def fields_of(content: NDArray[np.uint8], starts: Ints, ends: Ints) -> Fields:
    """Take messages apart.

    Parameters
    ----------
    content : (m,) uint8 array
        As `padded` gives it.
    starts, ends : (n,) int64 arrays
        Where the messages lie in it.
    """
    found: list[NDArray[np.int64]] = []
    broken = np.zeros(starts.size, dtype=np.bool_)
    at = starts.astype(np.int64)
    active = np.flatnonzero(at < ends)
    while active.size > FEW:
        rows, after, good = _one_field(content, at[active], ends[active])
        found.append(np.column_stack([active, rows])[good])
        broken[active[~good]] = True
        at[active] = np.where(good, after, ends[active])
        active = active[at[active] < ends[active]]
    raw = content.data
    rest = [row for i in active for row in _one_by_one(raw, int(i), int(at[i]), int(ends[i]))]
    broken[[row[0] for row in rest if row[1] < 0]] = True
    found.append(np.array([row for row in rest if row[1] >= 0], dtype=np.int64).reshape(-1, 6))
    message, number, wire, start, end, value = np.concatenate(found).T
    return Fields(message, number, wire, start, end, value, broken)


def varints(content: NDArray[np.uint8], at: Ints) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """Return the varints at some places, where each ends, and which are none."""
    byte = content[at]
    value = (byte & 127).astype(np.uint64)
    size = np.ones(at.size, dtype=np.int64)
    more = np.flatnonzero(byte > 127)
    while more.size and size[more[0]] < LONGEST:
        byte = content[at[more] + size[more]]
        shift = (7 * size[more]).astype(np.uint64)
        value[more] |= (byte & 127).astype(np.uint64) << shift
        size[more] += 1
        more = more[byte > 127]
    wrong = np.zeros(at.size, dtype=np.bool_)
    wrong[more] = True
    return value.view(np.int64), at + size, wrong


def _one_field(
    content: NDArray[np.uint8], at: Ints, ends: Ints
) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """Return the next field of each message, where it ends, and whether it is one."""
    tag, start, wrong = varints(content, at)
    number, wire = tag >> 3, tag & 7
    start = np.minimum(start, ends)
    value, end = np.zeros_like(at), start.copy()
    of = np.flatnonzero((wire == VARINT) | (wire == BYTES))
    value[of], end[of], no_varint = varints(content, start[of])
    wrong[of] |= no_varint
    length = wire == BYTES
    start = np.where(length, end, start)
    # A length beyond the message is as wrong as any, and must not overflow.
    size = np.where(length, np.where(value < 0, content.size, np.minimum(value, content.size)), 0)
    end = end + size + 8 * (wire == EIGHT) + 4 * (wire == FOUR)
    known = (wire == VARINT) | (wire == EIGHT) | length | (wire == FOUR)
    value[length] = 0
    good = ~wrong & known & (number > 0) & (end <= ends)
    return np.column_stack([number, wire, start, end, value]), end, good


Row = tuple[int, int, int, int, int, int]


def _one_by_one(content: memoryview, message: int, at: int, end: int) -> Iterator[Row]:
    """Yield the fields of one message; where it breaks, a last one with the number -1."""
    while at < end:
        tag, at = _varint(content, at)
        number, wire = tag >> 3, tag & 7
        start, value = at, 0
        if wire in (VARINT, BYTES):
            value, at = _varint(content, at)
        if wire == BYTES:
            start, at, value = at, at + value, 0
        elif wire in (EIGHT, FOUR):
            at += 8 if wire == EIGHT else 4
        if at > end or tag < 8 or value < 0 or wire not in (VARINT, EIGHT, BYTES, FOUR):
            yield message, -1, 0, 0, 0, 0
            return
        signed = value - (1 << 64) if value >> 63 else value
        yield message, number, wire, start, at, signed


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    """Return the varint at a place and where it ends; where none is, what no message can hold."""
    value = 0
    for k in range(LONGEST):
        if at + k >= len(content):
            break
        byte = content[at + k]
        value |= (byte & 127) << (7 * k)
        if byte < 128:
            return value & (2**64 - 1), at + k + 1
    return 0, len(content) + 1
