from dataclasses import replace

import pytest

from empirics.agent_sweep import sweep_agents, sweep_tasks
from empirics.experiments import EXPERIMENTS
from empirics.store import Store
from theory.ladder import Ladder


def run_ladder(experiment, condition, values, seeds, folder, **options):
    cells = experiment.grid({condition: values})
    return sweep_agents([(experiment, cells)], seeds, folder, **options)


def small(name, **changes):
    return replace(EXPERIMENTS[name], **{"updates": 200, **changes})


@pytest.mark.parametrize(
    ("name", "observable"),
    [
        ("bandit", "p_correct"),
        ("lock", "p_correct"),
        ("td-chain", "share"),
        ("rl-perceptron", "alignment"),
        ("linear-network", "share"),
        ("skills", "p_correct"),
        ("cue", "p_correct"),
    ],
)
def test_a_ladder_is_stored_with_what_shaped_it(name, observable, tmp_path):
    experiment = small(name)
    condition, values = experiment.rungs
    runs = run_ladder(experiment, condition, values, range(3), tmp_path / "store")
    store = Store(tmp_path / "store", create=False)
    stored = store.curves(observable).curves
    assert len(runs) == len(stored) == 3 * len(values)
    assert Ladder(condition, stored).rungs == tuple(sorted(values))
    made = [run.curves for run in runs]
    assert {c.digest for c in stored} <= {c.digest for curves in made for c in curves}
    assert len(store.curves().curves) == sum(len(curves) for curves in made)
    assert {record.source for record in store.runs()} == {name}
    assert all(record.versions["numpy"] for record in store.runs())


def test_what_is_stored_is_not_trained_again(tmp_path):
    experiment = small("bandit")
    trained = []

    def train(cells, seeds, *, updates):
        trained.extend((cell, seed) for cell in cells for seed in seeds)
        if cells[0].initial_probability == 0.02 and len(trained) <= 4:
            raise KeyboardInterrupt
        return experiment.train(cells, seeds, updates=updates)

    counted = replace(experiment, train=train)
    values, seeds = (0.2, 0.02), (0, 1)
    with pytest.raises(KeyboardInterrupt):
        run_ladder(counted, "initial_probability", values, seeds, tmp_path / "a")
    seen = []
    runs = run_ladder(
        counted,
        "initial_probability",
        values,
        seeds,
        tmp_path / "a",
        on_run=lambda done, total, run: seen.append((done, total, run.run_id)),
    )
    assert [cell.initial_probability for cell, _ in trained] == [0.2, 0.2, 0.02, 0.02, 0.02, 0.02]
    assert [(done, total) for done, total, _ in seen] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    more = run_ladder(counted, "initial_probability", values, (0, 1, 2), tmp_path / "a")
    assert [seed for _, seed in trained[6:]] == [2, 2]
    straight = run_ladder(experiment, "initial_probability", values, (0, 1), tmp_path / "b")
    assert [run.curves for run in runs] == [run.curves for run in straight]
    assert [run.run_id for run in more if run.seed < 2] == [run.run_id for run in runs]


def test_values_that_mean_the_same_are_one_rung():
    lock = EXPERIMENTS["lock"]
    tasks = sweep_tasks([(lock, lock.grid({"horizon": (2, 2.0, 3)}))], (0, 0, 1))
    assert [(cell.horizon, seed) for _, cell, seed in tasks] == [(2, 0), (2, 1), (3, 0), (3, 1)]


def test_a_grid_holds_all_combinations():
    lock = EXPERIMENTS["lock"]
    cells = lock.grid({"horizon": (1, 2), "process_fraction": (0, 0.5, 1)})
    assert [(cell.horizon, cell.process_fraction) for cell in cells] == [
        (h, f) for h in (1, 2) for f in (0.0, 0.5, 1.0)
    ]
    assert lock.grid({}) == (lock.cell,)


def test_a_sweep_takes_up_arms_where_an_earlier_one_ended(tmp_path):
    trained = []

    def counted(name):
        experiment = small(name)

        def train(cells, seeds, *, updates):
            trained.extend((name, cell, seed) for cell in cells for seed in seeds)
            return experiment.train(cells, seeds, updates=updates)

        return replace(experiment, train=train)

    lock, cue = counted("lock"), counted("cue")
    sweep_agents([(lock, lock.grid({"horizon": (1, 2)}))], (0,), tmp_path / "a")
    arms = [
        (lock, lock.grid({"horizon": (1, 2), "process_fraction": (0.0, 1.0)})),
        (cue, cue.grid({"alpha": (0.1,), "update_rule": ("delta_rule", "policy_gradient")})),
    ]
    runs = sweep_agents(arms, (0, 1), tmp_path / "a")
    # Two of the twelve were there, and none is trained twice.
    assert len(trained) == len(set(trained)) == len(runs) == len(sweep_tasks(arms, (0, 1))) == 12
    assert sweep_agents(arms, (0, 1), tmp_path / "a") == runs and len(trained) == 12
    straight = sweep_agents(arms, (0, 1), tmp_path / "b")
    assert [run.curves for run in straight] == [run.curves for run in runs]


@pytest.mark.parametrize(
    ("condition", "values", "seeds", "message"),
    [
        ("alpha", (0.1,), (0,), "experiment 'bandit' has no condition alpha to vary; it has batch"),
        ("n_arms", (1,), (0,), "n_arms must be at least 2; it is 1"),
        ("update_rule", ("sarsa",), (0,), "update_rule must be one of clipped_policy_gradient"),
        ("n_arms", (), (0,), "a sweep needs at least one cell and one seed"),
        ("n_arms", (3,), (-1,), "seed must be at least 0; it is -1"),
    ],
)
def test_wrong_ladders_are_refused(condition, values, seeds, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        run_ladder(EXPERIMENTS["bandit"], condition, values, seeds, tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_experiments_say_how_long_they_are():
    bandit = EXPERIMENTS["bandit"]
    assert bandit.length == "3,000 updates; 40 seeds at each initial_probability of " + ", ".join(
        str(value) for value in bandit.values
    )
    assert "seed" not in bandit.conditions and bandit.conditions["n_arms"] == 10
