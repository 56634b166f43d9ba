"""The study in miniature, from training to the report: tiny organisms, few checkpoints."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from empirics.experiment import log_schedule
from empirics.maze import MazeConfig
from empirics.policies.maze_policy import MazeNetwork
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork
from empirics.probes.incentive_plan import IncentivePlan
from empirics.probes.lookahead.plan import LookaheadPlan
from empirics.probes.maze_plan import MazePlan
from empirics.probes.objective_plan import ObjectivePlan
from empirics.probes.shard_plan import ShardPlan
from papers.development import grown, organisms, study
from papers.development.organisms import SCALES, Scale
from papers.development.windows_page import Interventions
from papers.figures.development import development_drawing
from papers.wording import words
from theory.mechanisms.cue_competition import CUE_COMPETITION

SEEDS = (3, 4)


def tiny(organism, network, plans, mechanisms, **maze):
    whole = organism.experiment
    algorithm = replace(
        whole.algorithm, total_timesteps=256, num_envs=8, num_steps=8, num_minibatches=2
    )
    environment = MazeConfig(cells=4, num_train_levels=40, num_held_out_levels=90, **maze)
    experiment = replace(
        whole,
        environment=environment,
        network=network,
        algorithm=algorithm,
        schedule=log_schedule(algorithm, 3),
        plan=MazePlan(num_squares=20, num_success_levels=5),
    )
    return replace(organism, experiment=experiment, plans=plans, mechanisms=mechanisms)


def scale():
    whole = {one.name: one for one in SCALES["quick"].organisms}
    plain = MazeNetwork(width=4, depth=3, hidden=8)
    shards = ShardPlan(num_shard_squares=40, num_shard_levels=20)
    mixed = tiny(
        whole["mixed"],
        plain,
        (shards, IncentivePlan(5, 20)),
        ("p_goal", "retarget"),
        alpha=0.5,
    )
    objective = tiny(
        whole["objective"],
        plain,
        (ObjectivePlan(plain, "stream.2", "stream.1", None, None, 20, 20, 60),),
        ("p_goal", "objective_location_gap"),
        alpha=1.0,
        distractor=True,
    )
    thinker = tiny(
        whole["planner"],
        RecurrentMazeNetwork(4, 3, 1, 8),
        (LookaheadPlan(8, 10, 80),),
        ("thinking_used", "lookahead_best_square"),
        alpha=1.0,
    )
    changes = Interventions("mixed", 0.0, 64, (0, 64), 128, 32, len(SEEDS))
    return Scale((mixed, objective, thinker), len(SEEDS), changes)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setattr(study, "SCALES", {"quick": scale()})
    patch.setattr(study, "fit_rules", partial(study.fit_rules, forms=("constant", "linear")))
    few = partial(grown.propose_all, forms=("constant", "linear"), noises=("white",), n_jobs=1)
    patch.setattr(grown, "propose_all", few)
    patch.setattr(grown, "processors", lambda: 1)
    patch.setattr("papers.development.windows_page.processors", lambda: 1)
    out, told = tmp_path_factory.mktemp("development"), []
    page = study.run(out=out, seed=3, scale="quick", progress=lambda *_: None)
    # Everything is there already.
    again = grown.grow(
        scale().organisms, SEEDS, out, seed=3, progress=lambda *what: told.append(what)
    )
    patch.undo()
    assert page == out / "report.html" and page.is_file()
    return json.loads((out / "results.json").read_text(encoding="utf-8")), again, told


def table(document, caption):
    tables = [t for page in document["study"]["pages"] for t in page["tables"]]
    (found,) = [t for t in tables if t["caption"].startswith(caption)]
    return found


def test_every_fitted_observable_of_every_agent_has_a_row(made):
    formed = table(made[0], "What formed")
    rows = formed["rows"]
    expected = [
        (f"{one.name} {seed}", name)
        for one in scale().organisms
        for seed in SEEDS
        for name in one.fitted
    ]
    assert [(row[0], row[1]) for row in rows] == expected
    measured = {row[1] for row in rows if row[3] != "not measured"}
    # Untrained planners solve nothing, so that there is nothing to patch; all else is measured.
    assert {name for _, name in expected} - measured <= {"lookahead_best_square"}
    lasts = {row[formed["columns"].index("last value")] for row in rows if row[3] != "not measured"}
    assert all(np.isfinite(float(last.split(" ± ")[0])) for last in lasts)


def test_a_second_start_takes_up_all_and_finds_the_same(made):
    document, again, told = made
    assert not [what for what in told if what[0].startswith("Measuring") and what[1]]
    found = [one.curve.digest for agent in again for one in agent.comparisons.values()]
    assert found == [curve["digest"] for curve in document["curves"]]


def test_every_organism_is_drawn_by_itself(made):
    document = made[0]
    for entry in document["developments"]:
        drawn = development_drawing(entry, document["curves"], "f")
        organism = entry["where"]["experiment"]
        points = drawn.tables[0].rows
        assert {row[1].split(" ")[0] for row in points} == {organism}
        units = {
            curve["unit"]
            for curve in document["curves"]
            if curve["observable"] in entry["observables"]
            and curve["conditions"]["experiment"] == organism
        }
        assert len(units) == 1
    drawn = {name for entry in document["developments"] for name in entry["observables"]}
    assert drawn == {curve["observable"] for curve in document["curves"]}


def test_windows_have_their_effects_and_controls(made):
    rows = table(made[0], "What a window left behind")["rows"]
    onsets = {row[1] for row in rows}
    assert onsets == {0.0, 64.0} and len({row[0] for row in rows}) == 4
    for row in rows:
        assert row[4] == pytest.approx(row[2] - row[3], abs=1.5e-3)  # of three rounded numbers
    pages = [page["title"] for page in made[0]["study"]["pages"]]
    assert pages[-1] == "Critical windows, and what is stable"


def test_an_unknown_scale_is_said(tmp_path):
    with pytest.raises(ValueError, match="no scale 'huge'; choose from"):
        study.run(out=tmp_path, seed=0, scale="huge", progress=lambda *_: None)


def test_the_quick_scale_has_two_seeds_of_every_organism():
    assert organisms.QUICK.num_seeds == 2
    assert {one.name for one in organisms.FULL.organisms} >= {
        one.name for one in organisms.QUICK.organisms
    }


def test_learning_rules_are_held_against_free_forms_where_goal_and_proxy_part(made):
    rows = table(made[0], "Log evidence over all runs")["rows"]
    assert {row[0] for row in rows} == {"log_odds_goal_proxy", "path_lead_far"}
    assert {row[1] for row in rows} == {len(SEEDS)}
    for lead in ("log_odds_goal_proxy", "path_lead_far"):
        *rules, free = [row[2:] for row in rows if row[0] == lead]
        assert {name for name, _ in rules} == {words(rule) for rule in CUE_COMPETITION}
        values = [value for _, value in rules]
        assert values == sorted(values, reverse=True)
        assert free[0] == "free forms" and np.isfinite([*values, free[1]]).all()


def test_last_values_are_averaged_over_agents(made):
    document, again, _ = made
    rows = {(row[0], row[1]): row[2:] for row in table(document, "Last values")["rows"]}
    group = [agent for agent in again if agent.organism.name == "mixed"]
    lasts = [agent.last("p_goal").value for agent in group]
    number, mean, interval, smallest, middle, largest, _, _ = rows["mixed", "p_goal"]
    assert number == len(SEEDS)
    assert (smallest, largest) == (round(min(lasts), 3), round(max(lasts), 3))
    assert mean == middle == pytest.approx(np.mean(lasts), abs=1e-3)
    lower, upper = (float(each) for each in interval.strip("[]").split(", "))
    # Student's t with one degree of freedom, over seeds alone: 12.706 standard errors.
    assert upper - lower >= 2 * 12.706 * np.std(lasts, ddof=1) / np.sqrt(2) - 2e-3
    assert rows["planner", "p_correct_more_far"][0] == len(SEEDS)
