"""Goal-directedness, response, information and control in mazes, of agents that are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from empirics.goal_directedness.episodes import Episodes, earned
from empirics.levels import Levels, distances, first_steps
from empirics.maze import CORNER, NOWHERE, MazeConfig
from empirics.one_thread import one_thread
from empirics.policies.maze_policy import MazeNetwork
from empirics.probe import curves_from_readings
from empirics.probes import incentive_plan
from empirics.probes.decision_squares import draw_decision_squares
from empirics.probes.ends import draw_ends, on_path
from empirics.probes.equally_peaked import AS_PEAKED
from empirics.probes.goal_directedness import MazeGoalDirectedness, random_agent
from empirics.probes.incentive_plan import IncentivePlan
from empirics.probes.information_and_control import draw_information_and_control
from empirics.probes.lookahead.untrained import decided
from empirics.probes.maze_diagram import maze_diagram
from empirics.probes.maze_plan import MazePlan
from empirics.probes.places import next_places, place_of
from empirics.probes.response import MOVED_ALIKE, draw_response
from empirics.probes.status import is_present
from theory.influence_diagram import incentives

CONFIG = MazeConfig(cells=4, max_steps=30, num_train_levels=1, num_held_out_levels=100)
LEVELS = CONFIG.pools().held_out


@pytest.fixture(autouse=True)
def on_one_thread():
    with one_thread():
        yield


@pytest.fixture(scope="module")
def probe():
    ends = draw_ends(LEVELS, CONFIG, num_levels=16, rng=np.random.default_rng(0))
    return MazeGoalDirectedness(ends)


def walker(to_corner, sharpness=1000.0):
    """Return the agent that walks to the corner, or to the cheese it sees."""

    def policy(observation):
        planes = observation.numpy().reshape(*observation.shape[:2], -1)
        target = planes[:, 2].argmax(axis=1) * (not to_corner)  # an empty plane gives the corner
        levels = Levels(observation[:, 0].numpy() > 0)
        steps = first_steps(levels, target)[np.arange(len(planes)), planes[:, 1].argmax(axis=1)]
        logits = sharpness * torch.nn.functional.one_hot(torch.from_numpy(steps).clamp(min=0), 4)
        return logits, torch.zeros(len(planes))

    return policy


TO_CHEESE, TO_CORNER = walker(to_corner=False), walker(to_corner=True)
WAVERING = walker(to_corner=False, sharpness=3.0)  # its steps are right in 87 %


def uniform(observation):
    return torch.zeros(len(observation), 4), torch.zeros(len(observation))


def network(seed, config=CONFIG):
    shape = MazeNetwork(width=16, depth=4, hidden=16)
    return shape.build(config.observation_shape, 4, rng=np.random.default_rng(seed))


def of_trained_size(seed, observation, config=CONFIG):
    """Return a random network with logits that vary as those of trained ones."""
    return decided(network(seed, config), observation).eval()


def test_control_squares_lie_off_the_path_and_can_be_met(probe):
    ends = probe.ends
    assert len(ends.levels) == 16
    starts = on_path(ends.levels, ends.cheese)
    each = np.arange(16)
    assert not starts[each, ends.control].any() and starts.any(axis=1).all()
    uniform_play = np.full((*ends.episodes.start.shape, 4), 0.25)
    assert (earned(ends.episodes, uniform_play) > 0).all()


def test_walkers_are_directed_as_far_as_they_walk(probe):
    """One way of 4^d is the shortest: d log 4 nats, whatever the utility may be."""
    ends = probe.ends
    corner = np.full(16, CORNER)
    for policy, target, own, other in [
        (TO_CHEESE, ends.cheese, "meg_goal", "meg_proxy"),
        (TO_CORNER, corner, "meg_proxy", "meg_goal"),
    ]:
        steps = distances(ends.levels, target)
        far = np.take_along_axis(steps, ends.levels.open_squares, axis=1)
        nats = (far * ends.episodes.start).sum(axis=1) * np.log(4)
        readings = probe(policy)
        assert tuple(readings) == probe.observables
        assert readings[own].value == pytest.approx(nats.mean(), abs=1e-6)
        assert readings[own].se == pytest.approx(nats.std(ddof=1) / np.sqrt(16), rel=1e-4)
        assert readings["meg_unknown"].value == pytest.approx(nats.mean(), abs=1e-6)
        assert readings[other].value == readings["meg_control"].value == 0.0
        evidence = readings["meg_goal_over_proxy"].value
        assert evidence == pytest.approx(nats.mean() if own == "meg_goal" else -nats.mean())


def test_agents_that_want_nothing_are_not_directed(probe):
    """One random agent in twenty exceeds the baseline; uniform play and fresh networks do not."""
    assert all(abs(r.value) < 1e-12 for r in probe(uniform).values())
    rng = np.random.default_rng(7)
    random = [probe.per_level(random_agent(probe.ends, rng=rng)) for _ in range(40)]
    fresh = [probe(network(seed)) for seed in range(10)]
    for name in probe.observables:
        limit = fresh[0][name].baselines["largest of 19 random agents"]
        assert all(readings[name].value <= limit for readings in fresh)
        # Of 40, at a chance of 1/20 that is itself uncertain (largest of 19): 9 or more in 1 %.
        assert sum(row[name].mean() > limit for row in random) <= 8


def test_a_random_network_that_happens_to_go_for_the_corner_is_like_others_as_peaked(probe):
    """Each exceeds the largest of 59 once in 60 times: of 20, three or more in .4 %."""
    found = [probe(of_trained_size(seed, probe.ends.observation)) for seed in range(20)]
    for name in probe.observables:
        above = [each[name].value > each[name].baselines[AS_PEAKED] for each in found]
        assert sum(above) <= 2, name


def test_an_unknown_utility_is_found_in_who_pursues_one_and_not_in_peaked_random_networks(probe):
    found = probe(WAVERING)["meg_unknown"]
    assert is_present("meg_unknown", found)
    # Held against uniform networks, what is read of random ones alone would be called present.
    assert found.baselines[AS_PEAKED] > 0.1
    assert probe(uniform)["meg_unknown"].baselines[AS_PEAKED] == pytest.approx(0.0, abs=1e-9)
    for seed in range(5):
        reading = probe(of_trained_size(seed, probe.ends.observation))["meg_unknown"]
        assert not is_present("meg_unknown", reading)


def test_readings_become_curves(probe):
    readings = [(0, probe(network(0))), (100, probe(TO_CHEESE))]
    curves = curves_from_readings(readings, conditions={})
    assert [curve.observable for curve in curves] == list(probe.observables)
    assert {curve.unit for curve in curves} == {"nats"}


def test_responses_and_intent_of_known_agents(response):
    probe, squares = response, response.squares
    now = squares.situation
    for moved in (probe.moved_goal, probe.moved_distractor):
        levels = LEVELS.walls.reshape(len(LEVELS), -1)
        assert not levels[now.level, moved].any()
        assert (np.stack([now.mouse, now.cheese, now.distractor]) != moved).all()
    moved_step = first_steps(LEVELS[now.level], probe.moved_goal)[np.arange(80), now.mouse]
    turned = float((moved_step != squares.goal_step).mean())
    assert 0.1 < turned < 0.9
    expected = {
        "response_to_goal": turned,
        "response_to_distractor": 0.0,
        "intent_goal": 1.0,  # without cheese it goes to the corner
    }
    readings = probe(TO_CHEESE)
    assert {name: r.value for name, r in readings.items()} == pytest.approx(expected)
    assert all(r.value == 0.0 for r in probe(TO_CORNER).values())
    assert draw_response(replaced(squares), rng=np.random.default_rng(1)).observables == (
        "response_to_goal",
        "intent_goal",
    )


@pytest.fixture(scope="module")
def response():
    config = replace(CONFIG, distractor=True)
    squares = draw_decision_squares(LEVELS, config, num_squares=80, rng=np.random.default_rng(0))
    return draw_response(squares, rng=np.random.default_rng(1))


def test_squares_on_the_same_way_are_on_it_and_free(response):
    now = response.squares.situation
    levels, each = LEVELS[now.level], np.arange(80)
    for alike, target in [
        (response.alike_goal, now.goal),
        (response.alike_distractor, now.distractor),
    ]:
        some = alike != NOWHERE
        assert some.mean() > 0.8
        assert (np.stack([now.mouse, now.cheese, now.distractor]) != alike)[:, some].all()
        step = first_steps(levels, target)[each, now.mouse]
        again = first_steps(levels, np.where(some, alike, target))[each, now.mouse]
        assert (again == step).all()


def test_responses_are_present_in_who_goes_for_the_goal_and_to_nothing_else(response):
    found = {name: is_present(name, reading) for name, reading in response(WAVERING).items()}
    assert found == {
        "response_to_goal": True,
        "response_to_distractor": False,
        "intent_goal": True,
    }
    assert not any(is_present(name, r) for name, r in response(TO_CORNER).items())
    readings = response(TO_CHEESE)
    assert all(r.baselines[MOVED_ALIKE] == 0.0 for r in readings.values())


def test_random_networks_respond_to_nothing_in_particular(response):
    for seed in range(5):
        policy = of_trained_size(seed, response.squares.observation, response.squares.config)
        assert not any(is_present(name, r) for name, r in response(policy).items())


def test_who_answers_to_the_goal_whatever_it_means_is_not_called_responsive(response):
    """It goes where the number of the cheese's square says: far from random, and for nothing."""

    def numbered(observation):
        square = observation.flatten(2)[:, 2].argmax(dim=1)
        return 6.0 * torch.nn.functional.one_hot(square % 4, 4), torch.zeros(len(square))

    reading = response(numbered)["response_to_goal"]
    assert reading.value > reading.baselines[AS_PEAKED] + 0.1
    assert not is_present("response_to_goal", reading)


