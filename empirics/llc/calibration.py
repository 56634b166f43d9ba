"""Where a reading does not depend on how it was sampled: step size, localization and nbeta swept.

A learning coefficient belongs to the checkpoint; the settings of the chains do not. A setting can
be trusted where its neighbors say the same, so the sweep looks for the largest box of them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import final

import numpy as np
from torch import Tensor

from empirics.llc.chains import ChainPlan
from empirics.llc.estimate import estimate_llc
from empirics.llc.flat_window import flat_window, members, middle
from empirics.llc.potential import Potential, check_centers
from empirics.llc.reading import LLCReading
from empirics.llc.sampler import Sampler

MOST_SE = 0.05
"""A reading whose standard error is a larger share of it agrees with everything."""


class CellState(StrEnum):
    """What can be said of a setting."""

    FLAT = "flat"
    """In the flat window."""
    TRUSTED = "trusted"
    """Nothing speaks against its readings but that its neighbors' are others."""
    IMPRECISE = "imprecise"
    DOUBTED = "doubted"
    DIVERGED = "diverged"


@final
@dataclass(frozen=True)
class Setting:
    """One cell of the sweep."""

    step_size: float
    localization: float
    nbeta: float

    def __str__(self) -> str:
        return (
            f"step_size {self.step_size:.3g}, localization {self.localization:.3g} and "
            f"nbeta {self.nbeta:.4g}"
        )


@final
@dataclass(frozen=True)
class Cell:
    """A setting, its readings, one a checkpoint, and what can be said of it."""

    setting: Setting
    readings: tuple[LLCReading, ...]
    state: CellState


@final
@dataclass(frozen=True)
class Calibration:
    """A sweep over settings.

    Attributes
    ----------
    step_sizes, localizations, nbetas : tuple of float
        The axes, ascending.
    cells : tuple of Cell
        Of all combinations, the last axis fastest.
    recommended : Setting or None
        The middle of the flat window; None where there is no window.
    """

    step_sizes: tuple[float, ...]
    localizations: tuple[float, ...]
    nbetas: tuple[float, ...]
    cells: tuple[Cell, ...]
    recommended: Setting | None

    @property
    def flat(self) -> tuple[Cell, ...]:
        """Cells of the flat window; none where there is no window."""
        return tuple(cell for cell in self.cells if cell.state is CellState.FLAT)

    @property
    def sentence(self) -> str:
        """What was found, and what to take."""
        if self.recommended is None:
            return f"No flat window: {self._counted()}. {self._advice()}"
        flat = [cell.setting for cell in self.flat]
        ranges = [
            f"{name} {_range([getattr(each, name) for each in flat])}"
            for name in ("step_size", "localization", "nbeta")
        ]
        return (
            f"Readings agree for {', '.join(ranges)} ({len(flat)} of {len(self.cells)} settings; "
            f"the farthest differ by {100 * self.spread:.2g} %). Take {self.recommended}."
        )

    @property
    def spread(self) -> float:
        """By what share of the larger two readings of a checkpoint in the window differ at most."""
        values = np.array([[r.llc for r in cell.readings] for cell in self.flat], dtype=np.float64)
        if not values.size:
            return math.nan
        low, high = values.min(0), values.max(0)
        return float(((high - low) / np.maximum(np.abs(low), np.abs(high))).max())

    def _counted(self) -> str:
        states = [cell.state for cell in self.cells]
        counts = [f"{states.count(s)} {s.value}" for s in CellState if states.count(s)]
        return f"of {len(states)} settings {', '.join(counts)}"

    def _advice(self) -> str:
        states = [cell.state for cell in self.cells]
        if states.count(CellState.TRUSTED) >= 2:
            return "The readings depend on the setting; sweep more finely, or weaker localizations."
        if CellState.IMPRECISE in states:
            return "Draw longer chains."
        return "Draw longer chains, or sweep other step sizes."


