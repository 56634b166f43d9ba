"""Frozen against moving visits: alike at the optimum, unlike where the policy cannot be optimal."""

import numpy as np
import pytest
import torch
from torch import nn

from empirics.llc.chains import ChainPlan
from empirics.llc.estimate import estimate_llc
from empirics.llc.hmc import HMC
from empirics.llc.potentials.freeze_states import uniform_states
from empirics.llc.potentials.frozen_regret import frozen_regret
from empirics.llc.potentials.outputs import NetworkOutputs, tabular_outputs
from empirics.llc.potentials.tabular_regret import tabular_regret
from empirics.tabular.corner import corner_mdp
from empirics.tabular.evaluation import occupancy
from empirics.tabular.mdp import TabularMDP
from empirics.tabular.optimum import optimum

MDP = corner_mdp()
TABLE = tabular_outputs(9, 4)
TAU = 0.3
BEST = optimum(MDP, TAU).policy.log().reshape(1, -1)
UNIFORM = uniform_states(MDP)
MOVING = tabular_regret(MDP, TABLE, temperature=TAU)
FROZEN = frozen_regret(MDP, TABLE, BEST, temperature=TAU)
ALIKE = frozen_regret(MDP, TABLE, BEST, temperature=TAU, frozen=UNIFORM)


def localized(potential, center, nbeta, localization, scales=1.0):
    """Return the coefficient of the quadratic at the center, held by the localization."""
    hessian = potential.hessian(center)[0] * scales * torch.as_tensor(scales)[..., None]
    steepness = nbeta * torch.linalg.eigvalsh(hessian)
    return (steepness / (steepness + localization)).sum().item() / 2