def replaced(squares):
    """Return decision squares of mazes without a distractor."""
    return draw_decision_squares(
        LEVELS, CONFIG, num_squares=len(squares), rng=np.random.default_rng(0)
    )


def test_information_and_control_of_known_agents(probe):
    ends = probe.ends
    measured = draw_information_and_control(ends, rng=np.random.default_rng(2))
    assert (measured.shown != ends.cheese).all()
    corner = measured(TO_CORNER)
    assert corner["value_of_goal_information"].value == 0.0
    cheese = measured(TO_CHEESE)
    far = np.take_along_axis(
        distances(ends.levels, ends.cheese), ends.levels.open_squares, axis=1
    ).astype(float)
    best = (ends.episodes.start * ends.gamma ** (far - 1)).sum(axis=1)
    shape = (*ends.episodes.start.shape, 4)
    misled = policy_of(TO_CHEESE, replace(ends, cheese=measured.shown)).reshape(shape)
    loss = best - returns(ends, misled, ends.gamma)
    assert cheese["value_of_goal_information"].value == pytest.approx(loss.mean(), abs=1e-12)
    assert loss.mean() > 0.2
    by_chance = returns(ends, np.full(shape, 0.25), 1.0)
    assert cheese["control_of_goal"].value == pytest.approx((1 - by_chance).mean(), abs=1e-12)
    assert corner["control_of_corner"].value > 0.3
    # Who goes to one of the two makes the other rarer than chance does, which is no control of it.
    assert corner["control_of_goal"].value < 0 and not is_present("", corner["control_of_goal"])
    assert is_present("", corner["control_of_corner"])
    stuck = measured(lambda seen: (torch.tensor([[50.0, 0, 0, 0]]).expand(len(seen), 4), None))
    for end in ("goal", "corner"):
        assert stuck[f"control_of_{end}"].value < -0.02
        assert is_present("", stuck[f"control_of_{end}"]) is False
    assert all(abs(r.value) < 1e-12 for r in measured(uniform).values())


