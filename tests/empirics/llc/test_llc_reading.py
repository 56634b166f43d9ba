import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from empirics.llc.chains import ChainPlan, Chains
from empirics.llc.estimate import estimate_llc
from empirics.llc.hmc import HMC
from empirics.llc.mala import MALA
from empirics.llc.reading import Facts, read
from empirics.llc.sgld import SGLD

PLAN = ChainPlan(nbeta=100.0, num_chains=8, num_draws=400, num_burnin_steps=100)


def chains(excess, *, diverged=None, virial=None, along=None):
    """Return the chains of one center, at nbeta 2, otherwise without blemish."""
    excess = np.asarray(excess, dtype=np.float64)
    k = excess.shape[0]
    one = np.ones(1)
    return Chains(
        excess=excess[None],
        square_distance=np.ones((1, *excess.shape)),
        virial=np.ones((1, *excess.shape)) if virial is None else virial[None],
        along_slope=np.zeros((1, *excess.shape)) if along is None else along[None],
        accepted=np.ones((1, k)),
        diverged=np.zeros((1, k), dtype=bool) if diverged is None else diverged[None],
        init_energy=0 * one,
        gradient_norm=0 * one,
        nbeta=2 * one,
        localization=one,
        step_size=one,
        final=np.zeros((1, k, 1)),
    )


def reading(excess, *, on_minibatches=False, is_exact=True, **known):
    facts = Facts(1, 0, None, is_exact=is_exact, on_minibatches=on_minibatches)
    return read(chains(excess, **known), 0, facts)


def draws(num_chains, num_draws=300, seed=0):
    return np.random.default_rng(seed).exponential(size=(num_chains, num_draws))


def test_the_value_is_the_tempered_mean_and_the_variance_another():
    """Exponential excess at nbeta 1 is that of λ = 1, where both are 1; here nbeta is 2."""
    excess = draws(6, 500)
    found = reading(excess)
    assert found.llc == pytest.approx(2 * excess.mean())
    assert found.llc_variance == pytest.approx(4 * excess.var(ddof=1))
    assert found.llc_se == pytest.approx(2 * excess.std(ddof=1) / math.sqrt(found.ess))
    assert found.chain_llcs == pytest.approx(2 * excess.mean(1))
    assert found.is_trusted and found.status == "The chains agree and have equilibrated."


def test_a_chain_that_left_is_left_out():
    """More than 5 % of its draws lie below the center (Chen et al. 2023)."""
    excess = draws(6)
    excess[2, :15] *= -1  # exactly 5 %: stays
    excess[4, :16] *= -1
    found = reading(excess)
    assert found.kept == (True, True, True, True, False, True)
    assert found.below_center == (0, 0, 0.05, 0, pytest.approx(16 / 300), 0)
    assert found.llc == pytest.approx(2 * excess[[0, 1, 2, 3, 5]].mean())
    assert "1 of 6 chains left the minimum" in found.status


def test_where_most_chains_leave_the_center_is_no_minimum():
    excess = draws(4)
    excess[:3, ::2] *= -1
    found = reading(excess)
    assert all(found.kept)
    assert found.doubts[0].startswith("The center is no minimum: 38 % of the draws lie below it")


def test_with_minibatches_blocks_of_draws_count():
    """Noise of ten times the mean leaves half of the draws below, and no block of them."""
    rng = np.random.default_rng(0)
    true = 1 + 10 * rng.normal(size=(4, 2000))
    found = reading(true, on_minibatches=True)
    assert all(found.kept) and max(found.below_center) <= 0.05
    lower = true - np.array([0, 0, 0, 11.0])[:, None]
    assert reading(lower, on_minibatches=True).kept == (True, True, True, False)


