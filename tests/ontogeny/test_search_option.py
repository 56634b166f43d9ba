"""`propose --search`: what is found reaches the terminal, the results file and the report."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from fitting.search import enumeration, matching, operon, search
from ontogeny.cli import main
from ontogeny.commands import propose
from papers.results import read
from theory.forms import FORMS


def test_found_forms_are_printed_written_and_reported(
    table: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = enumeration.skeletons()[:30]
    known = {name: FORMS[name] for name in ("logistic", "probit")}
    monkeypatch.setattr(search, "skeletons", lambda: few)
    monkeypatch.setattr(search, "matches", partial(matching.matches, known=known))
    monkeypatch.setattr(operon, "is_installed", lambda: False)
    t = 100.0 * np.arange(80)
    noise = 0.02 * np.random.default_rng(1).standard_normal(80)
    rows = list(zip(t, np.arctan((t - 3000) / 300) + noise, strict=True))
    words = ["--forms", "constant", "logistic", "--noise", "white", "--out", str(tmp_path / "out")]
    assert main(["propose", str(table(rows)), *words, "--search"]) == 0
    said = capsys.readouterr().out
    assert "search: New: found_1, floor + gain*atan(rate*(t - midpoint))" in said
    assert "All 30 expressions of the grammar were fitted." in said
    (curve,) = read(tmp_path / "out")["curves"]
    found = curve["search"]["found"][0]
    assert (found["form"], found["match"], found["units"]["rate"]) == ("found_1", "new", "1/t")
    assert found["log_evidence"] == curve["candidates"][0]["log_evidence"]
    compile(found["python"], "found_1", "exec")
    for name in ("report.html", "report.md"):
        report = (tmp_path / "out" / name).read_text(encoding="utf-8")
        assert "Expressions found" in report
        assert "leads every known form" in report
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<td>1/env" in page or "1/env_steps" in page
    assert "operatorname{atan}" in page
    json.dumps(curve["search"], allow_nan=False)


def test_the_default_seconds_are_those_of_the_search() -> None:
    assert propose.SECONDS == search.SECONDS


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "soon"])
def test_senseless_seconds_are_wrong_usage(
    seconds: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["propose", str(tmp_path / "x.csv"), "--search", "--search-seconds", seconds])
    assert stopped.value.code == 2
    assert "must be a positive number" in capsys.readouterr().err
