"""Jenner et al. 2024: claims judged by their criteria, on recurrent agents and on no others."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from empirics.checkpoint import save_policy
from empirics.maze import MazeConfig
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork
from empirics.probe import Reading
from empirics.store import RunRecord, Store
from papers.check import answered
from papers.jenner2024_lookahead.reproduce import CHECKS, SHOWN, run
from papers.published import PAPERS

PUBLICATION = PAPERS["jenner2024_lookahead"].publication
NO = {"nothing": 0.0}
AS_PUBLISHED = {
    "lookahead_best_square": Reading(1.33, 0.04, baselines=NO),
    "patching_other": Reading(0.55, 0.01, baselines=NO),
    "second_move": Reading(0.5, 0.01, baselines=NO),
    "second_move_accuracy": Reading(0.92, 0.01, baselines={"random network": 0.4, "seen": 0.42}),
    "junction_plan": Reading(0.3, 0.01, baselines=NO),
    "junction_f1_end": Reading(0.8, 0.01, baselines={"random network": 0.5, "seen": 0.3}),
    "thinking_gain_far": Reading(0.1, 0.01, baselines=NO),
}
JUDGED_BY = {
    "future_square": "lookahead_best_square",
    "second_move": "second_move",
    "junction_plan": "junction_plan",
    "thinking_gain_far": "thinking_gain_far",
}


def reproduced(store, out):
    return run(PUBLICATION, out=out, seed=0, scale="quick", store=store, progress=lambda *_: None)


def test_every_claim_has_a_check_and_the_criterion_names_its_observable():
    assert set(CHECKS) == set(JUDGED_BY) == {claim.name for claim in PUBLICATION.claims}
    for name, observable in JUDGED_BY.items():
        assert PUBLICATION.claim(name).criterion.endswith(f": {observable} is present")


@pytest.mark.parametrize("name", JUDGED_BY)
def test_a_claim_holds_of_the_published_agent_and_not_of_another(name):
    claim, observable = PUBLICATION.claim(name), JUDGED_BY[name]
    other = {**AS_PUBLISHED, observable: replace(AS_PUBLISHED[observable], value=-0.5)}
    holds = answered(claim, CHECKS[name], [AS_PUBLISHED])
    assert holds.agrees is True
    assert answered(claim, CHECKS[name], [other]).agrees is False
    assert set(claim.numbers) <= set(holds.here)
    assert {key: holds.here[key] for key in claim.numbers} == pytest.approx(dict(claim.numbers))


def test_feed_forward_agents_are_refused(maze_store, tmp_path):
    with pytest.raises(ValueError, match="a recurrent maze agent; all of the 2 in it are feed-"):
        reproduced(maze_store, tmp_path)


def test_an_untrained_agent_plans_nothing_and_has_no_positions_to_patch(tmp_path):
    network = RecurrentMazeNetwork(width=4, ticks=2, stride=2, hidden=4)
    maze = MazeConfig(cells=4, alpha=1.0, num_train_levels=1, num_held_out_levels=150)
    shape = {f"network_{name}": value for name, value in asdict(network).items()}
    conditions = {**asdict(maze), **shape, "seed": 0}
    Store(tmp_path / "store").append_run(RunRecord("planner", "aaa", conditions=conditions))
    for moment in (0, 64):
        policy = network.build(maze.observation_shape, 4, rng=np.random.default_rng(moment))
        path = tmp_path / "store" / "checkpoints" / "aaa" / f"{moment}.safetensors"
        save_policy(path, policy, {})
    found = reproduced(tmp_path / "store", tmp_path)
    agrees = {each.claim.name: each.agrees for each in found.outcomes}
    assert agrees["future_square"] is None and not found.outcomes[0].here
    assert agrees["thinking_gain_far"] is False
    assert not any(agrees.values())
    assert "1 without a reading of lookahead_best_square" in found.outcomes[0].why
    (table,) = found.pages[0].tables
    assert {row[2] for row in table.rows} == {name for name in SHOWN if "square" not in name} - {
        "lookahead_patching",
        "patching_future",
        "patching_other",
    }
    assert len(found.data) == 2  # the weak checkpoint too
