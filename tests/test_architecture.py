"""The law of the house: who may import whom, and what importing costs."""

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("theory", "empirics", "fitting", "papers", "ontogeny")

MATHEMATICS = {"numpy", "scipy", "sympy", "networkx", "numba"}
TRAINING = {"torch", "gymnasium", "polars", "joblib", "safetensors"}
SAMPLING = {"lmfit", "pymc", "arviz", "pytensor", "threadpoolctl"}
DRAWING = {"matplotlib", "jinja2", "markupsafe"}

# What a room's own files may name in an import statement, besides the standard library.
ALLOWED = {
    "theory": {"theory"} | MATHEMATICS,
    # distributed and ray are optional, and imported where they are asked.
    "empirics": {"empirics", "theory", "distributed", "ray"} | MATHEMATICS | TRAINING,
    # pyoperon is optional, and imported where it is asked.
    "fitting": {"fitting", "theory", "pyoperon"} | MATHEMATICS | SAMPLING,
    # xarray and h5netcdf are optional, and imported where they are asked.
    "papers": {"papers", "fitting", "empirics", "theory", "xarray", "h5netcdf"}
    | MATHEMATICS
    | TRAINING
    | SAMPLING
    | DRAWING,
    "ontogeny": {"ontogeny", "papers", "fitting", "empirics", "theory", "numpy", "torch", "rich"},
}

# What must not even get loaded, through whatever detour. (ArviZ loads matplotlib by itself.)
NEVER_LOADED = {
    "theory": TRAINING | SAMPLING | DRAWING | {"pandas", "empirics", "fitting", "papers"},
    "empirics": SAMPLING | {"matplotlib", "jinja2", "fitting", "papers", "ontogeny"},
    "fitting": (TRAINING - {"joblib"}) | {"jinja2", "empirics", "papers", "ontogeny"},
    "papers": {"ontogeny"},
    "ontogeny": MATHEMATICS | TRAINING | SAMPLING | DRAWING | set(ROOMS[:4]) | {"pandas", "rich"},
}

HEAVY = MATHEMATICS | TRAINING | SAMPLING | DRAWING | {"pandas", "xarray", "rich"}

IMPORT_EVERYTHING = """
import importlib, json, pkgutil, sys
room = sys.argv[1]
package = importlib.import_module(room)
names = [m.name for m in pkgutil.walk_packages(package.__path__, room + ".")]
for name in names:
    if not name.endswith(".__main__"):
        importlib.import_module(name)
print(json.dumps([names, sorted({name.partition(".")[0] for name in sys.modules})]))
"""

IMPORT_ONE = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def in_fresh_process(code: str, *words: str) -> list[object]:
    """Run code in a new interpreter at the root and return the JSON it prints last."""
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(result, list)
    return result


def source_files(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imported_names(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, top-level package) of every import statement in a file, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module.partition(".")[0]


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_are_those_of_this_repository(room: str) -> None:
    file = importlib.import_module(room).__file__
    assert file is not None
    assert Path(file).resolve().parent.parent == ROOT


@pytest.mark.parametrize("room", ROOMS)
def test_every_submodule_imports_and_loads_nothing_forbidden(room: str) -> None:
    names, loaded = in_fresh_process(IMPORT_EVERYTHING, room)
    assert isinstance(names, list) and isinstance(loaded, list)
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in source_files(room)
    }
    assert set(names) == modules - {room}, "every folder with code in it needs an __init__.py"
    assert not NEVER_LOADED[room] & set(loaded)


@pytest.mark.parametrize("room", ROOMS)
def test_import_statements_name_only_what_the_room_may_know(room: str) -> None:
    allowed = ALLOWED[room] | sys.stdlib_module_names
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in source_files(room)
        for line, name in imported_names(path)
        if name not in allowed
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("room", ROOMS)
def test_importing_a_package_alone_is_light(room: str) -> None:
    assert not HEAVY & set(in_fresh_process(IMPORT_ONE, room))


def test_import_linter_agrees() -> None:
    pytest.importorskip("importlinter")
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_tests_have_no_packages() -> None:
    """A tests/theory/__init__.py would shadow theory."""
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_nothing_is_left_unfinished() -> None:
    marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error", "_summary" + "_"]
    folders = [ROOT / name for name in (*ROOMS, "tests", "benchmarks", ".ci")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    files += [path for path in ROOT.iterdir() if path.is_file()]
    found = [
        f"{path.relative_to(ROOT)} has {mark}"
        for path in files
        if path.suffix in {"", ".py", ".md", ".toml", ".cff", ".html", ".css", ".txt"}
        for mark in marks
        if mark in path.read_text(encoding="utf-8")
    ]
    assert not found, "\n".join(found)
