import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit, logit
from scipy.stats import ks_2samp

from empirics.bandit import BanditCell, bandit_onsets
from empirics.lock import LockCell, lock_ladder, lock_onsets, train_locks
from empirics.lock_steps import run_lock_steps
from theory.curve import Origin, Progress
from theory.ladder import Ladder


def cells_of_every_kind():
    """Return small cells that together go through every branch of training."""
    return [
        LockCell(0.5, 0.5, horizon=2),
        LockCell(0.4, 0.5, horizon=3, batch_size=8, gamma=0.9),
        LockCell(0.4, 0.5, horizon=2, batch_size=600),
        LockCell(0.3, 0.5, horizon=3, batch_size=4, process_fraction=0.5, gamma=0.8),
        LockCell(0.3, 0.5, horizon=2, batch_size=4, process_fraction=1.0),
        LockCell(0.3, 0.5, horizon=1, n_arms=3, process_fraction=1.0),
        LockCell(0.3, 0.5, batch_size=2, gamma=0.9, potential_shaping=0.6),
        LockCell(0.2, 0.5, horizon=2, batch_size=4, pretrained_updates=3),
        LockCell(0.3, 0.5, exact_gradient=True, process_fraction=0.3),
    ]


@pytest.mark.parametrize("horizon", [1, 2, 4])
def test_outcome_rewards_follow_their_ode(horizon):
    # Each step's chance obeys dp/dt = κ η γ^(H - 1) p^(H + 1) (1 - p)^2 until p^H = 1/2.
    cell = LockCell(0.25, 0.02, horizon=horizon, gamma=0.9, exact_gradient=True)
    (onset,) = lock_onsets(cell, 1, 0, 100_000)
    integral = quad(lambda p: p ** -(horizon + 1.0) * (1 - p) ** -2.0, 0.25, 0.5 ** (1 / horizon))[
        0
    ]
    speed = 4 / 3 * 0.02 * 0.9 ** (horizon - 1)
    assert onset == pytest.approx(integral / speed, rel=4e-3)


@pytest.mark.parametrize("horizon", [2, 4])
def test_process_rewards_part_the_steps(horizon):
    # Undiscounted, each step is a bandit of its own, with a reward of 1/H.
    cell = LockCell(0.1, 0.02, horizon=horizon, process_fraction=1.0, exact_gradient=True)
    (onset,) = lock_onsets(cell, 1, 0, 50_000)
    integral = quad(lambda p: (p * (1 - p)) ** -2.0, 0.1, 0.5 ** (1 / horizon))[0]
    assert onset == pytest.approx(integral / (4 / 3 * 0.02 / horizon), rel=4e-3)


def test_each_step_multiplies_the_wait_by_its_rarity():
    p0, gamma = 0.1, 0.8
    onsets = [
        lock_onsets(LockCell(p0, 0.2, horizon=h, gamma=gamma, exact_gradient=True), 1, 0, 10**5)[0]
        for h in (2, 3)
    ]
    # Asymptotically p0^-H / H over γ^(H - 1); what is left of it at p0 = 0.1 is the ratio's 10 %.
    assert onsets[1] / onsets[0] == pytest.approx(2 / 3 / (p0 * gamma), rel=0.15)


def test_later_steps_are_discounted():
    cell = LockCell(0.1, 0.05, process_fraction=1.0, gamma=0.5, exact_gradient=True)
    (run,) = train_locks([cell], [0], updates=1, steps=True)
    moves = [logit(run.curve(f"p_step_{h}").y[1]) - logit(0.1) for h in (1, 2, 3)]
    for h, move in enumerate(moves):
        expected = 4 / 3 * 0.05 * 0.5**h / 3 * 0.1 * 0.9
        assert move == pytest.approx(expected, rel=1e-9)


