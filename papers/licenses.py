"""Licenses of verdicts: recovery studies at the designs of the curves, on all workers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from empirics.engine import Lost, each
from empirics.provenance import processors, provenance
from fitting.comparison import Comparison
from fitting.recovery import Recovery
from fitting.trials.license import licensed
from fitting.trials.own_design import own_design
from fitting.trials.record_file import append_record, read_records
from fitting.trials.trial import Design, Record, trial
from papers.proposals import Progress
from papers.wording import duration
from theory.noise import NOISES


def license_all(
    comparisons: Sequence[Comparison],
    *,
    number: int,
    seed: int,
    folder: Path,
    progress: Progress,
    noises: Sequence[str] | None = None,
    seconds_each: float | None = None,
    n_jobs: int | None = None,
) -> tuple[Comparison, ...]:
    """Return the comparisons with their verdicts licensed or withdrawn.

    Curves that were measured at the same times share one study, whose noise is theirs in turn.

    Parameters
    ----------
    comparisons
    number : int
        Simulated curves a design.
    seed : int
    folder : Path
        Keeps a record of every simulated curve, so that the same call goes on where it stopped.
    progress : callable
        Told (label, done, total).
    noises : sequence of str, optional
        Names of what competed, if they were named.
    seconds_each : float, optional
        Wall time of one comparison, for the label.
    n_jobs : int, optional
        Processes; by default all processors. The result does not depend on it.
    """
    named = None if noises is None else tuple(NOISES[name] for name in noises)
    designs = [own_design(comparison, named) for comparison in comparisons]
    groups: dict[str, list[int]] = {}
    for i, (comparison, design) in enumerate(zip(comparisons, designs, strict=True)):
        if design is not None:
            groups.setdefault(hashlib.sha256(comparison.curve.t.tobytes()).hexdigest(), []).append(
                i
            )
    total = number * len(groups)
    label = "Simulating curves for the license"
    if seconds_each is not None:
        label += f" (about {duration(round(seconds_each * total))})"
    done = list(comparisons)
    for k, members in enumerate(groups.values()):
        chosen = [design for i in members if (design := designs[i]) is not None]

        def said(made: int, before: int = k * number) -> None:
            progress(label, before + made, total)

        recovery = _recovery(chosen, number, seed, folder, n_jobs or processors(), said)
        for i in members:
            verdict, found = licensed(comparisons[i].verdict, recovery)
            done[i] = replace(comparisons[i], verdict=verdict, license=found)
    return tuple(done)


def _recovery(
    designs: Sequence[Design],
    number: int,
    seed: int,
    folder: Path,
    n_jobs: int,
    progress: Callable[[int], None],
) -> Recovery:
    """Make the trials that are missing; designs take turns, each with all kinds of truths."""
    facts = provenance()
    changed = "+" if facts.git_dirty else ""
    code = f"{facts.versions['ontogeny']} {facts.git_commit or ''}{changed}".strip()
    path = folder / f"{_key(designs, seed)}.jsonl"
    records = {r.index: r for r, made_by in read_records(path) if made_by == code}
    progress(sum(index in records for index in range(number)))
    for record in _missing(designs, [i for i in range(number) if i not in records], seed, n_jobs):
        if record is not None:
            append_record(path, record, code=code)
            records[record.index] = record
        progress(len(records))
    progress(number)
    return Recovery(tuple(records[i] for i in range(number) if i in records))


def _missing(
    designs: Sequence[Design], indices: Sequence[int], seed: int, n_jobs: int
) -> Iterator[Record | None]:
    tasks = [(designs[i // len(designs[0].kinds) % len(designs)], i, seed) for i in indices]
    for _, made in each(_trial, tasks, n_jobs=n_jobs):
        if isinstance(made, Lost):
            raise OSError(f"a simulated curve could not be judged: {made.sentence}.")
        yield made


def _trial(task: tuple[Design, int, int]) -> Record | None:
    design, index, seed = task
    return trial(design, index, seed=seed)


def _key(designs: Sequence[Design], seed: int) -> str:
    """Hash of what the trials depend on."""
    said = [
        (
            design.template.digest,
            sorted(form.name for form in design.forms),
            None if design.noises is None else sorted(noise.name for noise in design.noises),
            design.size,
            design.kinds,
        )
        for design in designs
    ]
    return hashlib.sha256(json.dumps([seed, said]).encode()).hexdigest()[:16]
