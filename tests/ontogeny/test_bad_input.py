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
        "t goes back from 5900.0 to 0.0 in row 31: ",
    ),
    "duplicate t": (
        lambda rows: [(t, y + i) for t, y in rows for i in range(2)],
        "60 of 60 values of t are repeated",
    ),
    "words for numbers": (
        lambda rows: [(t, "high") for t, _ in rows],
        "no column of numbers besides 'env_steps'",
    ),
    "dates for t": (
        lambda rows: [(f"2024-01-{i + 1:02}", y) for i, (_, y) in enumerate(rows[:30])],
        "it says '2024-01-01' (a date: write it as a number",
    ),
    "t too large to count": (
        lambda rows: [(2**53 + i, y) for i, (_, y) in enumerate(rows)],
        "beyond 2**53 = 9007199254740992 different whole numbers become one",
    ),
    "a header only": (lambda rows: [], "holds no rows below its header"),
}

# What people have that is no table: the file's content, and what is said about it.
FILES = {
    "nothing": (b"", "is empty (0 bytes)"),
    "binary garbage": (bytes(range(256)) * 4, "is not UTF-8 text; save the table as UTF-8."),
    "UTF-16": ("t,y\n0,1\n".encode("utf-16"), "is not UTF-8 text; save the table as UTF-8."),
    "latin-1": ("t,y,é\n0,1,2\n".encode("latin-1"), "is not UTF-8 text; save the table as UTF-8."),
    "old Mac lines": (b"t,y\r0,1\r1,2\r", "ends its lines with a carriage return alone"),
    "no header": (b"0,1\n1,2\n", "has no header: its first line holds numbers (0, 1);"),
    "repeated t": (b"t,t,y\n0,1,2\n", "has 2 columns named 't'; give each column its own name."),
    "repeated y": (b"t,y,y\n0,1,2\n", "has 2 columns named 'y'; give each column its own name."),
    "decimal commas": (b"t;y\n0;0,5\n1;0,7\n", "'0,5' (a decimal comma: write decimals with a"),
    "damaged Parquet": (b"PAR1 and no more", "is damaged and cannot be read"),
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
@pytest.mark.parametrize("what", FILES)
def test_files_that_are_no_table(
    command: str, what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, sentence = FILES[what]
    path = tmp_path / "runs.csv"
    path.write_bytes(content)
    assert main([command, str(path), "--out", str(tmp_path / "out")]) == 1
    said = only_sentence(capsys, command)
    assert sentence in said
    assert str(path) in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", READING)
@pytest.mark.parametrize("options", [[], ["--t", "step"]])
def test_a_folder_without_logs_is_no_table(
    command: str, options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "README.md").write_text("No log is here.\n", encoding="utf-8")
    assert main([command, str(tmp_path), *options, "--out", str(tmp_path / "out")]) == 1
    assert f"{tmp_path} is not a store; give the folder that" in only_sentence(capsys, command)


@pytest.mark.parametrize("command", READING)
def test_a_device_is_no_table(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "/dev/null"]) == 1
    assert "/dev/null is neither a file nor a folder" in only_sentence(capsys, command)


@pytest.mark.parametrize("command", READING)
def test_lists_tell_no_runs_apart(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import polars as pl

    path = tmp_path / "x.parquet"
    pl.DataFrame({"t": [0, 1], "y": [1, 2], "who": [[1], [2]]}).write_parquet(path)
    assert main([command, str(path), "--run", "who", "--out", str(tmp_path / "out")]) == 1
    assert "holds List(Int64); run must be words or numbers." in only_sentence(capsys, command)


@pytest.mark.parametrize("command", READING)
def test_a_unit_of_progress_that_is_not_there(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "x.csv", "--progress", "steps"])
    assert ended.value.code == 2
    assert "--progress: invalid choice: 'steps'" in capsys.readouterr().err


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
