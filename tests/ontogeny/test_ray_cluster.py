"""Ray on this machine: the same curves as without it."""

from dataclasses import replace
from pathlib import Path

import pytest

from empirics.experiments import EXPERIMENTS
from empirics.store import Store
from ontogeny.cli import main

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # of Ray's own start and end


def test_ray_gives_the_curves_of_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    short = replace(EXPERIMENTS["bandit"], updates=100)
    monkeypatch.setattr("empirics.experiments.EXPERIMENTS", {"short": short})
    words = ["run", "short", "--vary", "n_arms", "2", "3", "--seeds", "2", "--quiet"]
    found = []
    for name, options in (("here", []), ("ray", ["--backend", "ray", "--jobs", "2"])):
        assert main([*words, *options, "--out", str(tmp_path / name)]) == 0
        found.append([curve.digest for curve in Store(tmp_path / name).curves().curves])
    assert found[0] == found[1] and len(found[0]) >= 4
