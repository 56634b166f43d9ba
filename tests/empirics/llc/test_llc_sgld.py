import math

import numpy as np
import pytest
import torch

from empirics.llc import record
from empirics.llc.chains import ChainPlan
from empirics.llc.estimate import estimate_llc
from empirics.llc.sgld import SGLD, RMSProp

NBETA = 1000 / math.log(1000)


@pytest.mark.parametrize(
    ("h", "step_size"),
    [([1.0], 2e-3), ([0.5, 1.0, 2.0], 2e-3), (np.geomspace(0.2, 2.0, 100), 2e-3)],
    ids=["1", "3", "100"],
)
def test_a_quadratic_has_its_exact_value_at_a_finite_step(
    energy_of, quadratic, origin, exact_quadratic, agrees, h, step_size
):
    d = len(h)
    plan = ChainPlan(
        localization=3.0,
        num_chains=max(8, 800 // d),
        num_draws=400,
        num_burnin_steps=100,
        num_steps_bw_draws=2,
    )
    potential = energy_of(quadratic(h), d, 1000)
    (reading,) = estimate_llc(potential, origin(d), SGLD(step_size), plan)
    agrees(reading, exact_quadratic(h, NBETA, 3.0, step_size))


def lifted_power(p, step_size, localization=1.0):
    """Return nbeta·E[w^p] in the law of the unadjusted chain, by its transition matrix.

    Beyond `end`, where the density is below exp(-15), a move overshoots to more than as far.
    """
    end = 0.9 if p == 2 else 0.98 * (4 / (step_size * NBETA * p)) ** (1 / (p - 2))
    w = np.linspace(-end, end, 801)
    mean = w - step_size / 2 * (NBETA * p * w ** (p - 1) + localization * w)
    rows = np.exp(-((w[None] - mean[:, None]) ** 2) / (2 * step_size))
    rows /= rows.sum(1, keepdims=True)
    law = np.full(w.size, 1 / w.size)
    for _ in range(40):
        rows = rows @ rows
        law = rows.mean(0)
    return float(NBETA * (law * w**p).sum())


@pytest.mark.parametrize(("k", "step_size"), [(1, 4e-3), (2, 6e-3), (3, 6e-3)])
def test_a_power_has_its_exact_value_at_a_finite_step(
    energy_of, power, origin, agrees, k, step_size
):
    plan = ChainPlan(num_chains=2000, num_draws=150, num_burnin_steps=150, num_steps_bw_draws=3)
    potential = energy_of(power(2 * k), 1, 1000)
    (reading,) = estimate_llc(potential, origin(1), SGLD(step_size), plan)
    agrees(reading, lifted_power(2 * k, step_size))


def test_minibatches_add_the_noise_that_theory_says(mean_potential, agrees):
    """w <- w - a(w - ȳ) + noise of variance ε + (ε nbeta/2)² s²/B, with a = ε(nbeta + γ)/2."""
    y = torch.randn(1000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    step_size, rows = 1e-3, 20
    plan = ChainPlan(num_chains=600, num_draws=200, num_burnin_steps=100, num_steps_bw_draws=2)
    center = y.mean()[None]
    (reading,) = estimate_llc(mean_potential(y), center, SGLD(step_size, rows_per_move=rows), plan)
    a = step_size / 2 * (NBETA + 1)
    noise = step_size + (step_size / 2 * NBETA) ** 2 * float(y.var(correction=0)) / rows
    agrees(reading, NBETA / 2 * noise / (1 - (1 - a) ** 2))
    assert reading.llc_variance is None and reading.acceptance is None


def test_a_true_minimum_is_not_doubted_for_the_noise_of_minibatches(mean_potential):
    """At nbeta/B = 7 nearly half of the draws lie below the center on their own rows."""
    y = torch.randn(1000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    plan = ChainPlan(num_chains=40, num_draws=1000, num_burnin_steps=100)
    (reading,) = estimate_llc(mean_potential(y), y.mean()[None], SGLD(1e-3, rows_per_move=20), plan)
    assert all(reading.kept) and not any("minimum" in doubt for doubt in reading.doubts)


def test_the_center_is_looked_up_as_it_is_evaluated(mean_potential, monkeypatch):
    """Energies of single rows, averaged, against the energy of the rows."""
    y = torch.randn(30, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    plan = ChainPlan(num_chains=4, num_draws=20, num_burnin_steps=5)
    args = (mean_potential(y), y.mean()[None], SGLD(1e-3, rows_per_move=7), plan)
    (looked_up,) = estimate_llc(*args)
    monkeypatch.setattr(record, "_row_energies", lambda *_: None)
    (evaluated,) = estimate_llc(*args)
    assert looked_up.llc == pytest.approx(evaluated.llc, rel=1e-9)


def rmsprop_reading(energy_of, quadratic, origin, rmsprop):
    plan = ChainPlan(num_chains=400, num_draws=200, num_burnin_steps=300, num_steps_bw_draws=5)
    potential = energy_of(quadratic([1.0]), 1, 1000)
    (reading,) = estimate_llc(potential, origin(1), SGLD(1e-4, preconditioner=rmsprop), plan)
    return reading


def test_a_metric_held_after_the_burn_in_draws_from_the_posterior(
    energy_of, quadratic, origin, exact_quadratic
):
    """A held metric P <= 1/damping lifts by less than the step ε/damping would."""
    reading = rmsprop_reading(energy_of, quadratic, origin, RMSProp(0.9, 0.1))
    lowest = exact_quadratic([1.0], NBETA, 1.0)
    highest = exact_quadratic([1.0], NBETA, 1.0, 1e-4 / 0.1)
    assert reading.llc_se <= 0.02 * lowest
    assert lowest - 3 * reading.llc_se <= reading.llc <= highest + 3 * reading.llc_se
    assert reading.is_trusted


def test_a_metric_that_follows_the_particle_draws_from_another_law(
    energy_of, quadratic, origin, exact_quadratic
):
    reading = rmsprop_reading(energy_of, quadratic, origin, RMSProp(0.9, 0.1, keeps_adapting=True))
    highest = exact_quadratic([1.0], NBETA, 1.0, 1e-4 / 0.1)
    assert reading.llc - highest > 3 * reading.llc_se


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: SGLD(0.0), "step_size must be positive; it is 0.0."),
        (lambda: SGLD(1e-3, rows_per_move=0), "rows_per_move must be at least 1; it is 0."),
        (lambda: RMSProp(decay=1.0), "decay must lie between 0 and 1; it is 1.0."),
        (lambda: RMSProp(damping=0.0), "damping must be positive and finite; it is 0.0."),
    ],
)
def test_settings_that_make_no_sense_are_said(sentence, make, says):
    assert sentence(make) == says
