"""The mean field of a mechanism: its states along training, and when it reaches its onset."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from theory.curve import FloatArray, Schedule
from theory.iteration import first_update, orbit
from theory.passage import first_passage

if TYPE_CHECKING:
    from theory.mechanism import Mechanism

Values = Mapping[str, Any]
"""Every quantity by name, in the mechanism's order: numbers, schedules, or arrays (N,)."""


def integrate(mechanism: Mechanism, values: Values, t: FloatArray) -> tuple[FloatArray, float]:
    """Return the states (n, d) at progress t (n,), and the onset if it comes by then."""
    start = mechanism.start_state(at_progress(values, 0.0))
    if mechanism.is_map:

        def step(now: float, state: FloatArray) -> FloatArray:
            return mechanism.velocity(state, at_progress(values, now))

        return orbit(step, start, t), float(onsets(mechanism, values, float(t[-1]))[0])
    span = (0.0, max(float(t[-1]), np.finfo(np.float64).tiny))
    path = _solve(mechanism, values, start, span, t)
    crossings = path.t_events[0][path.t_events[0] > 0]
    states = np.asarray(path.y, dtype=np.float64).T
    return states, float(crossings[0]) if crossings.size else math.inf


def onset(mechanism: Mechanism, values: Values, horizon: float) -> float:
    """Return the onset of one setting, infinite where the horizon comes first.

    Raises
    ------
    ValueError
        If the dynamics cannot be integrated, or a map takes too many updates.
    """
    if mechanism.is_map:
        found = float(onsets(mechanism, values, horizon)[0])
        if math.isnan(found):
            raise ValueError(f"{mechanism.name} has no onset within the updates that are tried.")
        return found
    # Stretches of growing length, lest a slow start make the solver step over everything.
    state = mechanism.start_state(at_progress(values, 0.0))
    start, end = 0.0, min(1.0, horizon)
    while start < horizon:
        path = _solve(mechanism, values, state, (start, end), None)
        crossings = path.t_events[0][path.t_events[0] > 0]
        if crossings.size:
            return float(crossings[0])
        state, start, end = path.y[:, -1], end, min(10 * end, horizon)
    return math.inf


def onsets(mechanism: Mechanism, values: Values, horizon: float) -> FloatArray:
    """Return the onsets of many settings at once, (N,); nan where a map takes too many updates."""
    sizes = {value.size for value in values.values() if isinstance(value, np.ndarray)}
    n = sizes.pop() if sizes else 1

    def at(t: Any, which: NDArray[np.intp]) -> dict[str, Any]:
        return {
            name: value[which] if isinstance(value, np.ndarray) else value
            for name, value in along(values, t).items()
        }

    def velocity(t: FloatArray, state: FloatArray, which: NDArray[np.intp]) -> FloatArray:
        return mechanism.velocity(state, at(t, which))

    def level(t: FloatArray, state: FloatArray, which: NDArray[np.intp]) -> FloatArray:
        states = np.moveaxis(state, 0, -1)
        seen = mechanism.observe(mechanism.onset_observable, states, at(t, which))
        return np.asarray(seen - mechanism.onset_level)

    everyone = np.arange(n)
    first = mechanism.start_state(at(0.0, everyone))
    start = np.array([np.broadcast_to(row, n) for row in first])
    if mechanism.is_map:
        return first_update(
            lambda now, state: velocity(np.full(n, now), state, everyone),
            lambda now, state: level(np.full(n, now), state, everyone),
            start,
            horizon=horizon,
            steady=not any(isinstance(value, Schedule) for value in values.values()),
        )
    found = first_passage(velocity, level, start, horizon=horizon)
    for index in np.flatnonzero(np.isnan(found)):  # stiff, or at rest: the slow solver knows
        one = {k: v[index] if isinstance(v, np.ndarray) else v for k, v in values.items()}
        found[index] = onset(mechanism, one, horizon)
    return found


def _solve(
    mechanism: Mechanism,
    values: Values,
    start: FloatArray,
    span: tuple[float, float],
    t: FloatArray | None,
) -> Any:
    """Run the solver, watching for the onset."""

    def velocity(now: float, state: FloatArray) -> FloatArray:
        return mechanism.velocity(state, at_progress(values, now))

    def passage(now: float, state: FloatArray) -> float:
        seen = mechanism.observe(mechanism.onset_observable, state, at_progress(values, now))
        return float(seen) - mechanism.onset_level

    passage.direction = 1  # type: ignore[attr-defined]
    path = solve_ivp(velocity, span, start, "LSODA", t, events=passage, rtol=1e-8, atol=1e-10)
    if path.status < 0:
        raise ValueError(f"{mechanism.name} could not be integrated: {path.message}")
    return path


def at_progress(values: Values, t: float) -> dict[str, float]:
    """Return every value at progress `t`: schedules are interpolated, scalars kept."""
    return {
        name: float(np.interp(t, value.t, value.value)) if isinstance(value, Schedule) else value
        for name, value in values.items()
    }


def along(values: Values, t: Any) -> dict[str, Any]:
    """Return every value along progress: schedules become like `t`, the others stay."""
    return {
        name: np.interp(t, value.t, value.value) if isinstance(value, Schedule) else value
        for name, value in values.items()
    }
