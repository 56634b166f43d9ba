import numpy as np
import pytest

from papers.development.cue_fit import CueFits, cue_fit, log_odds, path_lead
from papers.development.cue_form import PARTS, RATIOS, cue_form, cue_hypothesis
from theory.curve import Curve, Origin, Progress
from theory.mechanisms.cue_competition import CUE_COMPETITION
from theory.noise import NOISES

ALPHA = 0.2
STEPS = np.unique(np.round(np.geomspace(1.0, 50.0, 30))) * 4000.0


def mean_field(mechanism, ratio, updates):
    given = {"alpha": ALPHA, "salience_ratio": ratio, "learning_rate": 1.0, "batch_size": np.inf}
    states, _ = CUE_COMPETITION[mechanism].integrate(given, updates)
    return states[:, 0], ratio * states[:, 1]


def curve(observable, y, run="run", **conditions):
    return Curve(
        observable, STEPS, y, progress=Progress.ENV_STEPS, run=run, origin=Origin.MEASURED,
        conditions=conditions,
    )  # fmt: skip


@pytest.mark.parametrize("mechanism", CUE_COMPETITION)
def test_the_form_is_the_mean_field_of_the_mechanism(mechanism):
    updates = np.array([0.0, 0.01, 0.5, 3.0, 20.0])
    scale, rate = 1.7, 2e-4
    for ratio in (0.3, 1.13, 2.4):
        goal, proxy = mean_field(mechanism, ratio, updates)
        for part, expected in zip(PARTS, (goal - proxy, goal, proxy), strict=True):
            got = cue_form(mechanism, ALPHA, part)(updates / rate, [scale, rate, ratio])
            np.testing.assert_allclose(got, scale * expected, atol=2e-4)


def test_its_derivatives_are_those_of_differences():
    form = cue_form("cue_policy_gradient", ALPHA)
    t, theta = np.array([1e3, 2e4, 2e5]), np.array([1.3, 1e-3, 1.6])
    jacobian = form.jacobian(t, theta)
    for i, step in enumerate(1e-4 * theta):
        shift = step * np.eye(3)[i]
        slope = (form(t, theta + shift) - form(t, theta - shift)) / (2 * step)
        np.testing.assert_allclose(jacobian[:, i], slope, rtol=1e-5)
    after, before = form(t * (1 + 1e-5), theta), form(t * (1 - 1e-5), theta)
    np.testing.assert_allclose(form.derivative(t, theta), (after - before) / (2e-5 * t), rtol=1e-5)


@pytest.fixture(scope="module")
def simulated():
    """A run that the policy gradient made, with wander and white noise: 300 updates in all."""
    goal, proxy = mean_field("cue_policy_gradient", 1.6, 300 * STEPS / STEPS[-1])
    noise = np.random.default_rng(3).normal(0, 0.02, (2, STEPS.size))
    y = goal - proxy + noise[0] + 0.5 * np.cumsum(noise[1])
    return cue_fit(curve("log_odds", y, alpha=ALPHA), forms=("constant", "logistic"), seed=1)


def test_the_rule_that_made_a_curve_fits_it_with_its_unknowns(simulated):
    fits = CueFits((simulated,))
    best, *_ = fits.rules
    assert best == "cue_policy_gradient"
    assert fits.rules[best] - fits.rules["cue_delta_rule"] > 3
    posterior = simulated.rules[best]
    assert posterior.status == ""
    for name, truth in (("salience_ratio", 1.6), ("rate", 300 / STEPS[-1]), ("scale", 1.0)):
        lower, upper = np.quantile(posterior.draws[:, posterior.names.index(name)], [0.005, 0.995])
        assert lower < truth < upper
    assert "of the rules cue policy gradient fits best" in fits.sentence
    assert "free forms fit worse" in fits.sentence
    assert "free in every run" in fits.sentence


def test_evidence_adds_over_runs_and_averages_over_free_forms(simulated):
    two = CueFits((simulated, simulated))
    one = CueFits((simulated,))
    assert two.rules == pytest.approx({name: 2 * value for name, value in one.rules.items()})
    values = [fit.log_evidence for fit in simulated.forms.values()]
    assert one.free == pytest.approx(np.log(np.mean(np.exp(values))))
    assert two.free == pytest.approx(2 * one.free)


def test_the_curves_of_a_run_in_log_odds():
    p_goal, p_proxy = np.full(STEPS.size, 0.5), np.full(STEPS.size, 0.25)
    values = {
        "p_goal": p_goal,
        "p_proxy": p_proxy,
        "weight_goal_path_near": 3 * p_goal,
        "weight_proxy_path_near": p_proxy,
    }
    curves = {name: curve(name, y) for name, y in values.items()}
    np.testing.assert_allclose(log_odds(curves).y, np.log(2))
    np.testing.assert_allclose(path_lead(curves, "near").y, 1.25)
    blind = {**curves, "p_goal": curve("p_goal", 0 * p_goal)}
    with pytest.raises(ValueError, match="a P\\(goal\\) or P\\(proxy\\) of 0"):
        log_odds(blind)


def test_bad_input_is_refused_in_one_sentence():
    noise, y = NOISES["ou_white"], np.linspace(0, 1, STEPS.size)
    with pytest.raises(ValueError, match="no numeric alpha among its conditions"):
        cue_hypothesis("cue_delta_rule", noise, curve("log_odds", y))
    with pytest.raises(ValueError, match="no mechanism 'cue'; choose from cue_delta_rule, cue_n"):
        cue_form("cue", 0.1)
    with pytest.raises(ValueError, match="no part 'x'; choose from goal, lead, proxy"):
        cue_form("cue_delta_rule", 0.1, "x")
    with pytest.raises(ValueError, match="alpha must be a probability; it is 2"):
        cue_form("cue_delta_rule", 2)
    with pytest.raises(ValueError, match="y must vary to be fitted"):
        cue_fit(curve("log_odds", 0 * y, alpha=0.1))
    with pytest.raises(ValueError, match="no form sigmoid; choose from"):
        cue_fit(curve("log_odds", y, alpha=0.1), forms=("sigmoid",))
    assert RATIOS[0] * RATIOS[1] == 1
