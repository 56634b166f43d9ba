"""What `docs/learning_coefficients.md` shows, run as it stands."""

import re
import runpy
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "learning_coefficients.md"
BLOCKS = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))
H = 1e5 / 9 / 4
"""nbeta times the curvature of one state's KL at uniform actions: p = 1/4 in each direction."""


@pytest.mark.parametrize(
    ("name", "exact"), [("network.py", 2.0), ("policy.py", 13.5 * H / (H + 1))]
)
def test_the_page_reads_what_it_says(name, exact, tmp_path, capsys):
    (tmp_path / name).write_text(BLOCKS[name], encoding="utf-8")
    runpy.run_path(str(tmp_path / name), run_name="__main__")
    said = capsys.readouterr().out
    llc, se = map(float, re.search(r"llc (\S+) ± ([\d.]+)", said).groups())
    assert abs(llc - exact) < 3 * se + 0.005  # printed to two decimals
    assert se < 0.05 * exact
    assert "The chains agree and have equilibrated." in said
