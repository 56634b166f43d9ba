"""What a probe is: a measurement of one checkpoint, with its error and its baselines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, final

import numpy as np
from numpy.typing import NDArray

from theory.curve import Condition, Curve, Origin, Progress, relock

if TYPE_CHECKING:
    from torch import Tensor


class Policy(Protocol):
    """A policy with a critic: any `torch.nn.Module` that returns logits and value."""

    def __call__(self, observation: Tensor, /) -> tuple[Tensor, Tensor]:
        """Map (B, *observation_shape) float32 to logits (B, A) and value (B,)."""
        ...


@final
@dataclass(frozen=True)
class Reading:
    """One number measured on one checkpoint.

    Attributes
    ----------
    value : float
    se : float or None
        Standard error over what was sampled; for held-out levels, over levels, since
        the squares of one level are not independent.
    n_trials : int or None
        Number of *fresh* trials behind a proportion. None where the same levels are
        used at every checkpoint: that noise is shared and not binomial.
    n_levels : int or None
        Number of levels `se` is taken over.
    unit : str
    support : (float, float) or None
        Range the quantity cannot leave.
    baselines : mapping of str to float
        What an agent without the mechanism would score, by the baseline's name.
    se_is_shared : bool
        Whether the same levels are used at every checkpoint. Then `se` says how far the
        whole curve may lie from that of all levels; it is no scatter from point to point
        and does not become a curve's `y_se`.

    Raises
    ------
    ValueError
        If the value is not finite or leaves its support.
    """

    value: float
    se: float | None = None
    n_trials: int | None = None
    n_levels: int | None = None
    unit: str = ""
    support: tuple[float, float] | None = None
    baselines: Mapping[str, float] = field(default_factory=dict)
    se_is_shared: bool = False

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"a reading must be finite; its value is {self.value}.")
        if self.se is not None and not (math.isfinite(self.se) and self.se >= 0):
            raise ValueError(f"se must be finite and not negative; it is {self.se}.")
        if self.support is not None and not self.support[0] <= self.value <= self.support[1]:
            raise ValueError(f"a reading of {self.value} lies outside its support {self.support}.")
        if self.support is not None:
            object.__setattr__(self, "support", (self.support[0], self.support[1]))
        object.__setattr__(self, "baselines", MappingProxyType(dict(self.baselines)))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "baselines": dict(self.baselines)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        relock(self, state)

    @property
    def above_baseline(self) -> float | None:
        """The value minus the strongest of its baselines; None without baselines."""
        return self.value - max(self.baselines.values()) if self.baselines else None


class Probe(Protocol):
    """A frozen measurement: holds its levels, draws nothing, changes nothing."""

    @property
    def name(self) -> str:
        """Name of the probe."""
        ...

    @property
    def observables(self) -> tuple[str, ...]:
        """Names of the readings it returns, in order."""
        ...

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; one reading for each of `observables`."""
        ...


def level_mean(
    values: NDArray[np.float64], levels: NDArray[np.int64]
) -> tuple[float, float | None, int]:
    """Return the mean over squares and its standard error over levels.

    The squares of one level share its walls and its cheese, so levels are the clusters:
    with residual sums e_l over the squares of level l, se² = L/(L−1) · Σ e_l² / n²
    (Liang and Zeger 1986, for a mean).

    Parameters
    ----------
    values : (n,) array
        One value a square.
    levels : (n,) integer array
        The level each square belongs to.

    Returns
    -------
    mean : float
    se : float or None
        None with a single level.
    n_levels : int
    """
    mean = float(values.mean())
    _, cluster = np.unique(levels, return_inverse=True)
    residuals = np.bincount(cluster, weights=values - mean)
    n_levels = residuals.size
    if n_levels < 2:
        return mean, None, n_levels
    variance = n_levels / (n_levels - 1) * float(residuals @ residuals) / values.size**2
    return mean, math.sqrt(variance), n_levels


def share_reading(
    values: NDArray[np.float64],
    levels: NDArray[np.int64],
    baselines: Mapping[str, float],
    *,
    unit: str = "",
) -> Reading:
    """Return the mean of shares in [0, 1] as a reading, with its error over levels.

    Parameters
    ----------
    values, levels
        As in `level_mean`.
    baselines : mapping of str to float
    unit : str
    """
    mean, se, n_levels = level_mean(values, levels)
    return Reading(
        min(mean, 1.0),  # a mean of ones may be rounded upward
        se,
        n_levels=n_levels,
        unit=unit,
        support=(0.0, 1.0),
        baselines=baselines,
        se_is_shared=True,
    )


def curves_from_readings(
    readings: Iterable[tuple[int, Mapping[str, Reading]]],
    *,
    conditions: Mapping[str, Condition],
    run: str = "",
    run_id: str = "",
    progress: Progress = Progress.ENV_STEPS,
) -> tuple[Curve, ...]:
    """Return one curve for each observable, in order of first appearance.

    A standard error shared by all checkpoints stays in the readings (see `Reading`).

    Parameters
    ----------
    readings : iterable of (progress, mapping of observable to Reading)
        One entry a checkpoint, in order of progress. A checkpoint may lack an observable.
    conditions : mapping
        The ledger of the run; each curve carries it.
    run, run_id : str
        Label and hash of the run.
    progress : Progress
        What the first element of each entry counts.

    Raises
    ------
    ValueError
        If the readings of an observable are not alike (`check_alike`).
    """
    readings = tuple(readings)
    check_alike(readings)
    rows: dict[str, list[tuple[int, Reading]]] = {}
    for t, measured in readings:
        for observable, reading in measured.items():
            rows.setdefault(observable, []).append((t, reading))
    return tuple(
        Curve(
            observable,
            np.array([t for t, _ in points], dtype=np.float64),
            np.array([reading.value for _, reading in points]),
            unit=points[0][1].unit,
            progress=progress,
            y_se=_array([None if r.se_is_shared else r.se for _, r in points]),
            n_trials=_array([reading.n_trials for _, reading in points]),
            run=run,
            run_id=run_id,
            conditions=conditions,
            origin=Origin.MEASURED,
            support=points[0][1].support,
        )
        for observable, points in rows.items()
    )


def check_alike(readings: Iterable[tuple[int, Mapping[str, Reading]]]) -> None:
    """Check that each observable's readings can be the points of one curve.

    They must agree in unit and support, and in whether they have an se, trials, and an se
    that all checkpoints share.

    Raises
    ------
    ValueError
        At the first reading that differs from the first of its observable.
    """
    first: dict[str, tuple[int, dict[str, object]]] = {}
    for t, measured in readings:
        for observable, reading in measured.items():
            kind = _kind(reading)
            begin, expected = first.setdefault(observable, (t, kind))
            for name, value in kind.items():
                if value != expected[name]:
                    raise ValueError(
                        f"all readings of {observable!r} must have the same {name}; it is "
                        f"{expected[name]!r} at {begin} and {value!r} at {t}."
                    )


def _kind(reading: Reading) -> dict[str, object]:
    return {
        "unit": reading.unit,
        "support": reading.support,
        "kind of se": _word(reading.se, "shared" if reading.se_is_shared else "independent"),
        "kind of n_trials": _word(reading.n_trials, "known"),
    }


def _word(value: float | None, word: str) -> str:
    return "none" if value is None else word


def _array(values: list[float | None] | list[int | None]) -> NDArray[Any] | None:
    """Return the values as an array, or None if there are none."""
    return None if values[0] is None else np.array(values)
