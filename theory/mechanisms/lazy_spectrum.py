"""Lazy learning: a linearized network learns each eigenfunction of its kernel at its own rate.

Gradient flow on the squared error of a model that is linear in its parameters (a wide network, by
Jacot, Gabriel and Hongler 2018) takes the part c_i of the target along eigenvalue λ_i out of the
error as exp(-rate λ_i t). With λ_i = i^-b and c_i² = i^-a the loss, Σ c_i² exp(-2 rate λ_i t), is
a mixture of decaying exponentials: all its derivatives alternate in sign, so that from a zero
start it never speeds up. While t is between 1/rate and that of the last mode it falls as
t^-((a - 1)/b). `MODES` modes are counted.
"""

from __future__ import annotations

import sympy

from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Mechanism

MODES = 128

T = sympy.Symbol("t", real=True)
AGE = sympy.Symbol("age", nonnegative=True)
RATE, STEP, EIGENVALUES, TARGETS = sympy.symbols(
    "learning_rate step_factor eigenvalue_exponent target_exponent", positive=True
)
LOSS = sympy.Add(
    *(
        sympy.Integer(i) ** -TARGETS * sympy.exp(-2 * AGE * sympy.Integer(i) ** -EIGENVALUES)
        for i in range(1, MODES + 1)
    )
)
ALL = sympy.Add(*(sympy.Integer(i) ** -TARGETS for i in range(1, MODES + 1)))

LAZY_SPECTRUM = Mechanism(
    name="lazy_spectrum",
    story="Features stay as they are and every eigenfunction is fitted at its own rate, so that "
    "learning only slows down.",
    state=(AGE,),
    dynamics=(RATE * STEP,),
    start=(sympy.Integer(0),),
    observables={"loss": LOSS / ALL, "share": 1 - LOSS / ALL},
    parameters=(
        Quantity("step_factor", "factor on the step size", "", 1.0, 0.0, log_sd=0.1),
        Quantity("eigenvalue_exponent", "fall of the i-th eigenvalue", "", 1.5, 0.0, log_sd=0.3),
        Quantity("target_exponent", "fall of the i-th squared part", "", 1.5, 0.0, log_sd=0.2),
    ),
    conditions=(
        Quantity("learning_rate", "step size times the largest eigenvalue", "1/update", 0.01, 0.0),
    ),
    assumptions=(
        "the kernel does not change (wide networks, linear models)",
        "the error is the target at the start, and noiseless",
        "eigenvalues and squared parts of the target fall as powers of their rank",
    ),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "the loss is a mixture of decaying exponentials: it falls ever more slowly, without "
            "plateau or inflection.",
            "exact for gradient flow",
            solution={"age": RATE * STEP * T},
            observable="loss",
        ),
        Implication(
            ImplicationKind.FORM,
            "the loss falls as t^-loss_exponent.",
            f"target_exponent > 1; learning_rate · t above 1 and well below {MODES}^b",
            where={"loss_exponent": (TARGETS - 1) / EIGENVALUES},
            observable="loss",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset is proportional to 1/learning_rate, however much has been learned.",
            "exact for gradient flow",
            exponent=sympy.Integer(-1),
            condition="learning_rate",
        ),
    ),
    onset_observable="share",
    reference="Jacot, Gabriel and Hongler 2018 (arXiv 1806.07572); Bordelon, Canatar and Pehlevan "
    "2020 (arXiv 2002.02561) for power-law spectra",
)
