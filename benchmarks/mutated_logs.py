"""What readers make of damaged and hostile logs: files that are cut, flipped, spliced, or traps.

Every format is written here, small, and mutated at random: cut off at a random byte; one bit
flipped; eight bytes set to 255, which is a length beyond all bounds where it hits one; a stretch
left out, or doubled. To these come traps made on purpose: archives that unpack to gigabytes, arrays
that claim 10¹⁵ numbers, JSON nested 100,000 deep, pickles, names that lead out of a folder. Each
file is read with at most 1.5 GiB of memory more and at most 1 s and 1 s a megabyte.

A reading is *right* if every curve is that of the whole log or a beginning of it, *gap* if whole
points are missing from it (a checksum of every record does not tell that some are gone), *said* if
it is another and a note or a rejection says what happened, *unsaid* if it is another and nothing
says so. Formats with checksums owe it never to be unsaid; a text does not say that a digit was
flipped in it, so there only cuts count. Run from the repository root:

    python -m benchmarks.mutated_logs  # writes benchmarks/mutated_logs.md, some minutes
"""

from __future__ import annotations

import argparse
import resource
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import final

import numpy as np

from benchmarks.mutated_samples import CHECKED, SAMPLES, TRAPS
from empirics.provenance import provenance
from empirics.readers import read_curves
from empirics.store import Store

PAGE = Path(__file__).with_suffix(".md")
MEMORY = 3 * 2**29
"""Bytes of address space that reading may add."""

OUTCOMES = ("right", "gap", "said", "refused", "other", "unsaid", "crash", "slow")

Rows = dict[tuple[str, str], list[tuple[float, float]]]
Mutation = Callable[[bytearray, np.random.Generator], None]


def cut(content: bytearray, rng: np.random.Generator) -> None:
    """Leave out everything from a random byte on."""
    del content[int(rng.integers(len(content))) :]


def flip(content: bytearray, rng: np.random.Generator) -> None:
    """Flip one bit."""
    content[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))


def inflate(content: bytearray, rng: np.random.Generator) -> None:
    """Set eight bytes to 255: a hostile length where they hit one."""
    place = int(rng.integers(len(content)))
    content[place : place + 8] = b"\xff" * 8


