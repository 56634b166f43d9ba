"""Colognese and Jose 2023: criteria on known readings, and on agents that have no objective."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from empirics.checkpoint import save_policy
from empirics.maze import MazeConfig
from empirics.policies.maze_policy import MazeNetwork
from empirics.probe import Reading
from empirics.store import RunRecord, Store
from papers.check import answered
from papers.colognese2023_objectives.reproduce import CHECKS, run
from papers.published import PAPERS

PUBLICATION = PAPERS["colognese2023_objectives"].publication
JUDGED_BY = {
    "predictive": "outcome_information_gain",
    "localized": "objective_location_gap",
    "causal": "objective_retarget_gap",
}
OBJECTIVE = {
    name: Reading(0.3, 0.02, baselines={"nothing": 0.0})
    for name in (*JUDGED_BY.values(), "objective_retarget", "distractor_retarget")
}


def reproduced(store, out):
    return run(PUBLICATION, out=out, seed=0, scale="quick", store=store, progress=lambda *_: None)


def test_no_number_is_quoted_and_every_criterion_names_its_observable():
    assert set(CHECKS) == set(JUDGED_BY) == {claim.name for claim in PUBLICATION.claims}
    for claim in PUBLICATION.claims:
        assert not claim.numbers
        assert claim.criterion.endswith(f": {JUDGED_BY[claim.name]} is present")


@pytest.mark.parametrize("name", JUDGED_BY)
def test_a_claim_holds_of_an_agent_with_an_objective_and_not_of_another(name):
    claim, observable = PUBLICATION.claim(name), JUDGED_BY[name]
    other = {**OBJECTIVE, observable: replace(OBJECTIVE[observable], value=0.01)}
    assert answered(claim, CHECKS[name], [OBJECTIVE]).agrees is True
    other[observable] = replace(other[observable], se=0.001)
    assert answered(claim, CHECKS[name], [other]).agrees is False


def test_agents_without_a_distractor_are_refused(maze_store, tmp_path):
    with pytest.raises(ValueError, match="trained at alpha > 0 with distractor=True"):
        reproduced(maze_store, tmp_path)


def test_of_an_untrained_agent_nothing_is_claimed(tmp_path):
    network = MazeNetwork(width=4, depth=3, hidden=8)
    maze = MazeConfig(
        cells=4, alpha=0.5, distractor=True, num_train_levels=1, num_held_out_levels=60
    )
    shape = {f"network_{name}": value for name, value in asdict(network).items()}
    record = RunRecord("objective", "aaa", conditions={**asdict(maze), **shape, "seed": 0})
    Store(tmp_path / "store").append_run(record)
    policy = network.build(maze.observation_shape, 4, rng=np.random.default_rng(0))
    save_policy(tmp_path / "store" / "checkpoints" / "aaa" / "64.safetensors", policy, {})
    found = reproduced(tmp_path / "store", tmp_path)
    agrees = {each.claim.name: each.agrees for each in found.outcomes}
    assert agrees["causal"] is False and not any(agrees.values())
    assert all(each.why.startswith("0 of 1 agents") for each in found.outcomes)
