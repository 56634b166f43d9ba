import pickle
from dataclasses import replace

import numpy as np
import pytest

from empirics.experiment import Experiment, log_schedule, run, run_ladder
from empirics.experiments import EXPERIMENTS
from empirics.experiments.goal_switch import SCALES
from empirics.maze import MazeConfig
from empirics.policies.maze_policy import MazeNetwork
from empirics.ppo import PPOConfig
from empirics.probes.maze_plan import MazePlan
from empirics.store import Store
from theory.curve import Origin, Progress

PPO = PPOConfig(
    total_timesteps=16 * 8 * 6, num_envs=16, num_steps=8, num_minibatches=2, update_epochs=1
)
TINY = Experiment(
    name="tiny",
    environment=MazeConfig(cells=3, num_train_levels=30, num_held_out_levels=20, max_steps=20),
    network=MazeNetwork(width=16, depth=2, hidden=16),
    ppo=PPO,
    schedule=log_schedule(PPO, 4),
    plan=MazePlan(num_squares=30, num_success_levels=10),
)
MEASURED = (
    "p_goal",
    "p_proxy",
    "p_proxy_without_goal",
    "success_on_distribution",
    "success_off_distribution",
    "episodic_return_on_distribution",
    "episodic_return_off_distribution",
    "policy_entropy",
)


def contents(one):
    return {curve.observable: (curve.t.tolist(), curve.y.tolist()) for curve in one.curves}


@pytest.mark.parametrize(("updates", "number"), [(6, 4), (73, 31), (170, 40), (30, 31), (999, 60)])
def test_schedule_has_the_number_asked_for_each_a_whole_update(updates, number):
    ppo = replace(PPO, total_timesteps=updates * PPO.batch_size)
    schedule = log_schedule(ppo, number)
    assert len(schedule) == number
    assert schedule[0] == 0 and schedule[-1] == updates * ppo.batch_size
    assert all(t % ppo.batch_size == 0 for t in schedule)
    assert all(np.diff(schedule) > 0)
    # Steps grow, but for rounding to whole updates.
    steps = np.diff(schedule) // ppo.batch_size
    assert (np.diff(steps[1:]) >= -1).all()


def test_a_schedule_cannot_have_more_checkpoints_than_updates():
    with pytest.raises(ValueError, match=r"between 3 and num_updates \+ 1 = 7; it is 8."):
        log_schedule(PPO, 8)


def test_a_run_has_every_curve_with_its_ledger():
    done = run(TINY, 3)
    measured = {c.observable: c for c in done.curves if c.origin is Origin.MEASURED}
    assert tuple(measured) == MEASURED
    for curve in measured.values():
        assert curve.t.tolist() == list(TINY.schedule)
        assert curve.progress is Progress.ENV_STEPS
        assert (curve.run, curve.run_id) == (done.run, done.run_id)
        assert curve.conditions == done.conditions
        # The same levels at every checkpoint: their error is no scatter between points.
        assert curve.y_se is None and curve.n_trials is None and curve.support is not None
    expected = {
        "experiment": "tiny",
        "alpha": 0.1,
        "cells": 3,
        "num_train_levels": 30,
        "gamma": 0.99,
        "learning_rate": 2.5e-4,
        "num_envs": 16,
        "num_steps": 8,
        "ent_coef": 0.01,
        "network_width": 16,
        "num_squares": 30,
        "seed": 3,
    }
    assert expected.items() <= dict(done.conditions).items()
    assert measured["p_goal"].y[0] == pytest.approx(0.25, abs=0.01)


def test_a_run_keeps_the_errors_and_baselines_its_curves_do_not_carry(tmp_path):
    done = run(TINY, 0, tmp_path)
    last = done.last_reading("p_goal")
    assert last.value == done.curve("p_goal").y[-1]
    assert last.se > 0 and last.n_levels > 10
    (record,) = Store(tmp_path).runs()
    kept = record.config["errors"]["p_goal"]
    assert kept == {"se": last.se, "n_levels": last.n_levels, "baselines": dict(last.baselines)}
    read_back = run(TINY, 0, tmp_path)
    assert read_back.readings == done.readings
    with pytest.raises(ValueError, match="has no reading of 'llc'; it has episodic_return_off"):
        done.last_reading("llc")
    assert pickle.loads(pickle.dumps(done)).readings == done.readings


def test_a_run_is_decided_by_its_seed():
    one, same, other = run(TINY, 0), run(TINY, 0), run(TINY, 1)
    assert contents(one) == contents(same) and one.run_id == same.run_id
    assert contents(one) != contents(other) and one.run_id != other.run_id


def test_a_ladder_is_stored_and_found_again(tmp_path):
    seen = []
    ladder = ("alpha", (0.0, 0.5), (0, 1), tmp_path / "store")
    runs = run_ladder(TINY, *ladder, on_run=lambda *progress: seen.append(progress))
    assert [(r.conditions["alpha"], r.seed) for r in runs] == [(0, 0), (0, 1), (0.5, 0), (0.5, 1)]
    assert [(done, total) for done, total, _ in seen] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert contents(runs[0]) == contents(run(TINY.at(alpha=0.0), 0))
    assert runs[3].run == "tiny alpha=0.5 seed=1"

    store = Store(tmp_path / "store")
    assert sorted(record.run_id for record in store.runs()) == sorted(r.run_id for r in runs)
    stored = store.curves("p_goal").curves
    assert {c.digest for c in stored} == {r.curve("p_goal").digest for r in runs}

    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "store").rglob("*.*")}
    again = run_ladder(TINY, *ladder)
    assert [contents(r) for r in again] == [contents(r) for r in runs]
    # Nothing was trained or written anew.
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "store").rglob("*.*")} == files


def test_a_ladder_computes_only_what_is_missing(tmp_path):
    (first,) = run_ladder(TINY, "alpha", (0.0,), (0,), tmp_path)
    snapshot = tmp_path / "checkpoints" / first.run_id / "resume.safetensors"
    written = snapshot.stat().st_mtime_ns
    both = run_ladder(TINY, "alpha", (0.0, 1.0), (0,), tmp_path)
    assert snapshot.stat().st_mtime_ns == written
    assert both[0].run_id == first.run_id and len(Store(tmp_path).runs()) == 2


def test_processes_give_the_curves_of_one_process(tmp_path):
    ladder = ("alpha", (0.0, 0.5), (0,))
    alone = run_ladder(TINY, *ladder, tmp_path / "one")
    together = run_ladder(TINY, *ladder, tmp_path / "two", n_jobs=2)
    assert [contents(r) for r in alone] == [contents(r) for r in together]


def test_unknown_conditions_are_named():
    with pytest.raises(ValueError, match="'tiny' has no condition beta to vary; it has alpha,"):
        TINY.at(beta=1)
    with pytest.raises(ValueError, match="alpha must be a probability; it is 2."):
        TINY.at(alpha=2)


@pytest.mark.parametrize("name", sorted(SCALES))
def test_scales_of_the_goal_switch_have_a_control_and_enough_checkpoints(name):
    scale = SCALES[name]
    assert scale.alphas[0] == 0.0 and len(scale.alphas) > 1
    assert len(scale.seeds(5)) == scale.num_seeds and scale.seeds(5)[0] == 5
    assert len(scale.experiment.schedule) >= 30
    assert {"alpha", "cells"} <= set(scale.experiment.conditions)


def test_experiments_are_listed_by_name():
    assert list(EXPERIMENTS) == ["goal-switch"]
    assert EXPERIMENTS["goal-switch"] == SCALES["quick"].experiment