def calibrate(
    potential: Potential,
    centers: Tensor,
    sampler: Sampler,
    plan: ChainPlan | None = None,
    *,
    step_sizes: Sequence[float],
    localizations: Sequence[float],
    nbetas: Sequence[float] | None = None,
    seed: int = 0,
    scales: Tensor | None = None,
    correct_step_size: bool = False,
    device: str = "cpu",
    told: Callable[[int, int], None] | None = None,
) -> Calibration:
    """Estimate checkpoints at every combination of settings, in one batched program.

    No reading of the flat window (`flat_window`) has a doubt, or a standard error above `MOST_SE`
    of it.

    Parameters
    ----------
    potential : Potential
    centers : (C, d) or (d,) tensor
        The checkpoints; a setting must suit all of them.
    sampler : Sampler
        Its own step size is not used.
    plan : ChainPlan, optional
        Its own localization is not used, nor its nbeta where `nbetas` is given.
    step_sizes, localizations : sequence of float
    nbetas : sequence of float, optional
        That of the plan, or of the potential's n, if not given.
    seed, scales, correct_step_size, device, told
        As in `estimate_llc`.

    Raises
    ------
    ValueError
        If an axis is empty or names a value twice, there is one setting only, or as
        `estimate_llc` does.
    """
    plan = ChainPlan() if plan is None else plan
    at = check_centers(potential, centers)
    warmth = [plan.nbeta_for(potential)] if nbetas is None else nbetas
    names = ("step_sizes", "localizations", "nbetas")
    axes = [_axis(*given) for given in zip(names, (step_sizes, localizations, warmth), strict=True)]
    settings = [Setting(*values) for values in itertools.product(*axes)]
    times = len(settings)
    if times < 2:
        raise ValueError("a sweep needs at least two settings; it has one.")
    size, pull, beta = (
        np.tile([getattr(each, name) for each in settings], at.shape[0])
        for name in ("step_size", "localization", "nbeta")
    )
    is_own = scales is not None and scales.ndim == 2
    found = estimate_llc(
        potential.repeat(times),
        at.repeat_interleave(times, dim=0),
        sampler,
        plan,
        seed=seed,
        scales=scales.repeat_interleave(times, dim=0) if scales is not None and is_own else scales,
        correct_step_size=correct_step_size,
        device=device,
        told=told,
        step_size=size,
        localization=pull,
        nbeta=beta,
    )
    readings = [tuple(found[i::times]) for i in range(times)]
    return judged(axes, settings, readings)


def judged(
    axes: Sequence[tuple[float, ...]],
    settings: Sequence[Setting],
    readings: Sequence[tuple[LLCReading, ...]],
) -> Calibration:
    """Return the sweep with its flat window."""
    states = [_state(each) for each in readings]
    llc, se = (
        np.array([[getattr(r, name) for r in each] for each in readings], dtype=np.float64)
        for name in ("llc", "llc_se")
    )
    usable = np.array([state is CellState.TRUSTED for state in states])
    shape = tuple(len(axis) for axis in axes)
    box = flat_window(shape, llc, se, usable)
    recommended = None
    if box is not None:
        for i in members(shape, box):
            states[i] = CellState.FLAT
        recommended = settings[middle(shape, box)]
    cells = map(Cell, settings, readings, states)
    return Calibration(axes[0], axes[1], axes[2], tuple(cells), recommended)


def _axis(name: str, values: Sequence[float]) -> tuple[float, ...]:
    axis = tuple(sorted(float(value) for value in values))
    if not axis:
        raise ValueError(f"{name} must name at least one value; it is empty.")
    if len(set(axis)) < len(axis):
        raise ValueError(f"{name} must name every value once; it is {axis}.")
    return axis


def _state(readings: Sequence[LLCReading]) -> CellState:
    if any(math.isnan(llc) for reading in readings for llc in reading.chain_llcs):
        return CellState.DIVERGED
    if not all(reading.is_trusted and reading.llc is not None for reading in readings):
        return CellState.DOUBTED
    precise = all((r.llc_se or 0.0) <= MOST_SE * abs(r.llc or 0.0) for r in readings)
    return CellState.TRUSTED if precise else CellState.IMPRECISE


def _range(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:.3g}" if low == high else f"from {low:.3g} to {high:.3g}"
