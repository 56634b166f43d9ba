"""What every study puts on record, and how it ends: results, then the report."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from empirics.provenance import provenance
from papers.proposals import Progress
from papers.report import render
from papers.results import write


def check_scale(scale: str, known: Collection[str]) -> None:
    """Check the name of a scale.

    Raises
    ------
    ValueError
        If the scale is unknown.
    """
    if scale not in known:
        raise ValueError(f"no scale {scale!r}; choose from {', '.join(sorted(known))}.")


def facts_of(
    study: str, *, command: str, scale: str, seed: int, out: Path, began: float, **more: Any
) -> dict[str, Any]:
    """Return the provenance of a study's results.

    Parameters
    ----------
    study : str
        Its name.
    command : str
        The command line; where it is empty, the one that does this.
    scale, seed, out
        What the study was asked for.
    began : float
        `time.monotonic` when it began.
    **more
        What this study records besides.
    """
    return {
        "command": command or f"ontogeny study {study} --scale {scale} --seed {seed} --out {out}",
        "seed": seed,
        **more,
        "wall_seconds": time.monotonic() - began,
        **provenance().content(),
    }


def finish(out: Path, document: Mapping[str, Any], *, progress: Progress) -> Path:
    """Write the results document and its report; return the path of the report."""
    progress("Writing the report", 0, 1)
    write(out, document)
    report = render(out)
    progress("Writing the report", 1, 1)
    return report
