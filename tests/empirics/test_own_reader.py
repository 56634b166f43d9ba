"""The walk through `docs/a_reader_of_your_own.md`, as the author of a package would do it."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from empirics.store import Store

PAGE = (Path(__file__).parents[2] / "docs" / "a_reader_of_your_own.md").read_text(encoding="utf-8")
LOG = re.findall(r"```\n(# pendulum.*?)```", PAGE, re.DOTALL)[0]
FILES = dict(re.findall(r"```(?:python|toml)\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))
COMMAND = re.findall(r"```\nontogeny (import .*?)\n```", PAGE)[0].split()


@pytest.fixture
def place(tmp_path):
    """Return a folder with the logs, and with the package as pip would have installed it."""
    project = tomllib.loads(FILES["pyproject.toml"])["project"]
    info = tmp_path / "site" / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
    ((group, points),) = project["entry-points"].items()
    lines = [f"[{group}]", *(f"{name} = {what}" for name, what in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "site" / "pendulum_reader.py").write_text(FILES["pendulum_reader.py"])
    (tmp_path / "logs").mkdir()
    return tmp_path


def run(place):
    path = os.pathsep.join([str(place / "site"), *sys.path])
    return subprocess.run(
        [sys.executable, "-m", "ontogeny", *COMMAND],
        cwd=place,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


def test_the_walk_ends_where_the_page_says(place):
    (place / "logs" / "a.txt").write_text(LOG)
    done = run(place)
    assert done.returncode == 0, done.stderr
    found = Store(place / "store", create=False).select()
    points = {curve.observable: (curve.t.tolist(), curve.y.tolist()) for curve in found.curves}
    assert points == {
        "episodic_return": ([100.0, 200.0], [-812.5, -640.25]),
        "loss": ([100.0, 200.0], [3.1, 2.4]),
    }
    (record,) = found.runs
    assert record.conditions == {"seed": 7, "learning_rate": 0.001}


def test_what_the_reader_cannot_read_is_one_sentence(place):
    (place / "logs" / "a.txt").write_text(LOG.splitlines()[0])
    done = run(place)
    assert done.returncode == 1
    assert "the reader 'pendulum' of pendulum-reader cannot read" in done.stderr
    assert "has no report after its first line" in done.stderr
    assert "Traceback" not in done.stderr
