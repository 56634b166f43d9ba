"""Linear networks with known learning coefficients, and what was sampled of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from empirics.llc.reading import LLCReading
from theory.learning_coefficients.coefficient import LearningCoefficient
from theory.learning_coefficients.deep_linear_network import deep_linear_network
from theory.learning_coefficients.tempered import canonical_nbeta
from theory.learning_coefficients.tempered_reduced_rank import tempered_reduced_rank

SEED = 1
SIZES = (1_000, 10_000, 100_000)
LOCALIZATION = 1.0
SGLD_CHAINS, DATA_SETS = 16, 4


@final
@dataclass(frozen=True)
class Cell:
    """A network and the rank of the true map."""

    widths: tuple[int, ...]
    rank: int

    def __str__(self) -> str:
        """Return the widths and the rank."""
        return f"{'-'.join(map(str, self.widths))}, r = {self.rank}"

    @property
    def known(self) -> LearningCoefficient:
        """Its λ and m."""
        return deep_linear_network(self.widths, self.rank)

    @property
    def is_deep(self) -> bool:
        """Whether it has more than two layers."""
        return len(self.widths) > 3

    def exact(self, n: int) -> float | None:
        """Return what a perfect sampler finds, where that is known."""
        if self.is_deep or self.rank:
            return None
        m, h, outputs = self.widths
        return tempered_reduced_rank(m, h, outputs, canonical_nbeta(n), LOCALIZATION).llc


CELLS = (
    *(Cell((5, 3, 5), r) for r in (0, 1, 2, 3)),
    Cell((4, 3, 8), 0),
    Cell((8, 3, 4), 0),
    Cell((3, 8, 4), 0),
    Cell((10, 2, 5), 1),
    *(Cell((3, 2, 3), r) for r in (0, 1, 2)),
    Cell((1, 1, 1), 0),
    *(Cell((2, 2, 2), r) for r in (0, 1)),
    *(Cell((10, 5, 5), r) for r in (0, 5)),
    *(Cell((10, 10, 10, 10), r) for r in (0, 5)),
    Cell((5, 5, 5, 5, 5), 2),
    Cell((20, 8, 8, 20), 4),
)
DATA_CELLS = tuple(Cell((5, 3, 5), r) for r in (0, 3))


@final
@dataclass(frozen=True)
class Row:
    """What was found in a cell at an n; `seconds` of processor time."""

    cell: Cell
    n: int
    reading: LLCReading
    seconds: float

    @property
    def llc(self) -> float:
        """The sampled value, NaN where there is none."""
        return math.nan if self.reading.llc is None else self.reading.llc

    @property
    def se(self) -> float:
        """Its standard error."""
        return math.nan if self.reading.llc_se is None else self.reading.llc_se

    @property
    def corrected(self) -> float:
        """The sampled value with (m - 1)/ln t added."""
        return self.llc + (self.cell.known.multiplicity - 1) / math.log(canonical_nbeta(self.n))
