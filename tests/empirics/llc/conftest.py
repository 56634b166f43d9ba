"""Energies with exact answers."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from empirics.llc.potential import Potential


@dataclass(frozen=True, eq=False)
class Function(Potential):
    """Any function of (..., d) parameters; `given` is each center's own factor of it."""

    function: Any
    given: torch.Tensor | None = None

    name: ClassVar[str] = "function"

    @property
    def per_center(self):
        return () if self.given is None else ("given",)

    def energy(self, w, rows=None):
        value = self.function(w)
        return value if self.given is None else self.given[:, None] * value


@dataclass(frozen=True, eq=False)
class Mean(Potential):
    """The mean over rows y of (w - y)²/2, for one parameter: a minibatch only adds noise."""

    y: torch.Tensor

    name: ClassVar[str] = "mean"

    @property
    def num_rows(self):
        return self.y.numel()

    @property
    def is_mean_over_rows(self):
        return True

    def energy(self, w, rows=None):
        y = self.y if rows is None else self.y[rows]
        return ((w - y) ** 2).mean(-1) / 2


@pytest.fixture
def energy_of():
    """Give a function that makes a potential of a function."""

    def make(function, d, num_samples=None, given=None):
        return Function(d, num_samples, function, given)

    return make


@pytest.fixture
def power():
    """Give w -> w^p, for one parameter."""
    return lambda p: lambda w: (w**p).sum(-1)


@pytest.fixture
def quadratic():
    """Give w -> Σ h w²/2 for curvatures h."""

    def make(h):
        h = torch.as_tensor(h, dtype=torch.float64)
        return lambda w: (h * w**2).sum(-1) / 2

    return make


@pytest.fixture
def mean_potential():
    return lambda y: Mean(1, int(y.numel()), y)


@pytest.fixture
def origin():
    return lambda d, count=1: torch.zeros(count, d, dtype=torch.float64)


@pytest.fixture
def exact_power():
    """Give nbeta·E[w^p] under exp(-nbeta·w^p - localization·w²/2), by quadrature."""

    def value(p, nbeta, localization):
        def density(w):
            return np.exp(-nbeta * w**p - localization / 2 * w**2)

        end = min(30 / nbeta ** (1 / p), 12 / np.sqrt(localization))
        above, below = (
            quad(f, 0, end, epsabs=0, epsrel=1e-10, limit=400)[0]
            for f in (lambda w: nbeta * w**p * density(w), density)
        )
        return above / below

    return value


@pytest.fixture
def exact_quadratic():
    """Give the LLC of Σ h w²/2 under localization, lifted by the finite step of plain SGLD."""

    def value(h, nbeta, localization, step_size=0.0):
        pull = nbeta * np.asarray(h, dtype=np.float64)
        stiff = pull + localization
        return float((pull / (2 * stiff) / (1 - step_size * stiff / 4)).sum())

    return value


@pytest.fixture
def agrees():
    """Give a check: within three standard errors, which are small enough to mean something."""

    def check(reading, exact, *, relative_se=0.02):
        assert reading.llc_se <= relative_se * exact
        assert abs(reading.llc - exact) <= 3 * reading.llc_se

    return check
