import math

import numpy as np
import pytest
from scipy.stats import ks_2samp

from empirics import cue_competition
from empirics.cue_competition import CueCell, UpdateRule, log_schedule, train_cue_agents
from theory.curve import Origin, Progress, Schedule
from theory.mechanisms import MECHANISMS
from theory.onset import Onset, lasting_onset

RATES = {
    UpdateRule.DELTA_RULE: 0.01,
    UpdateRule.POLICY_GRADIENT: 0.25,
    UpdateRule.NORMALIZED_CRITIC: 0.05,
}


def cell(rule, alpha=0.1, ratio=2.0, **changes):
    return CueCell(
        **{
            "alpha": alpha,
            "salience_ratio": ratio,
            "update_rule": rule,
            "learning_rate": RATES[UpdateRule(rule)],
            **changes,
        }
    )


def by_level(agent, weights, solved, failed):
    """The mean update of a batch, level by level: (solved, failed) of (aligned, conflict)."""
    levels = [
        (sign, rewarded)
        for sign, wins, losses in zip((1, -1), solved, failed, strict=True)
        for rewarded, number in ((True, wins), (False, losses))
        for _ in range(number)
    ]
    scores, advantages = [], []
    for sign, rewarded in levels:
        cues = np.array([1.0, sign * agent.salience_ratio])
        margin = weights @ cues
        if agent.update_rule == "delta_rule":
            scores.append(cues)
            advantages.append(1.0 - margin)
            continue
        p = 1 / (1 + math.exp(-margin))
        scores.append(cues * (1 - p if rewarded else -p))
        critic = p if agent.update_rule == "normalized_critic" else 0.0
        advantages.append(float(rewarded) - critic)
    scale = 1.0
    if agent.update_rule == "normalized_critic":
        scale = math.sqrt(sum(a * a for a in advantages) / len(advantages))
    return sum(a * s for a, s in zip(advantages, scores, strict=True)) / len(scores) / scale


@pytest.mark.parametrize("rule", UpdateRule)
def test_counting_levels_equals_going_through_them(rule, monkeypatch):
    agent = cell(rule, learning_rate=0.3, batch_size=16, initial_sd=0.5)
    rng = np.random.default_rng(0)
    for _ in range(20):
        conflicts = int(rng.integers(0, 17))
        solved = np.array([rng.integers(0, 17 - conflicts), rng.integers(0, conflicts + 1)])
        monkeypatch.setattr(cue_competition, "binomial", lambda *_, solved=solved: solved * 1.0)
        weights = rng.normal(size=2)
        ours = cue_competition._update(
            rule,
            weights[:, None],
            16,
            np.array([[float(conflicts)]]),
            np.zeros((2, 1, 1)),
            np.array([[1.0], [agent.salience_ratio]]),
        )
        failed = np.array([16 - conflicts, conflicts]) - solved
        expected = by_level(agent, weights, solved, failed)
        np.testing.assert_allclose(ours[:, 0], expected, rtol=1e-12)


