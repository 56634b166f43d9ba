"""Goal-directedness against its definition, by enumeration, and against the rate function."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq, minimize, minimize_scalar

from empirics.goal_directedness.episodes import Episodes, earned, soft_cumulant, soft_policy
from empirics.goal_directedness.measure import goal_directedness, maximized
from empirics.goal_directedness.random_play import random_play_cumulant
from empirics.maze import MazeConfig
from empirics.probes.ends import draw_ends
from theory.goal_directedness import meg_of_return


def grid(side=6, horizon=12):
    """Return the grid of the reference: one a step in the corner across, nothing ends."""
    row, column = np.divmod(np.arange(side * side), side)
    moves = [(0, 1), (1, 0), (0, -1), (-1, 0)]
    to = np.stack(
        [np.clip(row + i, 0, side - 1) * side + np.clip(column + j, 0, side - 1) for i, j in moves],
        axis=1,
    )
    pays = (to == side * side - 1).astype(float)
    return Episodes(to[None], np.eye(4), pays[None, None], np.eye(side * side)[:1], horizon)


def random_world(seed, num_features=1):
    """Return three steps in three states with two actions of three uncertain outcomes."""
    rng = np.random.default_rng(seed)
    return Episodes(
        rng.integers(3, size=(1, 3, 3)),
        rng.dirichlet(np.ones(3), size=(1, 3, 2)),
        rng.standard_normal((num_features, 1, 3, 3)),
        rng.dirichlet(np.ones(3), size=1),
        3,
        0.8,
    )


def random_policy(world, seed):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(2) / 2, size=(world.horizon, *world.start.shape))


def histories(world, policy, other=None):
    """Return each history's chance, return, and sum of log(other · A), by enumeration."""
    rows = []
    steps = list(itertools.product(range(2), range(3)))
    for first in range(3):
        for moves in itertools.product(steps, repeat=world.horizon):
            state, chance, total, ratio = first, world.start[0, first], 0.0, 0.0
            for t, (action, outcome) in enumerate(moves):
                chance *= policy[t, 0, state, action] * world.chance[0, state, action, outcome]
                total += world.gamma**t * world.features[0, 0, state, outcome]
                if other is not None:
                    ratio += math.log(other[t, 0, state, action] * 2)
                state = world.next_state[0, state, outcome]
            rows.append((chance, total, ratio))
    return np.array(rows).T


def by_definition(world, policy):
    """Return the largest mean log likelihood ratio of soft policies to uniform actions."""

    def shortfall(weight):
        chance, _, ratio = histories(world, policy, soft_policy(world, np.array([weight])))
        return -float(chance @ ratio)

    return -minimize_scalar(
        shortfall, bounds=(-30, 30), method="bounded", options={"xatol": 1e-3, "maxiter": 60}
    ).fun


@pytest.mark.parametrize(
    ("epsilon", "nats"), [(0.0, 9.7198), (0.1, 5.8777), (0.3, 1.8451), (0.6, 0.1677), (1.0, 0.0)]
)
def test_the_known_values_and_the_rate_function(epsilon, nats):
    world = grid()
    policy = (1 - epsilon) * soft_policy(world, np.array([100.0])) + epsilon / 4
    found = goal_directedness(world, policy)
    assert found.value == pytest.approx(nats, abs=5e-5)
    ends = {(0, 0.0): 1}
    for _ in range(world.horizon):
        later = {}
        for (state, total), count in ends.items():
            for after in world.next_state[0, state].tolist():
                key = after, total + (after == 35)
                later[key] = later.get(key, 0) + count
        ends = later
    mean = earned(world, policy)[0, 0]
    returns = [total for _, total in ends]
    assert found.value == pytest.approx(meg_of_return(mean, returns, list(ends.values())), abs=1e-9)


def test_in_a_random_world_it_is_what_its_definition_says():
    for seed in range(2):
        world = random_world(seed)
        policy = random_policy(world, seed + 10)
        found = goal_directedness(world, policy).value
        assert found == pytest.approx(by_definition(world, policy), abs=1e-5)
        assert found > 1e-3


def test_in_a_random_world_too_it_knows_policies_by_their_return_alone():
    """Other policies of equal return are equally likely under each soft policy; but the measure
    is larger than the rate function of the return, which is for certain moves only."""
    world = random_world(3)
    one = random_policy(world, 1)
    two, three = (soft_policy(world, np.array([weight])) for weight in (-9.0, 9.0))

    def gap(share):
        mixed = share * two + (1 - share) * three
        return float((earned(world, mixed) - earned(world, one))[0, 0])

    share = brentq(gap, 0, 1)
    other = share * two + (1 - share) * three
    assert np.abs(other - one).max() > 0.3
    for weight in (-2.0, 1.0, 5.0):
        soft = soft_policy(world, np.array([weight]))
        likelihoods = [
            chance @ r for chance, _, r in (histories(world, p, soft) for p in (one, other))
        ]
        assert likelihoods[0] == pytest.approx(likelihoods[1], abs=1e-10)
    found = [goal_directedness(world, policy).value for policy in (one, other)]
    assert found[0] == pytest.approx(found[1], abs=1e-9)

    chance, returns, _ = histories(world, np.full_like(one, 0.5))
    rate = meg_of_return(earned(world, one)[0, 0], returns, chance)
    assert found[0] > 1.1 * rate > 0


