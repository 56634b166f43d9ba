"""Bad curves end with one clear sentence and exit code 1, whichever command reads them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ontogeny.cli import main

Rows = list[tuple[float, float]]

READING = ("import", "propose", "compare")

BAD = {
    "NaN": (
        lambda rows: [(t, float("nan") if t == 500 else y) for t, y in rows],
        "y must be finite; y[5] = nan.",
    ),
    "unsorted t": (
        lambda rows: rows[30:] + rows[:30],
        "t must be strictly increasing; t[29] = 5900.0 is followed by 0.0.",
    ),
    "duplicate t": (
        lambda rows: [row for row in rows for _ in range(2)],
        "60 of 60 values of t are repeated",
    ),
    "words for numbers": (
        lambda rows: [(t, "high") for t, _ in rows],
        "no column of numbers besides 'env_steps'",
    ),
    "a header only": (lambda rows: [], "holds no rows below its header"),
}


def only_sentence(capsys: pytest.CaptureFixture[str], command: str) -> str:
    """Return the one line of standard error; nothing else may be said."""
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1, captured.err
    assert captured.err.startswith(f"ontogeny {command}: ")
    return captured.err


@pytest.mark.parametrize("command", READING)
@pytest.mark.parametrize("what", BAD)
def test_bad_tables(
    command: str,
    what: str,
    rising: Rows,
    table: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil, sentence = BAD[what]
    assert main([command, str(table(spoil(rising))), "--out", str(tmp_path / "out")]) == 1
    assert sentence in only_sentence(capsys, command)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", READING)
def test_an_empty_file(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "empty.csv"
    path.touch()
    assert main([command, str(path), "--out", str(tmp_path / "out")]) == 1
    assert "is empty" in only_sentence(capsys, command)


@pytest.mark.parametrize("command", READING)
def test_a_missing_file(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, str(tmp_path / "no.csv"), "--out", str(tmp_path / "out")]) == 1
    assert "no.csv does not exist" in only_sentence(capsys, command)


@pytest.mark.parametrize("command", READING)
def test_a_wrong_column_name_offers_the_nearest(
    command: str, rising: Rows, table: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, str(table(rising)), "--y", "episodic_retrun"]) == 1
    assert "nearest: 'episodic_return'" in only_sentence(capsys, command)


@pytest.mark.parametrize("command", READING)
def test_a_store_of_another_version(
    command: str,
    rising: Rows,
    table: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = tmp_path / "store"
    assert main(["import", str(table(rising)), "--out", str(store), "--quiet"]) == 0
    assert capsys.readouterr().out == f"{store}\n"
    (file,) = [path for path in store.iterdir() if path.is_file()]
    document = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(document | {"version": 99}), encoding="utf-8")
    assert main([command, str(store), "--out", str(tmp_path / "out")]) == 1
    assert "format version 99" in only_sentence(capsys, command)


def test_a_folder_that_is_no_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "store", str(tmp_path)]) == 1
    assert "is not a store" in only_sentence(capsys, "show")


def test_import_makes_a_store_and_show_lists_it(
    rising: Rows, table: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    assert main(["import", str(table(rising)), "--out", str(store)]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == str(store)
    assert captured.err == "importing: 1/1\n"
    assert main(["show", "store", str(store)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "runs"
    assert shown[1] == "    episodic_return, 60 points over env_steps 0 to 5900"