def leave_out(content: bytearray, rng: np.random.Generator) -> None:
    """Leave out a stretch of at most a tenth."""
    place = int(rng.integers(len(content)))
    del content[place : place + 1 + int(rng.integers(max(1, len(content) // 10)))]


def double(content: bytearray, rng: np.random.Generator) -> None:
    """Repeat a stretch of at most a tenth."""
    place = int(rng.integers(len(content)))
    size = 1 + int(rng.integers(max(1, len(content) // 10)))
    content[place:place] = content[place : place + size]


MUTATIONS: Mapping[str, Mutation] = {
    "cut": cut,
    "flip": flip,
    "inflate": inflate,
    "leave out": leave_out,
    "double": double,
}


@final
@dataclass
class Tally:
    """What became of the files of one format."""

    counts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    faults: list[str] = field(default_factory=list)

    def add(self, outcome: str, seconds: float, where: str) -> None:
        """Count a file; one that should not be is named."""
        self.counts[outcome] += 1
        self.slowest = max(self.slowest, seconds)
        if outcome in ("unsaid", "crash", "slow"):
            self.faults.append(f"{where}: {outcome}")


def rows_of(path: Path) -> tuple[Rows, bool]:
    """Return the points of every curve, and whether something is said about them."""
    found = read_curves(path)
    rows = {
        (curve.run, curve.observable): list(zip(curve.t.tolist(), curve.y.tolist(), strict=True))
        for curve in found.curves
    }
    return rows, bool(found.rejected) or len(found.notes) > 0


def outcome_of(path: Path, whole: tuple[Rows, bool], owes: bool) -> str:
    """Read a file; return what became of it."""
    try:
        rows, said = rows_of(path)
    except ValueError as error:
        return "crash" if "\n" in str(error) else "refused"
    except TimeoutError:
        return "slow"
    except Exception:
        return "crash"
    known = whole[0]
    if not known:  # a trap: what was read goes into a store, beside which nothing must appear
        Store(path.parent / "store").append(read_curves(path))
    right = all(
        key in known and points == known[key][: len(points)] for key, points in rows.items()
    )
    if right:
        return "right"
    if all(key in known and is_within(points, known[key]) for key, points in rows.items()):
        return "gap"
    return "said" if said and not whole[1] else "unsaid" if owes else "other"


def is_within(points: list[tuple[float, float]], whole: list[tuple[float, float]]) -> bool:
    """Tell whether points are some of the whole's, in its order."""
    left = iter(whole)
    return all(point in left for point in points)


def within(seconds: float, call: Callable[[], str]) -> str:
    """Return what a call returns; `TimeoutError` is raised in it after so many seconds."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return call()
    except TimeoutError:  # between the end of the call and here
        return "slow"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def cases(each: int, seed: int) -> Iterator[tuple[str, str, str, bytes, bytes, bool]]:
    """Yield format, mutation, file name, whole content, mutated content, whether it owes."""
    rng = np.random.default_rng(seed)
    for kind, (name, content) in SAMPLES.items():
        for mutation, mutate in MUTATIONS.items():
            for _ in range(each):
                mutated = bytearray(content)
                mutate(mutated, rng)
                owes = kind in CHECKED or mutation == "cut"
                yield kind, mutation, name, content, bytes(mutated), owes
    for kind, traps in TRAPS.items():
        for name, content in traps:
            yield f"traps: {kind}", "trap", name, b"", content, False


def study(each: int, seed: int) -> dict[str, Tally]:
    """Read all mutated files; return what became of them by format."""
    tallies: dict[str, Tally] = {}
    wholes: dict[str, tuple[Rows, bool]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (kind, mutation, name, content, mutated, owes) in enumerate(cases(each, seed)):
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content and kind not in wholes:
                path.write_bytes(content)
                wholes[kind] = rows_of(path)
            path.write_bytes(mutated)
            limit, began = 1.0 + len(mutated) / 2**20, time.process_time()
            whole = wholes.get(kind, ({}, False))
            outcome = within(10 * limit, lambda: outcome_of(path, whole, owes))  # noqa: B023
            seconds = time.process_time() - began
            if seconds > limit:
                outcome = "slow"
            tallies.setdefault(kind, Tally()).add(outcome, seconds, f"{kind}, {mutation} {number}")
            path.unlink()
        out = [*Path(folder).parent.glob("*sprung*"), *Path().glob("*sprung*")]
        if out:
            tallies["traps: pickles"].add("crash", 0.0, f"{out} were written")
    return tallies


def page(tallies: Mapping[str, Tally], seed: int, version: str, seconds: float) -> str:
    """Return the page."""
    total = sum(tally.counts.total() for tally in tallies.values())
    faults = [fault for tally in tallies.values() for fault in tally.faults]
    lines = [
        "# What readers make of damaged and hostile logs",
        "",
        f"`python -m benchmarks.mutated_logs` (seed {seed}); see there for what the columns mean.",
        f"Made by {version} in {seconds:.0f} s: {total:,} files, {len(faults)} of them read",
        "wrongly without a word, with a crash, or too slowly.",
        "",
        f"| format | files | {' | '.join(OUTCOMES)} | slowest, s |",
        "|---|" + "---:|" * (len(OUTCOMES) + 2),
    ]
    for kind, tally in tallies.items():
        numbers = [tally.counts[name] for name in OUTCOMES]
        cells = " | ".join(str(number) for number in numbers)
        lines.append(f"| {kind} | {tally.counts.total()} | {cells} | {tally.slowest:.2f} |")
    lines += ["", *(f"- {fault}" for fault in faults[:40])]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Run the study and write its page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=150, help="files a format and mutation")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * 4096
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, hard))
    began = time.process_time()
    tallies = study(options.each, options.seed)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    content = provenance().content()
    version = f"{content['versions']['ontogeny']} {str(content['git_commit'])[:7]}"
    text = page(tallies, options.seed, version, time.process_time() - began)
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
