import os
import pickle
import shutil
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from empirics.engine import Lost
from empirics.experiment import Experiment, log_schedule
from empirics.experiments import EXPERIMENTS
from empirics.experiments.goal_switch import SCALES
from empirics.maze import MazeConfig
from empirics.policies.maze_policy import MazeNetwork
from empirics.ppo import PPOConfig
from empirics.probes.maze_plan import MazePlan
from empirics.run_lock import lock_run
from empirics.store import Store
from empirics.task import run, run_ladder
from theory.curve import Origin, Progress

try:
    import cloudpickle
except ImportError:  # joblib before 1.6 brings its own
    from joblib.externals import cloudpickle

PPO = PPOConfig(
    total_timesteps=16 * 8 * 6, num_envs=16, num_steps=8, num_minibatches=2, update_epochs=1
)
TINY = Experiment(
    name="tiny",
    environment=MazeConfig(cells=3, num_train_levels=30, num_held_out_levels=20, max_steps=20),
    network=MazeNetwork(width=16, depth=2, hidden=16),
    algorithm=PPO,
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
    assert kept["se"] == [reading["p_goal"].se for _, reading in done.readings]
    assert len(kept["se"]) == len(done.curve("p_goal").t) and len(set(kept["se"])) > 1
    # what never changes is written once
    assert (kept["n_levels"], kept["baselines"]) == (last.n_levels, dict(last.baselines))
    read_back = run(TINY, 0, tmp_path)
    assert read_back.readings == done.readings
    with pytest.raises(ValueError, match="has no reading of 'llc'; it has episodic_return_off"):
        done.last_reading("llc")
    assert pickle.loads(pickle.dumps(done)).readings == done.readings


def test_a_run_keeps_how_it_went_and_what_computed_it(tmp_path):
    diverging = replace(TINY, algorithm=replace(PPO, learning_rate=1e30))
    done = run(diverging, 0, tmp_path)
    (record,) = Store(tmp_path).runs()
    assert record.config["status"] == done.status != ""
    assert record.config["wall_seconds"] == done.wall_seconds > 0
    assert record.config["device"] == done.device and record.config["git_commit"] is not None
    assert record.versions == done.versions and "ontogeny" in record.versions


def test_a_run_that_is_trained_anew_leaves_the_first_ones_row(tmp_path):
    done = run(TINY, 0, tmp_path)
    shutil.rmtree(tmp_path / "checkpoints")
    again = run(TINY, 0, tmp_path)
    assert contents(again) == contents(done)
    (record,) = Store(tmp_path).runs()
    assert record.config["wall_seconds"] == done.wall_seconds != again.wall_seconds


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


def test_equal_rungs_are_one_run(tmp_path):
    seen = []
    runs = run_ladder(
        TINY, "alpha", (0, 0.0, 0.5), (1, 1), tmp_path, n_jobs=2,
        on_run=lambda done, total, _: seen.append((done, total)),
    )  # fmt: skip
    assert [r.run for r in runs] == ["tiny alpha=0.0 seed=1", "tiny alpha=0.5 seed=1"]
    assert seen == [(1, 2), (2, 2)]


def test_what_a_whole_number_stores_a_fraction_finds(tmp_path):
    (first,) = run_ladder(TINY, "alpha", (0.0,), (0,), tmp_path)
    (again,) = run_ladder(TINY, "alpha", (0,), (0,), tmp_path)
    assert again.run_id == first.run_id and again.wall_seconds == first.wall_seconds


@dataclass(frozen=True)
class Trap:
    """A maze whose training fails at alpha = 0.5, in one of several ways."""

    maze: MazeConfig
    how: str
    flag: str
    alpha: float = 0.1

    @property
    def conditions(self):
        return {"alpha": self.alpha, "how": self.how}

    def pools(self):
        return self.maze.pools()

    def make(self, num_envs, seed):
        if self.alpha == 0.5:
            if self.how == "refuses":
                raise ValueError("this maze cannot be.")
            if self.how == "dies" or not Path(self.flag).exists():
                Path(self.flag).touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return self.maze.make(num_envs, seed)


@dataclass(frozen=True)
class NoProbes:
    conditions: Mapping[str, float] = field(default_factory=dict, hash=False)

    def probes(self, environment):
        return ()


@pytest.fixture
def trapped(tmp_path, monkeypatch):
    # Workers cannot import this file.
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield lambda how: replace(
        TINY, environment=Trap(TINY.environment, how, str(tmp_path / "flag")), plan=NoProbes()
    )
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def test_a_killed_worker_costs_only_its_task(tmp_path, trapped):
    runs = run_ladder(trapped("dies once"), "alpha", (0.0, 0.5), (0, 1), tmp_path / "s", n_jobs=2)
    assert (tmp_path / "flag").exists()
    assert [(r.conditions["alpha"], r.seed) for r in runs] == [(0, 0), (0, 1), (0.5, 0), (0.5, 1)]
    assert len(Store(tmp_path / "s").runs()) == 4


def test_runs_that_always_kill_their_process_are_named(tmp_path, monkeypatch):
    def lose_the_first(function, tasks, *, n_jobs):
        yield 0, Lost("its worker process died at each try")
        yield 1, function(tasks[1])

    monkeypatch.setattr("empirics.task.each", lose_the_first)
    message = (
        "1 of 2 runs are done and kept in .*/s; tiny alpha=0.5 seed=0: its worker process died at "
        r"each try\.$"
    )
    with pytest.raises(ValueError, match=message):
        run_ladder(TINY, "alpha", (0.5, 0.0), (0,), tmp_path / "s")
    (done,) = Store(tmp_path / "s").runs()
    assert done.conditions["alpha"] == 0.0


def test_a_run_that_fails_does_not_keep_the_others_from_being_done(tmp_path, trapped):
    message = (
        "2 of 4 runs are done and kept in .*; tiny alpha=0.5 seed=0: this maze cannot be; "
        "tiny alpha=0.5 seed=1: this maze cannot be."
    )
    with pytest.raises(ValueError, match=message):
        run_ladder(trapped("refuses"), "alpha", (0.5, 0.0), (0, 1), tmp_path / "s")
    assert {r.conditions["alpha"] for r in Store(tmp_path / "s").runs()} == {0.0}


def test_a_run_that_another_process_trains_is_left_out_and_named(tmp_path):
    (there,) = run_ladder(TINY, "alpha", (0.5,), (0,), tmp_path)
    home = tmp_path / "checkpoints" / there.run_id
    (home / "resume.safetensors").unlink()
    with lock_run(home), pytest.raises(ValueError, match="1 of 2 runs are done .* another process"):
        run_ladder(TINY, "alpha", (0.5, 0.0), (0,), tmp_path)


def test_a_diverged_run_does_not_keep_the_others_from_being_done(tmp_path):
    ladder = replace(TINY, algorithm=replace(PPO, learning_rate=1e30))
    runs = run_ladder(ladder, "alpha", (0.0, 0.5), (0,), tmp_path)
    for one in runs:
        assert one.status.startswith("Diverged at 128 env_steps: ")
        assert one.curve("p_goal").t.tolist() == [0.0]


def test_unknown_conditions_are_named():
    with pytest.raises(ValueError, match="'tiny' has no condition beta to vary; it has alpha,"):
        TINY.at(beta=1)
    with pytest.raises(ValueError, match="'tiny' has no condition self to vary"):
        TINY.at(**{"self": 1})
    with pytest.raises(ValueError, match="alpha must be a probability; it is 2.0."):
        TINY.at(alpha=2)


@pytest.mark.parametrize("name", sorted(SCALES))
def test_scales_of_the_goal_switch_have_a_control_and_enough_checkpoints(name):
    scale = SCALES[name]
    assert scale.alphas[0] == 0.0 and len(scale.alphas) > 1
    assert len(scale.seeds(5)) == scale.num_seeds and scale.seeds(5)[0] == 5
    assert len(scale.experiment.schedule) >= 30
    assert {"alpha", "cells"} <= set(scale.experiment.conditions)


def test_experiments_are_listed_by_name():
    alone = {"forced-replies", "goal-switch", "shard-organism"}
    small = {"bandit", "cue", "linear-network", "lock", "rl-perceptron", "skills", "td-chain"}
    assert next(iter(EXPERIMENTS)) == "goal-switch"
    assert set(EXPERIMENTS) == alone | small
    assert len(EXPERIMENTS) == len(small) + 3
    assert all(EXPERIMENTS[name].name == name for name in EXPERIMENTS)
    assert EXPERIMENTS["goal-switch"] == SCALES["quick"].experiment
