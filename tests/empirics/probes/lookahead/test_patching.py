"""Inputs and patching on a planner whose every state is known, and on random networks."""

import numpy as np
import pytest
import torch

from empirics.maze import observe
from empirics.policies.maze_policy import MazeNetwork
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork
from empirics.probes.lookahead.draw_inputs import draw_lookahead_inputs, some
from empirics.probes.lookahead.inputs import Filters
from empirics.probes.lookahead.patching import GROUPS, LookaheadPatching
from empirics.probes.status import status

TICKS = 14
LENIENT = Filters(hard=0.3)  # who has not been reached by the flood knows nothing: P = 1/4


@pytest.fixture(scope="module")
def inputs(flood):
    return draw_lookahead_inputs(
        flood.config.pools().held_out,
        flood.config,
        weak=flood.policy(5),
        strong=flood.policy(TICKS),
        filters=LENIENT,
        num_inputs=6,
        rng=np.random.default_rng(0),
    )


def test_inputs_are_beyond_the_weak_and_within_the_strong_and_flip(inputs, paths):
    now, levels = inputs.situation, inputs.levels
    assert len(inputs) == 6 and np.unique(now.level).size == len(inputs)
    for i in range(len(inputs)):
        before, after = levels.walls[now.level[i]], inputs.corrupted.walls[i]
        clean, corrupted = (paths(walls, now.mouse[i], now.cheese[i]) for walls in (before, after))
        # The weak planner's five ticks reach four steps; the strong one solves the whole path.
        assert 5 <= len(clean) - 1 <= TICKS - 1 and clean[1] != corrupted[1]
        assert clean[1] == inputs.best.squares[i, 1]
        assert corrupted == [s for s in inputs.best_corrupted.squares[i] if s >= 0]
        changed = np.flatnonzero((before != after).ravel())
        np.testing.assert_array_equal(changed, np.sort(inputs.changed[i]))
    np.testing.assert_array_equal(inputs.observation, observe(levels, now, inputs.config))
    assert (inputs.observation != inputs.corrupted_observation).sum() == 2 * len(inputs)


def test_every_level_is_counted_once(inputs):
    assert sum(inputs.fallen.values()) + len(inputs) == len(inputs.levels)


def test_effects_of_patches_are_those_of_floods_run_by_hand(inputs, flood):
    """A state that is put in at one square, and the equation run on from there."""
    probe, policy = LookaheadPatching(inputs), flood.policy(TICKS)
    found = probe(policy)
    groups = probe._groups(1)
    effects = np.stack([_effects(inputs, i) for i in range(len(inputs))])
    used = groups["future"].any(axis=1)
    mean = {name: _mean(effects, groups[name])[used] for name in GROUPS}
    mean["other"] = np.where(groups["other"], effects, -np.inf).max(axis=1)[used]
    for name in GROUPS:
        values = mean[name][np.isfinite(mean[name])]
        assert found[f"patching_{name}"].value == pytest.approx(values.mean(), abs=2e-3)
    gain = (mean["future"] - mean["other"]).mean()
    assert found["lookahead_patching"].value == pytest.approx(gain, abs=2e-3)
    best = np.where(groups["future"], effects, -np.inf).max(axis=1)[used]
    gain = (best - mean["other"]).mean()
    assert found["lookahead_best_square"].value == pytest.approx(gain, abs=2e-3)
    assert list(found) == list(probe.observables)
    assert np.abs(effects).max() > 1
    assert (~used).sum() == probe.num_skipped()


def _mean(effects, chosen):
    with np.errstate(invalid="ignore"):
        return (effects * chosen).sum(axis=1) / chosen.sum(axis=1)


