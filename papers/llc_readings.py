"""The readings of checkpoints as people read them: a line each, and a table."""

from __future__ import annotations

from pathlib import Path

from empirics.atomically import write_text
from empirics.llc.kept_readings import KeptReading, KeptReadings
from empirics.llc.reading import LLCReading
from papers.tables import Table, to_markdown

FILE = "llc_readings.md"


def value_and_error(reading: LLCReading) -> str:
    """Return the coefficient with its standard error in words; no value is said so."""
    if reading.llc is None:
        return "no value."
    return f"{reading.llc:.3g} ± {reading.llc_se or 0.0:.2g}."


def write_readings(folder: Path) -> Path | None:
    """Write the table of all readings that a folder keeps; None where it keeps none."""
    kept = sorted(KeptReadings(folder), key=lambda k: (k.settings.observable, k.run, k.env_steps))
    if not kept:
        return None
    path = folder / FILE
    write_text(path, to_markdown(readings_table(kept)) + "\n")
    return path


def readings_table(kept: list[KeptReading]) -> Table:
    """Return readings with how they were made and what speaks against them."""
    rows = tuple(
        (
            each.run,
            each.env_steps,
            each.settings.observable,
            reading.llc,
            reading.llc_se,
            reading.virial,
            reading.rhat,
            reading.ess,
            reading.step_size,
            reading.localization,
            reading.nbeta,
            each.settings.states,
            reading.num_samples,
            " ".join(reading.doubts),
        )
        for each in kept
        for reading in (each.reading,)
    )
    columns = ("run", "env_steps", "observable", "llc", "se", "virial", "rhat", "ess")
    settings = ("step_size", "localization", "nbeta", "states", "n", "doubts")
    return Table("Readings of checkpoints", (*columns, *settings), rows, digits=3)
