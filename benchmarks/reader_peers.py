"""Event files by somebody else's reader, run by the Python of that package's own environment.

    PYTHON benchmarks/reader_peers.py event_accumulator|tbparse FOLDER

Prints one line of JSON: seconds of wall and processor time, scalars read and their sum. What the
package needs is imported before the clock starts.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path


def by_event_accumulator(folder: Path) -> list[float]:
    """Return every scalar of every run, with TensorBoard's limit of 10,000 a tag off."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = []
    for run in sorted({file.parent for file in folder.rglob("*tfevents*")}):
        reader = EventAccumulator(str(run), size_guidance={"scalars": 0})
        reader.Reload()
        for tag in reader.Tags()["scalars"]:
            found += [event.value for event in reader.Scalars(tag)]
    return found


def by_tbparse(folder: Path) -> list[float]:
    """Return every scalar as tbparse's table has it."""
    from tbparse import SummaryReader

    return list(SummaryReader(str(folder), extra_columns={"dir_name"}).scalars["value"])


READERS = {"event_accumulator": by_event_accumulator, "tbparse": by_tbparse}


def main() -> None:
    """Read once and say how long it took."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    __import__("tbparse" if name == "tbparse" else "tensorboard")
    import tensorboard.backend.event_processing.event_accumulator  # noqa: F401

    wall, processor = time.perf_counter(), time.process_time()
    values = READERS[name](folder)
    took = time.perf_counter() - wall, time.process_time() - processor
    print(json.dumps({"seconds": took, "scalars": len(values), "sum": sum(map(float, values))}))


if __name__ == "__main__":
    main()
