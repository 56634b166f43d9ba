"""Noise: how a measured curve scatters around its form; which noises suit a curve.

Noise is part of a hypothesis. Gaussian noises are whitened exactly (by Kalman filters and banded
factors), batched over parameter draws; known standard errors ``y_se`` always add to the white part.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from theory.curve import Curve
from theory.noises.base import Noise, NoiseKind, NoiseParameter
from theory.noises.beta_binomial import BetaBinomial
from theory.noises.binomial import Binomial, are_proportions
from theory.noises.mean_linked import MeanLinked
from theory.noises.moving_average import MovingAverage
from theory.noises.student_t import StudentT
from theory.noises.wander import AR1White, OUWhite
from theory.noises.white import KnownSE, White

__all__ = [
    "NOISES",
    "AR1White",
    "BetaBinomial",
    "Binomial",
    "KnownSE",
    "MeanLinked",
    "MovingAverage",
    "Noise",
    "NoiseKind",
    "NoiseParameter",
    "OUWhite",
    "StudentT",
    "White",
    "noises_for",
]

NOISES: Mapping[str, Noise] = MappingProxyType(
    {
        noise.name: noise
        for noise in (
            White(),
            KnownSE(),
            OUWhite(),
            AR1White(),
            MovingAverage(),
            StudentT(),
            MeanLinked(),
            Binomial(),
            BetaBinomial(),
        )
    }
)
"""Every noise by name."""


def noises_for(curve: Curve) -> tuple[Noise, ...]:
    """Noises that compete on a curve by themselves: what its own columns allow.

    White and wander plus white always; the known standard errors alone where ``y_se`` is given
    (all others add to them); binomial where ``n_trials`` is given and y is a proportion of them; a
    moving average where the log says that it is one.
    """
    noises: tuple[Noise, ...] = (White(), OUWhite())
    if curve.window is not None and curve.window > 1:
        noises = (*noises, MovingAverage())
    if curve.y_se is not None and np.all(curve.y_se > 0):
        noises = (KnownSE(), *noises)
    if curve.n_trials is not None and are_proportions(curve.y, curve.n_trials):
        noises = (*noises, Binomial())
    return noises
