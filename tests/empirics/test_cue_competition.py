import math

import numpy as np
import pytest
from scipy.stats import ks_2samp

from empirics.cue_competition import (
    CueCell,
    UpdateRule,
    log_schedule,
    run_stream,
    train_cue_agents,
)
from theory.curve import Origin, Progress
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


def one_by_one(agent, seed, updates):
    """The same learner, level by level and action by action, in plain Python."""
    rng = run_stream(agent, seed)
    weights = rng.normal(0.0, agent.initial_sd, 2)
    for levels in rng.random((updates, agent.batch_size)):
        scores, advantages = [], []
        for u in levels:
            conflict = u < agent.alpha
            own = u / agent.alpha if conflict else (u - agent.alpha) / (1 - agent.alpha)
            cues = np.array([1.0, -agent.salience_ratio if conflict else agent.salience_ratio])
            margin = weights @ cues
            if agent.update_rule == "delta_rule":
                scores.append(cues)
                advantages.append(1.0 - margin)
                continue
            p = 1 / (1 + math.exp(-margin))
            rewarded = own < p
            scores.append(cues * (1 - p if rewarded else -p))
            critic = p if agent.update_rule == "normalized_critic" else 0.0
            advantages.append(float(rewarded) - critic)
        scale = 1.0
        if agent.update_rule == "normalized_critic":
            scale = math.sqrt(sum(a * a for a in advantages) / len(advantages))
        gradient = sum(a * s for a, s in zip(advantages, scores, strict=True)) / len(scores)
        weights = weights + agent.learning_rate * gradient / scale
    return weights


@pytest.mark.parametrize("rule", UpdateRule)
def test_counting_levels_equals_going_through_them(rule):
    agent = cell(rule, learning_rate=0.3, batch_size=16, initial_sd=0.5)
    (run,) = train_cue_agents([agent], [5], updates=40)
    expected = one_by_one(agent, 5, 40)
    assert run.curve("w_goal").y[-1] == pytest.approx(expected[0], rel=1e-9)
    assert run.curve("w_proxy").y[-1] == pytest.approx(expected[1], rel=1e-9)


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
    # Two implementations: levels drawn one by one here, binomial counts there.
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
    assert ks_2samp(flips, theory).pvalue > 1e-3


def test_the_goal_overtakes_the_proxy_and_the_return_hides_it():
    (run,) = train_cue_agents([cell("policy_gradient", 0.05)], [0], updates=3000)
    p_goal, p_proxy = run.curve("p_goal"), run.curve("p_proxy")
    assert p_proxy.y.max() > 0.9 and p_goal.y[-1] > 0.6
    np.testing.assert_allclose(p_goal.y + p_proxy.y, 1.0)
    assert 0 < run.curve("w_proxy").y.argmax() < p_goal.n_obs - 1
    at_flip = np.searchsorted(p_goal.t, run.onset.lower)
    assert run.curve("episodic_return").y[at_flip] > 0.93
    assert p_goal.progress is Progress.UPDATES and p_goal.origin is Origin.MEASURED
    assert p_goal.conditions["critic"] == "none" and p_goal.conditions["seed"] == 0


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
        ({"batch_size": 0}, "batch_size must be a whole number; it is 0"),
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
    with pytest.raises(ValueError, match="no observable 'loss'; choose from episodic_return"):
        train_cue_agents([agent], [0], updates=5, observables=["loss"])
    with pytest.raises(ValueError, match="updates must be at least 1; it is 0"):
        train_cue_agents([agent], [0], updates=0)


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
