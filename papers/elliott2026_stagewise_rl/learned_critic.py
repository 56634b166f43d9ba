"""A learned critic in the advantages: a field that is no gradient of the return."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor
from torch.func import jacrev

from empirics.llc.estimate import estimate_llc
from empirics.llc.hmc import HMC
from empirics.llc.potentials.freeze_states import on_policy_states
from empirics.llc.potentials.outputs import LinearOutputs, tabular_outputs
from empirics.llc.potentials.tabular_regret import tabular_regret
from empirics.llc.potentials.value_regression import value_regression
from empirics.tabular.corner import corner_mdp
from empirics.tabular.evaluation import (
    action_values,
    expected_return,
    occupancy,
    policy_values,
)
from empirics.tabular.optimum import optimum
from papers.elliott2026_stagewise_rl.effort import chain_plan
from papers.elliott2026_stagewise_rl.expected import agrees, distrust, localized_llc, trust
from papers.llc_ladder.rung import Check, Rung
from papers.proposals import Progress

NAME = "A learned critic and generalized advantages"
MDP = corner_mdp()
GAE_LAMBDAS = (0.0, 0.5, 0.95, 1.0)
ERRORS = (0.0, 0.1, 0.3)
"""Standard deviation of the critic's errors; the best values are between 0.7 and 1."""
TEMPERATURE = 0.3


@final
@dataclass(frozen=True)
class Field:
    """How the expected field of GAE differs from the gradient of the return.

    Attributes
    ----------
    gae_lambda, error : float
    angle : float
        Between the two, in degrees.
    curl : float
        Norm of the antisymmetric over that of the symmetric part of the field's Jacobian.
    """

    gae_lambda: float
    error: float
    angle: float
    curl: float


def rung(*, seed: int, scale: str, progress: Progress) -> Rung:
    """Measure the field of GAE with an imperfect critic, and read actor and critic apart."""
    progress(NAME, 0, 3)
    fields = fields_of_gae(seed=seed)
    by = {(each.gae_lambda, each.error): each for each in fields}
    progress(NAME, 1, 3)
    actor = actor_check(seed=seed, scale=scale)
    progress(NAME, 2, 3)
    critic = critic_checks(seed=seed, scale=scale)
    progress(NAME, 3, 3)
    whole = max((by[1.0, e] for e in ERRORS), key=lambda f: max(f.angle, f.curl))
    true = max((by[g, 0.0] for g in GAE_LAMBDAS), key=lambda f: f.angle)
    off = min((by[g, e] for g in GAE_LAMBDAS[:3] for e in ERRORS[1:]), key=lambda f: f.angle)
    bent = min((by[g, e] for g in GAE_LAMBDAS[:3] for e in ERRORS), key=lambda f: f.curl)
    checks = (
        Check(
            "gae_lambda 1: the expected field is the gradient, whatever the critic",
            f"at most {whole.angle:.1e}° off, curl {whole.curl:.1e}",
            whole.angle < 1e-3 and whole.curl < 1e-8,
        ),
        Check(
            "an exact critic: the field is the gradient at the checkpoint, for every gae_lambda",
            f"at most {true.angle:.1e}° off",
            true.angle < 1e-3,
        ),
        Check(
            "gae_lambda below 1 and an imperfect critic: the field is not the gradient",
            f"at least {off.angle:.2g}° off (gae_lambda {off.gae_lambda:g}, error {off.error:g})",
            off.angle > 1e-2,
        ),
        Check(
            "gae_lambda below 1 and a frozen critic, even an exact one: the field has a curl",
            f"at least {bent.curl:.2g} of its symmetric part (gae_lambda {bent.gae_lambda:g}, "
            f"error {bent.error:g})",
            bent.curl > 1e-4,
        ),
        actor,
        *critic,
    )
    return Rung(
        NAME,
        "Advantages are made of a critic that is not exact, by generalized advantage estimation.",
        (
            "The expected field Σ visits Σ policy · ∇ln policy · advantage is computed exactly, "
            "with the advantages of GAE from a critic held fixed while the policy moves. A field "
            "with a curl is the gradient of no energy; the actor's coefficient is read from the "
            "true return, and the critic's from a regression against frozen targets.",
        ),
        checks=checks,
        trust=(
            distrust(
                "energy of the GAE field", checks[3:4], "it is no gradient for gae_lambda below 1"
            ),
            trust("actor by the true return", (actor,), "chains read the localized value"),
            trust("critic by frozen targets", critic, "chains read half the rank of the features"),
        ),
        tables=(
            (
                "the field of GAE against the gradient of the return (random policy)",
                ("gae_lambda", "sd of the critic's error", "angle in degrees", "relative curl"),
                tuple((f.gae_lambda, f.error, f.angle, f.curl) for f in fields),
            ),
        ),
    )


