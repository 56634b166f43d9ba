import itertools
import math
from types import MappingProxyType

import numpy as np
import pytest
from scipy.integrate import quad, trapezoid
from scipy.special import expit, logit
from scipy.stats import ks_2samp, kstest

from empirics.bandit import (
    BanditCell,
    BanditRule,
    Critic,
    Optimizer,
    bandit_ladder,
    bandit_onsets,
    train_bandits,
)
from empirics.bandit_steps import Agents, run_steps
from theory.curve import Origin, Progress
from theory.ladder import Ladder
from theory.mechanisms.normalized_policy_gradient import mean_spread
from theory.mechanisms.softmax_policy_gradient import SOFTMAX_POLICY_GRADIENT, hits

PLAIN, NATURAL, NORMALIZED, CLIPPED = BanditRule
EXPONENTS = {PLAIN: 2.0, NORMALIZED: 1.5, NATURAL: 1.0}


def cells_of_every_kind():
    """Return small cells that together go through every branch of training."""
    return [
        BanditCell(0.1, 0.5),
        BanditCell(0.1, 0.5, batch_size=6, n_arms=3),
        BanditCell(0.1, 0.05, batch_size=600),
        BanditCell(0.1, 0.5, entropy_bonus=0.1, batch_size=6),
        BanditCell(0.1, 0.1, NATURAL, batch_size=6),
        BanditCell(0.1, 0.1, NATURAL, batch_size=6, critic="exact"),
        BanditCell(0.1, 0.1, NORMALIZED, batch_size=6),
        BanditCell(0.1, 0.1, NORMALIZED, exact_gradient=True),
        BanditCell(0.1, 0.3, batch_size=6, critic="learned"),
        BanditCell(0.1, 0.05, batch_size=6, optimizer="adam", beta_2=0.99),
        BanditCell(0.1, 0.1, CLIPPED, batch_size=16, epochs=4),
        BanditCell(0.1, 0.01, CLIPPED, batch_size=16, epochs=4, optimizer="adam"),
    ]


@pytest.mark.parametrize("rule", EXPONENTS)
def test_exact_gradients_follow_their_ode(rule):
    # dp/dt = κ η (p (1 - p))^m, without κ for the natural gradient; the error is of order step.
    rate = 0.004 if rule is PLAIN else 0.002
    cell = BanditCell(0.05, rate, rule, n_arms=5, exact_gradient=True)
    (onset,) = bandit_onsets(cell, 1, 0, 20_000)
    kappa = 1.0 if rule is NATURAL else 5 / 4
    integral = quad(lambda p: (p * (1 - p)) ** -EXPONENTS[rule], 0.05, 0.5)[0]
    assert onset == pytest.approx(integral / (kappa * rate), rel=1e-3)


@pytest.mark.parametrize(("rule", "slope"), [(PLAIN, -0.96), (NORMALIZED, -0.67), (NATURAL, -0.45)])
def test_local_slopes_of_the_onset(rule, slope):
    rungs = (0.25, 0.01)
    cells = [BanditCell(p, 0.02, rule, exact_gradient=True) for p in rungs[::-1]]
    late, early = (bandit_onsets(cell, 1, 0, 10**5)[0] for cell in cells)
    assert np.log(late / early) / np.log(rungs[1] / rungs[0]) == pytest.approx(slope, abs=0.03)


@pytest.mark.parametrize("rate", [0.1, 0.5, 2.0])
def test_single_episodes_have_the_onsets_of_a_birth_process(rate):
    cell = BanditCell(0.01, rate)
    onsets = bandit_onsets(cell, 4000, 0, 10**6)
    values = SOFTMAX_POLICY_GRADIENT.values(cell.conditions(0))

    # The law is of a process in continuous time, whose wait ends somewhere within an update.
    def chance(t):
        return np.exp(hits(np.log(np.maximum(t, 1e-9))[None], values)[0][0])

    u = np.random.default_rng(5).random(onsets.size)
    assert kstest(onsets - u, chance).pvalue > 0.01
    # The same in numbers: of n runs the mean is known to cv/√n, the cv to about √(1/2 + cv²)/√n.
    h, z, chances = rate * 10 / 9, logit(0.01), []
    while z < 0:
        chances.append(expit(z))
        z += h * (1 - chances[-1])
    p = np.array(chances)
    mean, cv = np.sum(1 / p), math.sqrt(np.sum((1 - p) / p**2)) / np.sum(1 / p)
    seen = onsets.std() / onsets.mean()
    assert onsets.mean() / mean == pytest.approx(1, abs=4 * cv / math.sqrt(4000))
    assert seen / cv == pytest.approx(1, abs=4 * math.sqrt((0.5 + cv**2) / 4000))
    # The closed form is of p -> 0; at p = 0.01 the last stretch, p near 1/2, still counts.
    assert seen == pytest.approx(math.sqrt(math.tanh(h / 2)), rel=0.08)


