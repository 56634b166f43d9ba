"""The walk through `docs/a_mechanism_of_your_own.md`, as a reader would do it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ontogeny.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "a_mechanism_of_your_own.md"
BLOCKS = re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
MOST_LINES = 60


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, text in BLOCKS:
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_mechanism_fits_a_page():
    assert [name for name, _ in BLOCKS] == ["three_hits.py", "runs.py"]
    assert len(BLOCKS[0][1].splitlines()) <= MOST_LINES


def test_the_walk_ends_where_the_page_says(folder, capsys):
    done = subprocess.run([sys.executable, "runs.py"], capture_output=True, text=True, check=True)
    (folder / "runs.csv").write_text(done.stdout, encoding="utf-8")
    command = PAGE.read_text(encoding="utf-8").split("ontogeny test ")[1].split("\n")[0]
    assert main(["test", *command.split(), "--out", "results"]) == 0
    said = capsys.readouterr().out
    assert "p_correct: decided. three_hits leads" in said
    assert said.splitlines()[-1] == str(Path("results", "report.html"))


def test_its_form_is_its_mean_field(folder):
    import numpy as np

    from theory.forms import FORMS
    from theory.mechanisms.registry import read_mechanisms

    [mechanism] = read_mechanisms(folder / "three_hits.py")
    form = FORMS["erlang"]
    where = mechanism.implications[0].where
    given = mechanism.suggested()
    theta = [
        float(where[name].subs({s: given[str(s)] for s in where[name].free_symbols}))
        for name in form.names
    ]
    t = np.linspace(1, 1500, 50)
    states, _ = mechanism.integrate(given, t)
    seen = mechanism.observe("p_correct", states, mechanism.values(given))
    np.testing.assert_allclose(form(t, np.array(theta)), seen, atol=1e-6)
