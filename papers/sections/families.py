"""The probability of each shape, and how it depends on the priors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from papers.tables import Table
from papers.wording import family_words


def families(curve: Mapping[str, Any]) -> Table:
    """Return family probabilities with error and the band over prior widths."""
    band = curve.get("sensitivity") or {}
    errors = curve.get("family_se") or {}
    rows = tuple(
        (family_words(family), value, errors.get(family), *(p.get(family) for p in band.values()))
        for family, value in curve["family_probabilities"].items()
    )
    columns = ("shape", "probability", "se", *(f"priors × {scale}" for scale in band))
    places = {column: 3 for column in columns[1:]}
    return Table("Probability of each shape", columns, rows, decimals=places)