def test_normalized_advantages_have_the_mean_and_scatter_of_the_theory():
    # The law is of small steps in continuous time: right to an update, and to η in the scatter.
    cell = BanditCell(0.1, 0.02, NORMALIZED, batch_size=64)
    onsets = bandit_onsets(cell, 200, 0, 2000)
    z = np.linspace(logit(0.1), 0, 2001)
    p, speed = expit(z), 10 / 9 * 0.02
    spread = mean_spread(p, 64)
    variance = speed**2 * (p * (1 - p) * (1 - 1 / 64) - spread**2)
    assert onsets.mean() == pytest.approx(trapezoid(1 / (speed * spread), z), abs=1)
    sd = math.sqrt(trapezoid(variance / (speed * spread) ** 3, z))
    assert onsets.std() == pytest.approx(sd, rel=0.1 + 4 * math.sqrt(0.5 / 200))


def drawn_one_by_one(cell, updates, n_runs, seed):
    """Return p (n_runs,) of the same learner, every episode of every batch drawn, K logits."""
    rng = np.random.default_rng(seed)
    arms, p0 = cell.n_arms, cell.initial_probability
    z = np.zeros((n_runs, arms))
    z[:, 0] = logit(p0) + math.log(arms - 1)
    mean, square, value = np.zeros_like(z), np.zeros_like(z), np.zeros(n_runs)
    steps = itertools.count(1)

    def policy():
        odds = np.exp(z - z.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)

    for _ in range(updates):
        old = policy()
        u = rng.random((n_runs, cell.batch_size, 1))
        actions = (u > np.cumsum(old, axis=1)[:, None, :-1]).sum(axis=-1)
        rewards = np.where(actions == 0, cell.reward, 0.0)
        baseline = {"none": 0.0, "exact": cell.reward * old[:, :1], "learned": value[:, None]}
        advantages = rewards - baseline[cell.critic]
        value = value + cell.critic_rate * (rewards.mean(axis=1) - value)
        if cell.update_rule in (NORMALIZED, CLIPPED):
            spread = rewards.std(axis=1, keepdims=True)
            centered = rewards - rewards.mean(axis=1, keepdims=True)
            advantages = np.where(spread > 1e-12, centered / np.where(spread > 0, spread, 1), 0)
        taken = np.eye(arms)[actions]
        for _ in range(cell.epochs):
            p = policy()
            weights = advantages
            if cell.update_rule is CLIPPED:
                ratio = np.einsum("rba,ra->rb", taken, p / old)
                flat = np.where(advantages > 0, ratio > 1.2, ratio < 0.8)
                weights = np.where(flat, 0.0, ratio) * advantages
            gradient = np.einsum("rb,rba->ra", weights, taken - p[:, None]) / cell.batch_size
            entropy = -(p * np.log(p)).sum(axis=1, keepdims=True)
            gradient -= cell.entropy_bonus * p * (np.log(p) + entropy)
            if cell.update_rule is NATURAL:
                gradient = gradient / p
            if cell.optimizer is Optimizer.ADAM:
                n = next(steps)
                mean = cell.beta_1 * mean + (1 - cell.beta_1) * gradient
                square = cell.beta_2 * square + (1 - cell.beta_2) * gradient**2
                size = np.sqrt(square / (1 - cell.beta_2**n)) + cell.epsilon
                gradient = mean / (1 - cell.beta_1**n) / size
            z = z + cell.learning_rate * gradient
    return policy()[:, 0]


@pytest.mark.parametrize("cell", cells_of_every_kind(), ids=lambda cell: cell.label)
def test_chances_are_distributed_as_if_every_episode_were_drawn(cell):
    updates = 4 if cell.batch_size > 100 else 20
    ours = [run.curves[0].y[-1] for run in train_bandits([cell], range(400), updates=updates)]
    theirs = drawn_one_by_one(cell, updates, 400, seed=1)
    if cell.exact_gradient:
        assert np.ptp(ours) == 0
        return
    rounded = (np.round(p, 9) for p in (ours, theirs))
    assert ks_2samp(*rounded, method="asymp").pvalue > 1e-3


