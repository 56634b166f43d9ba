"""The study in miniature, from training to the report: two updates, few agents, three points."""

import json
import re
import tomllib
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from empirics.experiments.goal_switch import SCALES
from empirics.provenance import PACKAGES, sha256_of
from empirics.store import Store
from papers.goal_switch import maze_half, study
from papers.goal_switch.cue_half import run_cue_half

ROOT = Path(study.__file__).parents[2]
COMMAND = "ontogeny study goal-switch --seed 7 --out 'my results'"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    whole = SCALES["quick"].experiment
    tiny = replace(
        whole,
        environment=replace(whole.environment, num_train_levels=40, num_held_out_levels=40),
        algorithm=replace(
            whole.algorithm, total_timesteps=128, num_envs=8, num_steps=8, num_minibatches=2
        ),
        schedule=(0, 64, 128),
        plan=replace(whole.plan, num_squares=20, num_success_levels=5),
    )
    patch = pytest.MonkeyPatch()
    scale = replace(SCALES["quick"], experiment=tiny, alphas=(0.0, 0.5), num_seeds=1, cue_seeds=2)
    patch.setattr(study, "SCALES", {"quick": scale})
    cues = partial(run_cue_half, alphas=(0.08, 0.04), ratios=(2.0,), updates=600)
    patch.setattr(study, "run_cue_half", cues)
    few = partial(maze_half.propose_all, forms=("constant", "linear"), noises=("white",), n_jobs=1)
    patch.setattr(maze_half, "propose_all", few)
    patch.setattr(study, "processors", lambda: 1)
    out = tmp_path_factory.mktemp("study")
    told = []
    page = study.run(
        out=out, seed=7, scale="quick", progress=lambda *w: told.append(w), command=COMMAND
    )
    patch.undo()
    assert page == out / "report.html" and page.is_file()
    assert told[-1] == ("Writing the report", 1, 1)
    return out, json.loads((out / "results.json").read_text(encoding="utf-8"))


def test_the_record_names_the_command_and_every_seed(made):
    facts = made[1]["provenance"]
    assert facts["command"] == COMMAND
    assert facts["seeds"]["maze_agents"] == facts["seeds"]["fits"] == [7]
    stored = Store(made[0] / "store-cue", create=False).curves().curves
    assert set(facts["seeds"]["cue_agents"]) == {c.conditions["seed"] for c in stored}
    assert re.fullmatch(r"[0-9a-f]{64}", facts["cue_onsets_sha256"])


def test_the_record_hashes_the_curves_of_both_halves_and_no_others(made):
    out, document = made
    data = document["provenance"]["data"]
    assert {Path(name).parts[0] for name in data} == {"store", "store-cue"}
    assert len(data) == 2 + 1  # a file a maze run, and one for all cue agents
    assert all(sha256_of(out / name) == digest for name, digest in data.items())


def test_the_settings_are_those_that_ran(made):
    settings = made[1]["study"]["settings"]
    assert settings["maze"]["alphas"] == [0.0, 0.5] and "alpha" not in settings["maze"]
    assert settings["maze"]["total_timesteps"] == 128
    assert settings["maze"]["checkpoints"] == [0, 64, 128]
    assert settings["cue"]["updates"] == 600 and len(settings["cue"]["seeds"]) == 2


def test_every_run_has_its_row_and_its_paragraph(made):
    document = made[1]
    runs = document["study"]["runs"]
    assert [run["alpha"] for run in runs] == [0.0, 0.5]
    assert len(document["study"]["paragraphs"]) == 2
    assert len(document["curves"]) == 14


def test_every_probe_is_read_with_its_error_and_its_baselines(made):
    readings = made[1]["study"]["readings"]
    of_goal = next(r for r in readings if r["observable"] == "p_goal")
    assert of_goal["se"] > 0
    assert {"uniform", "any open step", "random initialization"} == set(of_goal["baselines"])
    assert of_goal["strongest"] == max(of_goal["baselines"], key=of_goal["baselines"].get)


def test_the_arms_say_what_they_are_and_the_rate_counts_them(made):
    found = made[1]["study"]
    assert len(found["arms"]) == found["error_rate"]["number"] == 3
    outcomes = [arm["outcome"] for arm in found["arms"]]
    assert found["error_rate"]["wrong"] == outcomes.count("wrong")
    assert found["error_rate"]["decided"] == 3 - outcomes.count("undecided")


def test_every_dependency_has_its_version_on_record():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.match(r"[\w-]+", line)[0] for line in project["dependencies"]}
    # rich draws progress bars and touches no number.
    assert names - {"rich"} <= set(PACKAGES)