def test_diverged_chains_are_left_out_and_said():
    excess = draws(4)
    excess[1, 100:] = np.nan
    found = reading(excess, diverged=np.array([False, True, False, False]))
    assert found.kept == (True, False, True, True)
    assert math.isnan(found.chain_llcs[1]) and math.isnan(found.below_center[1])
    assert found.llc == pytest.approx(2 * excess[[0, 2, 3]].mean())
    assert found.status == (
        "1 of 4 chains diverged and are left out; a smaller step_size may help."
    )


def test_where_no_chain_is_left_there_is_no_value(sentence):
    found = reading(np.full((2, 50), np.nan), diverged=np.ones(2, dtype=bool))
    assert found.llc is None and found.llc_se is None and found.virial is None
    assert sentence(found.as_reading).startswith("Not computed: the energy is not finite at the")


def test_chains_apart_are_said_to_disagree():
    excess = draws(4) + 3 * np.arange(4)[:, None]
    assert reading(excess).doubts[0].startswith("The chains disagree: split R-hat is")


def test_few_independent_draws_are_said():
    excess = np.repeat(draws(2, 30), 50, axis=1)
    assert any(doubt.startswith("The draws are worth only") for doubt in reading(excess).doubts)


def test_a_virial_off_its_value_is_said():
    virial = np.random.default_rng(0).normal(1.2, 0.1, size=(4, 300))
    assert reading(draws(4), virial=virial).doubts == (
        "The virial is 1.20 of its equilibrium value: flat directions have not equilibrated, or "
        "the step is too long.",
    )


def test_a_runaway_that_has_not_yet_diverged_is_said():
    virial = np.ones((4, 300))
    virial[2, -1] = 1e40
    found = reading(draws(4), virial=virial)
    assert found.doubts[-1].startswith("The virial is known to ±")


def test_a_reading_of_a_probe_has_value_and_error():
    found = reading(draws(6, 500))
    assert (found.as_reading().value, found.as_reading().se) == (found.llc, found.llc_se)


def test_a_center_without_a_finite_energy_leaves_the_others_alone(energy_of, quadratic, origin):
    given = torch.tensor([1.0, math.nan, 2.0], dtype=torch.float64)
    args = (SGLD(1e-3), PLAN)
    good = energy_of(quadratic([1.0]), 1, given=torch.nan_to_num(given, 4.0))
    expected = estimate_llc(good, origin(1, 3), *args)
    bad = energy_of(quadratic([1.0]), 1, given=given)
    found = estimate_llc(bad, origin(1, 3), *args)
    assert (found[0], found[2]) == (expected[0], expected[2])
    assert found[1].llc is None and found[1].status.startswith("Not computed")


def test_a_step_too_long_is_said_and_leaves_the_others_alone(energy_of, quadratic, origin):
    """Beyond ε(nbeta h + γ) = 4 plain Langevin moves diverge."""
    given = torch.tensor([1.0, 1e3, 1.0], dtype=torch.float64)
    potential = energy_of(quadratic([1.0]), 1, given=given)
    found = estimate_llc(potential, origin(1, 3), SGLD(1e-3), PLAN)
    assert found[1].llc is None
    assert found[1].status.endswith("a smaller step_size may help.")
    calm = energy_of(quadratic([1.0]), 1, given=torch.ones(3, dtype=torch.float64))
    expected = estimate_llc(calm, origin(1, 3), SGLD(1e-3), PLAN)
    assert (found[0], found[2]) == (expected[0], expected[2])


@pytest.mark.parametrize("growth", [0.1, 1.0, 5.0])
def test_a_chain_on_its_way_to_infinity_is_said(energy_of, quadratic, origin, growth):
    """However far it has come when its draws end."""
    step_size = (2 + growth) * 2 / 101
    potential = energy_of(quadratic([1.0]), 1)
    for draws in (4, 20, 90, 400):
        plan = replace(PLAN, num_draws=draws, num_burnin_steps=0)
        (found,) = estimate_llc(potential, origin(1), SGLD(step_size), plan)
        assert not found.is_trusted


