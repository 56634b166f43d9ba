"""Shaping and demonstrations of the lock, by going through every episode of a small one."""

import hashlib
import itertools
import json

import numpy as np
import pytest
from scipy.special import expit, logit

from empirics.lock import LockCell, train_locks
from empirics.lock_start import start_log_odds
from empirics.lock_steps import _expected, _sampled, _settings, _shaping
from empirics.run_stream import run_id_of

HORIZON, ARMS = 3, 3
EPISODES = tuple(itertools.product(range(ARMS), repeat=HORIZON))
SHAPED = LockCell(
    0.3, 0.1, HORIZON, ARMS, 2.0, process_fraction=0.4, gamma=0.7, potential_shaping=0.8
)


def softmax(logits):
    odds = np.exp(logits)
    return odds / odds.sum(axis=1, keepdims=True)


def rewards(cell, episode):
    """Return each action's discounted reward and shaping, from their definitions."""
    right = [action == 0 for action in episode]

    def potential(h):  # of the state after h actions
        on_path = all(right[:h]) and h < cell.horizon
        return cell.potential_shaping * cell.reward * h / cell.horizon if on_path else 0.0

    return [
        cell.gamma**h
        * (
            cell.process_fraction * cell.reward / cell.horizon * right[h]
            + (1 - cell.process_fraction) * cell.reward * (all(right) and h == cell.horizon - 1)
            + cell.gamma * potential(h + 1)
            - potential(h)
        )
        for h in range(cell.horizon)
    ]


def chance(policy, episode):
    return np.prod([policy[h, action] for h, action in enumerate(episode)])


def objective(cell, logits):
    policy = softmax(logits)
    return sum(chance(policy, one) * sum(rewards(cell, one)) for one in EPISODES)


def uneven_logits():
    return np.random.default_rng(3).normal(size=(HORIZON, ARMS))


def estimate(cell, policy, episode):
    """Return what the learner makes of one episode, (horizon, n_arms)."""
    edges = np.cumsum(policy, axis=1)
    u = [edges[h, action] - policy[h, action] / 2 for h, action in enumerate(episode)]
    return _sampled(policy[..., None], np.array(u)[None, :, None], _settings([cell]))[..., 0]


def test_an_episode_pushes_each_action_by_all_that_follows_it():
    policy = softmax(uneven_logits())
    for episode in EPISODES:
        follows = np.cumsum(rewards(SHAPED, episode)[::-1])[::-1]
        score = np.eye(ARMS)[list(episode)] - policy
        np.testing.assert_allclose(
            estimate(SHAPED, policy, episode), follows[:, None] * score, atol=1e-14
        )


def test_the_estimate_is_the_gradient_of_the_shaped_objective():
    logits, step = uneven_logits(), 1e-5
    policy = softmax(logits)
    mean = sum(chance(policy, one) * estimate(SHAPED, policy, one) for one in EPISODES)
    slopes = np.zeros_like(logits)
    for place in np.ndindex(logits.shape):
        move = np.zeros_like(logits)
        move[place] = step
        slopes[place] = objective(SHAPED, logits + move) - objective(SHAPED, logits - move)
    # Central differences: step² times a third derivative of order 1, and rounding over step.
    np.testing.assert_allclose(mean, slopes / (2 * step), atol=1e-9)
    # The expectation knows nothing of shaping, and needs to know nothing.
    np.testing.assert_allclose(
        mean, _expected(policy[..., None], _settings([SHAPED]))[..., 0], atol=1e-14
    )


def test_shaping_changes_no_return_but_what_is_said_of_each_action():
    right = np.array([[action == 0 for action in one] for one in EPISODES])[..., None]
    shaping = _shaping(right, _settings([SHAPED]))[..., 0]
    np.testing.assert_allclose(shaping.sum(axis=1), 0.0, atol=1e-15)
    # All right: two thirds of c·R·γ^2 at most lie between the parts.
    assert np.ptp(shaping[0]) > 0.5


