import math

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

from theory.mechanism import NoOnset
from theory.mechanisms.backward_lock import BACKWARD_LOCK
from theory.mechanisms.backward_stages import joined, practiced
from theory.mechanisms.lock import LOCK
from theory.mechanisms.softmax_policy_gradient import SOFTMAX_POLICY_GRADIENT


def setting(threshold, p0=0.2, horizon=4.0, gamma=1.0, rate=0.1, arms=5.0):
    return {
        "initial_probability": p0,
        "horizon": horizon,
        "gamma": gamma,
        "learning_rate": rate,
        "n_arms": arms,
        "batch_size": 1.0,
        "reward": 1.0,
        "curriculum_threshold": threshold,
        "step_factor": 1.0,
    }


def law(name, given):
    at = {key: sympy.Integer(int(v)) if key == "horizon" else v for key, v in given.items()}
    expression = BACKWARD_LOCK.implications[1].where[name]
    return float(expression.subs({s: at[str(s)] for s in expression.free_symbols}).doit())


def climbed(given, t):
    """Return all chances (n, horizon) under gradient flow, and the onset.

    Every logit follows a differenced expected reward of the steps that are played, stage by stage.
    """
    horizon, arms = int(given["horizon"]), int(given["n_arms"])

    def right(flat):
        odds = np.exp(flat.reshape(horizon, arms))
        return odds[:, 0] / odds.sum(axis=1)

    def reward(flat, k):
        return given["gamma"] ** (k - 1) * right(flat)[-k:].prod()

    def climb(now, flat, k):
        moves = 1e-5 * np.eye(flat.size)
        slopes = [reward(flat + move, k) - reward(flat - move, k) for move in moves]
        return given["learning_rate"] * np.array(slopes) / 2e-5

    logits = np.zeros((horizon, arms))
    logits[:, 0] = math.log(given["initial_probability"] / (1 - given["initial_probability"]))
    logits[:, 0] += math.log(arms - 1)
    state, start, seen, onset = logits.ravel(), 0.0, [], math.inf
    for k in range(1, horizon + 1):

        def ready(now, flat, k):
            return right(flat)[-k:].prod() - given["curriculum_threshold"]

        def opens(now, flat, k):
            return right(flat).prod() - 0.5

        ready.terminal = k < horizon
        path = solve_ivp(
            climb, (start, t[-1]), state, args=(k,), events=(ready, opens), dense_output=True,
            rtol=1e-8, atol=1e-10,
        )  # fmt: skip
        inside = (t >= start) & (t < path.t[-1] if k < horizon else t <= t[-1])
        seen += [right(path.sol(now)) for now in t[inside]]
        onset = min([onset, *path.t_events[1]])
        state, start = path.y[:, -1], path.t[-1]
    return np.array(seen), onset


@pytest.mark.parametrize(("threshold", "gamma"), [(0.6, 1.0), (0.85, 0.8)])
def test_the_mean_field_is_gradient_flow_from_starts_that_move_back(threshold, gamma):
    given = setting(threshold, 0.3, 3.0, gamma, 0.5, 3.0)
    t = np.linspace(0.0, 60.0, 31)
    p, onset = climbed(given, t)
    states, found = BACKWARD_LOCK.integrate(given, t)
    seen = BACKWARD_LOCK.observe("p_correct", states, BACKWARD_LOCK.values(given))
    np.testing.assert_allclose(seen, p.prod(axis=1), atol=1e-6)
    assert found == pytest.approx(onset, rel=1e-5)
    present = BACKWARD_LOCK.observe("p_present", states, BACKWARD_LOCK.values(given))
    assert present[0] == pytest.approx(0.3) and np.all(present >= seen - 1e-12)


@pytest.mark.parametrize("horizon", [1, 3, 6])
@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
def test_the_onset_is_a_sum_over_stages(horizon, threshold):
    given = setting(threshold, horizon=float(horizon), gamma=0.95)
    assert law("onset", given) == pytest.approx(BACKWARD_LOCK.onset(given), rel=1e-6)