def fields_of_gae(*, seed: int) -> tuple[Field, ...]:
    """Return angle and curl at a random policy, for every gae_lambda and size of error."""
    generator = torch.Generator().manual_seed(seed)
    w = torch.randn(36, generator=generator, dtype=torch.float64)
    noise = torch.randn(9, generator=generator, dtype=torch.float64)
    noise[0] = 0.0  # an end is known to be worth nothing
    gradient = jacrev(_return)(w)
    values = policy_values(MDP, _policy(w))
    found = []
    for gae_lambda in GAE_LAMBDAS:
        for error in ERRORS:
            critic = values + error * noise

            def field(at: Tensor, critic: Tensor = critic, g: float = gae_lambda) -> Tensor:
                return gae_field(at, critic, g)

            jacobian = jacrev(field)(w)
            bent, straight = (jacobian - jacobian.T).norm(), (jacobian + jacobian.T).norm()
            # atan2 of the part across keeps small angles, which acos rounds.
            along = field(w) @ gradient / gradient.norm()
            across = (field(w) - along * gradient / gradient.norm()).norm()
            angle = math.degrees(math.atan2(float(across), float(along)))
            found.append(Field(gae_lambda, error, angle, float(bent / straight)))
    return tuple(found)


def gae_field(w: Tensor, critic: Tensor, gae_lambda: float) -> Tensor:
    """Return the expected policy gradient with GAE of a fixed critic (Schulman et al. 2016).

    The advantage is δ(s, a) + gamma · gae_lambda · E[Σ (gamma · gae_lambda)^k δ afterwards].
    """
    policy = _policy(w)
    delta = action_values(MDP, critic) - critic[:, None]
    moves = torch.einsum("sa,sat->st", policy, MDP.transition)
    decay = MDP.gamma * gae_lambda
    onward = torch.eye(9, dtype=torch.float64) - decay * moves
    afterwards = torch.linalg.solve(onward, (policy * delta).sum(-1))
    advantage = delta + decay * torch.einsum("sat,t->sa", MDP.transition, afterwards)
    centered = advantage - (policy * advantage).sum(-1, keepdim=True)
    return (occupancy(MDP, policy)[:, None] * policy * centered).reshape(-1)


def _policy(w: Tensor) -> Tensor:
    return torch.softmax(w.reshape(9, 4), -1)


def _return(w: Tensor) -> Tensor:
    return expected_return(MDP, policy_values(MDP, _policy(w)))


def actor_check(*, seed: int, scale: str) -> Check:
    """Return whether chains on the exact regret read the actor's coefficient."""
    center = optimum(MDP, TEMPERATURE).policy.log().reshape(1, -1)
    potential = tabular_regret(MDP, tabular_outputs(9, 4), temperature=TEMPERATURE)
    hessian = potential.hessian(center)[0]
    nbeta, localization = 1e6, 1e5
    scales = hessian.diagonal().rsqrt()
    plan = chain_plan(scale, nbeta, localization)
    sampler = HMC(1e-7, num_leapfrog_steps=5)
    found = estimate_llc(potential, center, sampler, plan, seed=seed + 1, scales=scales)[0]
    exact = localized_llc(hessian, nbeta, localization, scales)
    return agrees("actor: chains on the true return read the localized value", found, exact)


def critic_checks(*, seed: int, scale: str) -> tuple[Check, ...]:
    """Return whether chains on frozen targets read half the rank of a critic's features."""
    policy = optimum(MDP, TEMPERATURE).policy
    frozen = on_policy_states(MDP, policy)
    targets = policy_values(MDP, policy)
    checks = []
    for width in (3, 8):
        generator = torch.Generator().manual_seed(seed + width)
        features = torch.randn(9, width, generator=generator, dtype=torch.float64)
        features[0] = 0.0
        root = torch.tensor(frozen.weights).sqrt()[:, None]
        center = torch.linalg.lstsq(root * features, root * targets[:, None]).solution.T
        potential = value_regression(LinearOutputs(features[:, None]), frozen, targets, center)
        hessian = potential.hessian(center)[0]
        nbeta, localization = 1e5, 0.05
        scales = (nbeta * hessian.diagonal() + localization).rsqrt()
        plan = chain_plan(scale, nbeta, localization)
        sampler = HMC(0.15, num_leapfrog_steps=7)
        found = estimate_llc(potential, center, sampler, plan, seed=seed, scales=scales)[0]
        exact = localized_llc(hessian, nbeta, localization, scales)
        asked = f"critic of {width} features: chains on frozen targets read the localized value"
        checks.append(agrees(asked, found, exact))
    return tuple(checks)