def test_a_shaped_lock_moves_without_an_opening():
    cell = LockCell(0.3, 0.5, horizon=3, potential_shaping=0.5)
    plain = LockCell(0.3, 0.5, horizon=3)
    assert plain.waits and not cell.waits
    runs = train_locks([cell], range(200), updates=1)
    moved = np.array([run.curves[0].y[-1] != pytest.approx(0.027) for run in runs])
    # With a first right action, 0.3 of episodes; an opening alone would move 0.027 of them.
    assert moved.mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / 200))


@pytest.mark.parametrize("n_arms", [2, 5])
def test_demonstrations_are_cross_entropy_steps(n_arms):
    cell = LockCell(0.1, 0.4, horizon=2, n_arms=n_arms, pretrained_updates=7)
    logits = np.zeros(n_arms)
    logits[0] = logit(0.1) + np.log(n_arms - 1)
    for _ in range(7):
        logits += 0.4 * (np.eye(n_arms)[0] - softmax(logits[None])[0])
    (run,) = train_locks([cell], [0], updates=1)
    assert run.curves[0].y[0] == pytest.approx(softmax(logits[None])[0, 0] ** 2, rel=1e-12)


def test_many_small_demonstrations_have_a_closed_form():
    # dz/dt = κ η (1 - p) gives z + e^z = z0 + e^z0 + κ η t.
    (z,) = start_log_odds([LockCell(0.05, 1e-3, n_arms=4, pretrained_updates=5000)])
    start = logit(0.05)
    assert z + np.exp(z) == pytest.approx(start + np.exp(start) + 4 / 3 * 5, rel=1e-3)


def test_after_demonstrations_a_lock_is_learned_as_from_there():
    taught = LockCell(0.1, 0.4, pretrained_updates=4, exact_gradient=True)
    (z,) = start_log_odds([taught])
    from_there = LockCell(float(expit(z)), 0.4, exact_gradient=True)
    one, other = (train_locks([cell], [0], updates=300)[0] for cell in (taught, from_there))
    np.testing.assert_allclose(one.curves[0].y, other.curves[0].y, rtol=1e-9)
    assert one.onset.upper == other.onset.upper
    assert one.onset.upper < train_locks([LockCell(0.1, 0.4)], [0], updates=300)[0].onset.lower


def test_the_ledger_says_where_rewards_began():
    taught = LockCell(0.1, 0.4, pretrained_updates=4)
    (run,) = train_locks([taught], [0], updates=1)
    given = run.curves[0].conditions
    assert given["initial_probability"] == pytest.approx(run.curve("p_correct").y[0] ** (1 / 3))
    assert given["untrained_probability"] == 0.1
    assert "untrained_probability" not in LockCell(0.1, 0.4).conditions(0)


def test_later_settings_leave_earlier_runs_their_names():
    earlier = {
        "cell": "LockCell",
        "initial_probability": 0.3,
        "learning_rate": 0.5,
        "horizon": 3,
        "n_arms": 4,
        "reward": 1.0,
        "process_fraction": 0.0,
        "gamma": 1.0,
        "batch_size": 1,
        "exact_gradient": False,
    }
    t = np.array([0, 1, 5])
    text = f"{json.dumps(earlier, sort_keys=True)} 7 "
    expected = hashlib.sha256(text.encode() + t.tobytes()).hexdigest()[:16]
    assert run_id_of(LockCell(0.3, 0.5), 7, t) == expected
    changed = [
        LockCell(0.3, 0.5, potential_shaping=0.1),
        LockCell(0.3, 0.5, pretrained_updates=1),
        LockCell(0.3, 0.5, curriculum_threshold=0.1),
    ]
    assert len({expected, *(run_id_of(cell, 7, t) for cell in changed)}) == 4
    assert [cell.label for cell in changed] == [
        "lock=3 p0=0.3 rate=0.5 potential_shaping=0.1",
        "lock=3 p0=0.3 rate=0.5 pretrained_updates=1",
        "lock=3 p0=0.3 rate=0.5 curriculum_threshold=0.1",
    ]
