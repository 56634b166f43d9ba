"""Backward curricula of the lock: by every episode of a small one, and one episode at a time."""

import itertools

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import expit, logit
from scipy.stats import ks_2samp

from empirics.lock import LockCell, lock_onsets, train_locks
from empirics.lock_steps import _expected, _sampled, _settings

HORIZON, ARMS = 3, 3
CELLS = [
    LockCell(0.4, 0.5, curriculum_threshold=0.6),
    LockCell(0.4, 0.5, batch_size=4, gamma=0.8, process_fraction=0.5, curriculum_threshold=0.5),
    LockCell(0.3, 0.5, batch_size=2, gamma=0.9, potential_shaping=0.6, curriculum_threshold=0.5),
    LockCell(0.2, 0.5, horizon=2, batch_size=4, pretrained_updates=3, curriculum_threshold=0.7),
]


def softmax(logits):
    odds = np.exp(logits)
    return odds / odds.sum(axis=-1, keepdims=True)


def one_run(cell, updates, rng):
    """Return the chances (horizon,) after some updates, every action of every episode drawn."""
    z = np.zeros((cell.horizon, cell.n_arms))
    z[:, 0] = logit(cell.initial_probability) + np.log(cell.n_arms - 1)
    for _ in range(cell.pretrained_updates):
        z += cell.learning_rate * (np.eye(cell.n_arms)[0] - softmax(z))
    played = 1
    for _ in range(updates):
        policy = softmax(z)
        while played < cell.horizon and policy[-played:, 0].prod() >= cell.curriculum_threshold:
            played += 1
        edges = policy.cumsum(axis=1)[:, :-1]
        begin, gradient = cell.horizon - played, np.zeros_like(z)
        for _ in range(cell.batch_size):
            u = rng.random(cell.horizon)
            actions = [int((u[h] > edges[h]).sum()) for h in range(begin, cell.horizon)]
            right = [True] * begin + [action == 0 for action in actions]

            def potential(done, right=right):
                if done == cell.horizon or not all(right[:done]):
                    return 0.0
                return cell.potential_shaping * cell.reward * done / cell.horizon

            follows = 0.0
            for h in range(cell.horizon - 1, begin - 1, -1):
                reward = cell.process_fraction * cell.reward / cell.horizon * right[h]
                if h == cell.horizon - 1:
                    reward += (1 - cell.process_fraction) * cell.reward * all(right)
                reward += cell.gamma * potential(h + 1) - potential(h)
                follows += cell.gamma ** (h - begin) * reward
                score = np.eye(cell.n_arms)[actions[h - begin]] - policy[h]
                gradient[h] += follows * score / cell.batch_size
        z = z + cell.learning_rate * gradient
    return softmax(z)[:, 0]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.label)
def test_chances_are_distributed_as_if_every_episode_were_drawn(cell):
    rng = np.random.default_rng(2)
    theirs = np.array([one_run(cell, 15, rng) for _ in range(300)])
    runs = train_locks([cell], range(600), updates=15, steps=True)
    for h in range(cell.horizon):
        ours = [run.curve(f"p_step_{h + 1}").y[-1] for run in runs]
        rounded = (np.round(p, 9) for p in (ours, theirs[:, h]))
        assert ks_2samp(*rounded, method="asymp").pvalue > 1e-3


@pytest.mark.parametrize("first", [0, 1, 2])
def test_the_estimate_is_the_gradient_of_what_is_played(first):
    cell = LockCell(
        0.3, 0.1, HORIZON, ARMS, 2.0, process_fraction=0.4, gamma=0.7, potential_shaping=0.8
    )
    settings, start = _settings([cell]), np.array([first])
    logits = np.random.default_rng(3).normal(size=(HORIZON, ARMS))

    def objective(logits):
        right = softmax(logits)[first:, 0]
        worth = 0.7 ** np.arange(right.size)
        return 2.0 * (0.4 / HORIZON * (worth * right).sum() + 0.6 * worth[-1] * right.prod())

    slopes = np.zeros_like(logits)
    for place in np.ndindex(logits.shape):
        move = np.zeros_like(logits)
        move[place] = 1e-5
        slopes[place] = (objective(logits + move) - objective(logits - move)) / 2e-5
    policy = softmax(logits)
    # Central differences: step² times a third derivative of order 1, and rounding over step.
    expected = _expected(policy[..., None], settings, start)[..., 0]
    np.testing.assert_allclose(expected, slopes, atol=1e-9)
    edges, mean = np.cumsum(policy, axis=1), np.zeros_like(logits)
    for episode in itertools.product(range(ARMS), repeat=HORIZON):
        u = np.array([edges[h, a] - policy[h, a] / 2 for h, a in enumerate(episode)])
        chance = np.prod([policy[h, a] for h, a in enumerate(episode)])
        mean += chance * _sampled(policy[..., None], u[None, :, None], settings, start)[..., 0]
    np.testing.assert_allclose(mean, expected, atol=1e-14)


