"""What `benchmarks/calibration.py` simulates: times, noise and truths of every curve."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitting.recovery import FAMILIES
from fitting.trials.trial import Design
from fitting.trials.truths import OUTSIDE
from theory.curve import Curve
from theory.noise import AR1White, OUWhite, White

FloatArray = NDArray[np.float64]

SIZES = (60, 200, 500)
GRIDS = ("even", "geometric")
NOISES = ("white", "ar .5", "ar .8", "ar .85", "ou")
CELLS = tuple(itertools.product(NOISES, GRIDS, SIZES))
TWO_STEPS = "two_steps"
KINDS = (*FAMILIES, OUTSIDE, TWO_STEPS)
LEAST_NOISE = 1e-3
LOUDEST_FOR_TWO = 0.05


@dataclass(frozen=True)
class StudyScatter:
    """Noise of one kind, in units of the change of the truths.

    Its size is log-normal with a median of 5 %, or as uncertain as its prior has it.
    """

    kind: str
    largest: float = math.inf
    from_prior: bool = False

    def __call__(
        self, values: FloatArray, template: Curve, rng: np.random.Generator
    ) -> tuple[str, FloatArray]:
        """Return the name of the noise and the measured values."""
        if self.from_prior:
            sd = LEAST_NOISE ** rng.uniform()
        else:
            sd = min(0.05 * math.exp(0.7 * rng.standard_normal()), self.largest)
        if self.kind == "white":
            return "white", White().simulate(values, template, np.array([sd]), rng=rng)
        if self.kind == "ou":
            memory = float(template.t[-1] - template.t[0]) / 20
            psi = np.array([sd, memory, 0.0])
            return "ou", OUWhite().simulate(values, template, psi, rng=rng)
        psi = np.array([sd, -1.0 / math.log(float(self.kind.split()[1])), 0.0])
        return self.kind, AR1White().simulate(values, template, psi, rng=rng)


def cell_of(index: int) -> tuple[str, str, int]:
    """Noise, grid and points of a curve; with the kinds of truths all meet within 210 curves."""
    return CELLS[index % len(CELLS)]


def design_of(index: int) -> Design:
    """Return the design of a curve."""
    noise, grid, n = cell_of(index)
    kind = KINDS[index % len(KINDS)]
    largest = LOUDEST_FOR_TWO if kind == TWO_STEPS else math.inf
    template = Curve("y", times(grid, n), np.linspace(0.0, 1.0, n))
    return Design(template, StudyScatter(noise, largest), 1.0, KINDS)


def times(grid: str, n: int) -> FloatArray:
    """Return n times from 1 to 100."""
    return np.linspace(1.0, 100.0, n) if grid == "even" else np.geomspace(1.0, 100.0, n)


def prior_cell_of(index: int) -> tuple[str, str, int]:
    """Noise, grid and points of a curve whose noise is as its prior has it."""
    return CELLS[index // len(FAMILIES) % len(CELLS)]


def prior_design_of(index: int) -> Design:
    """Return the design of a curve whose noise is as its prior has it."""
    noise, grid, n = prior_cell_of(index)
    template = Curve("y", times(grid, n), np.linspace(0.0, 1.0, n))
    return Design(template, StudyScatter(noise, from_prior=True), 1.0, FAMILIES)