def test_the_first_stage_has_a_closed_form():
    def elapsed(p):
        return 1 / (1 - p) - 1 / p + 2 * math.log(p / (1 - p))

    (stage,) = BACKWARD_LOCK.implications[1].where["onset"].atoms(sympy.Function)
    wait = float(stage.func(1, 0.2, 0.9, 4))
    assert wait == pytest.approx(elapsed(0.9) - elapsed(0.2), rel=1e-10)


@pytest.mark.parametrize("threshold", [0.0, 0.2**3])
def test_starting_at_the_first_step_is_the_lock(threshold):
    given = setting(threshold, gamma=0.9)
    assert BACKWARD_LOCK.onset(given) == pytest.approx(LOCK.onset(given), rel=1e-5)
    # A little more and the last step is learned alone.
    assert BACKWARD_LOCK.onset(setting(0.21, gamma=0.9)) < 0.5 * LOCK.onset(given)


def test_a_lock_of_one_step_is_the_policy_gradient():
    given = setting(0.9, horizon=1.0)
    assert BACKWARD_LOCK.onset(given) == pytest.approx(SOFTMAX_POLICY_GRADIENT.onset(given))


@pytest.mark.parametrize("gamma", [1.0, 0.8])
def test_rare_starts_wait_in_proportion_to_the_horizon(gamma):
    for threshold in (0.6, 0.9, 0.99):
        for horizon in (2.0, 5.0, 9.0):
            given = setting(threshold, 1e-6, horizon, gamma)
            ratio = law("onset", given) / law("escape", given)
            # Below one by nothing; above by the slow ends of the stages, 1e-6 · horizon/0.01.
            assert 1 < ratio < 1 / threshold + 1e-3
    if gamma == 1:
        onsets = [law("onset", setting(0.99, 1e-6, h)) for h in (4.0, 8.0)]
        assert onsets[1] / onsets[0] == pytest.approx(2, rel=0.01)
        assert law("escape", setting(0.99, 1e-6, 8.0)) == pytest.approx(8e6 / (1.25 * 0.1))


def test_the_onset_is_inverse_in_the_chance_whatever_the_horizon():
    for horizon in (2.0, 6.0):
        onsets = [law("onset", setting(0.8, p0, horizon)) for p0 in (1e-6, 2e-6)]
        # The rest is of order p0 ln(1/p0).
        assert math.log(onsets[1] / onsets[0]) / math.log(2) == pytest.approx(-1, abs=1e-3)


def test_a_threshold_too_near_one_is_slow_at_the_end_of_stages():
    """There 1 - p = 1/s, and stages end where Σ 1/(s - s_j) = 1 - threshold."""
    rest = 1e-6
    begun = np.array(joined(0.2, 1 - rest, 4)) * rest
    golden = (3 + math.sqrt(5)) / 2
    # ω = y - ln ω: logarithms of 1e6 stay.
    np.testing.assert_allclose(begun[:3], [0, 1, golden], atol=50 * rest)
    onset = BACKWARD_LOCK.onset(setting(1 - rest, horizon=3.0))
    assert onset * 1.25 * 0.1 * rest == pytest.approx(golden, rel=1e-4)
    onsets = [BACKWARD_LOCK.onset(setting(1 - rest, horizon=h)) for h in (3.0, 5.0, 9.0)]
    assert onsets[1] > 2 * onsets[0] and onsets[2] > 2 * onsets[1]


def test_practice_is_what_a_step_gets():
    s = np.array([0.0, 1.0, 30.0, 1e5])
    p = practiced(s, 0.1)
    np.testing.assert_allclose(
        np.log(p / (1 - p)) + p / (1 - p) - math.log(1 / 9) - 1 / 9, s, rtol=1e-9, atol=1e-14
    )