def test_only_what_is_played_is_learned():
    cell = LockCell(0.5, 0.4, exact_gradient=True, gamma=0.5, curriculum_threshold=0.3)
    (run,) = train_locks([cell], [0], updates=1, steps=True)
    # 1/2 reaches the threshold before training, 1/4 does not: two steps are played, and what
    # comes with the second of them is worth γ.
    move = 4 / 3 * 0.4 * 0.5 * 0.25 * 0.5
    steps = [run.curve(f"p_step_{h}").y[-1] for h in (1, 2, 3)]
    assert logit(steps) == pytest.approx([0.0, move, move], rel=1e-9)
    assert run.curve("p_correct").y == pytest.approx([1 / 8, np.prod(steps)])


@pytest.mark.parametrize("gamma", [1.0, 0.8])
def test_small_exact_steps_follow_one_stage_after_the_other(gamma):
    cell = LockCell(0.2, 0.02, exact_gradient=True, gamma=gamma, curriculum_threshold=0.7)
    z, begin = np.full(3, logit(0.2)), 0.0
    for k in (1, 2, 3):

        def climb(t, z, k):
            push = 4 / 3 * 0.02 * gamma ** (k - 1) * expit(z[-k:]).prod()
            return np.where(np.arange(3) >= 3 - k, push * (1 - expit(z)), 0.0)

        def ends(t, z, k):
            return expit(z[-k:]).prod() - (0.7 if k < 3 else 0.5)

        ends.terminal, ends.direction = True, 1
        path = solve_ivp(climb, (begin, 1e5), z, args=(k,), events=ends, rtol=1e-8, atol=1e-10)
        z, begin = path.y[:, -1], path.t[-1]
    (onset,) = lock_onsets(cell, 1, 0, 10_000)
    assert onset == pytest.approx(begin, rel=4e-3)


def test_a_threshold_that_is_met_from_the_start_changes_nothing():
    settings = {"horizon": 3, "gamma": 0.9}
    plain = LockCell(0.4, 0.5, **settings)
    early = LockCell(0.4, 0.5, curriculum_threshold=0.15, **settings)  # 0.4² is 0.16
    assert plain.waits and not early.waits
    ours, theirs = (lock_onsets(cell, 1500, 0, 2000) for cell in (early, plain))
    assert ks_2samp(ours, theirs, method="asymp").pvalue > 1e-3
    one, other = (
        train_locks([LockCell(0.4, 0.5, exact_gradient=True, curriculum_threshold=c)], [0],
                    updates=50)[0].curves[0].y
        for c in (0.0, 0.15)
    )  # fmt: skip
    np.testing.assert_array_equal(one, other)


def test_a_run_does_not_depend_on_its_company():
    cells = [*CELLS, LockCell(0.4, 0.5, exact_gradient=True, curriculum_threshold=0.5)]
    cells += [LockCell(0.4, 0.5, gamma=0.9, curriculum_threshold=0.8)]
    together = train_locks(cells, range(3), updates=60, steps=True)
    for run in together[1::3]:
        (alone,) = train_locks([run.cell], [run.seed], updates=60, steps=True)
        assert alone == run and alone.curves[0].digest == run.curves[0].digest
        assert lock_onsets(run.cell, 1, run.seed, 60)[0] == run.onset.upper
        assert run.curves[0].conditions["curriculum_threshold"] == run.cell.curriculum_threshold


@pytest.mark.parametrize("threshold", [-0.1, 1.0])
def test_thresholds_out_of_range_are_refused(threshold):
    message = f"curriculum_threshold must be at least 0 and below 1; it is {threshold}"
    with pytest.raises(ValueError, match=message):
        LockCell(0.3, 0.5, curriculum_threshold=threshold)
