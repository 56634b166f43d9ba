"""Targets made of the critic itself: a field with a curl, and the regression to use instead."""

from __future__ import annotations

import torch
from torch import Tensor

from empirics.llc.estimate import estimate_llc
from empirics.llc.hmc import HMC
from empirics.llc.potentials.curl import curl
from empirics.llc.potentials.freeze_states import on_policy_states
from empirics.llc.potentials.outputs import LinearOutputs
from empirics.llc.potentials.td_field import TDField, td_field
from empirics.llc.potentials.value_regression import value_regression
from empirics.tabular.corner import corner_mdp
from empirics.tabular.optimum import optimum
from papers.elliott2026_stagewise_rl.effort import chain_plan
from papers.elliott2026_stagewise_rl.expected import agrees, distrust, localized_llc, rank, trust
from papers.llc_ladder.rung import Check, Rung
from papers.proposals import Progress

NAME = "Bootstrapped targets"
MDP = corner_mdp()
POLICY = optimum(MDP, 0.1).policy
WIDTHS = (2, 4, 8)
"""Features of the critic; the absorbing corner is worth 0 and has none."""
NBETA, LOCALIZATION = 1e4, 0.05


def rung(*, seed: int, scale: str, progress: Progress) -> Rung:
    """Show the curl of temporal differences, and read the regression against frozen targets."""
    checks: list[Check] = []
    rows = []
    for i, width in enumerate(WIDTHS):
        progress(NAME, i, len(WIDTHS))
        found, relative = with_features(width, seed=seed, scale=scale)
        checks += found
        rows.append((width, relative))
    progress(NAME, len(WIDTHS), len(WIDTHS))
    closed, refused, minimum, read = (checks[i::4] for i in range(4))
    return Rung(
        NAME,
        "The critic's targets are made of the critic's own values.",
        (
            "Learning by temporal differences follows A w - b with A = Φᵀ D (1 - gamma P) Φ, which "
            "is not symmetric: no energy has this gradient, no posterior belongs to it, and no "
            "learning coefficient. Its fixed point is the minimum of the regression against the "
            "targets frozen there, whose coefficient is half the rank of the features.",
        ),
        checks=tuple(checks),
        trust=(
            distrust(
                "energy of temporal differences",
                (*closed, *refused),
                "its field has a curl and it is refused",
            ),
            trust(
                "regression against frozen targets",
                (*minimum, *read),
                "the fixed point is its minimum and chains read half the rank",
            ),
        ),
        tables=(
            (
                "how far the field of temporal differences is from a gradient",
                ("features", "antisymmetric over symmetric part of its Jacobian"),
                tuple(rows),
            ),
        ),
    )


def with_features(width: int, *, seed: int, scale: str) -> tuple[tuple[Check, ...], float]:
    """Return the four checks of a critic with some random features, and its relative curl."""
    generator = torch.Generator().manual_seed(seed + width)
    features = torch.randn(9, width, generator=generator, dtype=torch.float64)
    features[0] = 0.0
    critic = LinearOutputs(features[:, None])
    frozen = on_policy_states(MDP, POLICY)
    weights = torch.tensor(frozen.weights)
    field = td_field(MDP, POLICY, critic, weights)
    a, b = closed_form(features, weights)
    found = curl(field, torch.zeros(width, dtype=torch.float64))[0]
    expected = (a - a.T) / 2
    relative = float(expected.norm() / ((a + a.T) / 2).norm())
    fixed = torch.linalg.solve(a, b)[None]
    with torch.no_grad():
        values = critic(fixed)[:, :, 0]
        targets = field.reward + values @ field.successors.T
    regression = value_regression(critic, frozen, targets, fixed)
    slope = float(regression.energy_and_gradient(fixed[None])[1].norm())
    hessian = regression.hessian(fixed)[0]
    plan = chain_plan(scale, NBETA, LOCALIZATION)
    scales = (NBETA * hessian.diagonal() + LOCALIZATION).rsqrt()
    sampler = HMC(0.15, num_leapfrog_steps=7)
    reading = estimate_llc(regression, fixed, sampler, plan, seed=seed, scales=scales)[0]
    exact = localized_llc(hessian, NBETA, LOCALIZATION, scales)
    return (
        Check(
            f"{width} features: the curl is that of the closed form, and not zero",
            f"largest entry {float(found.abs().max()):.3g}, apart from the closed form by "
            f"{float((found - expected).abs().max()):.1e}",
            bool((found - expected).abs().max() < 1e-8 and found.abs().max() > 1e-4),
        ),
        Check(f"{width} features: a coefficient of it is refused", *refusal(field, fixed)),
        Check(
            f"{width} features: frozen there, the regression has a minimum of rank {width}",
            f"gradient {slope:.1e}, rank {rank(hessian)}",
            slope < 1e-10 and rank(hessian) == width,
        ),
        agrees(f"{width} features: chains read the regression's localized value", reading, exact),
    ), relative


def closed_form(features: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return A = Φᵀ D (1 - gamma P) Φ and b = Φᵀ D r of linear temporal differences."""
    moves = torch.einsum("sa,sat->st", POLICY, MDP.transition)
    onward = torch.eye(9, dtype=torch.float64) - MDP.gamma * moves
    steady = torch.diag(weights)
    reward = (POLICY * MDP.reward).sum(-1)
    return features.T @ steady @ onward @ features, features.T @ steady @ reward


def refusal(field: TDField, center: Tensor) -> tuple[str, bool]:
    """Return what an estimate of a refused energy says, and whether it is refused."""
    try:
        estimate_llc(field, center, HMC(1e-3), chain_plan("tiny", NBETA, LOCALIZATION))
    except ValueError as error:
        return str(error), True
    return "it was estimated", False