def drawn_one_by_one(agent, updates, n_runs, seed):
    """Runs of the same learner with every level and every action drawn, (n_runs, 2) weights."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(0.0, agent.initial_sd, (n_runs, 2))
    for _ in range(updates):
        conflict = rng.random((n_runs, agent.batch_size)) < agent.alpha
        sign = np.where(conflict, -1.0, 1.0)
        cues = np.stack([np.ones_like(sign), agent.salience_ratio * sign], axis=-1)
        margin = np.einsum("rbc,rc->rb", cues, weights)
        p = 1 / (1 + np.exp(-margin))
        rewarded = rng.random(p.shape) < p
        score = np.where(rewarded, 1 - p, -p)
        advantage = rewarded - (p if agent.update_rule == "normalized_critic" else 0.0)
        if agent.update_rule == "normalized_critic":
            advantage = advantage / np.sqrt((advantage**2).mean(axis=1, keepdims=True))
        if agent.update_rule == "delta_rule":
            score, advantage = 1.0, 1.0 - margin
        step = ((advantage * score)[..., None] * cues).mean(axis=1)
        weights = weights + agent.learning_rate * step
    return weights


@pytest.mark.parametrize(("batch_size", "updates"), [(12, 60), (700, 10)])
@pytest.mark.parametrize("rule", UpdateRule)
def test_weights_are_distributed_as_if_every_level_were_drawn(rule, batch_size, updates):
    agent = cell(rule, 0.2, learning_rate=8 * RATES[rule], batch_size=batch_size, initial_sd=0.2)
    runs = train_cue_agents([agent], range(400), updates=updates)
    ours = np.array([[run.curve(w).y[-1] for w in ("w_goal", "w_proxy")] for run in runs])
    theirs = drawn_one_by_one(agent, updates, 400, seed=1)
    for seen, expected in ((ours, theirs), (ours @ [[1], [-2]], theirs @ [[1], [-2]])):
        for column in range(seen.shape[1]):
            assert ks_2samp(seen[:, column], expected[:, column], method="asymp").pvalue > 1e-4


def test_a_batch_is_cut_into_blocks_that_add_up():
    for batch in (1, 512, 513, 700, 4096, 5000):
        blocks = cue_competition._blocks(batch)
        assert blocks.sum() == batch and blocks.max() <= 512 and np.ptp(blocks) <= 1


def test_a_run_does_not_depend_on_its_company():
    cells = [cell(rule, alpha) for rule in UpdateRule for alpha in (0.1, 0.05)]
    together = train_cue_agents(cells, range(4), updates=300)
    for index in (0, 9, 23):
        run = together[index]
        (alone,) = train_cue_agents([run.cell], [run.seed], updates=300)
        assert [c.digest for c in alone.curves] == [c.digest for c in run.curves]
        assert alone.run_id == run.run_id and alone.onset == run.onset
    assert len({run.run_id for run in together}) == 24
    assert len({run.curves[0].y.tobytes() for run in together}) == 24


def test_a_longer_run_begins_like_the_shorter_one():
    short, long = (
        train_cue_agents([cell("policy_gradient")], [1], updates=n)[0] for n in (200, 400)
    )
    shared = np.intersect1d(short.curves[0].t, long.curves[0].t)
    assert shared.size > 20
    for one, other in zip(short.curves, long.curves, strict=True):
        np.testing.assert_array_equal(
            one.y[np.isin(one.t, shared)], other.y[np.isin(other.t, shared)]
        )


@pytest.mark.parametrize("rule", UpdateRule)
def test_flips_have_the_distribution_of_the_theory_s_chain(rule):
    # Two implementations: counts inverted from each run's own uniform numbers here, numpy's
    # binomial numbers for all runs there.
    agent = cell(rule, 0.08)
    runs = train_cue_agents([agent], range(300), updates=700, observables=())
    t = runs[0].curves[0].t
    curves = MECHANISMS[f"cue_{rule}"].simulate(
        {"initial_sd": agent.initial_sd},
        agent.conditions(0),
        t,
        rng=np.random.default_rng(11),
        n_runs=300,
    )
    flips = [run.onset.lower for run in runs]
    theory = [lasting_onset(c).lower for c in curves if c.observable == "p_goal"]
    assert ks_2samp(flips, theory, method="asymp").pvalue > 1e-3


def test_the_goal_overtakes_the_proxy_and_the_return_hides_it():
    (run,) = train_cue_agents([cell("policy_gradient", 0.05)], [0], updates=3000)
    p_goal, p_proxy = run.curve("p_goal"), run.curve("p_proxy")
    assert p_proxy.y.max() > 0.9 and p_goal.y[-1] > 0.6
    np.testing.assert_allclose(p_goal.y + p_proxy.y, 1.0)
    assert 0 < run.curve("w_proxy").y.argmax() < p_goal.n_obs - 1
    at_flip = np.searchsorted(p_goal.t, run.onset.lower)
    assert run.curve("p_correct").y[at_flip] > 0.93
    assert p_goal.progress is Progress.UPDATES and p_goal.origin is Origin.MEASURED
    assert p_goal.conditions["critic"] == "none" and p_goal.conditions["seed"] == 0


@pytest.mark.parametrize("rule", UpdateRule)
def test_p_correct_is_the_chance_of_the_rewarded_action_on_training_levels(rule):
    agent = cell(rule, 0.3)
    (run,) = train_cue_agents([agent], [0], updates=100)
    goal, proxy = run.curve("w_goal").y, 2.0 * run.curve("w_proxy").y
    heat = 5.0 if rule is UpdateRule.DELTA_RULE else 1.0
    aligned, conflict = (
        1 / (1 + np.exp(-heat * margin)) for margin in (goal + proxy, goal - proxy)
    )
    np.testing.assert_allclose(run.curve("p_correct").y, 0.7 * aligned + 0.3 * conflict, rtol=1e-12)


def test_pretraining_has_no_conflict_levels():
    for rule in UpdateRule:
        (run,) = train_cue_agents([cell(rule, 0.3, pretrained_updates=100)], [0], updates=150)
        goal, proxy = run.curve("w_goal"), run.curve("w_proxy").y
        # Aligned levels alone move the weights along their cues, (1, 2).
        across = (proxy - proxy[0]) - 2.0 * (goal.y - goal.y[0])
        assert np.abs(across[goal.t <= 100]).max() < 1e-12 < abs(across[-1])
        heat = 5.0 if rule is UpdateRule.DELTA_RULE else 1.0
        aligned, conflict = (
            1 / (1 + np.exp(-heat * (goal.y + sign * 2.0 * proxy))) for sign in (1, -1)
        )
        alpha = np.where(goal.t < 100, 0.0, 0.3)
        np.testing.assert_allclose(
            run.curve("p_correct").y, (1 - alpha) * aligned + alpha * conflict, rtol=1e-12
        )


def test_pretrained_weights_follow_the_schedule_on_average():
    # Levels are drawn afresh, so the mean weights of the delta rule obey the mean update exactly.
    agent = cell("delta_rule", 0.2, learning_rate=0.05, batch_size=4, pretrained_updates=40)
    runs = train_cue_agents([agent], range(1000), updates=100)
    ours = np.array([[run.curve(w).y[-1] for w in ("w_goal", "w_proxy")] for run in runs])
    mean, cues = np.zeros(2), {1: np.array([1.0, 2.0]), -1: np.array([1.0, -2.0])}
    for update in range(100):
        alpha = 0.2 if update >= 40 else 0.0
        shares = {1: 1 - alpha, -1: alpha}
        mean = mean + 0.05 * sum(shares[s] * (1 - x @ mean) * x for s, x in cues.items())
    error = ours.std(axis=0) / math.sqrt(1000)
    assert np.all(np.abs(ours.mean(axis=0) - mean) < 4 * error) and np.all(error < 0.01)


def test_the_ledger_says_when_conflicts_began():
    given = cell("delta_rule", 0.05, pretrained_updates=300).conditions(0)
    alpha = given["alpha"]
    assert isinstance(alpha, Schedule) and given["pretrained_updates"] == 300
    assert np.interp([0, 299, 300, 900], alpha.t, alpha.value).tolist() == [0, 0, 0.05, 0.05]
    mechanism = MECHANISMS["cue_delta_rule"]
    t = np.array([0.0, 299.0, 300.0, 700.0])
    states, _ = mechanism.integrate(given, t)

    def flow(start, share, time):
        x = np.array([[1.0, 1.0], [2.0, -2.0]])
        pull = x @ np.diag([1 - share, share])
        rest = np.linalg.pinv(pull @ x.T) @ pull.sum(axis=1)
        values, vectors = np.linalg.eigh(pull @ x.T)
        decay = vectors @ np.diag(np.exp(-0.01 * values * time)) @ vectors.T
        return rest + decay @ (start - rest)

    before = flow(np.zeros(2), 0.0, 300.0)
    np.testing.assert_allclose(states[2], before, rtol=1e-5)
    np.testing.assert_allclose(states[3], flow(before, 0.05, 400.0), rtol=1e-5)


def test_agents_without_pretraining_are_those_of_before_it_was_a_setting():
    agent = cell("policy_gradient", learning_rate=0.1)
    (run,) = train_cue_agents([agent], [3], updates=300)
    assert run.run_id == "acd90fdfbd2c95bd" and "pretrained_updates" not in agent.conditions(3)
    assert "pretrained_updates" not in agent.label


def test_cells_that_differ_have_labels_that_differ():
    plain = cell("delta_rule")
    changes = [{"alpha": 0.2}, {"ratio": 3.0}, {"learning_rate": 0.02}, {"batch_size": 8}]
    changes += [{"initial_sd": 0.5}, {"inverse_temperature": 2.0}, {"pretrained_updates": 9}]
    runs = train_cue_agents(
        [plain, *(cell("delta_rule", **change) for change in changes)], [3], updates=2
    )
    assert len({run.run for run in runs}) == len({run.run_id for run in runs}) == 8
    assert runs[0].run == "delta_rule alpha=0.1 ratio=2.0 rate=0.01 seed=3"
    assert runs[4].run == "delta_rule alpha=0.1 ratio=2.0 rate=0.01 batch_size=8 seed=3"


def test_equal_cells_are_one_run():
    loose = CueCell(0.5, 2, "delta_rule", 1, batch_size=np.float64(64), initial_sd=0)
    strict = CueCell(0.5, 2.0, "delta_rule", 1.0, batch_size=64, initial_sd=0.0)
    first, second = (train_cue_agents([c], [0], updates=3)[0] for c in (loose, strict))
    assert first.run_id == second.run_id
    assert first.curves[0].digest == second.curves[0].digest


def test_unflipped_runs_are_censored_at_their_budget():
    (run,) = train_cue_agents([cell("policy_gradient", 0.01)], [0], updates=50)
    assert run.onset.censored and run.onset.lower == 50


def test_the_schedule_is_log_spaced_whole_updates():
    t = log_schedule(6000)
    assert t[0] == 0 and t[1] == 1 and t[-1] == 6000
    ratios = t[30:] / t[29:-1]
    assert ratios.max() < 1.2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alpha": 0.0}, "alpha must lie between 0 and 1; it is 0.0"),
        ({"alpha": "a"}, "alpha must be a number; it is 'a'"),
        ({"batch_size": 0}, "batch_size must be at least 1; it is 0"),
        ({"pretrained_updates": -1}, "pretrained_updates must be at least 0; it is -1"),
        ({"batch_size": 8.5}, "batch_size must be a whole number; it is 8.5"),
        ({"salience_ratio": math.inf}, "salience_ratio must be finite; it is inf"),
        (
            {"update_rule": "sarsa"},
            "update_rule must be one of delta_rule, normalized_critic, policy_gradient; "
            "it is 'sarsa'",
        ),
        ({"learning_rate": -1.0}, "learning_rate must be positive; it is -1.0"),
        ({"initial_sd": -1.0}, "initial_sd must not be negative"),
    ],
)
def test_wrong_cells_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        CueCell(
            **{
                "alpha": 0.1,
                "salience_ratio": 2.0,
                "update_rule": "delta_rule",
                "learning_rate": 0.1,
                **changes,
            }
        )


def test_wrong_requests_are_refused():
    agent = cell("delta_rule")
    with pytest.raises(ValueError, match="no observable 'loss'; choose from p_correct"):
        train_cue_agents([agent], [0], updates=5, observables=["loss"])
    with pytest.raises(ValueError, match="updates must be at least 1; it is 0"):
        train_cue_agents([agent], [0], updates=0)
    with pytest.raises(ValueError, match="updates must be a whole number; it is 2.5"):
        train_cue_agents([agent], [0], updates=2.5)
    with pytest.raises(ValueError, match="checkpoints must be at least 2; it is 1"):
        train_cue_agents([agent], [0], updates=5, checkpoints=1)
    with pytest.raises(ValueError, match="seed must be a whole number; it is 0.7"):
        train_cue_agents([agent], [0.7], updates=5)


def test_onsets_are_the_last_crossing():
    curve = train_cue_agents([cell("delta_rule")], [0], updates=5)[0].curves[0]

    def bracket(*y):
        values = {"observable": "p_goal", "t": np.arange(float(len(y))), "y": np.array(y)}
        onset = lasting_onset(type(curve)(**values))
        return onset.lower, onset.upper

    assert bracket(0.6, 0.2, 0.6, 0.4, 0.7, 0.8) == (3.0, 4.0)
    assert bracket(0.6, 0.2, 0.6, 0.4) == (3.0, math.inf)
    assert bracket(0.6, 0.7, 0.8) == (0.0, 1.0)
    with pytest.raises(ValueError, match="only observed at progress 0"):
        bracket(0.6)
    with pytest.raises(ValueError, match="0 <= lower < upper; run '' has lower = 2.0"):
        Onset(2.0, 2.0)
    with pytest.raises(ValueError, match="censored at 0 and says nothing"):
        Onset(0.0, math.inf)
