"""Whether it is the objective's vector that moves the agent, and the distractor's that does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.activations.site import Site
from empirics.maze import CORNER
from empirics.probe import Policy, Reading
from empirics.probes.decision_squares import DecisionSquares
from empirics.probes.goal_and_proxy import step_probability
from empirics.probes.goal_vector import MIDDLE, change_reading
from empirics.probes.retarget import CONTROLS, OBJECTS, Retarget, behind_goal_step, draw_retarget

FloatArray = NDArray[np.float64]

ALL_CONTROLS = (*CONTROLS, "random_vectors")
"""What retargeting must beat; random vectors have the norm of the target's vector."""

NUM_RANDOM = 2
"""Random vectors, and permutations of channels, that are averaged."""


@final
@dataclass(frozen=True, eq=False)
class ObjectiveRetarget:
    """The agent's step when the objective, or the distractor, is moved from inside.

    The cheese lies in the corner and the distractor where another step than that to the target
    leads. Activations of *another maze* with one of the two on the target, minus those without,
    take the place of what the object adds here (`Retarget`, for each object on the same squares).
    An agent with an objective follows the objective's vector, and not the distractor's.

    Attributes
    ----------
    retarget : Retarget
        Of the cheese.
    """

    retarget: Retarget
    name: str = "objective_retarget"
    observables: tuple[str, ...] = (
        "objective_retarget_gap",
        "objective_retarget",
        "distractor_retarget",
        "p_target_objective_retargeted",
        "p_target_distractor_retargeted",
        "p_target_distractor_moved",
    )

    def __post_init__(self) -> None:
        replace(self.retarget, moved="distractor")  # which needs one

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over levels.

        Returns
        -------
        mapping
            P(step to the target) beyond the strongest control of each object, as the gap between
            them and one by one; a distractor that does less than its controls counts 0 in the
            gap, which is therefore never more than the objective's. Then P(step to the target)
            with each vector, beside its controls, and with the real distractor on the target.
        """
        squares = self.retarget.squares
        found = {
            each: replace(self.retarget, moved=each).probabilities(policy, num_random=NUM_RANDOM)
            for each in OBJECTS
        }
        gain = {each: self._gain(found[each]) for each in OBJECTS}
        beyond = gain["distractor"] if gain["distractor"].mean() > 0 else 0.0
        changes = (gain["cheese"] - beyond, gain["cheese"], gain["distractor"])
        step, level = squares.goal_step, squares.situation.level
        p = [
            replace(
                step_probability(found[each]["retargeted"], step, squares),
                baselines={name: float(self._p(found[each][name]).mean()) for name in ALL_CONTROLS},
            )
            for each in OBJECTS
        ]
        readings = (
            *(change_reading(change, level, {"no effect": 0.0}) for change in changes),
            *p,
            step_probability(found["distractor"]["goal_moved"], step, squares),
        )
        return dict(zip(self.observables, readings, strict=True))

    def _p(self, probabilities: FloatArray) -> FloatArray:
        """Return P(step to the target), (n,)."""
        step = self.retarget.squares.goal_step
        return np.asarray(probabilities[np.arange(len(step)), step])

    def _gain(self, found: Mapping[str, FloatArray]) -> FloatArray:
        """Return P(step to the target) beyond the control under which it is largest, (n,)."""
        strongest = max(ALL_CONTROLS, key=lambda name: self._p(found[name]).mean())
        return self._p(found["retargeted"]) - self._p(found[strongest])


def draw_objective_retarget(
    squares: DecisionSquares, *, site: Site = MIDDLE, rng: np.random.Generator
) -> ObjectiveRetarget:
    """Draw another maze and a wrong location for each decision square that serves both objects.

    Squares for which there is none, and those where the distractor lies in the corner or on the
    target's side of the mouse, are left out.

    Raises
    ------
    ValueError
        If no square is left, or the mazes have no distractor.
    """
    if not squares.config.distractor:
        raise ValueError(
            "an objective is compared with a distractor, and there is none; set distractor=True "
            "in the environment."
        )
    distractor = squares.situation.distractor
    beyond = behind_goal_step(squares)[np.arange(len(squares)), distractor]
    fits = np.flatnonzero((distractor != CORNER) & ~beyond)
    drawn = draw_retarget(squares[fits], site=site, rng=rng)
    return ObjectiveRetarget(replace(drawn, num_permutations=NUM_RANDOM))