def drawn(given, n, rng):
    """Return the onsets of REINFORCE, one episode after the other, steps played from the start."""
    horizon, arms = int(given["horizon"]), int(given["n_arms"])
    p0, runs = given["initial_probability"], np.arange(n)
    logits = np.zeros((n, horizon, arms))
    logits[..., 0] = math.log(p0 / (1 - p0) * (arms - 1))
    first, onset, episode = np.full(n, horizon - 1), np.full(n, np.inf), 0
    while np.isinf(onset).any():
        policy = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
        right = policy[..., 0]
        for _ in range(horizon):
            success = right[:, ::-1].cumprod(axis=1)[runs, horizon - 1 - first]
            first -= (success >= given["curriculum_threshold"]) & (first > 0)
        onset[(right.prod(axis=1) >= 0.5) & np.isinf(onset)] = episode
        choice = (rng.random((n, horizon, 1)) > policy.cumsum(axis=2)[..., :-1]).sum(axis=2)
        played = np.arange(horizon) >= first[:, None]
        opened = ((choice == 0) | ~played).all(axis=1)
        returned = opened * given["gamma"] ** (horizon - 1 - first)
        score = (np.eye(arms)[choice] - policy) * played[..., None]
        logits += given["learning_rate"] * returned[:, None, None] * score
        episode += 1
    return onset


@pytest.mark.parametrize("threshold", [0.4, 0.85])
def test_onsets_are_those_of_reinforce(threshold):
    given, n = setting(threshold, 0.25, 3.0, 0.9, 1.0, 3.0), 2000
    onsets = drawn(given, n, np.random.default_rng(0))
    quantiles = np.quantile(onsets, [0.05, 0.25, 0.5, 0.75, 0.95])
    values = {name: np.array([[v]]) for name, v in given.items()}
    # Onsets are whole updates.
    below = np.exp(BACKWARD_LOCK.onset_law(np.log(quantiles + 0.5)[None], values)[0])[0]
    assert below == pytest.approx([np.mean(onsets <= q) for q in quantiles], abs=2 / math.sqrt(n))


def test_long_chains_join_short_ones():
    """At a small step the chain is too long to be followed; drift takes over."""
    given = setting(0.8, 0.4, 2.0, rate=2e-3)
    values = {name: np.array([[v]]) for name, v in given.items()}
    at = np.log(BACKWARD_LOCK.onset(given)) + np.zeros((1, 1))
    below, above = np.exp(BACKWARD_LOCK.onset_law(at, values))
    # The mean of a nearly normal law: one half, up to a few coefficients of variation.
    assert below[0, 0] == pytest.approx(0.5, abs=math.sqrt(2e-3 * 5 / 4))
    assert above[0, 0] == pytest.approx(1 - below[0, 0])
    # Just below and above the longest chain the quartiles go on smoothly, as the step's inverse.
    rates = [np.full((1, 1), rate) for rate in (0.0125, 0.05)]
    spreads = []
    for rate in rates:
        log_t = at + math.log(2e-3) - np.log(rate) + np.linspace(-0.3, 0.3, 601)[None]
        below = np.exp(BACKWARD_LOCK.onset_law(log_t, {**values, "learning_rate": rate})[0])[0]
        spreads.append(np.interp([0.25, 0.75], below, log_t[0] + np.log(rate[0])))
    widths = np.diff(spreads, axis=1)[:, 0]
    assert widths[1] / widths[0] == pytest.approx(2, rel=0.1)


def test_many_settings_are_read_off_a_table():
    given = setting(0.8, 0.2, 3.0, rate=0.5)
    values = {name: np.full((60, 1), v) for name, v in given.items()}
    values["step_factor"] = np.exp(np.linspace(-0.3, 0.3, 60))[:, None]
    log_t = math.log(BACKWARD_LOCK.onset(given)) + np.linspace(-1, 1, 21)[None] + np.zeros((60, 1))
    table = np.exp(BACKWARD_LOCK.onset_law(log_t, values)[0])
    for row in (0, 31, 59):
        one = {name: value[row : row + 1] for name, value in values.items()}
        alone = np.exp(BACKWARD_LOCK.onset_law(log_t[row : row + 1], one)[0])[0]
        # Chains get longer by whole links; a link is one of about seventy.
        np.testing.assert_allclose(table[row], alone, atol=0.03)


def test_curricula_that_lead_nowhere_are_refused():
    with pytest.raises(NoOnset, match="never moves back at a threshold of one"):
        BACKWARD_LOCK.onset(setting(1.0))
    with pytest.raises(NoOnset, match="horizon must be whole"):
        BACKWARD_LOCK.onset(setting(0.5, horizon=2.5))
