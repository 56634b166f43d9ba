"""`ontogeny doctor`: what is installed, what is shadowed, what a GPU would add."""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata

from ontogeny.command import write_listing
from ontogeny.rooms import HOME, shadowed_rooms

SUMMARY = "what is installed, what is shadowed, what a GPU would add"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare nothing: the doctor looks at everything."""


def run(args: argparse.Namespace) -> int:
    """Examine the installation; exit code 1 if Ontogeny cannot work as it is."""
    shadowed = shadowed_rooms()
    missing = [name for name in requirements() if not version(name)]
    findings = {
        "python": f"{platform.python_version()} at {sys.executable}",
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "packages": ", ".join(f"{name} {version(name) or 'MISSING'}" for name in requirements()),
        "optional": optional_sentence(),
        "rooms": rooms_sentence(),
        "compiler": "not examined: fitting is not ours" if "fitting" in shadowed else compiler(),
        "gpu": "not examined: torch is missing" if "torch" in missing else gpu(),
    }
    healthy = not shadowed and not missing
    findings["verdict"] = (
        "Ontogeny can work." if healthy else "Ontogeny cannot work as it is: see above."
    )
    if not args.quiet:
        for name, finding in findings.items():
            print(f"{name + ':':10} {finding}")
    elif not healthy:
        print(f"ontogeny doctor: {_why(shadowed, missing)}", file=sys.stderr)
    write_listing(args, {"schema": 1, "command": "doctor", "healthy": healthy, **findings})
    return 0 if healthy else 1


def _why(shadowed: Mapping[str, object], missing: Sequence[str]) -> str:
    """Say in a sentence why Ontogeny cannot work."""
    reasons = [f"not installed: {', '.join(missing)}"] if missing else []
    reasons += [rooms_sentence()] if shadowed else []
    return f"Ontogeny cannot work as it is: {'; '.join(reasons)}."


def requirements() -> list[str]:
    """Return the names of the distributions that this installation cannot do without."""
    return ["ontogeny", *(name for name, extra in _dependencies() if not extra)]


def optional_sentence() -> str:
    """Say which distributions of the extras are here."""
    return ", ".join(
        f"{name} {version(name) or f'not installed (pip install ontogeny[{extra}])'}"
        for name, extra in _dependencies()
        if extra
    )


def _dependencies() -> list[tuple[str, str]]:
    """Return name and extra ("" where required) of every distribution that ontogeny declares."""
    try:
        lines = metadata.requires("ontogeny") or []
    except metadata.PackageNotFoundError:
        lines = []
    found = {}
    for line in lines:
        requirement, _, marker = line.partition(";")
        name = re.split(r"[<>=!~\[ (]", requirement.strip(), maxsplit=1)[0]
        extra = re.search(r"extra *== *['\"](.+?)['\"]", marker)
        found[name] = extra.group(1) if extra else ""
    return list(found.items())


def version(name: str) -> str | None:
    """Return the installed version of a distribution, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def rooms_sentence() -> str:
    """Say where the rooms are, or which are shadowed."""
    shadowed = shadowed_rooms()
    if not shadowed:
        return f"all four beside ontogeny in {HOME}"
    found = ", ".join(
        f"{room} is {'missing' if path is None else f'taken from {path}'}"
        for room, path in shadowed.items()
    )
    return f"SHADOWED: {found}; they belong in {HOME}"


def compiler() -> str:
    """Say what PyTensor compiles with."""
    from fitting.sampling.compiler import compiler as find_compiler
    from fitting.sampling.compiler import missing

    reason = missing()
    if reason:
        return f"{reason}, so PyMC samples with Numba"
    return f"PyTensor compiles C++ with {find_compiler()}"


def gpu() -> str:
    """Say whether torch sees a GPU, and what one is good for."""
    import torch

    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()} (device='cuda' trains networks on it)"
    return "none seen by torch, and none is needed; one would speed up convolutional agents"