def test_frozen_at_its_own_visits_the_optimum_has_the_curvature_of_the_regret():
    torch.testing.assert_close(FROZEN.hessian(BEST), MOVING.hessian(BEST), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("potential", [MOVING, FROZEN, ALIKE], ids=["moving", "frozen", "uniform"])
def test_at_the_optimum_every_choice_of_visits_has_half_the_free_logits(potential):
    # 9 states, and 3 ratios of 4 actions: 27 directions that matter, of 36.
    values = torch.linalg.eigvalsh(potential.hessian(BEST))[0]
    assert (values > 1e-9 * values[-1]).sum() == 27
    assert localized(potential, BEST, 1e9, 1.0) == pytest.approx(13.5, abs=1e-2)


@pytest.mark.parametrize("potential", [MOVING, FROZEN, ALIKE], ids=["moving", "frozen", "uniform"])
def test_chains_at_the_optimum_read_the_localized_value(potential):
    nbeta, localization = 1e6, 1e4
    scales = potential.hessian(BEST)[0].diagonal().rsqrt()
    plan = ChainPlan(nbeta, localization, num_chains=20, num_draws=40, num_burnin_steps=20)
    sampler = HMC(3e-7, num_leapfrog_steps=3)
    found = estimate_llc(potential, BEST, sampler, plan, seed=1, scales=scales)[0]
    expected = localized(potential, BEST, nbeta, localization, scales)
    assert abs(found.llc - expected) < 3 * found.llc_se
    assert found.llc_se < 0.3
    assert 13 < expected < 13.5


def test_the_ratio_of_visits_bounds_the_ratio_of_regrets():
    w = torch.tensor(np.random.default_rng(0).standard_normal((1, 50, 36)))
    policy = torch.softmax(w.reshape(1, 50, 9, 4), -1)
    ratio = occupancy(MDP, policy) / ALIKE.visits[:, None]
    regrets = MOVING.energy(w) / ALIKE.energy(w)
    assert (ratio.min(-1).values <= regrets).all()
    assert (regrets <= ratio.max(-1).values).all()


@pytest.mark.parametrize("temperature", [0.0, TAU])
def test_judged_by_the_checkpoint_the_surrogate_starts_along_the_regret(temperature):
    centers = torch.tensor(np.random.default_rng(1).standard_normal((3, 36)))
    frozen = frozen_regret(MDP, TABLE, centers, judge="checkpoint", temperature=temperature)
    moving = tabular_regret(MDP, TABLE, temperature=temperature)
    energy, gradient = frozen.energy_and_gradient(centers[:, None])
    torch.testing.assert_close(energy, torch.zeros_like(energy), rtol=0, atol=1e-13)
    expected = moving.energy_and_gradient(centers[:, None])[1]
    torch.testing.assert_close(gradient, expected, rtol=1e-10, atol=1e-13)


def test_a_part_of_the_centers_has_its_own_visits():
    centers = torch.tensor(np.random.default_rng(1).standard_normal((3, 36)))
    whole = frozen_regret(MDP, TABLE, centers, judge="checkpoint")
    alone = frozen_regret(MDP, TABLE, centers[1:2], judge="checkpoint")
    w = torch.tensor(np.random.default_rng(2).standard_normal((1, 4, 36)))
    torch.testing.assert_close(whole.chunk(1, 2).energy(w), alone.energy(w))


# A policy that can at most be undecided in its second state. Stopping in the first is worth just
# what going on is then worth, so that the regret does not depend on the first decision.
GAMMA = 0.9


class Undecided(nn.Module):
    """Logits (-u², 0) of the parameter of a state."""

    def __init__(self):
        super().__init__()
        self.u = nn.Parameter(torch.zeros(2, dtype=torch.float64))

    def forward(self, observations):
        logit = -(observations @ self.u**2)
        return torch.stack([logit, torch.zeros_like(logit)], -1)


def plateau():
    transition = torch.zeros(3, 2, 3)
    transition[0, 0, 1] = transition[0, 1, 2] = 1
    transition[1:, :, 2] = 1
    reward = torch.tensor([[0, GAMMA / 2], [1, 0], [0, 0]], dtype=torch.float64)
    mdp = TabularMDP(transition, reward, torch.tensor([1.0, 0, 0]), GAMMA)
    return mdp, NetworkOutputs(Undecided(), torch.eye(3, 2, dtype=torch.float64))


CENTER = torch.zeros(1, 2, dtype=torch.float64)


def quadrature(energy, nbeta, localization):
    """Return nbeta · E[energy - energy(0)] of the localized posterior over two parameters."""
    axis = torch.linspace(-6, 6, 241, dtype=torch.float64) / localization**0.5
    w = torch.cartesian_prod(axis, axis)
    excess = energy(w[None])[0] - energy(CENTER[None])[0, 0]
    weights = torch.softmax(-nbeta * excess - localization * (w**2).sum(-1) / 2, 0)
    return nbeta * (weights * excess).sum().item()


def test_where_the_policy_cannot_be_optimal_frozen_visits_and_moving_ones_differ():
    mdp, logits = plateau()
    moving = tabular_regret(mdp, logits)
    frozen = frozen_regret(mdp, logits, CENTER)
    for potential, directions in ((moving, 1), (frozen, 2)):
        _, gradient = potential.energy_and_gradient(CENTER[None])
        assert gradient.abs().max() == 0
        values = torch.linalg.eigvalsh(potential.hessian(CENTER))[0]
        assert (values > 1e-9).sum() == directions
        assert values.min() > -1e-12


def test_on_the_plateau_the_checkpoint_judges_as_the_regret_does():
    mdp, logits = plateau()
    judged = frozen_regret(mdp, logits, CENTER, judge="checkpoint")
    expected = tabular_regret(mdp, logits).hessian(CENTER)
    torch.testing.assert_close(judged.hessian(CENTER), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("kind", "limit"), [("moving", 0.5), ("frozen", 1.0)])
def test_chains_on_the_plateau_read_what_quadrature_says(kind, limit):
    mdp, logits = plateau()
    moving = kind == "moving"
    potential = tabular_regret(mdp, logits) if moving else frozen_regret(mdp, logits, CENTER)
    plan = ChainPlan(2000.0, 20.0, num_chains=60, num_draws=40, num_burnin_steps=20)
    found = estimate_llc(potential, CENTER, HMC(1.5e-3, num_leapfrog_steps=6), plan, seed=2)[0]
    exact = quadrature(potential.energy, 2000.0, 20.0)
    assert abs(found.llc - exact) < 3 * found.llc_se
    # Held so tightly the value has not reached its limit, but is nearer to it than to the other.
    assert abs(exact - limit) < 0.1
