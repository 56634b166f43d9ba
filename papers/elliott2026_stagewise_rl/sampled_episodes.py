"""Regret of softmax policies from episodes: reweighted, or over random numbers held fixed."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from empirics.llc.potentials.importance import importance_ess
from empirics.llc.potentials.outputs import tabular_outputs
from empirics.llc.potentials.tabular_regret import tabular_regret
from empirics.tabular.corner import corner_mdp
from empirics.tabular.optimum import optimum
from empirics.tabular.rollouts import Rollouts, rollouts
from papers.llc_ladder.rung import Check

MDP = corner_mdp()
EPISODES = {"tiny": 500, "quick": 4000, "full": 40000}
STEPS = 60
"""Beyond them gamma^60 = 0.002 of a return is left out."""
DISTANCES = (0.1, 0.3, 1.0, 3.0, 10.0)
NEAR = 1.0
Cell = str | int | float | None


def episode_checks(
    *, seed: int, scale: str
) -> tuple[tuple[Check, ...], tuple[tuple[Cell, ...], ...]]:
    """Compare reweighted and repeated episodes with the exact regret along one direction."""
    center = optimum(MDP, 0.3).policy.log().reshape(-1)
    direction = torch.tensor(np.random.default_rng(seed).standard_normal(36))
    direction = direction / direction.norm()
    w = center + torch.tensor(DISTANCES)[:, None].double() * direction
    sampled = rollouts(
        MDP, _policy(center), EPISODES[scale], STEPS, rng=np.random.default_rng(seed + 1)
    )
    exact = _regrets(torch.cat([center[None], w]))
    found, se, worth = reweighted(sampled, center, w)
    lost = exact[1:] - exact[0]
    z = ((found - lost) / se).abs()
    near = torch.tensor(DISTANCES) <= NEAR
    rows: list[tuple[Cell, ...]] = [
        (DISTANCES[i], *(float(each[i]) for each in (lost, found, se, worth)))
        for i in range(len(DISTANCES))
    ]
    flat, jumps = repeated(center, w, EPISODES[scale], seed=seed)
    checks = (
        Check(
            "reweighted episodes have the regret's change near the center",
            f"at most {float(z[near].max()):.1f} standard errors off, weights worth at least "
            f"{100 * float(worth[near].min()):.0f} %",
            bool((z[near] < 3).all() and (worth[near] > 0.2).all()),
        ),
        Check(
            "far from it the weights of whole episodes are worth less than 20 % and are refused",
            f"worth {100 * float(worth[-1]):.2g} % at distance {DISTANCES[-1]:g}",
            bool(worth[-1] < 0.2),
        ),
        Check(
            "episodes over fixed random numbers have no slope: the return is a staircase",
            f"{flat} of {EPISODES[scale]} episodes keep their actions over a distance of 1e-6; "
            f"{jumps} do over a distance of 1",
            flat >= 0.99 * EPISODES[scale] and jumps < EPISODES[scale],
        ),
    )
    return checks, tuple(rows)


def reweighted(sampled: Rollouts, center: Tensor, w: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return minus the change of the return, its error, and what whole episodes are worth, (n,).

    Each reward is weighted by the ratio of all actions up to its own.
    """
    states, actions = torch.tensor(sampled.states), torch.tensor(sampled.actions)
    decay = sampled.gamma ** torch.arange(states.shape[1], dtype=torch.float64)
    rewards = torch.tensor(sampled.rewards) * decay

    def log_p(at: Tensor) -> Tensor:
        return torch.log_softmax(at.reshape(9, 4), -1)[states, actions]

    found, errors, worth = [], [], []
    for at in w:
        # Beyond the corner, the end, actions change nothing.
        log_ratio = torch.where(states == 0, 0.0, log_p(at) - log_p(center)).cumsum(-1)
        change = -((torch.expm1(log_ratio)) * rewards).sum(-1)
        found.append(change.mean())
        errors.append(change.std() / len(change) ** 0.5)
        worth.append(importance_ess(log_ratio[:, -1][None, None])[0, 0])
    return torch.stack(found), torch.stack(errors), torch.stack(worth)


def repeated(center: Tensor, w: Tensor, episodes: int, *, seed: int) -> tuple[int, int]:
    """Count episodes that the same random numbers leave as they were, near and far.

    The nearer policy is 1e-6 away along the same direction, the farther one 1.
    """
    unit = (w[-1] - center) / (w[-1] - center).norm()
    first, near, far = (
        rollouts(MDP, _policy(at), episodes, STEPS, rng=np.random.default_rng(seed)).actions
        for at in (center, center + 1e-6 * unit, center + unit)
    )
    return int((first == near).all(1).sum()), int((first == far).all(1).sum())


def _policy(w: Tensor) -> Tensor:
    return torch.softmax(w.reshape(9, 4), -1)


def _regrets(w: Tensor) -> Tensor:
    return tabular_regret(MDP, tabular_outputs(9, 4)).energy(w[None])[0]
