"""Values that travel backwards: temporal-difference learning on a deterministic chain.

TD(0) on a chain that ends in a reward of 1 (Sutton 1988) moves the value of the state d steps
before the rewarded one by step · (gamma · V_(d-1) - V_d), and that of the rewarded one by
step · (1 - V_0), whenever it is visited. If each of n_states is as likely in an update, the
expected value after k updates is gamma^d times the chance of more than d successes in k trials
of chance step/n_states; for small steps the successes are Poisson, and the value is

    V_d(t) = gamma^d · P(d + 1, step · t / n_states)

with P the regularized lower incomplete gamma function: a front that moves one state in
n_states/step updates and widens as the square root of the distance.

How a run's onset scatters about the expectation is left open: updates delay a state whose
neighbor has not learned, and the chances of all states are drawn from the same visits.
"""

from __future__ import annotations

import sympy

from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Mechanism
from theory.stable import gamma_rise

T = sympy.Symbol("t", real=True)
SWEEPS = sympy.Symbol("sweeps", nonnegative=True)
DISTANCE, GAMMA, RATE, STATES, STEP = sympy.symbols(
    "distance gamma learning_rate n_states step_factor", positive=True
)
SPEED = RATE * STEP / STATES
SHARE = gamma_rise(DISTANCE + 1, SWEEPS)
FLOOR_VARIANCE = (
    RATE * STEP * GAMMA ** (2 * DISTANCE) * sympy.binomial(2 * DISTANCE, DISTANCE)
) / 2 ** (2 * DISTANCE + 1)

TD_WAVEFRONT = Mechanism(
    name="td_wavefront",
    story="A reward is learned where it falls and handed back state by state, so that distant "
    "states wait in line.",
    state=(SWEEPS,),
    dynamics=(SPEED,),
    start=(sympy.Integer(0),),
    observables={"value": GAMMA**DISTANCE * SHARE, "share": SHARE},
    parameters=(Quantity("step_factor", "factor on the step size", "", 1.0, 0.0, log_sd=0.1),),
    conditions=(
        Quantity("distance", "steps from the state to the rewarded one", "", 5.0, 0.0),
        Quantity("gamma", "factor on the value of the next state", "", 0.95, 0.0, 1.0),
        Quantity("learning_rate", "step size of an update", "", 0.1, 0.0, 1.0),
        Quantity("n_states", "states of which an update visits one", "", 20.0, 1.0),
    ),
    assumptions=(
        "a deterministic chain of states with values of their own, 0 at the start",
        "one reward, at its end",
        "TD(0), without traces; all states are visited as often",
    ),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "the expected value is an Erlang distribution of order distance + 1.",
            "steps of learning_rate / n_states << 1: the mean of TD(0) is binomial, its limit is "
            "Poisson",
            solution={"sweeps": SPEED * T},
            form="erlang",
            where={
                "floor": sympy.Integer(0),
                "gain": GAMMA**DISTANCE,
                "arrival": (DISTANCE + 1) / SPEED,
                "order": DISTANCE + 1,
            },
            observable="value",
        ),
        Implication(
            ImplicationKind.FORM,
            "with a random reward the value goes on fluctuating: its variance is floor_variance "
            "times that of the reward, in proportion to the step size.",
            "small learning_rate; the reward has independent noise",
            where={"floor_variance": FLOOR_VARIANCE},
            observable="value",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset is linear in the distance: (distance + 2/3) · n_states / learning_rate to "
            "within 4 %, and to within 1 % for a distance of 1 or more.",
            "exact small steps; the exponent of distance is a limit of far states",
            exponent=sympy.Integer(1),
            condition="distance",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset is proportional to 1/learning_rate and does not depend on the discount.",
            "learning_rate / n_states << 1",
            exponent=sympy.Integer(-1),
            condition="learning_rate",
        ),
    ),
    onset_observable="share",
    reference="Sutton 1988, Learning to predict by the methods of temporal differences; the "
    "front and its noise are derived here",
)
