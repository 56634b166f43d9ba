"""Foreign packages named like a room are noticed and named."""

import sys
from pathlib import Path

import pytest

import ontogeny
from ontogeny import rooms
from ontogeny.cli import main


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package named `papers` that comes first on the path, as one from PyPI would."""
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "papers"]:
        monkeypatch.delitem(sys.modules, name)
    return folder


def test_the_rooms_stand_where_they_should() -> None:
    assert rooms.shadowed_rooms() == {}
    rooms.check_rooms()


def test_a_foreign_package_is_named(foreign: Path) -> None:
    assert rooms.shadowed_rooms() == {"papers": foreign}
    with pytest.raises(ImportError, match=r"pip uninstall papers") as caught:
        rooms.check_rooms()
    assert str(foreign) in str(caught.value)


@pytest.mark.usefixtures("foreign")
def test_public_names_refuse_to_work_beside_it() -> None:
    with pytest.raises(ImportError, match="package 'papers' belongs in"):
        ontogeny.Curve  # noqa: B018


@pytest.mark.usefixtures("foreign")
def test_commands_refuse_but_the_doctor_examines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "forms"]) == 1
    assert "pip uninstall papers" in capsys.readouterr().err
    assert main(["doctor"]) == 1
    assert "SHADOWED: papers is taken from" in capsys.readouterr().out


def test_a_missing_room_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "find_spec", lambda room: None)
    with pytest.raises(ImportError, match="package 'theory' belongs in .* but is missing"):
        rooms.check_rooms()
