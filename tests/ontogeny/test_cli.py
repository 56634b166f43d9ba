"""The command line: starts at once, and ends with a sentence and the right code."""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ontogeny import cli
from ontogeny.cli import COMMANDS, main
from ontogeny.command import UsageError, check_names, write_json
from ontogeny.commands import doctor

ROOT = Path(cli.__file__).parents[1]


def command_that(action: object) -> SimpleNamespace:
    """Return a command whose work is `action`."""

    def run(args: argparse.Namespace) -> int:
        if isinstance(action, BaseException):
            raise action
        if callable(action):
            action(args)
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
        assert re.search(rf"^    {name}\s", done.stdout, re.MULTILINE), name


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


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("run", "agents trained to their end or to a checkpoint stay so, and the same command"),
        ("import", "what is imported stays so, and the same command goes on"),
        ("propose", "nothing is kept, and the command begins anew"),
    ],
)
def test_interruption_says_what_is_kept(
    name: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "COMMANDS", {name: command_that(KeyboardInterrupt())})
    assert main([name, "--out", "my results"]) == 130
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert said in err
    assert err.endswith(f": ontogeny {name} --out 'my results'\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--seed", "two"], "a seed is a whole number from 0 on; 'two' is not"),
        (["--seed", "-1"], "a seed is a whole number from 0 on; '-1' is not"),
        (["--seed", "1.5"], "a seed is a whole number from 0 on; '1.5' is not"),
        (["--json", ""], "give the name of a file, or - for standard output"),
        (["--out", ""], "give the name of a folder"),
    ],
)
def test_values_that_cannot_be_are_named(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["propose", "a.csv", *words])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--out", "{file}"], "is a file; give a folder"),
        (["--out", "{file}/below"], "is a file; give a folder"),
        (["--json", "{folder}"], "this is a folder; give the name of a file"),
        (["--json", "{file}/below.json"], "is a file, not a folder"),
    ],
)
def test_what_cannot_be_written_is_said_before_the_work(
    words: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    worked = []
    monkeypatch.setattr(cli, "COMMANDS", {"work": command_that(worked.append)})
    (tmp_path / "file").touch()
    places = {"file": tmp_path / "file", "folder": tmp_path}
    assert main(["work", *(word.format(**places) for word in words)]) == 2
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1
    assert worked == []


def test_json_on_standard_output_is_alone_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(args: argparse.Namespace) -> None:
        write_json(args.json, {"a": 1})
        sys.stdout.write("the path of what was made\n")

    monkeypatch.setattr(cli, "COMMANDS", {"work": command_that(work)})
    assert main(["work", "--json", "-"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"a": 1}
    assert captured.err == "the path of what was made\n"
    assert not Path("-").exists()


def test_listings_go_to_standard_output_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "--list", "--json", "-"]) == 0
    assert "goal-switch" in json.loads(capsys.readouterr().out)["studies"]


def test_the_list_of_studies_goes_where_it_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "here"
    assert main(["study", "--list", "--out", str(out)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(out / "study.json")
    assert "goal-switch" in json.loads((out / "study.json").read_text(encoding="utf-8"))["studies"]


def test_a_study_is_told_its_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {}

    def run(**words: object) -> Path:
        told.update(words)
        return tmp_path / "report.html"

    monkeypatch.setattr("papers.studies.import_module", lambda name: SimpleNamespace(run=run))
    words = ["study", "goal-switch", "--seed", "3", "--out", str(tmp_path / "my results")]
    assert main(words) == 0
    assert told["command"] == f"ontogeny study goal-switch --seed 3 --out '{tmp_path}/my results'"


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
    assert "pyoperon" not in document["packages"]
    assert "pyoperon not installed (pip install ontogeny[search])" in document["optional"]


def test_a_quiet_doctor_still_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "requirements", lambda: ["no-such-distribution"])
    assert main(["doctor", "--quiet"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "ontogeny doctor: Ontogeny cannot work as it is: not installed: no-such-distribution.\n"
    )
