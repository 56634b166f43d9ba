"""All generating mechanisms by name: what the modules of this folder define, and a user's own."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType, ModuleType

import theory.mechanisms
from theory.mechanism import Mechanism

ENTRY_POINTS = "ontogeny.mechanisms"
"""Group under which an installed package names modules with mechanisms."""


def mechanisms_of(module: ModuleType) -> Iterator[Mechanism]:
    """Yield the mechanisms that a module defines at its top level, in the order of the file."""
    yield from (value for value in vars(module).values() if isinstance(value, Mechanism))


def read_mechanisms(path: Path) -> tuple[Mechanism, ...]:
    """Run a Python file of the user's and return the mechanisms that it defines.

    Raises
    ------
    ValueError
        If there is no such file, it fails, or it defines none.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such file; give a Python file that defines a Mechanism.")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ValueError(f"{path} failed: {type(error).__name__}: {error}") from error
    found = tuple(mechanisms_of(module))
    if not found:
        raise ValueError(f"{path} defines no Mechanism at its top level.")
    return found


def _modules() -> Iterator[ModuleType]:
    for info in pkgutil.iter_modules(theory.mechanisms.__path__):
        if info.name != "registry":
            yield importlib.import_module(f"theory.mechanisms.{info.name}")
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        yield point.load()


def _registered() -> dict[str, Mechanism]:
    found: dict[str, Mechanism] = {}
    for module in _modules():
        for mechanism in mechanisms_of(module):
            if found.setdefault(mechanism.name, mechanism) is not mechanism:
                raise ValueError(f"two mechanisms are named {mechanism.name!r}.")
    return found


MECHANISMS: Mapping[str, Mechanism] = MappingProxyType(_registered())
