"""The facts that let somebody repeat the work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from papers.wording import duration, upper_first, words

KNOWN = frozenset(
    {
        "command",
        "seed",
        "git_commit",
        "git_dirty",
        "platform",
        "processor_count",
        "wall_seconds",
        "versions",
        "data",
    }
)


def provenance(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the facts that let somebody repeat the work."""
    found = document["provenance"]
    rows = [("Command", found.get("command")), ("Seed", found.get("seed"))]
    commit = found.get("git_commit")
    if commit:
        changed = {True: ", with uncommitted changes", False: ", clean"}
        rows.append(("Git commit", f"{commit}{changed.get(found.get('git_dirty'), '')}"))
    else:
        rows.append(("Git commit", "not run from a git tree"))
    rows.append(("Platform", found.get("platform")))
    rows.append(("Processors", found.get("processor_count")))
    if found.get("wall_seconds") is not None:
        rows.append(("Wall time", duration(float(found["wall_seconds"]))))
    rows += [(said(name), plain(value)) for name, value in found.items() if name not in KNOWN]
    return [(name, str(value)) for name, value in rows if value is not None]


def settings(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a study ran, flattened to one row a group and name."""
    found = (document.get("study") or {}).get("settings") or {}
    rows = []
    for group, values in found.items():
        pairs = values.items() if isinstance(values, Mapping) else [("", values)]
        for name, value in pairs:
            rows.append((said(f"{group} {name}".strip()), plain(value)))
    return [(name, value) for name, value in rows if value is not None]


def said(name: str) -> str:
    """Write the name of a fact."""
    return upper_first(words(name))


def plain(value: Any) -> str | None:
    """Write a JSON value on a line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{words(str(k))} {plain(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(plain(item)) for item in value)
    return None if value is None else str(value)
