"""Two phases of a posterior: a simple one that fits worse against a complex one that fits better.

The free energy of a phase is n L + λ ln n + constant (Watanabe 2009), L its loss and λ its learning
coefficient. The better phase, with a loss lower by ΔL, a coefficient higher by Δλ and a constant
higher by Δc, has the posterior weight

    1/(1 + exp(-(n ΔL - Δλ ln n - Δc)))

and takes over at n_c = -(Δλ/ΔL) W(-(ΔL/Δλ) exp(-Δc/Δλ)), W the branch -1 of Lambert's function.
Progress is the number of samples n, a clock that starts at the first sample: `t` counts those
after it. Neither the learning rate nor the initialization, nor how often samples are used again,
enters: this is what sets a phase transition of the posterior apart from a saddle of the dynamics.
The formula is asymptotic in n: it is exact where both phases are pure powers, and has terms of the
order of ln ln n where the learning coefficient has a multiplicity.
"""

from __future__ import annotations

import numpy as np
import sympy

from theory.curve import Progress
from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Guard, Mechanism, Values

T = sympy.Symbol("t", real=True)
SAMPLES = sympy.Symbol("samples", positive=True)
LOSS, COMPLEXITY, VOLUME, FACTOR = sympy.symbols(
    "loss_gap complexity_gap volume_gap sample_factor", positive=True
)
LOG_ODDS = SAMPLES * LOSS - COMPLEXITY * sympy.log(SAMPLES) - VOLUME
CRITICAL = -(COMPLEXITY / LOSS) * sympy.LambertW(
    -(LOSS / COMPLEXITY) * sympy.exp(-VOLUME / COMPLEXITY), -1
)


def _dips(values: Values) -> bool:
    """Tell whether the simple phase ever has more than half of the weight."""
    loss, complexity = (np.asarray(values[name]) for name in ("loss_gap", "complexity_gap"))
    n = np.maximum(complexity / loss, 1.0)
    return bool(np.all(n * loss - complexity * np.log(n) - values["volume_gap"] < 0))


FREE_ENERGY = Mechanism(
    name="free_energy",
    story="A posterior prefers the simple solution until the samples are enough to pay for the "
    "complexity of the better one.",
    state=(SAMPLES,),
    dynamics=(FACTOR,),
    start=(sympy.Integer(1),),
    observables={"phase_weight": 1 / (1 + sympy.exp(-LOG_ODDS))},
    parameters=(
        Quantity(
            "sample_factor",
            "what a sample counts for: the inverse temperature of the posterior",
            "",
            1.0,
            0.0,
            log_sd=0.1,
        ),
        Quantity(
            "volume_gap", "difference of the constants of the free energies", "", 1.0, log_sd=0.5
        ),
    ),
    conditions=(
        Quantity("loss_gap", "loss of the simple phase above the other's", "1/sample", 0.02, 0.0),
        Quantity("complexity_gap", "difference of the learning coefficients", "", 1.0, 0.0),
    ),
    assumptions=(
        "the learner is a draw from the posterior at each number of samples",
        "two phases; loss differences are those of the population",
        "the prior does not move the phases: where it pulls the learned one from the best fit, the "
        "transition comes earlier (by a sixth in a product of three weights)",
    ),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "between phases of the same complexity the weight is a logistic in the samples.",
            "complexity_gap = 0",
            case={"complexity_gap": sympy.Integer(0)},
            solution={"samples": 1 + FACTOR * T},
            form="logistic",
            where={
                "floor": sympy.Integer(0),
                "gain": sympy.Integer(1),
                "rate": LOSS * FACTOR,
                "midpoint": (VOLUME / LOSS - 1) / FACTOR,
            },
            observable="phase_weight",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the better phase takes over at critical_samples, whatever the learning rate.",
            "exact where both phases are pure powers; else asymptotic in the samples",
            where={"critical_samples": CRITICAL},
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset grows as loss_gap^-1, with a logarithm.",
            "a limit; the local slope is -1/(1 - complexity_gap/(n_c loss_gap)), steeper than -1",
            exponent=sympy.Integer(-1),
            condition="loss_gap",
        ),
    ),
    onset_observable="phase_weight",
    reference="Watanabe 2009, Algebraic geometry and statistical learning theory; Chen, Lau, "
    "Mendel, Wei and Murfet 2023 (arXiv 2310.06301) for the critical number of samples",
    progress=Progress.SAMPLES,
    guards=(Guard(_dips, "the better phase has more than half of the weight from the start."),),
)
