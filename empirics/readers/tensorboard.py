"""Runs logged for TensorBoard, read without it: all event files of a folder are one run.

Where a run was resumed, what was written later counts, tag by tag (`empirics.readers.series`); and
where a session says the step at which it starts, all tags from there on are those of the session,
as TensorBoard has it. Files that were written at the same time under the same tags are of several
runs. CleanRL's names of runs (``environment__script__seed__time``) and its table of
hyper-parameters are settings.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from empirics.notes import counted, listed
from empirics.readers.cells import Setting, setting
from empirics.readers.events import Events, read_events
from empirics.readers.series import LoggedRun, Series, digest_of
from empirics.readers.tfrecord import is_tfrecord
from theory.curve import Progress

NAME = "tfevents"
CLEANRL = re.compile(r"(?P<env_id>.+?)__(?P<exp_name>.+)__(?P<seed>-?\d{1,18})__\d{6,}", re.ASCII)
TABLE = "hyperparameters"
# Whose step is known to count environment steps, by a key of theirs.
ENV_STEPS = ("charts/episodic_return", "rollout/ep_rew_mean", "time/fps")


def is_event_file(path: Path, head: bytes) -> bool:
    """Tell whether a file is one of TensorBoard's, by its name or by its first checksum."""
    return NAME in path.name or is_tfrecord(head)


def read_event_files(paths: Sequence[Path], label: str) -> list[LoggedRun]:
    """Read the event files of a folder.

    Parameters
    ----------
    paths : sequence of Path
    label : str
        The run's name.

    Returns
    -------
    list of LoggedRun
        One, or one a file where several runs wrote into one folder.

    Raises
    ------
    ValueError
        If there is no scalar.
    """
    files = [(path, path.read_bytes()) for path in paths]
    found = [(path, content, read_events(content)) for path, content in files]
    found.sort(key=lambda file: (file[2].wall_time.min(initial=np.inf), file[0].name))
    with_scalars = [file for file in found if file[2].y.size]
    if not with_scalars:
        path, content, events = found[0]
        reason = "is empty (0 bytes)" if not content else events.fault or "holds no scalar"
        raise ValueError(f"{path}: {reason}." if events.fault else f"{path} {reason}.")
    if not _written_together([events for _, _, events in with_scalars]):
        return [_run(found, label)]
    said = "several files of the folder were written at one time under one tag: a run each."
    return [_run([file], f"{label}/{file[0].name}", (said,)) for file in with_scalars]


def _written_together(files: Sequence[Events]) -> bool:
    """Tell whether a file goes on after the next one began, under a tag that both have."""
    for one, other in zip(files, files[1:], strict=False):
        if one.wall_time.max() > other.wall_time.min():
            both = {one.tags[i] for i in one.tag} & {other.tags[i] for i in other.tag}
            if both:
                return True
    return False


def _run(
    files: Sequence[tuple[Path, bytes, Events]], label: str, notes: tuple[str, ...] = ()
) -> LoggedRun:
    by_tag, n_purged = _by_tag([events for _, _, events in files])
    if not by_tag:
        raise ValueError(f"{files[0][0]} holds no scalar before a session that starts anew.")
    began = min(float(rows[1].min()) for rows in by_tag.values())
    series = tuple(
        Series(tag, {"step": step, "wall_time": wall_time - began}, y)
        for tag, (step, wall_time, y) in sorted(by_tag.items())
    )
    if n_purged:
        rows = counted(n_purged, "row")
        notes = (*notes, f"{rows} left out: a later session says it starts at an earlier step.")
    texts = {tag: text for _, _, events in reversed(files) for tag, text in events.texts.items()}
    return LoggedRun(
        label=label,
        source=listed((path.name for path, _, _ in files), 2),
        sha256=digest_of(content for _, content, _ in files),
        series=series,
        settings={**_of_name(label), **_of_table(texts)},
        units={"step": Progress.ENV_STEPS} if any(key in by_tag for key in ENV_STEPS) else {},
        notes=(*notes, *_faults(files), *_left_out([events for _, _, events in files])),
    )


Columns = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def _by_tag(files: Sequence[Events]) -> tuple[dict[str, Columns], int]:
    """Return step, wall time and value of each tag, and how many rows sessions took back."""
    names = {name: i for i, name in enumerate(dict.fromkeys(n for f in files for n in f.tags))}
    tag = [np.array([names[name] for name in each.tags])[each.tag] for each in files]
    table = [np.concatenate([getattr(f, name) for f in files]) for name in ("step", "wall_time")]
    step, wall_time, y = *table, np.concatenate([each.y for each in files])
    tags, kept, before = np.concatenate(tag), np.ones(y.size, dtype=np.bool_), 0
    for each in files:
        for n, start in each.starts:
            kept[: before + n] &= step[: before + n] < start
        before += each.y.size
    order = np.flatnonzero(kept)
    order = order[np.argsort(tags[order], kind="stable")]
    firsts = np.flatnonzero(np.diff(tags[order], prepend=-1))
    parts = np.split(order, firsts[1:])
    labels = list(names)
    by_tag = {
        labels[tags[part[0]]]: (step[part], wall_time[part], y[part]) for part in parts if part.size
    }
    return by_tag, int((~kept).sum())


def _of_name(label: str) -> dict[str, Setting]:
    found = [match for part in label.split("/") if (match := CLEANRL.fullmatch(part))]
    return {name: setting(said) for match in found for name, said in match.groupdict().items()}


def _of_table(texts: Mapping[str, str]) -> dict[str, Setting]:
    """Return the rows ``|name|value|`` of the text of hyper-parameters."""
    text = next((text for tag, text in texts.items() if tag.startswith(TABLE)), "")
    rows = [line.strip() for line in text.splitlines()]
    cells = [row[1:-1].split("|", 1) for row in rows if row[:1] == "|" and row[-1:] == "|"]
    pairs = [row for row in cells if len(row) == 2]
    return {name.strip(): setting(said) for name, said in pairs[2:] if name.strip()}


def _faults(files: Sequence[tuple[Path, bytes, Events]]) -> list[str]:
    cut = [f"{path.name}: {events.fault}." for path, _, events in files if events.fault]
    broken = sum(events.n_broken for _, _, events in files)
    return [*cut, *([f"{counted(broken, 'record')} that are no whole events."] if broken else [])]


def _left_out(files: Sequence[Events]) -> list[str]:
    counts = Counter[str]()
    for events in files:
        counts.update(dict(events.left_out))
        counts["texts"] -= sum(tag.startswith(TABLE) for tag in events.texts)
    return [f"{counted(n, 'tag')} left out ({kind})." for kind, n in (+counts).items()]
