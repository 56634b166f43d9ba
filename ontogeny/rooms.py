"""The four rooms, and whether another package stands in the place of one.

`fitting` and `papers` are also names of unrelated packages on PyPI, and a folder of either name in
the current directory hides ours. Without this check that ends in a puzzling import error.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

ROOMS = ("theory", "empirics", "fitting", "papers")
HOME = Path(__file__).resolve().parents[1]


def room_path(room: str) -> Path | None:
    """Return the folder that `import room` would find, or None; nothing is imported."""
    spec = find_spec(room)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))).resolve()


def shadowed_rooms() -> dict[str, Path | None]:
    """Return the rooms that do not lie beside `ontogeny`, each with the folder found instead."""
    found = {room: room_path(room) for room in ROOMS}
    return {room: path for room, path in found.items() if path is None or path.parent != HOME}


def check_rooms() -> None:
    """Refuse to work with a foreign package in the place of a room.

    Raises
    ------
    ImportError
        If a room is missing or lies elsewhere than beside `ontogeny`.
    """
    for room, path in shadowed_rooms().items():
        where = "is missing" if path is None else f"is found at {path}"
        raise ImportError(
            f"Ontogeny's package {room!r} belongs in {HOME} but {where}; uninstall the foreign "
            f"package of that name (pip uninstall {room}), or work from another folder, "
            "and install Ontogeny again."
        )
