import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit, logit
from scipy.stats import ks_2samp

from empirics.bandit import BanditCell, bandit_onsets
from empirics.skill_steps import run_skill_steps
from empirics.skills import SkillCell, SkillRule, skill_onsets, train_skills
from theory.curve import Origin, Progress
from theory.ladder import Ladder

NATURAL = SkillRule.NATURAL_POLICY_GRADIENT
THREE = {"n_skills": 3, "initial_ratio": 0.7, "frequency_exponent": 1.0, "gradient_cosine": -0.4}


def cells_of_every_kind():
    """Return small cells that together go through every branch of training."""
    return [
        SkillCell(0.3, 0.5),
        SkillCell(0.3, 0.5, gradient_cosine=0.6, batch_size=4),
        SkillCell(0.4, 0.8, batch_size=8, **THREE),
        SkillCell(0.4, 0.8, batch_size=8, on_policy=False, behavior_probability=0.7, **THREE),
        SkillCell(0.4, 0.2, batch_size=8, update_rule=NATURAL, **THREE),
        SkillCell(0.4, 0.8, exact_gradient=True, on_policy=False, **THREE),
        SkillCell(0.4, 0.8, 1, exact_gradient=True),
    ]


def features(cell):
    """Return unit vectors (n_skills, n_skills), one a row, with the cell's cosines."""
    size = cell.n_skills
    gram = np.full((size, size), cell.gradient_cosine) + (1 - cell.gradient_cosine) * np.eye(size)
    values, vectors = np.linalg.eigh(gram)
    return vectors * np.sqrt(np.maximum(values, 0.0))


def enumerated_update(cell):
    """Return the logits after one expected update of theta, over every level and action."""
    phi, offsets = features(cell), logit(cell.starts)
    step = np.zeros(cell.n_skills)
    for k in range(cell.n_skills):
        p = expit(offsets[k])
        for right, own in ((True, p), (False, 1 - p)):
            behavior = cell.behavior_probability if right else 1 - cell.behavior_probability
            chance = cell.frequencies[k] * (own if cell.on_policy else behavior)
            score = (float(right) - p) * phi[k]
            if cell.update_rule is NATURAL:
                score = score / (p * (1 - p))
            step += chance * float(right) * score
    return offsets + phi @ (cell.learning_rate * step)


@pytest.mark.parametrize(
    "changes",
    [{}, {"on_policy": False, "behavior_probability": 0.7}, {"update_rule": NATURAL}],
    ids=["policy gradient", "fixed data", "natural"],
)
def test_the_expected_update_is_that_of_shared_parameters(changes):
    cell = SkillCell(0.4, 0.8, exact_gradient=True, **THREE, **changes)
    (run,) = train_skills([cell], [0], updates=1)
    found = [logit(run.curve(f"p_skill_{k}").y[1]) for k in (1, 2, 3)]
    np.testing.assert_allclose(found, enumerated_update(cell), rtol=1e-12)


def test_on_policy_updates_climb_the_mean_reward():
    cell = SkillCell(0.4, 0.8, exact_gradient=True, **THREE)
    phi, offsets = features(cell), logit(cell.starts)

    def reward(theta):
        return cell.frequencies @ expit(offsets + phi @ theta)

    slope = [(reward(1e-6 * e) - reward(-1e-6 * e)) / 2e-6 for e in np.eye(3)]
    moved = enumerated_update(cell) - offsets
    np.testing.assert_allclose(moved, phi @ (0.8 * np.array(slope)), rtol=1e-8)


@pytest.mark.parametrize("changes", [{}, {"on_policy": False}, {"update_rule": NATURAL}])
def test_batches_follow_the_expectation(changes):
    cell = SkillCell(0.4, 1e-6, batch_size=16, **THREE, **changes)
    exact = SkillCell(0.4, 1e-6, exact_gradient=True, **THREE, **changes)
    t = np.array([0, 1])
    sampled, _ = run_skill_steps([(cell, seed) for seed in range(4000)], t)
    expected, _ = run_skill_steps([(exact, 0)], t)
    moved = sampled[:, 1] - sampled[:, 0]
    error = moved.std(axis=0) / math.sqrt(4000)
    assert np.all(np.abs(moved.mean(axis=0) - (expected[0, 1] - expected[0, 0])) < 4 * error)