def test_chains_that_stay_finite_are_kept_beside_some_that_do_not(energy_of, origin):
    """The energy stops at 2.75 standard deviations of the posterior, which some chains meet."""
    sd = 1 / math.sqrt(101)

    def cliff(w):
        inside = w[..., 0] < 2.75 * sd
        return torch.where(inside, w[..., 0] ** 2 / 2, torch.nan)

    def slope(w):
        return w[..., 0] ** 2 / 2

    found, whole = (
        estimate_llc(energy_of(f, 1), origin(1), MALA(5e-3), PLAN)[0] for f in (cliff, slope)
    )
    # MALA rejects what is not finite: no chain is lost to it.
    assert all(found.kept) and found.llc < whole.llc
    found, whole = (
        estimate_llc(energy_of(f, 1), origin(1), SGLD(5e-3), PLAN)[0] for f in (cliff, slope)
    )
    lost = sum(not kept for kept in found.kept)
    assert 0 < lost < PLAN.num_chains
    assert f"{lost} of 8 chains diverged" in found.status
    for kept, before, after in zip(found.kept, whole.chain_llcs, found.chain_llcs, strict=True):
        assert math.isnan(after) != kept
        assert not kept or before == after


def test_a_checkpoint_on_a_slope_is_no_minimum(energy_of, quadratic):
    away = torch.full((1, 1), 1.0, dtype=torch.float64)
    (found,) = estimate_llc(energy_of(quadratic([1.0]), 1), away, SGLD(1e-3), PLAN)
    assert found.llc < 0 and found.gradient_norm == 1.0
    assert found.doubts[0].startswith("The center is no minimum:")


def test_flat_directions_that_have_not_equilibrated_are_said(energy_of, origin):
    """With weak localization a flat direction needs 2/(ε γ) = 2e6 moves."""
    plan = ChainPlan(nbeta=100.0, localization=1e-3, num_chains=8, num_draws=400)
    flat = energy_of(lambda w: w[..., 0] ** 2 / 2, 2)
    (found,) = estimate_llc(flat, origin(2), SGLD(1e-3), plan)
    assert found.virial == pytest.approx(0.5, abs=0.1)
    assert any(doubt.startswith("The virial is 0.5") for doubt in found.doubts)


def test_a_long_step_is_said(energy_of, quadratic, origin):
    (found,) = estimate_llc(energy_of(quadratic([1.0]), 1), origin(1), SGLD(3e-2), PLAN)
    assert found.acceptance < 0.8
    assert any(doubt.startswith("The step is long") for doubt in found.doubts)


@pytest.mark.parametrize(("mean", "is_said"), [(-2.0, True), (2.0, False), (-0.001, False)])
def test_a_slope_under_the_center_is_said(mean, is_said):
    """Draws lie along the slope by so much on average; half of twice that is taken off."""
    excess = draws(6)
    found = reading(excess, along=mean + 0.1 * draws(6, seed=1))
    said = "The center is no minimum: its slope takes off about"
    assert any(doubt.startswith(said) for doubt in found.doubts) is is_said


def test_a_gentle_slope_is_said_though_few_draws_lie_below(energy_of, origin):
    # 50 directions of curvature 1, a slope g in one: P = nbeta + 1, and g·m is -nbeta g²/P.
    nbeta, slope = 1000.0, 0.1
    potential = energy_of(lambda w: (w**2).sum(-1) / 2 + slope * w[..., 0], 50)
    plan = ChainPlan(nbeta, 1.0, num_chains=20, num_draws=100, num_burnin_steps=10)
    (found,) = estimate_llc(potential, origin(50), HMC(1e-4, 8), plan, seed=0)
    exact = 25 * nbeta / (nbeta + 1) + nbeta * slope**2 * (
        -nbeta / (nbeta + 1) + (nbeta / (nbeta + 1)) ** 2 / 2
    )
    assert abs(found.llc - exact) < 3 * found.llc_se
    assert max(found.below_center) < 0.05
    assert [doubt for doubt in found.doubts if "its slope takes off about 5" in doubt]