def drawn_one_by_one(cell, updates, n_runs, seed):
    """Return p (n_runs, horizon) of the same learner, every episode gone through."""
    rng = np.random.default_rng(seed)
    shape = (n_runs, cell.horizon, cell.n_arms)
    z = np.zeros(shape)
    z[..., 0] = logit(cell.initial_probability) + math.log(cell.n_arms - 1)
    for _ in range(cell.pretrained_updates):
        p = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
        z = z + cell.learning_rate * (np.eye(cell.n_arms)[0] - p)
    for _ in range(updates):
        p = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
        gradient = np.zeros(shape)
        for _ in range(cell.batch_size):
            u = rng.random((n_runs, cell.horizon, 1))
            actions = (u > np.cumsum(p, axis=-1)[..., :-1]).sum(axis=-1)
            right = actions == 0
            follows = np.zeros(n_runs)
            for h in range(cell.horizon - 1, -1, -1):
                reward = cell.process_fraction * cell.reward / cell.horizon * right[:, h]
                if h == cell.horizon - 1:
                    reward = reward + (1 - cell.process_fraction) * cell.reward * right.all(axis=1)
                if cell.potential_shaping:
                    step = cell.potential_shaping * cell.reward / cell.horizon
                    after = (h + 1) * step * right[:, : h + 1].all(axis=1)
                    last = h == cell.horizon - 1
                    reward = reward + cell.gamma * (0 if last else after)
                    reward = reward - h * step * right[:, :h].all(axis=1)
                follows = follows + cell.gamma**h * reward
                score = np.eye(cell.n_arms)[actions[:, h]] - p[:, h]
                gradient[:, h] += follows[:, None] * score / cell.batch_size
        z = z + cell.learning_rate * gradient
    return (np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True))[..., 0]


@pytest.mark.parametrize("cell", cells_of_every_kind()[:-1], ids=lambda cell: cell.label)
def test_chances_are_distributed_as_if_every_episode_were_drawn(cell):
    updates = 3 if cell.batch_size > 100 else 25
    runs = train_locks([cell], range(400), updates=updates, steps=True)
    theirs = drawn_one_by_one(cell, updates, 400, seed=1)
    for h in range(cell.horizon):
        ours = [run.curve(f"p_step_{h + 1}").y[-1] for run in runs]
        rounded = (np.round(p, 9) for p in (ours, theirs[:, h]))
        assert ks_2samp(*rounded, method="asymp").pvalue > 1e-3


def test_batches_climb_the_expectation():
    # One update of many runs: the mean of the estimates is the gradient itself.
    settings = {"horizon": 3, "process_fraction": 0.4, "gamma": 0.7}
    cell = LockCell(0.4, 1e-6, batch_size=16, **settings)
    exact = LockCell(0.4, 1e-6, exact_gradient=True, **settings)
    t = np.array([0, 1])
    sampled, _ = run_lock_steps([(cell, seed) for seed in range(4000)], t)
    expected, _ = run_lock_steps([(exact, 0)], t)
    moved = sampled[:, 1] - sampled[:, 0]
    error = moved.std(axis=0) / math.sqrt(4000)
    assert np.all(np.abs(moved.mean(axis=0) - (expected[0, 1] - expected[0, 0])) < 4 * error)


@pytest.mark.parametrize("batch_size", [1, 8])
def test_going_from_opening_to_opening_equals_going_update_by_update(batch_size):
    cell = LockCell(0.4, 0.5, horizon=2, batch_size=batch_size)
    slow = run_lock_steps([(cell, seed) for seed in range(1000)], np.array([0, 150]))[1]
    quick = lock_onsets(cell, 1000, 5000, 150)
    assert ks_2samp(slow, quick, method="asymp").pvalue > 1e-3


def test_openings_are_a_birth_process():
    # Waits are geometric with chance p^H, each opening lifts the log odds by h (1 - p).
    cell = LockCell(0.3, 0.6, horizon=3)
    z, waits, variances = logit(0.3), [], []
    while expit(z) ** 3 < 0.5:
        chance = expit(z) ** 3
        waits.append(1 / chance)
        variances.append((1 - chance) / chance**2)
        z += 0.6 * 4 / 3 * (1 - expit(z))
    onsets = lock_onsets(cell, 4000, 0, 10**5)
    sd = math.sqrt(sum(variances))
    assert onsets.mean() == pytest.approx(sum(waits), abs=4 * sd / math.sqrt(4000))
    assert onsets.std() == pytest.approx(sd, rel=4 * math.sqrt(2 / 4000))


def test_a_lock_of_one_step_is_a_bandit():
    lock = lock_onsets(LockCell(0.05, 0.3, horizon=1, n_arms=6, batch_size=4), 2000, 0, 10**4)
    bandit = bandit_onsets(BanditCell(0.05, 0.3, n_arms=6, batch_size=4), 2000, 0, 10**4)
    assert ks_2samp(lock, bandit, method="asymp").pvalue > 1e-3