def drawn_one_by_one(cell, updates, n_runs, seed):
    """Return chances (n_runs, n_skills) of the same learner, every episode gone through."""
    rng = np.random.default_rng(seed)
    phi, offsets = features(cell), logit(cell.starts)
    theta = np.zeros((n_runs, cell.n_skills))
    for _ in range(updates):
        p = expit(offsets + theta @ phi.T)
        step = np.zeros_like(theta)
        for _ in range(cell.batch_size):
            level = rng.choice(cell.n_skills, n_runs, p=cell.frequencies)
            own = p[np.arange(n_runs), level]
            right = rng.random(n_runs) < (own if cell.on_policy else cell.behavior_probability)
            score = right - own
            if cell.update_rule is NATURAL:
                score = score / (own * (1 - own))
            step += (right * score)[:, None] * phi[level] / cell.batch_size
        theta = theta + cell.learning_rate * step
    return expit(offsets + theta @ phi.T)


@pytest.mark.parametrize("cell", cells_of_every_kind()[:-2], ids=lambda cell: cell.label)
def test_chances_are_distributed_as_if_every_episode_were_drawn(cell):
    runs = train_skills([cell], range(500), updates=20)
    theirs = drawn_one_by_one(cell, 20, 500, seed=1)
    for k in range(cell.n_skills):
        ours = [run.curve(f"p_skill_{k + 1}").y[-1] for run in runs]
        rounded = (np.round(p, 9) for p in (ours, theirs[:, k]))
        assert ks_2samp(*rounded, method="asymp").pvalue > 1e-3


def test_one_skill_is_a_bandit_of_two_arms():
    # There a reward moves the difference of two logits, so by twice the step.
    ours = skill_onsets(SkillCell(0.1, 0.6, 1, batch_size=4), 2000, 0, 10**4)[:, 0]
    bandit = bandit_onsets(BanditCell(0.1, 0.3, n_arms=2, batch_size=4), 2000, 0, 10**4)
    assert ks_2samp(ours, bandit, method="asymp").pvalue > 1e-3


@pytest.mark.parametrize("on_policy", [True, False])
def test_separate_skills_wait_for_their_levels(on_policy):
    # Each reward lifts the logit by 0.5 (1 - p), and comes with chance f_k p on the agent's own
    # actions, f_k b on fixed ones: a sum of geometric waits.
    cell = SkillCell(0.2, 0.5, 2, frequency_exponent=1.0, on_policy=on_policy)
    onsets = skill_onsets(cell, 4000, 0, 10**5)
    for k, frequency in enumerate((2 / 3, 1 / 3)):
        z, mean, variance = logit(0.2), 0.0, 0.0
        while z < 0:
            chance = frequency * (expit(z) if on_policy else 0.5)
            mean += 1 / chance
            variance += (1 - chance) / chance**2
            z += 0.5 * (1 - expit(z))
        assert onsets[:, k].mean() == pytest.approx(mean, abs=4 * math.sqrt(variance / 4000))
        assert onsets[:, k].std() == pytest.approx(math.sqrt(variance), rel=0.09)


def test_policy_gradients_follow_their_ode():
    # dp/dt = rate · f p² (1 - p)², to the order of the step.
    cell = SkillCell(0.05, 0.05, 2, frequency_exponent=2.0, exact_gradient=True)
    onsets = skill_onsets(cell, 1, 0, 100_000)[0]
    integral = quad(lambda p: (p * (1 - p)) ** -2.0, 0.05, 0.5)[0]
    np.testing.assert_allclose(onsets, integral / 0.05 / np.array([0.8, 0.2]), rtol=4e-3)


def test_natural_gradients_move_logits_at_constant_speed():
    cell = SkillCell(0.05, 0.1, 2, update_rule=NATURAL, exact_gradient=True, frequency_exponent=1.0)
    (run,) = train_skills([cell], [0], updates=200)
    for k, frequency in ((1, 2 / 3), (2, 1 / 3)):
        curve = run.curve(f"p_skill_{k}")
        np.testing.assert_allclose(
            logit(curve.y), logit(0.05) + 0.1 * frequency * curve.t, rtol=1e-9
        )


def test_opposed_skills_only_trade_and_identical_ones_move_together():
    opposed = SkillCell(0.2, 0.5, initial_ratio=0.5, gradient_cosine=-1.0, batch_size=8)
    same = SkillCell(0.2, 0.5, initial_ratio=0.5, gradient_cosine=1.0, batch_size=8)
    for run, sign in zip(train_skills([opposed, same], [0], updates=50), (1, -1), strict=True):
        first, second = (logit(run.curve(f"p_skill_{k}").y) for k in (1, 2))
        np.testing.assert_allclose(first + sign * second, first[0] + sign * second[0], rtol=1e-9)
        assert np.ptp(first) > 0.1


