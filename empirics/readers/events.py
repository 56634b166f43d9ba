"""The scalars and texts of a TensorBoard event file.

The messages are `Event` (``tensorflow/core/util/event.proto``), `Summary`
(``framework/summary.proto``) and `TensorProto` (``framework/tensor.proto``). TensorFlow 1, torch
and tensorboardX write a scalar as ``simple_value``, TensorFlow 2 as a tensor without dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.readers.tfrecord import read_records
from empirics.readers.wire import (
    BYTES,
    EIGHT,
    FOUR,
    VARINT,
    Fields,
    Ints,
    fields_of,
    padded,
    varints,
)

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

WALL_TIME, STEP, SUMMARY, SESSION = 1, 2, 5, 7
VALUE = 1
TAG, SIMPLE, HISTOGRAM, IMAGE, AUDIO, TENSOR = 1, 2, 5, 4, 6, 8
DTYPE, SHAPE, CONTENT, STRING = 1, 2, 4, 8
STATUS, START = 1, 1
KINDS: Mapping[int, str] = {HISTOGRAM: "histograms", IMAGE: "images", AUDIO: "sounds"}

# Number in `DataType`: the type of ``tensor_content``, and the field of the value elsewhere.
TENSORS: Mapping[int, tuple[str, int]] = {
    1: ("<f4", 5),
    2: ("<f8", 6),
    3: ("<i4", 7),
    9: ("<i8", 10),
    19: ("<f2", 13),
}
TEXT, HALF = 7, 13


@final
@dataclass(frozen=True, eq=False)
class Events:
    """What an event file holds.

    Attributes
    ----------
    tags : tuple of str
    tag : (n,) int64 array
        Which tag each scalar is of.
    step, wall_time, y : (n,) float64 arrays
        Wall time in seconds since 1970.
    starts : tuple of (int, float)
        For each session that was started anew at a step, how many scalars stand before it, and
        the step: those at that step or later no longer count.
    texts : mapping of str to str
        The first text of each tag.
    left_out : mapping of str to int
        Tags by the kind of what they hold that is no scalar.
    fault : str
        Why reading stopped before the end; empty if it did not.
    n_broken : int
        Records that are no events.
    """

    tags: tuple[str, ...]
    tag: Ints
    step: Floats
    wall_time: Floats
    y: Floats
    starts: tuple[tuple[int, float], ...]
    texts: Mapping[str, str]
    left_out: Mapping[str, int]
    fault: str
    n_broken: int


def read_events(content: bytes) -> Events:
    """Read an event file, up to the first record that is cut off or damaged."""
    raw = padded(content)
    records = read_records(raw[: len(content)])
    events = fields_of(raw, records.starts, records.ends)
    n_events = records.starts.size
    wall_time, step = np.zeros(n_events), np.zeros(n_events)
    of = events.of(WALL_TIME, EIGHT)
    wall_time[events.message[of]] = _numbers(raw, events.start[of], "<f8")
    of = events.of(STEP, VARINT)
    step[events.message[of]] = events.value[of]

    of = events.of(SUMMARY, BYTES)
    of = of[np.argsort(events.message[of], kind="stable")]
    summaries = fields_of(raw, events.start[of], events.end[of])
    inside = summaries.of(VALUE, BYTES)
    inside = inside[np.argsort(summaries.message[inside], kind="stable")]
    event = events.message[of][summaries.message[inside]]
    values = fields_of(raw, summaries.start[inside], summaries.end[inside])

    tags, tag = _tags(raw, values, inside.size)
    y, is_scalar, texts = _values(raw, values)
    scalar = np.flatnonzero(is_scalar)
    broken = {*np.flatnonzero(events.broken), *events.message[of][summaries.broken]}
    broken |= {*event[values.broken]}
    return Events(
        tags=tags,
        tag=tag[scalar],
        step=step[event[scalar]],
        wall_time=wall_time[event[scalar]],
        y=y[scalar],
        starts=_starts(raw, events, event[scalar], step),
        texts={tags[tag[i]]: text for i, text in reversed(texts)},
        left_out=_left_out(values, tag, is_scalar, [i for i, _ in texts]),
        fault=records.fault,
        n_broken=len(broken),
    )


def _numbers(raw: Bytes, at: Ints, kind: str) -> Floats:
    """Return the little-endian numbers at some places."""
    size = np.dtype(kind).itemsize
    found = np.ascontiguousarray(raw[at[:, None] + np.arange(size)]).view(kind)[:, 0]
    return found.astype(np.float64)


def _tags(raw: Bytes, values: Fields, n: int) -> tuple[tuple[str, ...], Ints]:
    """Return the different tags, and which each value has; a value without one has the first."""
    whole, codes = raw.tobytes(), {b"": 0}
    tag = np.zeros(n, dtype=np.int64)
    of = values.of(TAG, BYTES)
    places = zip(values.start[of].tolist(), values.end[of].tolist(), strict=True)
    tag[values.message[of]] = [codes.setdefault(whole[a:b], len(codes)) for a, b in places]
    return tuple(name.decode("utf-8", "replace") for name in codes), tag


def _values(raw: Bytes, values: Fields) -> tuple[Floats, NDArray[np.bool_], list[tuple[int, str]]]:
    """Return the number of each value, whether it is a scalar, and the texts."""
    y = np.zeros(values.broken.size)
    is_scalar = np.zeros(values.broken.size, dtype=np.bool_)
    of = values.of(SIMPLE, FOUR)
    y[values.message[of]] = _numbers(raw, values.start[of], "<f4")
    is_scalar[values.message[of]] = True
    of = values.of(TENSOR, BYTES)
    owner = values.message[of]
    tensors = fields_of(raw, values.start[of], values.end[of])
    dtype, has_shape = np.zeros(of.size, dtype=np.int64), np.zeros(of.size, dtype=np.bool_)
    kinds, shapes = tensors.of(DTYPE, VARINT), tensors.of(SHAPE, BYTES)
    dtype[tensors.message[kinds]] = tensors.value[kinds]
    has_shape[tensors.message[shapes]] = tensors.end[shapes] > tensors.start[shapes]
    for code, (kind, number) in TENSORS.items():
        for found, numbers in _of_type(raw, tensors, kind, number):
            mine = (dtype[tensors.message[found]] == code) & ~has_shape[tensors.message[found]]
            y[owner[tensors.message[found[mine]]]] = numbers[mine]
            is_scalar[owner[tensors.message[found[mine]]]] = True
    texts = []
    for i in tensors.of(STRING, BYTES):
        if dtype[tensors.message[i]] == TEXT:
            text = raw[tensors.start[i] : tensors.end[i]].tobytes().decode("utf-8", "replace")
            texts.append((int(owner[tensors.message[i]]), text))
    return y, is_scalar, texts


def _of_type(raw: Bytes, tensors: Fields, kind: str, number: int) -> list[tuple[Ints, Floats]]:
    """Return the fields that may hold the one number of a tensor of a type, with these numbers."""
    size = np.dtype(kind).itemsize
    contents = tensors.of(CONTENT, BYTES)
    contents = contents[tensors.end[contents] - tensors.start[contents] == size]
    found = [(contents, _numbers(raw, tensors.start[contents], kind))]
    packed, alone = tensors.of(number, BYTES), tensors.of(number, VARINT)
    if kind[1] == "f" and number != HALF:
        packed = packed[tensors.end[packed] - tensors.start[packed] == size]
        found.append((packed, _numbers(raw, tensors.start[packed], kind)))
        alone = tensors.of(number, FOUR if size == 4 else EIGHT)
        return [*found, (alone, _numbers(raw, tensors.start[alone], kind))]
    values, ends, wrong = varints(raw, tensors.start[packed])
    whole = ~wrong & (ends == tensors.end[packed])
    for fields, said in ((packed[whole], values[whole]), (alone, tensors.value[alone])):
        bits = said.astype(f"<u{size}" if number == HALF else "<i8")
        found.append((fields, (bits.view(kind) if number == HALF else bits).astype(np.float64)))
    return found


def _starts(raw: Bytes, events: Fields, event: Ints, step: Floats) -> tuple[tuple[int, float], ...]:
    sessions = events.of(SESSION, BYTES)
    logs = fields_of(raw, events.start[sessions], events.end[sessions])
    started = [i for i in logs.of(STATUS, VARINT) if logs.value[i] == START]
    at = sorted(int(events.message[sessions[logs.message[i]]]) for i in started)
    return tuple((int(np.searchsorted(event, i)), float(step[i])) for i in at)


def _left_out(
    values: Fields, tag: Ints, is_scalar: NDArray[np.bool_], texts: list[int]
) -> Mapping[str, int]:
    """Count the tags of each kind of value that is no scalar."""
    tags: dict[str, set[int]] = {}
    seen = is_scalar.copy()
    for kind, which in [
        *((kind, values.message[values.of(number, BYTES)]) for number, kind in KINDS.items()),
        ("texts", np.array(texts, dtype=np.int64)),
        ("tensors of several numbers", values.message[values.of(TENSOR, BYTES)]),
        ("nothing", np.arange(values.broken.size)),
    ]:
        new = which[~seen[which]]
        seen[which] = True
        if new.size:
            tags[kind] = {int(code) for code in np.unique(tag[new])}
    return {kind: len(of_kind) for kind, of_kind in tags.items()}