def test_a_run_does_not_depend_on_its_company():
    cells = cells_of_every_kind()
    together = train_locks(cells, range(4), updates=60, steps=True)
    for run in together[2::4]:
        (alone,) = train_locks([run.cell], [run.seed], updates=60, steps=True)
        assert alone == run and alone.curves[0].digest == run.curves[0].digest
    assert len({run.run_id for run in together}) == len({run.run for run in together}) == 36


def test_onsets_are_those_of_whole_runs():
    for cell in cells_of_every_kind():
        onsets = lock_onsets(cell, 5, 3, 80)
        runs = train_locks([cell], range(3, 8), updates=80)
        np.testing.assert_array_equal(onsets, [run.onset.upper for run in runs])
        for run in runs:
            y, t = run.curves[0].y, run.curves[0].t
            assert np.all(y[t <= run.onset.lower] < 0.5)


def test_a_curve_says_what_shaped_it():
    curves = lock_ladder([LockCell(0.3, 0.5, horizon=h) for h in (1, 2)], [0, 1], 300)
    assert Ladder("horizon", curves).rungs == (1, 2)
    curve = curves[-1]
    assert curve.observable == "p_correct" and curve.support == (0.0, 1.0)
    assert curve.y[0] == pytest.approx(0.09)
    assert curve.progress is Progress.UPDATES and curve.origin is Origin.MEASURED
    assert dict(curve.conditions) == {
        "initial_probability": 0.3,
        "learning_rate": 0.5,
        "horizon": 2,
        "n_arms": 4,
        "reward": 1.0,
        "process_fraction": 0.0,
        "gamma": 1.0,
        "batch_size": 1,
        "exact_gradient": False,
        "potential_shaping": 0.0,
        "pretrained_updates": 0,
        "curriculum_threshold": 0.0,
        "update_rule": "policy_gradient",
        "critic": "none",
        "normalized_advantages": False,
        "seed": 1,
    }
    exact = LockCell(0.3, 0.5, exact_gradient=True).conditions(0)
    assert not {"batch_size", "potential_shaping"} & set(exact)


def test_p_correct_is_the_product_of_the_steps():
    cell = LockCell(0.3, 0.5, process_fraction=0.5, batch_size=4)
    (run,) = train_locks([cell], [0], updates=200, steps=True)
    steps = [run.curve(f"p_step_{h}").y for h in (1, 2, 3)]
    np.testing.assert_allclose(run.curve("p_correct").y, np.prod(steps, axis=0), rtol=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"initial_probability": 1.0}, "initial_probability must lie between 0 and 1; it is 1.0"),
        ({"learning_rate": 0.0}, "learning_rate must be positive; it is 0.0"),
        ({"horizon": 0}, "horizon must be at least 1; it is 0"),
        ({"horizon": 2.5}, "horizon must be a whole number; it is 2.5"),
        ({"n_arms": 1}, "n_arms must be at least 2; it is 1"),
        ({"process_fraction": 1.1}, r"process_fraction must be in \[0, 1\]; it is 1.1"),
        ({"gamma": 0.0}, r"gamma must be in \(0, 1\]; it is 0.0"),
        ({"exact_gradient": True, "batch_size": 4}, "batch_size does not act on exact gradients"),
        ({"potential_shaping": -0.1}, "potential_shaping must not be negative; it is -0.1"),
        (
            {"exact_gradient": True, "potential_shaping": 0.5},
            "potential_shaping does not act on exact gradients; it is 0.5",
        ),
        ({"pretrained_updates": -1}, "pretrained_updates must be at least 0; it is -1"),
        ({"exact_gradient": 2}, "exact_gradient must be True or False; it is 2"),
    ],
)
def test_wrong_cells_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        LockCell(**{"initial_probability": 0.1, "learning_rate": 0.1, **changes})


def test_wrong_requests_are_refused():
    cell = LockCell(0.1, 0.1)
    with pytest.raises(ValueError, match="updates must be at least 1; it is 0"):
        train_locks([cell], [0], updates=0)
    with pytest.raises(ValueError, match="n_seeds must be at least 1; it is 0"):
        lock_onsets(cell, 0, 0, 10)