@pytest.mark.parametrize("cosine", [-0.5, -0.6])
def test_the_weaker_skill_falls_first_where_the_better_one_is_rewarded_more(cosine):
    # f = J (1 - J) is 0.16 and 0.09: the second falls if 0.09 < -cosine · 0.16.
    cell = SkillCell(0.2, 0.1, initial_ratio=0.5, gradient_cosine=cosine, exact_gradient=True)
    (run,) = train_skills([cell], [0], updates=1)
    moved = run.curve("p_skill_2").y[1] - 0.1
    assert (moved < 0) == (0.09 < -cosine * 0.16)


def test_a_run_does_not_depend_on_its_company():
    cells = cells_of_every_kind()
    together = train_skills(cells, range(4), updates=60)
    for run in together[2::4]:
        (alone,) = train_skills([run.cell], [run.seed], updates=60)
        assert alone == run
        assert [c.digest for c in alone.curves] == [c.digest for c in run.curves]
    assert len({run.run_id for run in together}) == len({run.run for run in together}) == 28


def test_a_longer_run_begins_like_the_shorter_one():
    for cell in cells_of_every_kind():
        short, long = (train_skills([cell], [1], updates=n)[0].curves[0] for n in (60, 150))
        shared = np.intersect1d(short.t, long.t)
        assert shared.size > 10
        np.testing.assert_array_equal(
            short.y[np.isin(short.t, shared)], long.y[np.isin(long.t, shared)]
        )


def test_onsets_are_those_of_whole_runs():
    for cell in cells_of_every_kind():
        onsets = skill_onsets(cell, 5, 3, 80)
        runs = train_skills([cell], range(3, 8), updates=80, each=True)
        np.testing.assert_array_equal(onsets.ravel(), [run.onset.upper for run in runs])
        for run in runs:
            y, t = run.curves[0].y, run.curves[0].t
            assert np.all(y[t <= run.onset.lower] < 0.5)
    mixed = SkillCell(0.9, 5.0, initial_ratio=0.1, exact_gradient=True)
    assert skill_onsets(mixed, 1, 0, 5).tolist() == [[0.0, math.inf]]
    (run,) = train_skills([mixed], [0], updates=5)
    assert run.onset.upper == 1.0  # the mean reward is (0.9 + 0.09)/2, and 1/2 after an update


def test_the_mean_reward_and_the_composed_task_follow_from_the_skills():
    cell = SkillCell(0.4, 0.8, batch_size=8, **THREE)
    (run,) = train_skills([cell], [0], updates=200)
    p = np.array([run.curve(f"p_skill_{k}").y for k in (1, 2, 3)])
    weights = np.array([1, 1 / 2, 1 / 3]) / (11 / 6)
    np.testing.assert_allclose(run.curve("p_correct").y, weights @ p, rtol=1e-12)
    np.testing.assert_allclose(run.curve("p_composed").y, p.prod(axis=0), rtol=1e-12)
    np.testing.assert_allclose(p[:, 0], [0.4, 0.28, 0.196], rtol=1e-12)


def test_a_curve_says_what_shaped_it():
    cell = SkillCell(0.2, 0.5, initial_ratio=0.5, gradient_cosine=-0.3, frequency_exponent=1.0)
    (run,) = train_skills([cell], [1], updates=30)
    assert [c.observable for c in run.curves] == [
        "p_correct",
        "p_composed",
        "p_skill_1",
        "p_skill_2",
    ]
    curve = run.curves[0]
    assert curve.progress is Progress.UPDATES and curve.origin is Origin.MEASURED
    assert curve.support == (0.0, 1.0)
    assert dict(curve.conditions) == {
        "initial_probability": 0.2,
        "learning_rate": 0.5,
        "n_skills": 2,
        "initial_ratio": 0.5,
        "frequency_exponent": 1.0,
        "gradient_cosine": -0.3,
        "update_rule": "policy_gradient",
        "on_policy": True,
        "batch_size": 1,
        "exact_gradient": False,
        "skill_frequency": 2 / 3,
        "frequency_ratio": 0.5,
        "n_subskills": 2,
        "n_arms": 2,
        "reward": 1.0,
        "critic": "none",
        "normalized_advantages": False,
        "seed": 1,
    }
    fixed = SkillCell(0.2, 0.5, 3, on_policy=False, exact_gradient=True).conditions(0)
    assert fixed["behavior_probability"] == 0.5 and fixed["frequency_ratio"] == 1.0
    assert "batch_size" not in fixed and "initial_first" not in fixed
    uneven = SkillCell(0.2, 0.5, 3, frequency_exponent=1.0).conditions(0)
    assert "frequency_ratio" not in uneven and "initial_first" not in uneven
    two = SkillCell(0.2, 0.5, initial_ratio=0.5).conditions(0)
    assert (two["initial_first"], two["initial_second"], two["skill_frequency"]) == (0.2, 0.1, 0.5)
    assert "initial_first" not in SkillCell(0.2, 0.5, on_policy=False).conditions(0)


