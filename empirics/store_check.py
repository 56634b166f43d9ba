"""Whether every file of a store is what it should be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from empirics.curve_table import read_entries, read_logged
from empirics.manifest import lost_files
from empirics.notes import counted, listed
from empirics.store import Store
from empirics.store_folder import files_in
from empirics.stored_run import read_run


def check_store(
    store: Store, *, progress: Callable[[str, int, int], object] | None = None
) -> Iterator[str]:
    """Read every file whole, and yield a sentence for each that is not what it should be.

    A file must be one of a store and hold what its name says, and what the manifest lists must
    be there. Of files that it does not list the others tell: a run with a record has a curve, and
    a curve the record of its run, where there are records at all.

    Parameters
    ----------
    store : Store
    progress : callable or None
        Called with (what, files done, files in all).
    """
    runs, curves = files_in(store.path / "runs"), files_in(store.path / "curves")
    recorded, held, damaged = set[str](), set[str](), False
    for done, path in enumerate([*runs, *curves], start=1):
        try:
            if done <= len(runs):
                recorded.add(path.stem)
                read_run(path)
            else:
                held |= {entry.header["run_id"] for entry in read_entries(path)}
                read_logged(path)
        except ValueError as error:
            damaged |= done > len(runs)
            yield str(error)
        if progress:
            progress("checking", done, len(runs) + len(curves))
    yield from lost_files(store.path)
    if recorded - held:
        why = "their files are missing" + (" or damaged" if damaged else ", or they never had one")
        yield f"{_runs(recorded - held)} recorded without a curve that can be read: {why}."
    if recorded and held - recorded:
        yield (
            f"{_runs(held - recorded)} with curves and without a record: their files in "
            f"{store.path / 'runs'} are missing."
        )


def _runs(run_ids: Iterable[str]) -> str:
    names = sorted(run_ids)
    return f"{counted(len(names), 'run')} ({listed(names)})"
