"""The one-step continuous bandit: supervised learning in the clothes of reinforcement learning.

In state x the action is a ~ N(f_w(x), sd² I) and the reward -‖a - goal(x)‖². Then
J(w) = -L(w) - D sd² exactly, L the mean squared error, so that regret against the best policy of
that sd is L: the coefficients are those of the regression. What differs is how J is known: in
closed expectation, from actions that move with the policy over fixed random numbers, or from
actions that the checkpoint took, reweighted.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import torch
from torch import Tensor

from empirics.llc.potential import Potential, check_centers
from empirics.llc.potentials.action_law import Gaussian
from empirics.llc.potentials.importance import importance_doubts, importance_ess
from empirics.llc.potentials.outputs import Outputs, rows_of


@final
@dataclass(frozen=True, eq=False)
class GaussianBandit:
    """States, their goals, and the spread of actions.

    Attributes
    ----------
    means : Outputs
        The policy's mean action in every state, (n, D).
    goals : (n, D) tensor
    sd : float
    num_samples : int or None
        The n of a default nbeta.

    Raises
    ------
    ValueError
        If sd is not positive, or goals are not one a state.
    """

    means: Outputs
    goals: Tensor
    sd: float
    num_samples: int | None = None

    def __post_init__(self) -> None:
        Gaussian(self.sd)
        if self.goals.ndim != 2 or self.goals.shape[0] != self.means.num_rows:
            raise ValueError(
                f"goals must be one vector a state, ({self.means.num_rows}, D); they are "
                f"{tuple(self.goals.shape)}."
            )

    def to(self, device: str | torch.device) -> GaussianBandit:
        """Return the bandit on another device."""
        means = copy.deepcopy(self.means).to(device)
        return GaussianBandit(means, self.goals.to(device), self.sd, self.num_samples)

    def miss(self, w: Tensor, rows: Tensor | None) -> Tensor:
        """Return the mean action's distance from the goal as a vector, (C, K, n, D)."""
        found: Tensor = self.means(w, rows)
        goals = self.goals.to(found.dtype)
        return found - (goals if rows is None else goals[rows])

    def expected_return(self, w: Tensor) -> Tensor:
        """Return J(w) = -L(w) - D sd², (C, K)."""
        squared = (self.miss(w, None) ** 2).sum(-1).mean(-1)
        return -squared - self.goals.shape[1] * self.sd**2

    def regret(self) -> BanditRegret:
        """Return the regret in closed expectation."""
        return BanditRegret(self.means.num_parameters, self.num_samples, self)

    def on_policy(
        self, num_actions: int, *, rng: np.random.Generator, antithetic: bool = False
    ) -> OnPolicyRegret:
        """Return the regret from actions of each policy itself, over fixed random numbers.

        Parameters
        ----------
        num_actions : int
            Actions a state.
        rng : numpy.random.Generator
        antithetic : bool
            Whether every random number comes with its negative (`num_actions` counts both): the
            part of the error that is linear in the mean action, which moves the minimum, cancels.
        """
        shape = tuple(self.goals.shape)
        normals = _normals(num_actions, shape, antithetic, rng).to(self.goals)
        return OnPolicyRegret(self.means.num_parameters, self.num_samples, self, normals)

    def importance(
        self,
        centers: Tensor,
        num_actions: int,
        *,
        rng: np.random.Generator,
        antithetic: bool = False,
    ) -> ImportanceRegret:
        """Return the regret from actions that each center's own policy took once.

        Parameters
        ----------
        centers : (C, d) tensor
        num_actions : int
            Actions a state.
        rng : numpy.random.Generator
        antithetic : bool
            Whether every action comes with its mirror image about the mean.
        """
        mean = self.means.at_centers(centers)
        normals = _normals(num_actions, tuple(mean.shape), antithetic, rng).to(mean)
        actions = (mean + self.sd * normals).movedim(0, 2)
        potential = ImportanceRegret(
            self.means.num_parameters, self.num_samples, self, mean, actions
        )
        check_centers(potential, centers)
        return potential