def test_skills_are_a_ladder_of_their_frequencies():
    cell = SkillCell(0.2, 0.5, 3, initial_ratio=0.5, frequency_exponent=1.0)
    (agent,) = train_skills([cell], [0], updates=100)
    runs = train_skills([cell], [0], updates=100, each=True)
    ladder = Ladder("skill_frequency", tuple(run.curve("p_skill") for run in runs))
    np.testing.assert_allclose(ladder.rungs, np.array([2, 3, 6]) / 11)
    for k, run in enumerate(runs, start=1):
        np.testing.assert_array_equal(run.curves[0].y, agent.curve(f"p_skill_{k}").y)
        own = run.curves[0].conditions
        assert own["skill"] == k and own["target_strength"] == 1.0
        assert own["initial_probability"] == own["initial_strength"] == 0.2 * 0.5 ** (k - 1)
    assert len({agent.run_id, *(run.run_id for run in runs)}) == 4
    assert len({agent.run, *(run.run for run in runs)}) == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"initial_probability": 1.0}, "initial_probability must lie between 0 and 1; it is 1.0"),
        ({"learning_rate": 0.0}, "learning_rate must be positive; it is 0.0"),
        ({"n_skills": 0}, "n_skills must be at least 1; it is 0"),
        ({"n_skills": 2.5}, "n_skills must be a whole number; it is 2.5"),
        ({"initial_ratio": 0.0}, "initial_ratio must be positive; it is 0.0"),
        ({"initial_ratio": 10.0}, "the last skill would start at a chance of 1.0; with 2 skills"),
        ({"n_skills": 999, "initial_ratio": 99.0}, "would start at a chance of inf; with 999"),
        ({"n_skills": 999, "initial_ratio": 0.1}, "would start at a chance of 0.0; with 999"),
        ({"frequency_exponent": 2000.0}, "frequency_exponent 2000.0 leaves levels that are never"),
        ({"frequency_exponent": -2000.0}, "frequency_exponent -2000.0 leaves levels that are nev"),
        (
            {"n_skills": 3, "gradient_cosine": -0.6},
            r"gradient_cosine must be in \[-0.5, 1\] between 3 skills; it is -0.6",
        ),
        ({"n_skills": 1, "gradient_cosine": 0.1}, r"gradient_cosine must be in \[0, 0\]"),
        (
            {"on_policy": False, "behavior_probability": 0.0},
            r"behavior_probability must be in \(0, 1\]; it is 0.0",
        ),
        ({"behavior_probability": 0.7}, "behavior_probability does not act without on_policy Fals"),
        (
            {"update_rule": NATURAL, "on_policy": False},
            "'natural_policy_gradient' learns from the ag",
        ),
        ({"exact_gradient": True, "batch_size": 4}, "batch_size does not act on exact gradients"),
        ({"update_rule": "sarsa"}, "update_rule must be one of natural_policy_gradient, policy_gr"),
        ({"on_policy": 2}, "on_policy must be True or False; it is 2"),
    ],
)
def test_wrong_cells_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        SkillCell(**{"initial_probability": 0.1, "learning_rate": 0.1, **changes})


def test_wrong_requests_are_refused():
    cell = SkillCell(0.1, 0.1)
    with pytest.raises(ValueError, match="updates must be at least 1; it is 0"):
        train_skills([cell], [0], updates=0)
    with pytest.raises(ValueError, match="n_seeds must be at least 1; it is 0"):
        skill_onsets(cell, 0, 0, 10)
    with pytest.raises(ValueError, match="seed must be at least 0; it is -1"):
        skill_onsets(cell, 1, -1, 10)
