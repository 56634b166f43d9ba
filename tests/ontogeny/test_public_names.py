"""`import ontogeny as og`: every public name is there, and none costs anything before its use."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import ontogeny


@pytest.mark.parametrize("name", ontogeny.__all__)
def test_every_public_name_is_the_one_of_its_room(name: str) -> None:
    module, attribute = ontogeny._HOMES[name]
    assert getattr(ontogeny, name) is getattr(import_module(module), attribute)


def test_lists_agree() -> None:
    assert sorted(ontogeny.__all__) == sorted(ontogeny._HOMES)
    assert set(ontogeny.__all__) <= set(dir(ontogeny))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'propse'"):
        ontogeny.propse  # noqa: B018


def test_names_are_found_from_any_folder(tmp_path: Path) -> None:
    code = "import ontogeny as og; print(og.Curve.__module__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "theory.curve"