def _normals(
    count: int, shape: tuple[int, ...], antithetic: bool, rng: np.random.Generator
) -> Tensor:
    """Return random numbers (count, *shape), half of them the negatives of the others if asked."""
    if count < 1 or (antithetic and count % 2):
        raise ValueError(
            f"num_actions must be at least 1, and even where they are antithetic; it is {count}."
        )
    drawn = torch.from_numpy(rng.standard_normal((count // 2 if antithetic else count, *shape)))
    return torch.cat([drawn, -drawn]) if antithetic else drawn


@final
@dataclass(frozen=True, eq=False)
class BanditRegret(Potential):
    """L(w), the regret in closed expectation."""

    bandit: GaussianBandit

    name: ClassVar[str] = "bandit regret"

    @property
    def num_rows(self) -> int:
        """States."""
        return self.bandit.means.num_rows

    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the mean squared distance of the mean action from the goal."""
        return (self.bandit.miss(w, rows) ** 2).sum(-1).mean(-1)


@final
@dataclass(frozen=True, eq=False)
class OnPolicyRegret(Potential):
    """-reward of f_w(x) + sd · ξ, less D sd², over fixed ξ: one function of w, unbiased for L.

    Attributes
    ----------
    bandit : GaussianBandit
    normals : (M, n, D) tensor
    """

    bandit: GaussianBandit
    normals: Tensor

    name: ClassVar[str] = "bandit regret on policy"

    @property
    def num_rows(self) -> int:
        """States."""
        return self.bandit.means.num_rows

    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the mean of M actions a state."""
        miss, sd = self.bandit.miss(w, rows), self.bandit.sd
        drawn = self.normals.movedim(0, 1).to(miss.dtype)
        drawn = drawn if rows is None else drawn[rows]
        lost = ((miss[..., None, :] + sd * drawn) ** 2).sum(-1)
        return lost.mean((-1, -2)) - miss.shape[-1] * sd**2


@final
@dataclass(frozen=True, eq=False)
class ImportanceRegret(Potential):
    """L(center) - E_center[ratio · advantage], unbiased for L near the center only.

    The ratio π_w/π_center of fixed actions is 1 at the center; further than about sd away few
    actions carry all the weight, and chains go where a few lucky ones do. `doubts` says so where
    the weights of the draws are worth less than a fifth of the actions. Sampling noise also bends
    the energy at the center, by the order of (miss/sd)/sqrt(number of actions) in units of the
    squared slope of the means; where that is not small the center is no minimum, and the reading
    says that.

    Attributes
    ----------
    bandit : GaussianBandit
    center : (C, n, D) tensor
        Mean actions of the centers.
    actions : (C, n, M, D) tensor
        Taken by them.
    """

    bandit: GaussianBandit
    center: Tensor
    actions: Tensor

    name: ClassVar[str] = "bandit regret by importance"
    per_center: ClassVar[tuple[str, ...]] = ("center", "actions")

    @property
    def num_rows(self) -> int:
        """States."""
        return self.bandit.means.num_rows

    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the reweighted regret; the center's expected reward is the control variate."""
        actions, center = rows_of(self.actions, rows), rows_of(self.center, rows)
        goals = self.bandit.goals.to(center.dtype)
        goals = goals if rows is None else goals[rows]
        spread = goals.shape[-1] * self.bandit.sd**2
        lost = ((center - goals) ** 2).sum(-1)
        reward = -((actions - goals[..., None, :]) ** 2).sum(-1)
        advantage = reward + (lost + spread)[..., None]
        gained = self.log_ratio(w, rows).exp() * advantage
        return lost.mean(-1) - gained.mean((-1, -2))

    def log_ratio(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return ln π_w(a)/π_center(a) of the actions, (C, K, n, M)."""
        law = Gaussian(self.bandit.sd)
        actions = rows_of(self.actions, rows)
        mean, center = self.bandit.means(w, rows), rows_of(self.center, rows)
        now = law.log_probability(mean[..., None, :], actions)
        return now - law.log_probability(center[..., None, :], actions)

    def doubts(self, centers: Tensor, final: Tensor) -> tuple[tuple[str, ...], ...]:
        """Say where the last draws' weights are worth too few actions."""
        with torch.no_grad():
            return importance_doubts(importance_ess(self.log_ratio(final)))