@pytest.mark.parametrize("batch_size", [1, 8])
def test_going_from_reward_to_reward_equals_going_update_by_update(batch_size):
    cell = BanditCell(0.05, 0.4, batch_size=batch_size)
    t = np.array([0, 10, 40, 200])
    p, onsets = run_steps([(cell, seed) for seed in range(1500)], t)
    runs = train_bandits([cell], range(1500), updates=200)
    exact = bandit_onsets(cell, 1500, 0, 200)
    assert ks_2samp(onsets, exact, method="asymp").pvalue > 1e-3
    last = [run.curves[0].y[-1] for run in runs]
    assert ks_2samp(np.round(p[:, -1], 9), np.round(last, 9), method="asymp").pvalue > 1e-3


def test_an_entropy_bonus_sets_a_fixed_point():
    # dz/dt = κ p (1 - p) (r - τ ln(p / q)) ends at p = 1/(1 + (K - 1) e^(-r/τ)).
    cell = BanditCell(0.05, 0.5, n_arms=4, reward=0.5, exact_gradient=True, entropy_bonus=0.3)
    (run,) = train_bandits([cell], [0], updates=3000)
    assert run.curves[0].y[-1] == pytest.approx(1 / (1 + 3 * math.exp(-0.5 / 0.3)), rel=1e-6)
    p, q = 0.05, 0.95 / 3
    step = 4 / 3 * 0.5 * p * (1 - p) * (0.5 - 0.3 * math.log(p / q))
    assert logit(run.curves[0].y[1]) - logit(p) == pytest.approx(step, rel=1e-9)


def test_adam_s_first_step_is_the_step_size_of_each_logit():
    cell = BanditCell(0.05, 0.01, exact_gradient=True, optimizer="adam")
    (run,) = train_bandits([cell], [0], updates=2)
    # The good arm's logit rises and the others fall, each by the step size.
    assert logit(run.curves[0].y[1]) - logit(0.05) == pytest.approx(0.02, rel=1e-5)


def test_clipped_epochs_cannot_lift_the_chance_far_past_the_range():
    free, tight = (
        train_bandits(
            [BanditCell(0.3, 0.5, CLIPPED, exact_gradient=True, epochs=50, clip_range=clip)],
            [0],
            updates=1,
        )[0]
        for clip in (1e9, 0.1)
    )
    assert free.curves[0].y[1] > 0.9 and 0.33 < tight.curves[0].y[1] < 0.5


def test_a_run_does_not_depend_on_its_company():
    cells = cells_of_every_kind()
    together = train_bandits(cells, range(4), updates=60)
    for run in together[1::4]:
        (alone,) = train_bandits([run.cell], [run.seed], updates=60)
        assert alone == run and alone.curves[0].digest == run.curves[0].digest
    assert len({run.run_id for run in together}) == len({run.run for run in together}) == 48


def test_onsets_are_those_of_whole_runs():
    for cell in cells_of_every_kind():
        onsets = bandit_onsets(cell, 5, 3, 60)
        runs = train_bandits([cell], range(3, 8), updates=60)
        np.testing.assert_array_equal(onsets, [run.onset.upper for run in runs])
        for run in runs:
            y, t = run.curves[0].y, run.curves[0].t
            assert np.all(y[t <= run.onset.lower] < 0.5)
            if run.onset.upper in t:
                assert y[t == run.onset.upper] >= 0.5


def test_a_longer_run_begins_like_the_shorter_one():
    for cell in cells_of_every_kind():
        short, long = (train_bandits([cell], [1], updates=n)[0].curves[0] for n in (60, 120))
        shared = np.intersect1d(short.t, long.t)
        assert shared.size > 10
        for t in shared:
            assert short.y[short.t == t] == long.y[long.t == t]


def test_a_curve_says_what_shaped_it():
    curves = bandit_ladder([BanditCell(p, 0.5) for p in (0.1, 0.02)], [0, 1], 300)
    assert Ladder("initial_probability", curves).rungs == (0.02, 0.1)
    curve = curves[0]
    assert curve.observable == "p_correct" and curve.support == (0.0, 1.0)
    assert curve.progress is Progress.UPDATES and curve.origin is Origin.MEASURED
    assert isinstance(curve.conditions, MappingProxyType)
    assert dict(curve.conditions) == {
        "initial_probability": 0.1,
        "learning_rate": 0.5,
        "update_rule": "policy_gradient",
        "n_arms": 10,
        "reward": 1.0,
        "batch_size": 1,
        "exact_gradient": False,
        "critic": "none",
        "entropy_bonus": 0.0,
        "optimizer": "sgd",
        "epochs": 1,
        "normalized_advantages": False,
        "seed": 0,
    }
    clipped = BanditCell(0.1, 0.5, CLIPPED, optimizer="adam", epochs=3).conditions(7)
    assert clipped["clip_range"] == 0.2 and clipped["beta_2"] == 0.999 and clipped["epochs"] == 3


