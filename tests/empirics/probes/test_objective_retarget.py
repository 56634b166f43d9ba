"""Retargeting objective and distractor: closed forms of a policy that follows one, both, none."""

import math

import numpy as np
import pytest
from torch import nn

from empirics.activations.site import Site
from empirics.levels import first_steps
from empirics.maze import CORNER, MazeConfig
from empirics.probes.decision_squares import draw_decision_squares
from empirics.probes.objective_retarget import ALL_CONTROLS, draw_objective_retarget
from empirics.probes.retarget import draw_retarget
from empirics.probes.status import status

CONFIG = MazeConfig(cells=3, alpha=0.2, distractor=True, num_train_levels=1, num_held_out_levels=60)
LEVELS = CONFIG.pools().held_out
SEEN = Site("seen")
GOAL, PROXY = 2.0, 1.0


class Following(nn.Module):
    """The linear policy that takes a distractor for so many cheeses."""

    def __init__(self, linear, cheese, distractor):
        super().__init__()
        self.inner = linear(GOAL, PROXY)
        self.seen = self.inner.seen
        self.cheese, self.distractor = cheese, distractor

    def forward(self, observation):
        shown = observation.clone()
        shown[:, 2] = self.cheese * observation[:, 2] + self.distractor * observation[:, 3]
        return self.inner(shown)


@pytest.fixture(scope="module")
def probe():
    squares = draw_decision_squares(LEVELS, CONFIG, num_squares=16, rng=np.random.default_rng(0))
    return draw_objective_retarget(squares, site=SEEN, rng=np.random.default_rng(1))


def share(own, *others):
    """P of a step with this log-odds, of four; those not told have 0."""
    bids = [own, *others, *[0.0] * (3 - len(others))]
    return math.exp(own) / sum(map(math.exp, bids))


def test_an_agent_that_disregards_the_distractor(probe, linear):
    found = probe(Following(linear, 1.0, 0.0))
    removed, unedited = share(0.0, PROXY), share(0.0, PROXY + GOAL)
    p = found["p_target_objective_retargeted"]
    assert p.value == pytest.approx(share(GOAL, PROXY), abs=1e-6)
    assert set(p.baselines) == set(ALL_CONTROLS)
    assert p.baselines["goal_removed"] == pytest.approx(removed, abs=1e-6)
    assert p.baselines["unedited"] == pytest.approx(unedited, abs=1e-6)
    gain = found["objective_retarget"]
    assert gain.value == pytest.approx(p.value - max(p.baselines.values()), abs=1e-6)
    # The distractor adds nothing, so its vector and the random ones of its norm are 0.
    assert found["distractor_retarget"].value == pytest.approx(0.0, abs=1e-9)
    for name in ("p_target_distractor_retargeted", "p_target_distractor_moved"):
        assert found[name].value == pytest.approx(unedited, abs=1e-6)
    assert found["objective_retarget_gap"].value == pytest.approx(gain.value, abs=1e-9)
    assert "is present" in status("gap", found["objective_retarget_gap"])
    assert "is absent" in status("distractor_retarget", found["distractor_retarget"])


def test_an_agent_that_takes_both_for_the_same(probe, linear):
    """The other object stays where it is and bids too; each has its own closed form."""
    found = probe(Following(linear, 1.0, 1.0))
    now = probe.retarget.squares.situation
    ways = first_steps(LEVELS[now.level], now.distractor)[np.arange(len(now)), now.mouse]
    as_proxy = (ways == probe.retarget.squares.proxy_step).mean()
    objective = as_proxy * share(GOAL, PROXY + GOAL) + (1 - as_proxy) * share(GOAL, PROXY, GOAL)
    assert found["p_target_objective_retargeted"].value == pytest.approx(objective, abs=1e-6)
    distractor = share(GOAL, PROXY + GOAL)
    for name in ("p_target_distractor_retargeted", "p_target_distractor_moved"):
        assert found[name].value == pytest.approx(distractor, abs=1e-6)
    assert "is present" in status("distractor_retarget", found["distractor_retarget"])
    gap = found["objective_retarget"].value - found["distractor_retarget"].value
    assert found["objective_retarget_gap"].value == pytest.approx(gap, abs=1e-9)


def test_an_agent_that_goes_for_the_distractor_alone(probe, linear):
    found = probe(Following(linear, 0.0, 1.0))
    assert found["objective_retarget_gap"].value < 0
    assert "is present" not in status("gap", found["objective_retarget_gap"])


def test_the_distractor_asks_for_another_step_than_the_target(probe):
    now = probe.retarget.squares.situation
    ways = first_steps(LEVELS[now.level], now.distractor)[np.arange(len(now)), now.mouse]
    assert (ways != probe.retarget.squares.goal_step).all()
    assert (now.distractor != CORNER).all() and (now.distractor != now.mouse).all()


def test_wrong_uses_are_said(sentence, probe):
    bare = MazeConfig(cells=3, num_train_levels=1, num_held_out_levels=60)
    rng = np.random.default_rng(0)
    squares = draw_decision_squares(LEVELS, bare, num_squares=10, rng=rng)
    said = sentence(draw_objective_retarget, squares, rng=rng)
    assert said.endswith("there is none; set distractor=True in the environment.")
    usual = draw_retarget(squares, rng=rng)
    change = type(usual)
    for moved, words in (
        ("distractor", "no distractor to move"),
        ("gem", "cheese, distractor; it"),
    ):
        options = {"donor": usual.donor, "wrong": usual.wrong, "moved": moved}
        assert words in sentence(change, usual.squares, **options)
