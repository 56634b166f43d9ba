"""The rungs on small decision problems run, and what is exact on them holds."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from empirics.llc.network_potential import flatten
from empirics.llc.potentials.action_law import Categorical
from empirics.llc.potentials.behavior_kl import behavior_kl
from empirics.llc.potentials.freeze_states import FrozenStates
from empirics.llc.potentials.outputs import NetworkOutputs
from empirics.llc.potentials.tabular_regret import tabular_regret
from empirics.probe import Reading
from empirics.run import Run
from papers.elliott2026_stagewise_rl import (
    bootstrapped_targets,
    changing_world,
    cheese,
    learned_critic,
    moving_states,
    sampled_actions,
    sampled_episodes,
    shared_trunk,
    softmax_actions,
)
from papers.elliott2026_stagewise_rl.cheese_moves import difference, steps, transition_in_corner
from papers.elliott2026_stagewise_rl.cheese_runs import PLANS, Trained, fall
from papers.elliott2026_stagewise_rl.effort import chain_plan
from papers.elliott2026_stagewise_rl.expected import localized_llc, rank
from papers.elliott2026_stagewise_rl.fisher_spectrum import effective_llc, fisher_spectrum
from papers.elliott2026_stagewise_rl.plateau import by_quadrature
from papers.llc_ladder import study
from papers.proposals import propose_all
from papers.results import validate
from theory.curve import Curve


def silent(*_):
    pass


def made(module):
    return module.rung(seed=0, scale="tiny", progress=silent)


def holds(rung, words):
    """Return the verdicts of the checks whose question has these words."""
    found = [check.holds for check in rung.checks if words in check.asked]
    assert found
    return found


def test_temperatures_have_the_hessian_of_their_closed_form():
    rung = made(softmax_actions)
    assert holds(rung, "temperature · visits · Fisher") == [True]
    assert holds(rung, "no minimum") == [True]
    assert [row[1] for row in rung.tables[0][2]] == [13.5] * 5


def test_the_closed_hessian_is_that_of_the_regret():
    found = softmax_actions.at_temperature(1.0, seed=0, scale="tiny")
    assert found.apart < 1e-12
    assert rank(found.closed) == softmax_actions.FREE_LOGITS


def test_visits_matter_on_the_plateau_and_not_at_the_optimum():
    rung = made(moving_states)
    assert holds(rung, "give rank") == [True] * 6
    assert holds(rung, "shared logits") == [True]


def test_the_minimum_with_shared_logits_has_no_slope():
    _, rows = moving_states.with_shared_logits()
    assert rows[0][1] < 1e-12


def test_quadrature_of_a_square_is_the_localized_value():
    hessian = torch.diag(torch.tensor([2.0, 0.5], dtype=torch.float64))
    found = by_quadrature(lambda w: (w @ hessian * w).sum(-1) / 2, 50.0, 20.0)
    # The box ends at 6 sd of the localization, beyond which the posterior has nothing.
    assert found == pytest.approx(localized_llc(hessian, 50.0, 20.0), rel=1e-6)


def test_scales_are_units_of_length():
    hessian = torch.tensor([[2.0, 0.3], [0.3, 1.0]], dtype=torch.float64)
    scales = torch.tensor([0.5, 2.0], dtype=torch.float64)
    scaled = torch.diag(scales) @ hessian @ torch.diag(scales)
    expected = localized_llc(scaled, 10.0, 1.0)
    assert localized_llc(hessian, 10.0, 1.0, scales) == pytest.approx(expected, rel=1e-12)


def test_bootstrapped_targets_have_a_curl_and_frozen_ones_a_minimum():
    rung = made(bootstrapped_targets)
    assert holds(rung, "closed form") == [True] * 3
    assert holds(rung, "refused") == [True] * 3
    assert holds(rung, "a minimum of rank") == [True] * 3


def test_a_policy_lags_behind_a_world_that_changes_by_its_speed():
    rung = made(changing_world)
    assert holds(rung, "rank 27 at every moment") == [True]
    assert holds(rung, "at no minimum") == [True]
    assert holds(rung, "takes off a quarter") == [True]


def test_a_slope_takes_off_what_quadrature_says():
    # One parameter: 3 x + 2 x² at nbeta 1e6 and localization 1e5, in units of 1e-3.
    x = np.linspace(-6, 4, 200_001) * 1e-3
    energy = 3e-3 * x + 2 * x**2
    nbeta, pull = changing_world.NBETA, changing_world.LOCALIZATION
    log = -nbeta * energy - pull / 2 * (x / 1e-3) ** 2
    weights = np.exp(log - log.max())
    exact = nbeta * float((weights * energy).sum() / weights.sum())
    found = changing_world.sloped_llc(
        torch.tensor([[4.0]], dtype=torch.float64),
        torch.tensor([3e-3], dtype=torch.float64),
        torch.tensor([1e-3], dtype=torch.float64),
    )
    assert found == pytest.approx(exact, rel=1e-6)


def test_a_learned_critic_bends_the_field():
    assert [check.holds for check in made(learned_critic).checks[:4]] == [True] * 4


def test_the_field_of_gae_is_the_gradient_where_the_critic_is_exact():
    w = torch.linspace(-1, 1, 36, dtype=torch.float64)
    values = learned_critic.policy_values(learned_critic.MDP, learned_critic._policy(w))
    slope = torch.func.jacrev(learned_critic._return)(w)
    for gae_lambda in (0.0, 0.7, 1.0):
        field = learned_critic.gae_field(w, values, gae_lambda)
        torch.testing.assert_close(field, slope, rtol=1e-10, atol=1e-13)


def test_parts_of_a_shared_trunk_have_the_ranks_of_their_closed_forms():
    rung = made(shared_trunk)
    assert holds(rung, "half the rank is") == [True] * 8
    assert holds(rung, "is the sum neither") == [True]


def test_sampled_actions_are_refused_where_weights_are_worth_little():
    rung = made(sampled_actions)
    assert holds(rung, "refused")[0] is True
    assert holds(rung, "have no slope") == [True]


def test_the_worth_of_weights_of_the_narrow_policy_is_small_and_of_the_wide_one_not():
    worth = {
        each.sd: each.worth
        for sd in (0.5, 0.02)
        for each in sampled_actions.at_spread(sd, seed=0, scale="tiny")[:1]
    }
    # llc 2 at nbeta 2000: exp(-0.001/sd²), but for the pull of the localization.
    assert worth[0.5] == pytest.approx(math.exp(-0.001 / 0.25), rel=1e-4)
    assert worth[0.02] == pytest.approx(math.exp(-0.001 / 0.0004), rel=1e-2)


def test_reweighted_episodes_have_the_change_of_the_regret():
    (near, *_), _ = sampled_episodes.episode_checks(seed=3, scale="quick")
    assert near.holds


def test_episodes_end_at_the_regret_of_the_tables():
    mdp = sampled_episodes.MDP
    w = torch.zeros(2, 36, dtype=torch.float64)
    expected = tabular_regret(mdp, softmax_actions.TABLE).energy(w[None])[0]
    torch.testing.assert_close(sampled_episodes._regrets(w), expected)


def test_the_spectrum_is_that_of_the_behavior_kl():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    seen = torch.tensor(np.random.default_rng(0).standard_normal((2, 3)))
    outputs, center = NetworkOutputs(network, seen), flatten(network)
    frozen = FrozenStates(np.arange(2), np.array([0.3, 0.7]), "two states", None)
    hessian = behavior_kl(outputs, Categorical(), frozen, center[None]).hessian(center[None])[0]
    spectrum = fisher_spectrum(outputs, frozen, center)
    largest = torch.linalg.eigvalsh(hessian)[-6:]
    torch.testing.assert_close(spectrum, largest, rtol=1e-9, atol=1e-12)
    expected = localized_llc(hessian, 100.0, 1.0)
    assert effective_llc(spectrum, 100.0, 1.0) == pytest.approx(expected, rel=1e-9)


def test_steps_against_the_regret_are_counted_apart_from_those_with_it():
    regret = np.array([1.0, 0.5, 0.4, 0.4, 0.1])
    llc = np.array([0.0, 1.0, 0.5, 3.0, 3.1])
    # Up and down against a falling regret; no move of the regret; less than twice the error.
    assert steps(regret, llc, np.full(5, 0.1)) == (1, 1, 2)


@pytest.fixture(scope="module")
def cheesed():
    patch = pytest.MonkeyPatch()

    def few(curves, *, seed, progress, forms, noises):
        known = ("constant", "linear")
        return propose_all(
            curves, seed=seed, progress=progress, forms=known, noises=noises, n_jobs=1
        )

    patch.setattr(cheese, "propose_all", few)
    rung = made(cheese)
    patch.undo()
    return rung


def test_behavior_has_its_minimum_at_every_checkpoint_and_regret_has_not(cheesed):
    assert holds(cheesed, "behavior KL has its minimum") == [True]
    assert holds(cheesed, "no minima of the regret") == [True]


def test_every_detector_is_scored_with_the_transition_and_without(cheesed):
    names = [each.name for each in cheesed.detectors]
    control = {f"{name}, control" for name in names if "control" not in name}
    assert control == {name for name in names if "control" in name}
    fitted = [name for name in names if not name.startswith("peaks")]
    assert len(cheesed.comparisons) == len(fitted)


def test_a_regret_that_does_not_fall_has_no_transition():
    plan = PLANS["tiny"]
    (control,) = cheese.trained(0.0, 1, plan, seed=0)
    assert fall(control.run, "regret_elsewhere") is None
    between = fall(control.run, "regret_in_corner")
    assert 0 < between < plan.total_timesteps
    assert control.centers.shape == (3, 740)


def test_rungs_make_a_document_that_is_checked(cheesed):
    rungs = [cheesed, made(bootstrapped_targets)]
    document = study.document(rungs, {"command": "it", "seed": 0}, {"scale": "tiny"})
    validate(document, "it")
    assert [page["title"] for page in document["study"]["pages"]] == [
        cheese.NAME,
        bootstrapped_targets.NAME,
        "Which estimator is trustworthy where",
    ]


def test_the_verdict_counts_checks_and_names_what_does_not_hold(cheesed):
    said = study.verdict([cheesed])
    assert said.startswith(f"Of {len(cheesed.checks)} checks on 1 rungs ")


def test_an_unknown_scale_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no scale 'huge'; choose from tiny, quick, full"):
        chain_plan("huge", 1.0, 1.0)
    with pytest.raises(ValueError, match="no scale 'tiny'; choose from full, quick"):
        study.run(out=tmp_path, seed=0, scale="tiny", progress=silent)


def of_values(*values):
    return [np.array(each) for each in values]


def test_the_change_of_the_control_is_taken_off():
    agents = of_values([9.0, 2.0, 5.0], [9.0, 2.0, 7.0])
    control = of_values([9.0, 1.0, 2.0], [9.0, 1.0, 2.0])
    # Changes 3 and 5 against 1 and 1; the error of a mean of two is half their distance.
    assert difference((agents, control), 1) == pytest.approx((3.0, 1.0))
    assert difference((agents[:1], control), 1) == (2.0, math.inf)


@pytest.mark.parametrize(
    ("corner", "verdict"),
    [((0.1, 0.3), False), ((9.8, 10.2), True), ((0.0, 6.0), None)],
    ids=["small", "large", "unsure"],
)
def test_a_change_on_corner_states_counts_by_its_share_of_that_on_all(corner, verdict):
    t = np.array([0.0, 1.0, 2.0])
    regrets = {
        "regret_in_corner": np.array([1.0, 0.0, 0.0]),
        "regret_elsewhere": np.array([1.0, 1.0, 0.0]),
    }
    curves = tuple(Curve(name, t, y) for name, y in regrets.items())
    uniform = {name: Reading(0.0, baselines={"uniform actions": 1.0}) for name in regrets}
    run = Run("", "", {}, 0, curves, readings=((2, uniform),))
    agents = [Trained(run, torch.zeros(3, 1), nn.Identity())] * 2
    still = of_values([0, 0, 0.0], [0, 0, 0.0])
    found = transition_in_corner(
        agents,
        (of_values(*([0, 0, value] for value in corner)), still),
        (of_values([0, 0, 10.0], [0, 0, 10.0]), still),
        "llc",
    )
    assert found.holds is verdict
