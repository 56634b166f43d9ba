"""Progress goes to standard error, and not more of it than a log can bear."""

import pytest

from ontogeny import progress
from ontogeny.progress import show_progress


def test_plain_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress() as report:
        for done in range(101):
            report("training", done, 100)
        report("fitting", 0, 0)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "training: 0/100\ntraining: 100/100\nfitting\n"


def test_a_line_every_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter(range(0, 100, 4))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    with show_progress() as report:
        for done in range(7):
            report("training", done, 100)
    assert capsys.readouterr().err == (
        "training: 0/100\ntraining: 3/100, 0:06:28 left\ntraining: 6/100, 0:06:16 left\n"
    )


def test_quiet_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress(quiet=True) as report:
        report("training", 1, 2)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_a_bar_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True)
    with show_progress() as report:
        report("training", 1, 2)
        report("training", 2, 2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "2/2" in captured.err
