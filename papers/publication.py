"""What a publication claims, as `published.toml` in its folder holds it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, final

from papers.claim import Claim, Kind
from papers.json_checks import anything, list_of, mapping_of, number, one_of, record, text

CLAIM = record(
    {"name": text, "statement": text, "kind": one_of(*map(str, Kind)), "locator": text},
    {"numbers": mapping_of(number), "tolerance": number, "criterion": text, "source": text},
)
FILE = record(
    {"title": text, "source": text, "claims": list_of(CLAIM, least=1)},
    {"settings": mapping_of(anything)},
)
KEYS = {
    "file": ("claims", "settings", "source", "title"),
    "claim": tuple(sorted(Claim.__dataclass_fields__)),
}


@final
@dataclass(frozen=True)
class Publication:
    """A publication and its claims.

    Attributes
    ----------
    title : str
    source : str
        How to find it.
    claims : tuple of Claim
        In the order of the report.
    settings : mapping
        What is known of the published experiment besides: for readers, compared with nothing.

    Raises
    ------
    ValueError
        If two claims have one name.
    """

    title: str
    source: str
    claims: tuple[Claim, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))
        names = [claim.name for claim in self.claims]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"claims must have names of their own; twice: {', '.join(twice)}.")

    def claim(self, name: str) -> Claim:
        """Return a claim by name.

        Raises
        ------
        ValueError
            If there is none; those there are, sorted.
        """
        for claim in self.claims:
            if claim.name == name:
                return claim
        known = ", ".join(sorted(claim.name for claim in self.claims))
        raise ValueError(f"{self.title!r} has no claim {name!r}; choose from {known}.")


def read_publication(path: Path) -> Publication:
    """Read a `published.toml`.

    It holds `title`, `source`, an optional table `settings`, and an array of tables `claims`, each
    with the fields of `Claim`: `name`, `statement`, `kind` and `locator`; a claim of kind
    "number" has `numbers` and a `tolerance`, one of kind "shape" a `criterion` and, if there are
    any, `numbers`; `source` says whose statement it is where not the publication's.

    Raises
    ------
    ValueError
        If the file is no TOML or holds something else; in one sentence with the place.
    OSError
        If it cannot be read.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        FILE(found, "it")
        _check_keys(found, "it", KEYS["file"])
        for i, entry in enumerate(found["claims"]):
            _check_keys(entry, f"claims[{i}]", KEYS["claim"])
        claims = tuple(Claim(**entry) for entry in found["claims"])
        return Publication(found["title"], found["source"], claims, found.get("settings", {}))
    except ValueError as error:
        raise ValueError(f"{path}: {str(error).removeprefix('it.').rstrip('.')}.") from None


def _check_keys(found: Mapping[str, Any], place: str, known: tuple[str, ...]) -> None:
    unknown = sorted(set(found) - set(known))
    if unknown:
        raise ValueError(f"{place} has {', '.join(unknown)}; it may have {', '.join(known)}.")
