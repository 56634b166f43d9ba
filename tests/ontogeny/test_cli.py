"""The command line: starts at once, and ends with a sentence and the right code."""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ontogeny import cli
from ontogeny.cli import COMMANDS, main
from ontogeny.command import UsageError, check_names

ROOT = Path(cli.__file__).parents[1]


def command_that(action: object) -> SimpleNamespace:
    """Return a command whose work is `action`."""

    def run(args: argparse.Namespace) -> int:
        if isinstance(action, BaseException):
            raise action
        return 0

    return SimpleNamespace(SUMMARY="a command", add_arguments=lambda parser: None, run=run)


def test_help_loads_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; before = set(sys.modules)\n"
        "from ontogeny.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new - set(sys.stdlib_module_names)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "['ontogeny']"
    for name in COMMANDS:
        assert f"    {name} " in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_the_common_options(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for option in ("--seed N", "--out FOLDER", "--json FILE", "--quiet"):
        assert option in text


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["no-such-command"],
        ["propose"],
        ["propose", "a.csv", "--seed", "-1"],
        ["propose", "a.csv", "--seed", "x"],
        ["study", "goal-switch", "--scale", "huge"],
        ["show", "no-such-shelf"],
    ],
)
def test_wrong_usage_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (ValueError("t must be strictly\nincreasing; t[1] = 2.0"), 1, "increasing; t[1] = 2.0."),
        (UsageError("Name a study."), 2, "Name a study."),
        (FileNotFoundError(2, "No such file or directory", "a.csv"), 1, "a.csv: No such file"),
        (ModuleNotFoundError("No module named 'torch'"), 1, "'ontogeny doctor' says what is"),
        (ValueError(), 1, "ValueError."),
    ],
)
def test_errors_become_one_sentence_and_a_code(
    error: Exception,
    code: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(cli, "COMMANDS", {"work": command_that(error)})
    assert main(["work"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("ontogeny work: ")
    assert captured.err.count("\n") == 1
    assert sentence in captured.err


def test_the_traceback_is_kept_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "COMMANDS", {"work": command_that(ValueError("broken"))})
    monkeypatch.setenv("ONTOGENY_TRACEBACK", "1")
    with pytest.raises(ValueError, match="broken"):
        main(["work"])


def test_interruption_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "COMMANDS", {"work": command_that(KeyboardInterrupt())})
    assert main(["work", "--out", "my results"]) == 130
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.endswith("the same command goes on: ontogeny work --out 'my results'\n")


def test_unknown_names_offer_the_nearest() -> None:
    check_names(["logistic"], ["hill", "logistic"], "form")
    with pytest.raises(UsageError, match=r"'logistc'; did you mean logistic\? Known: hill, log"):
        check_names(["logistc"], ["logistic", "hill"], "form")


def test_doctor_finds_this_installation_healthy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "new" / "doctor.json"
    assert main(["doctor", "--quiet", "--json", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}\n"
    document = json.loads(file.read_text(encoding="utf-8"))
    assert document["healthy"] is True
    assert document["rooms"] == f"all four beside ontogeny in {ROOT}"
    assert "torch 2." in document["packages"]
