"""The checksum CRC-32C of many records at once.

A checksum is linear over GF(2) (Peterson and Brown 1961): that of two pieces is that of the first,
carried over as many zero bytes as the second has, plus that of the second. So pieces are joined in
pairs, for all records together. The polynomial is Castagnoli's (RFC 3720, section 12.1).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

POLYNOMIAL = 0x82F63B78
ONES = np.uint32(0xFFFFFFFF)
AT_ONCE = 1 << 19
"""Bytes of records that are looked at together: as many as stay in the processor's cache."""

WIDE = 4096
"""Longer records are looked at one by one."""

Words = NDArray[np.uint32]


def crc32c(content: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Words:
    """Return the CRC-32C of each piece ``content[start:end]``.

    Parameters
    ----------
    content : (m,) uint8 array
    starts, ends : (n,) int64 arrays
        Within the content.

    Returns
    -------
    (n,) uint32 array
    """
    found = np.zeros(starts.size, dtype=np.uint32)
    sizes = ends - starts
    widths = 1 << np.maximum(np.ceil(np.log2(np.maximum(sizes, 1))).astype(np.int64), 2)
    behind = np.concatenate([np.zeros(WIDE, dtype=np.uint8), content])
    for width in np.unique(widths):
        of_width = np.flatnonzero(widths == width)
        n = max(AT_ONCE // int(width), 1)
        for first in range(0, of_width.size, n):
            some = of_width[first : first + n]
            found[some] = _of_width(_pieces(behind, ends[some], int(width)), sizes[some])
    return found


def masked(checksums: Words) -> Words:
    """Return checksums as TFRecord files hold them, rotated and shifted by a constant."""
    rotated = (checksums >> np.uint32(15)) | (checksums << np.uint32(17))
    return rotated + np.uint32(0xA282EAD8)


def _pieces(behind: NDArray[np.uint8], ends: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    """Return the `width` bytes up to each end of a content that has `WIDE` bytes before it."""
    if width <= WIDE:
        return sliding_window_view(behind, width)[ends + (WIDE - width)]
    pieces = np.zeros((ends.size, width), dtype=np.uint8)
    for piece, end in zip(pieces, ends + WIDE, strict=True):
        known = behind[max(end - width, 0) : end]
        piece[width - known.size :] = known
    return pieces


def _of_width(pieces: NDArray[np.uint8], sizes: NDArray[np.int64]) -> Words:
    """Return the checksums of the last so many bytes of each piece, as long as a power of two."""
    # Zero bytes before a record change nothing while the register is zero; its first value, all
    # ones, is the same as four bytes flipped.
    column, before = np.arange(pieces.shape[1]), pieces.shape[1] - sizes[:, None]
    pieces *= column >= before
    pieces ^= np.uint8(0xFF) * ((column >= before) & (column < before + 4))
    crc = _pairs()[pieces.view("<u2")]
    n_bytes = 2
    while crc.shape[1] > 1:
        low, high = _carried(n_bytes)
        left = crc[:, 0::2]
        crc = low[left & 0xFFFF] ^ high[left >> 16] ^ crc[:, 1::2]
        n_bytes *= 2
    # Of fewer than four bytes, the ones that were not flipped are still in the register.
    left_over = ONES >> (8 * np.minimum(sizes, 3)).astype(np.uint32)
    found: Words = crc[:, 0] ^ ONES ^ np.where(sizes < 4, left_over, np.uint32(0))
    return found


@lru_cache(maxsize=1)
def _bytes() -> Words:
    """Return the register after each one byte, from zero."""
    table: Words = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = (table >> np.uint32(1)) ^ (table & np.uint32(1)) * np.uint32(POLYNOMIAL)
    return table


@lru_cache(maxsize=1)
def _pairs() -> Words:
    """Return the register after each two bytes, from zero."""
    one = _bytes()
    first, second = np.arange(65536) & 0xFF, np.arange(65536) >> 8
    pairs: Words = one[(one[first] ^ second) & 0xFF] ^ (one[first] >> np.uint32(8))
    return pairs


@lru_cache(maxsize=64)
def _carried(n_bytes: int) -> tuple[Words, Words]:
    """Return what the low and the high half of the register become over zero bytes."""
    if n_bytes == 1:
        one = _bytes()
        bits = np.uint32(1) << np.arange(32, dtype=np.uint32)
        images = one[bits & 0xFF] ^ (bits >> np.uint32(8))
    else:
        low, high = _carried(n_bytes // 2)
        half = np.array([*low[1 << np.arange(16)], *high[1 << np.arange(16)]])
        images = low[half & 0xFFFF] ^ high[half >> 16]
    return _span(images[:16]), _span(images[16:])


def _span(images: Words) -> Words:
    """Return the sums of all subsets of 16 images, by the bits of the subset."""
    table = np.zeros(1, dtype=np.uint32)
    for image in images:
        table = np.concatenate([table, table ^ image])
    return table
