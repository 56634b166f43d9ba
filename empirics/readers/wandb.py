"""Offline runs of W&B, read without it: a ``.wandb`` file, or the folder that holds one.

The messages are `Record`, `HistoryRecord`, `ConfigRecord` and `RunRecord`
(``wandb/proto/wandb_internal.proto``). A value is a JSON text in ``value_json``, or in one of the
typed fields that newer versions declare; the parts of a nested key are joined with a point, as W&B
shows them. The axes are ``_step``, ``_runtime`` and ``_timestamp``, and any logged key that goes by
a name of progress (`names.PROGRESS`).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirics.notes import counted, listed
from empirics.readers.cells import Setting
from empirics.readers.json_lines import Row, flat
from empirics.readers.row_logs import series_of, settings_in
from empirics.readers.series import LoggedRun, digest_of
from empirics.readers.wandb_records import is_wandb, read_wandb_records
from empirics.readers.wire import BYTES, EIGHT, VARINT, Fields, Ints, fields_of, padded

HISTORY, CONFIG, STATS, RUN, EXIT = 2, 5, 7, 17, 18
ITEM, STEP = 1, 2
KEY, NESTED = 1, 2
BOOLEAN, INTEGER, NUMBER, TEXT, JSON, VALUE_JSON = 4, 5, 6, 7, 8, 16
UPDATE, REMOVE = 1, 2
RUN_ID, OF_CONFIG, NAME = 1, 4, 8
TEXTS: Mapping[int, str] = {3: "project", 6: "run_group", 7: "job_type", 12: "sweep_id"}
"""Texts of a `RunRecord` that are conditions."""

OWN = "_wandb"
"""The key under which W&B keeps its own notes in a configuration."""

MEDIA = "._type"
"""How the key ends that says what a dictionary of W&B is: a histogram, an image, a table."""

Bytes = NDArray[np.uint8]


def is_wandb_file(path: Path, head: bytes) -> bool:
    """Tell whether a file is an offline run of W&B."""
    return is_wandb(head)


def is_wandb_folder(path: Path, head: bytes = b"") -> bool:
    """Tell whether a folder is one that W&B made for an offline run."""
    return path.is_dir() and any(path.glob("run-*.wandb"))


def read_wandb_folder(paths: Sequence[Path], label: str) -> list[LoggedRun]:
    """Read the run of a folder; its other files are copies, logs and code.

    Raises
    ------
    ValueError
        As `read_wandb`.
    """
    (folder,) = paths
    return [run for path in sorted(folder.glob("run-*.wandb")) for run in read_wandb([path], label)]


def read_wandb(paths: Sequence[Path], label: str) -> list[LoggedRun]:
    """Read the run of a file, up to the first record that is cut off or damaged.

    Raises
    ------
    ValueError
        If the file is of another version, or there is no number in its history.
    """
    (path,) = paths
    content = path.read_bytes()
    try:
        found = read_wandb_records(content)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {error}.") from None
    ends = np.cumsum([len(payload) for payload in found.payloads], dtype=np.int64)
    raw = padded(b"".join(found.payloads))
    records = fields_of(raw, np.concatenate([[0], ends[:-1]]).astype(np.int64), ends)
    rows, media = _history(raw, records)
    series, others = series_of(rows)
    if not series:
        raise ValueError(f"{path}: {found.fault or 'it holds no number in its history'}.")
    (tracker_id, name), settings = _settings(raw, records)
    notes = [f"{found.fault}."] if found.fault else []
    if not found.fault and not records.of(EXIT, BYTES).size:
        notes.append("the file says no end of the run, which was stopped or still goes on.")
    if n_broken := int(records.broken.sum()):
        notes.append(f"{counted(n_broken, 'record')} that are no whole messages.")
    if others := sorted({*others, *media}):
        kinds = "words, lists, histograms or media"
        notes.append(f"{counted(len(others), 'key')} left out ({kinds}): {listed(others)}.")
    if n_stats := records.of(STATS, BYTES).size:
        notes.append(f"{counted(n_stats, 'record')} of the machine's load left out.")
    return [
        LoggedRun(
            label=name or label,
            source=path.name,
            sha256=digest_of([content]),
            series=tuple(series),
            settings=settings,
            notes=tuple(notes),
            tracker_id=tracker_id,
        )
    ]


def _history(raw: Bytes, records: Fields) -> tuple[list[Row], set[str]]:
    """Return what was logged, a row a step, and the keys of what is no number."""
    of = records.of(HISTORY, BYTES)
    of = of[np.argsort(records.message[of], kind="stable")]
    history = fields_of(raw, records.start[of], records.end[of])
    rows: list[Row] = [{} for _ in of]
    steps = history.of(STEP, BYTES)
    said = fields_of(raw, history.start[steps], history.end[steps])
    for owner in history.message[steps].tolist():
        rows[owner]["_step"] = 0  # which the encoding leaves out
    numbers = said.of(1, VARINT)
    owners = history.message[steps[said.message[numbers]]]
    for owner, step in zip(owners.tolist(), said.value[numbers].tolist(), strict=True):
        rows[owner]["_step"] = step
    items = history.of(ITEM, BYTES)
    keys, values = _items(raw, history.start[items], history.end[items])
    for owner, key, value in zip(history.message[items].tolist(), keys, values, strict=True):
        if isinstance(value, dict):
            rows[owner].update({f"{key}.{name}": part for name, part in flat(value, ".").items()})
        else:
            rows[owner][key] = value
    media = {key.removesuffix(MEDIA) for key in {*chain(*rows)} if key.endswith(MEDIA)}
    inside = tuple(f"{key}." for key in media)
    if inside:
        rows = [{k: v for k, v in row.items() if not k.startswith(inside)} for row in rows]
    return rows, media


def _items(raw: Bytes, starts: Ints, ends: Ints) -> tuple[list[str], list[Any]]:
    """Return key and value of each item; the value of a damaged one is None."""
    fields = fields_of(raw, starts, ends)
    whole = raw.tobytes()
    of = np.flatnonzero((fields.number <= NESTED) & (fields.wire == BYTES))
    keys = [""] * starts.size
    for i, a, b in _places(fields, of):
        part = whole[a:b].decode("utf-8", "replace")
        keys[i] = f"{keys[i]}.{part}" if keys[i] else part
    values: list[Any] = [None] * starts.size
    for number in (JSON, VALUE_JSON):
        for i, a, b in _places(fields, fields.of(number, BYTES)):
            values[i] = _of_json(whole[a:b])
    for i, a, b in _places(fields, fields.of(TEXT, BYTES)):
        values[i] = whole[a:b].decode("utf-8", "replace")
    for i, a, _ in _places(fields, fields.of(NUMBER, EIGHT)):
        (values[i],) = struct.unpack_from("<d", whole, a)
    for k in fields.of(INTEGER, VARINT):
        bits = int(fields.value[k]) % (1 << 64)  # zigzag: the sign is the lowest bit
        values[fields.message[k]] = (bits >> 1) ^ -(bits & 1)
    for k in fields.of(BOOLEAN, VARINT):
        values[fields.message[k]] = bool(fields.value[k])
    return keys, values


def _places(fields: Fields, of: Ints) -> Iterator[tuple[int, int, int]]:
    """Yield message, start and end of some fields."""
    columns = (fields.message[of], fields.start[of], fields.end[of])
    return zip(*(column.tolist() for column in columns), strict=True)


def _of_json(text: bytes) -> Any:
    """Return what a JSON text says, None if it is damaged; float is the quicker where it can."""
    try:
        return int(text) if text.isdigit() else float(text)
    except ValueError:
        pass
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _settings(raw: Bytes, records: Fields) -> tuple[tuple[str, str], dict[str, Setting]]:
    """Return id and name of the run, and its settings as the last record of each has them."""
    names, texts, config = {RUN_ID: "", NAME: ""}, {}, dict[str, Any]()
    of = np.concatenate([records.of(CONFIG, BYTES), records.of(RUN, BYTES)])
    for i in of[np.argsort(records.message[of], kind="stable")]:
        if records.number[i] == CONFIG:
            _configure(raw, config, records.start[[i]], records.end[[i]])
            continue
        run = fields_of(raw, records.start[[i]], records.end[[i]])
        for k in np.flatnonzero(run.wire == BYTES):
            number = int(run.number[k])
            part = raw[run.start[k] : run.end[k]].tobytes()
            if number == OF_CONFIG:
                _configure(raw, config, run.start[[k]], run.end[[k]])
            elif number in names:
                names[number] = part.decode("utf-8", "replace")
            elif number in TEXTS:
                texts[TEXTS[number]] = part.decode("utf-8", "replace")
    config.pop(OWN, None)
    return (names[RUN_ID], names[NAME]), {**texts, **settings_in(config, ".")}


def _configure(raw: Bytes, config: dict[str, Any], start: Ints, end: Ints) -> None:
    """Apply the updates and removals of a configuration record."""
    fields = fields_of(raw, start, end)
    for number in (UPDATE, REMOVE):
        of = fields.of(number, BYTES)
        for key, value in zip(*_items(raw, fields.start[of], fields.end[of]), strict=True):
            config.pop(key, None)
            if number == UPDATE:
                config[key] = value
