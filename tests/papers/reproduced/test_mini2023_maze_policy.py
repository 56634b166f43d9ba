"""Mini et al. 2023: readings of known agents answer each claim as its criterion says."""

from dataclasses import replace

import numpy as np
import pytest

from empirics.maze_agent import stored_agents
from empirics.probe import Reading
from empirics.probes.decision_regression import FEATURES, draw_decision_regression
from empirics.probes.decision_squares import draw_decision_squares
from papers.maze_agents import parted
from papers.mini2023_maze_policy.checks import CHECKS, OURS
from papers.mini2023_maze_policy.reproduce import answer, inflation, run
from papers.published import PAPERS

PUBLICATION = PAPERS["mini2023_maze_policy"].publication
SIGNS = {"path_to_goal": -1, "euclid_to_goal": -1, "euclid_goal_to_proxy": -1, "euclid_to_proxy": 1}


def as_published():
    """Readings of an agent of which every claim holds."""
    no, chance = {"no effect": 0.0}, {"random vectors": -0.3}
    found = {
        "p_goal": Reading(0.8, 0.01),
        "goal_vector_subtracted": Reading(-0.7, 0.01, baselines=chance),
        "goal_vector_added": Reading(0.01, 0.01, baselines=chance),
        "goal_vector_effect": Reading(0.4, 0.01, baselines=no),
        "goal_vector_proxy_effect": Reading(0.4, 0.01, baselines=no),
        "retarget": Reading(0.2, 0.01, baselines=no),
        "p_target_retargeted": Reading(0.5, 0.01),
        "p_target_goal_moved": Reading(0.8, 0.01),
        "decision_accuracy": Reading(0.85, 0.01, baselines={"the usual decision": 0.7}),
        "decision_accuracy_gain": Reading(0.15, 0.01, baselines={"the usual decision": 0.0}),
    }
    for name, sign in SIGNS.items():
        found[f"decision_{name}"] = Reading(0.5 * sign, 0.1, baselines=no)
    for name, flips, factor in zip(OURS, (0.0, 0.0, 0.1, 0.5), (1.2, 2.0, 3.0, 4.0), strict=True):
        found[f"sign_stability_{name}"] = Reading(1 - flips)
        found[f"inflation_{name}"] = Reading(factor)
    return found


OTHERWISE = {
    "goal_vector_subtracted": {"goal_vector_effect": 0.0},
    "goal_vector_added": {"goal_vector_added": 0.5},
    "random_vector": {},
    "proxy_instead": {"goal_vector_proxy_effect": -0.4},
    "retarget": {"retarget": -0.01},
    "cheese_moved": {"p_target_goal_moved": 0.4},
    "path_to_goal_lowers": {"decision_path_to_goal": 0.5},
    "euclid_to_goal_lowers": {"decision_euclid_to_goal": 0.5},
    "euclid_goal_to_proxy_lowers": {"decision_euclid_goal_to_proxy": 0.5},
    "euclid_to_proxy_raises": {"decision_euclid_to_proxy": -0.5},
    "decision_foretold": {"decision_accuracy_gain": -0.01},
    "inflation": {"inflation_euclid_to_goal": 9.0},
    "signs_flip": {f"sign_stability_{name}": 1.0 for name in OURS},
}


def test_every_claim_has_a_check_and_nothing_else_does():
    names = {claim.name for claim in PUBLICATION.claims}
    assert set(CHECKS) == names == set(OTHERWISE)


@pytest.mark.parametrize("name", OTHERWISE)
def test_a_claim_holds_of_the_published_agent_and_not_of_another(name):
    published = as_published()
    other = {
        key: replace(reading, value=OTHERWISE[name].get(key, reading.value))
        for key, reading in published.items()
    }
    if name == "random_vector":
        other["goal_vector_added"] = replace(
            published["goal_vector_added"], baselines={"random vectors": 0.2}
        )
    claim = PUBLICATION.claim(name)
    assert answer(claim, [published, published]).agrees is True
    assert answer(claim, [other, other]).agrees is False
    split = answer(claim, [published, other])
    assert split.agrees is None and split.why.startswith("1 of 2 agents")


@pytest.mark.parametrize(
    ("name", "reading"),
    [
        ("goal_vector_subtracted", "goal_vector_effect"),
        ("goal_vector_added", "goal_vector_subtracted"),
        ("random_vector", "goal_vector_subtracted"),
        ("retarget", "retarget"),
        ("cheese_moved", "p_target_goal_moved"),
        ("path_to_goal_lowers", "decision_path_to_goal"),
        ("decision_foretold", "decision_accuracy_gain"),
    ],
)
def test_with_a_large_error_it_cannot_be_told(name, reading):
    found = as_published()
    for se in (5.0, None):
        found[reading] = replace(found[reading], se=se)
        assert answer(PUBLICATION.claim(name), [found]).agrees is None


def test_numbers_stand_beside_the_published_ones():
    claim = PUBLICATION.claim("goal_vector_subtracted")
    here = answer(claim, [as_published()]).here
    assert set(here) == set(claim.numbers)
    assert here["p_cheese_subtracted"] == pytest.approx(0.8 - 0.7)


def test_inflation_is_that_of_regressing_each_distance_on_the_other_three(maze_store):
    maze = stored_agents(maze_store)[1].environment
    squares = draw_decision_squares(
        maze.pools().held_out, maze, num_squares=80, rng=np.random.default_rng(0)
    )
    probe = draw_decision_regression(squares, rng=np.random.default_rng(1))
    found = inflation(probe)
    x = probe.features[:, [1 + FEATURES.index(name) for name in OURS]]
    for i, name in enumerate(OURS):
        others = np.column_stack([np.ones(len(x)), np.delete(x, i, axis=1)])
        left = x[:, i] - others @ np.linalg.lstsq(others, x[:, i], rcond=None)[0]
        expected = x[:, i] @ x[:, i] / (left @ left)
        assert found[f"inflation_{name}"].value == pytest.approx(expected)


def test_a_fresh_network_has_no_vector_and_no_target(maze_store, tmp_path):
    found = run(
        PUBLICATION,
        out=tmp_path,
        seed=0,
        scale="quick",
        store=maze_store,
        progress=lambda *_: None,
    )
    agrees = {each.claim.name: each.agrees for each in found.outcomes}
    for name in ("goal_vector_subtracted", "proxy_instead", "retarget", "cheese_moved"):
        assert not agrees[name]
    assert agrees["goal_vector_subtracted"] is False and agrees["retarget"] is False
    (table,) = found.pages[0].tables
    assert {row[0] for row in table.rows} == {0.0, 0.3}
    assert all(each.why.startswith(("0 of 1", "1 of 1")) for each in found.outcomes)
    assert len(found.data) == 2


def test_claims_about_cheese_need_an_agent_that_met_it_off_the_corner(maze_store):
    agents = stored_agents(maze_store)
    assert [agent.environment.alpha for agent in parted(agents)] == [0.3]
    with pytest.raises(ValueError, match="an agent trained at alpha > 0"):
        parted(agents[:1])