def test_censored_and_immediate_onsets():
    (run,) = train_bandits([BanditCell(0.001, 0.01)], [0], updates=20)
    assert run.onset.censored and run.onset.lower == 20
    for exact in (False, True):
        cell = BanditCell(0.6, 0.01, exact_gradient=exact)
        (run,) = train_bandits([cell], [0], updates=20)
        assert (run.onset.lower, run.onset.upper) == (0.0, 1.0)
        assert bandit_onsets(cell, 1, 0, 20) == [0.0]


def test_huge_steps_do_no_harm():
    for cell in (BanditCell(0.1, 1e6), BanditCell(0.1, 1e6, batch_size=4)):
        (run,) = train_bandits([cell], [0], updates=500)
        assert run.curves[0].y[-1] == 1.0
    wild = BanditCell(0.1, 1e6, NATURAL, batch_size=4, critic=Critic.LEARNED)
    assert np.isfinite(train_bandits([wild], [0], updates=50)[0].curves[0].y).all()


def test_counts_of_arms_add_up_to_the_batch():
    cell = BanditCell(0.1, 0.1, NORMALIZED, batch_size=700, n_arms=4)
    agents = Agents([cell] * 3)
    u = np.random.default_rng(0).random((2, 3, 3))
    shares = agents._shares(u, agents.probabilities())
    np.testing.assert_allclose(shares.sum(axis=0), 1.0, rtol=1e-12)
    np.testing.assert_allclose(shares * 700, np.round(shares * 700), atol=1e-9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"initial_probability": 0.0}, "initial_probability must lie between 0 and 1; it is 0.0"),
        ({"learning_rate": "a"}, "learning_rate must be a number; it is 'a'"),
        ({"learning_rate": -1.0}, "learning_rate must be positive; it is -1.0"),
        ({"n_arms": 1}, "n_arms must be at least 2; it is 1"),
        ({"batch_size": 1.5}, "batch_size must be a whole number; it is 1.5"),
        (
            {"update_rule": "sarsa"},
            "update_rule must be one of clipped_policy_gradient, natural_policy_gradient, "
            "normalized_policy_gradient, policy_gradient; it is 'sarsa'",
        ),
        ({"optimizer": "rmsprop"}, "optimizer must be one of adam, sgd; it is 'rmsprop'"),
        ({"critic": "td"}, "critic must be one of exact, learned, none; it is 'td'"),
        ({"beta_2": 0.9}, "beta_2 does not act without optimizer 'adam'; it is 0.9"),
        ({"clip_range": 0.1}, "clip_range does not act without update_rule 'clipped_policy_grad"),
        ({"exact_gradient": True, "batch_size": 8}, "batch_size does not act on exact gradients"),
        ({"update_rule": NORMALIZED, "critic": "exact"}, "critic does not act where advantages"),
        ({"update_rule": NATURAL, "optimizer": "adam"}, "optimizer does not act on natural"),
        ({"optimizer": "adam", "beta_1": 1.0}, r"beta_1 must be in \[0, 1\); it is 1.0"),
        ({"entropy_bonus": -0.1}, "entropy_bonus must not be negative; it is -0.1"),
        ({"critic": "learned", "critic_rate": 0.0}, r"critic_rate must be in \(0, 1\]; it is 0.0"),
    ],
)
def test_wrong_cells_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        BanditCell(**{"initial_probability": 0.1, "learning_rate": 0.1, **changes})


def test_wrong_requests_are_refused():
    cell = BanditCell(0.1, 0.1)
    with pytest.raises(ValueError, match="updates must be at least 1; it is 0"):
        train_bandits([cell], [0], updates=0)
    with pytest.raises(ValueError, match="n_seeds must be at least 1; it is 0"):
        bandit_onsets(cell, 0, 0, 10)
    with pytest.raises(ValueError, match="seed must be at least 0; it is -1"):
        bandit_onsets(cell, 1, -1, 10)
    with pytest.raises(ValueError, match="no observable 'loss'; it has p_correct"):
        train_bandits([cell], [0], updates=5)[0].curve("loss")


def test_what_only_rises_never_falls():
    # Among these runs are some with a reward at the very last update.
    cell = BanditCell(0.1, 0.5, "policy_gradient")
    for run in train_bandits([cell], range(40), updates=20_000):
        assert np.all(np.diff(run.curves[0].y) >= 0)