def test_scale_sign_and_origin_of_a_utility_do_not_matter():
    world = random_world(5)
    policy = random_policy(world, 5)
    found = goal_directedness(world, policy)
    for moved in (1e-3 * world.features, -7 * world.features, world.features + 11):
        same = goal_directedness(replace(world, features=moved), policy)
        assert same.value == pytest.approx(found.value, abs=1e-8)
    away = replace(world, features=-np.sign(found.weights[0]) * world.features)
    assert goal_directedness(away, policy, toward=True).value == 0.0


def test_a_policy_is_not_directed_at_what_no_action_changes():
    world = random_world(5)
    same = np.full_like(world.features, 0.3)
    for seed in range(5):
        found = goal_directedness(replace(world, features=same), random_policy(world, seed))
        assert found.value == pytest.approx(0, abs=1e-12)


def test_random_play_has_none_and_the_best_and_the_worst_have_the_most():
    world = random_world(6)
    best, worst = (soft_policy(world, np.array([weight])) for weight in (500.0, -500.0))
    most = max(goal_directedness(world, policy).value for policy in (best, worst))
    assert goal_directedness(world, np.full_like(best, 0.5)).value == pytest.approx(0, abs=1e-12)
    for seed in range(20):
        policy = random_policy(world, seed)
        assert 0 <= goal_directedness(world, policy).value <= most <= 3 * math.log(2)


def test_derivatives_of_soft_values():
    world = random_world(7, num_features=2)
    cumulant, weights = soft_cumulant(world), np.array([0.7, -1.2])
    _, slope, curvature = cumulant(weights)
    np.testing.assert_allclose(slope, earned(world, soft_policy(world, weights)), atol=1e-12)
    step = 1e-5
    for k in range(2):
        change = step * np.eye(2)[k]
        numeric = (cumulant(weights + change)[1] - cumulant(weights - change)[1])[0] / (2 * step)
        np.testing.assert_allclose(curvature[k], numeric, atol=1e-8)


def test_an_unknown_utility_is_the_best_of_its_span():
    world = random_world(8, num_features=2)
    policy = random_policy(world, 8)
    means = earned(world, policy)
    found = maximized(soft_cumulant(world), means)

    def shortfall(weights):
        return float((soft_cumulant(world)(weights)[0] - means @ weights).mean())

    search = minimize(shortfall, np.zeros(2), method="Nelder-Mead", options={"fatol": 1e-12})
    assert found.value == pytest.approx(-search.fun, abs=1e-8)
    for direction in ([1, 0], [0, 1], [1, -1]):
        one = np.tensordot(np.array(direction, dtype=float), world.features, axes=1)[None]
        assert goal_directedness(replace(world, features=one), policy).value <= found.value + 1e-9
    mixed = np.tensordot(found.weights, world.features, axes=1)[None]
    known = goal_directedness(replace(world, features=mixed), policy)
    assert known.value == pytest.approx(found.value, abs=1e-8)


def test_in_mazes_random_play_gives_the_soft_values():
    config = MazeConfig(cells=3, max_steps=12, num_train_levels=1, num_held_out_levels=40)
    levels = config.pools().held_out
    world = draw_ends(levels, config, num_levels=9, rng=np.random.default_rng(0)).episodes
    weights = np.array([2.0, -1.0, 0.5])
    for quick, slow in zip(
        random_play_cumulant(world)(weights), soft_cumulant(world)(weights), strict=True
    ):
        np.testing.assert_allclose(quick, slow, atol=1e-12)
    with pytest.raises(ValueError, match="moves must be certain"):
        random_play_cumulant(world.slippery(0.1))
    with pytest.raises(ValueError, match="pay 1, once"):
        random_play_cumulant(replace(world, features=2 * world.features))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"horizon": 0}, "horizon must be at least 1 and gamma in"),
        ({"gamma": 1.5}, "they are 12 and 1.5"),
        ({"chance": np.eye(4)[:, :3]}, "chance must end with 4 outcomes"),
        ({"chance": 2 * np.eye(4)}, "chance must be probabilities"),
        ({"start": np.ones((1, 36))}, "start must be probabilities"),
        ({"start": np.ones(36) / 36}, r"start must have the shape \(1, 36\)"),
        ({"features": np.zeros((1, 36, 4))}, "features must be"),
        ({"features": np.full((1, 1, 36, 4), np.nan)}, "features must be finite"),
        ({"next_state": np.full((1, 36, 4), 36)}, "next_state must hold numbers of states"),
    ],
)
def test_what_is_no_problem_is_refused(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(grid(), **change)


def test_questions_that_have_no_answer_are_refused():
    world = random_world(0, num_features=2)
    with pytest.raises(ValueError, match="toward needs one feature; there are 2"):
        goal_directedness(world, random_policy(world, 0), toward=True)
    with pytest.raises(ValueError, match=r"policy must have the shape \(1, 3, 2\)"):
        earned(world, np.ones((3, 2)))
    with pytest.raises(ValueError, match="slip must be a probability; it is 2"):
        world.slippery(2)