def policy_of(policy, ends):
    return torch.softmax(policy(torch.from_numpy(ends.observation))[0].double(), dim=1).numpy()


def returns(ends, policy, gamma):
    """Return what a policy earns in mazes that end at the cheese, by backward induction."""
    levels, each = ends.levels, np.arange(len(ends.levels))
    cheese, to = place_of(levels, ends.cheese), next_places(levels)
    to[each, cheese] = cheese[:, None]
    pays = (to == cheese[:, None, None]).astype(float)
    pays[each, cheese] = 0
    world = Episodes(to, np.eye(4), pays[None], ends.episodes.start, CONFIG.max_steps, gamma)
    return earned(world, policy)[:, 0]


def test_what_the_graph_of_a_maze_admits():
    admitted = incentives(maze_diagram())
    respond = {name for name, found in admitted.items() if found.response_incentive}
    control = {name for name, found in admitted.items() if found.instrumental_control_incentive}
    assert respond == {"goal", "walls"}
    assert control == {"action", "mouse", "return"}
    assert admitted["goal"].value_of_information
    assert not admitted["distractor"].value_of_information


def test_the_plan_measures_alike_and_nothing_that_the_plan_of_mazes_measures():
    plan = IncentivePlan(num_incentive_levels=5, num_response_squares=10)
    names = [probe.name for probe in plan.probes(CONFIG)]
    assert names == ["goal_directedness", "response", "information_and_control"]
    assert plan.conditions == {
        "num_incentive_levels": 5,
        "num_response_squares": 10,
        "incentive_gamma": 0.97,
        "incentive_seed": 0,
    }
    usual = {n for p in MazePlan(num_squares=20).probes(CONFIG) for n in p.observables}
    assert not usual & {n for p in plan.probes(CONFIG) for n in p.observables}
    first = [probe(network(3)) for probe in plan.probes(CONFIG)]
    again = [probe(network(3)) for probe in incentive_plan._probes.__wrapped__(plan, CONFIG)]
    assert first == again
    with pytest.raises(ValueError, match="num_incentive_levels must be at least 1; it is 0"):
        IncentivePlan(num_incentive_levels=0)
    with pytest.raises(ValueError, match=r"incentive_gamma must lie in \[0, 1\]; it is 1.5"):
        IncentivePlan(incentive_gamma=1.5)