def _effects(inputs, i):
    """Drop in log-odds by the corrupted state on each square after half of the ticks, (size²,)."""
    seen, half = (inputs.observation[i], inputs.corrupted_observation[i]), TICKS // 2
    state, other = (_flooded(np.zeros((5, 7, 7)), x, half) for x in seen)
    row, column = divmod(int(inputs.situation.mouse[i]), 7)
    best = inputs.best.steps[i, 0]
    result = np.zeros(49)
    for square in range(49):
        mixed = state.copy()
        mixed[:, square // 7, square % 7] = other[:, square // 7, square % 7]
        ends = (_flooded(each, seen[0], TICKS - half) for each in (state, mixed))
        logits = [10.0 * end[1:, row, column] for end in ends]
        odds = [x[best] - np.log(np.exp(np.delete(x, best)).sum()) for x in logits]
        result[square] = odds[0] - odds[1]
    return result


def _flooded(state, planes, ticks):
    wall, cheese = planes[0], planes[2]
    for _ in range(ticks):
        framed = np.pad(state[0], 1)
        near = np.stack([framed[:-2, 1:-1], framed[1:-1, 2:], framed[2:, 1:-1], framed[1:-1, :-2]])
        comes = np.maximum(near - 5 * state[0] - 3 * wall, 0)
        rise = np.concatenate([(comes.sum(axis=0) + cheese)[None], comes])
        state = np.tanh(state + 5 * rise)
    return state


def test_groups_are_apart_and_are_what_they_say(inputs, paths):
    probe = LookaheadPatching(inputs)
    groups = probe._groups(1)
    assert (sum(where.astype(int) for where in groups.values()) <= 1).all()
    now = inputs.situation
    for i in range(len(inputs)):
        path = paths(inputs.levels.walls[now.level[i]], now.mouse[i], now.cheese[i])
        other = set(inputs.best_corrupted.squares[i])
        future = [s for s in path[2:] if s not in other and s not in inputs.changed[i]]
        np.testing.assert_array_equal(np.flatnonzero(groups["future"][i]), np.sort(future))
        assert np.flatnonzero(groups["first"][i]).tolist() == [path[1]]
        assert np.flatnonzero(groups["mouse"][i]).tolist() == [now.mouse[i]]


def test_random_networks_do_not_look_ahead(inputs):
    """None of 100, recurrent and feed-forward with a place a cell: at 95 %, a rate below 3 %.

    With the last layer of gain 1, so that states move the logits at all.
    """
    few = LookaheadPatching(_first(inputs, 3))
    present, moved = [], []
    for seed in range(100):
        kind = RecurrentMazeNetwork if seed % 2 else MazeNetwork
        shape = {"ticks": 3} if seed % 2 else {"depth": 3}
        policy = kind(width=4, hidden=8, **shape).build(
            inputs.config.observation_shape, 4, rng=np.random.default_rng(seed)
        )
        with torch.no_grad():
            policy.actor.weight *= 100
        found = few(policy.eval())
        present += [
            "is present" in status(name, found[name])
            for name in ("lookahead_patching", "lookahead_best_square")
        ]
        moved.append(found["patching_other"].value)
    assert not any(present) and np.mean(moved) > 0


def _first(inputs, number):
    now = some(inputs.situation, np.arange(number))
    corrupted = inputs.corrupted[np.arange(number)]
    return type(inputs)(
        inputs.levels, corrupted, inputs.config, now, inputs.changed[:number], inputs.fallen
    )


def test_agents_for_whom_nothing_is_hard_or_solved_are_said(inputs, flood):
    levels, asked = flood.config.pools().held_out, {"filters": LENIENT}
    strong, weak = flood.policy(60), flood.policy(1)
    for agents, counted in (
        ({"weak": strong, "strong": strong}, "not hard for the weak agent: 80"),
        ({"weak": weak, "strong": weak}, "not solved by the strong agent: 80"),
    ):
        with pytest.raises(ValueError, match=f"no position is hard .*{counted}"):
            draw_lookahead_inputs(
                levels, flood.config, **agents, **asked, rng=np.random.default_rng(0)
            )
    with pytest.raises(ValueError, match="far must be at least 2; it is 1."):
        Filters(far=1)
    with pytest.raises(ValueError, match="states of a MazePolicy or a recurrent policy"):
        LookaheadPatching(inputs)(torch.nn.Linear(1, 1))
