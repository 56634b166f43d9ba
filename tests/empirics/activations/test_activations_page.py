"""What `docs/activations.md` shows, run as it stands."""

import re
from pathlib import Path

import pytest
import torch

PAGE = Path(__file__).parents[3] / "docs" / "activations.md"
BLOCKS = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("own.py", "patched equals there: True\nablated: 0\n"),
        ("ticks.py", "6 ticks of (32, 16, 9, 9)\none tick less: True\n"),
    ],
)
def test_the_page_does_what_it_says(name, expected, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    exec(compile(BLOCKS[name], name, "exec"), {"__name__": name})
    assert capsys.readouterr().out == expected
