"""A mechanism: a story of how curves are generated, as mathematics that implies them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, final

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray

from theory import mean_field
from theory.curve import Condition, Curve, FloatArray, Origin, Progress, Schedule
from theory.implication import Implication, Quantity
from theory.mean_field import along, at_progress
from theory.onset_laws import Tails
from theory.stable import NUMPY

Values = Mapping[str, Any]
Drift = Callable[[FloatArray, Values], FloatArray]
OnsetLaw = Callable[[FloatArray, Values], Tails]


@final
class NoOnset(ValueError):
    """A mechanism implies no onset under the given conditions; the message says why."""


@final
@dataclass(frozen=True)
class Guard:
    """A regime in which a mechanism's onset exists, and the sentence when it is left."""

    holds: Callable[[Values], bool]
    otherwise: str


@final
@dataclass(frozen=True, eq=False)
class Mechanism:
    """State, dynamics and observables of a theory, and what it implies.

    Attributes
    ----------
    name, story, reference : str
        Key, one sentence, source.
    state : tuple of sympy symbols
        The d variables that evolve.
    dynamics : tuple of sympy expressions
        Mean-field right-hand sides d state / d progress; of a map, the state after an update.
    start : tuple of sympy expressions
        State at progress 0.
    observables : mapping of str to sympy expression
        What can be measured, in terms of the state.
    parameters, conditions : tuple of Quantity
        What is unknown, and what the experiment sets.
    assumptions : tuple of str
        In words.
    implications : tuple of Implication
        Each proved by a test.
    onset_observable : str
        Observable whose first upward passage of `onset_level` is the onset.
    guards : tuple of Guard
        Regimes in which the onset exists.
    is_map : bool
        Whether the dynamics lead from one whole update to the next, instead of being rates.
    drift : callable or None
        Replaces the numerical `dynamics` where the exact mean update has no closed form;
        ``drift(state (d, ...), values) -> (d, ...)``, values numbers or arrays (...).
    onset_law : callable or None
        Distribution of the onset over seeds, ``onset_law(log_t (N, M), values (N, 1)) -> ln of
        P(onset <= t) and P(onset > t)``, by `theory.onset_laws`. Without one only the mean-field
        onset is implied, and how runs scatter about it is left open.
    sampler : callable or None
        Exact stochastic simulation,
        ``sampler(values, t (n,), rng=..., n_runs=...) -> (n_runs, n, d)``.
        Without one, every simulated run is the mean-field curve.
    """

    name: str
    story: str
    state: tuple[sympy.Symbol, ...]
    dynamics: tuple[sympy.Expr, ...]
    start: tuple[sympy.Expr, ...]
    observables: Mapping[str, sympy.Expr]
    parameters: tuple[Quantity, ...]
    conditions: tuple[Quantity, ...]
    assumptions: tuple[str, ...]
    implications: tuple[Implication, ...]
    onset_observable: str
    reference: str
    onset_level: float = 0.5
    progress: Progress = Progress.UPDATES
    guards: tuple[Guard, ...] = ()
    is_map: bool = False
    drift: Drift | None = None
    onset_law: OnsetLaw | None = None
    sampler: Callable[..., FloatArray] | None = None

    def __post_init__(self) -> None:
        if not len(self.state) == len(self.dynamics) == len(self.start):
            raise ValueError(
                f"{self.name}: state, dynamics and start must be as many; they are "
                f"{len(self.state)}, {len(self.dynamics)} and {len(self.start)}."
            )
        known = {str(symbol) for symbol in self.state} | {q.name for q in self.quantities}
        used: set[Any] = set().union(*(e.free_symbols for e in self.dynamics + self.start))
        used = used.union(*(e.free_symbols for e in self.observables.values()))
        unknown = sorted({str(symbol) for symbol in used} - known)
        if unknown:
            raise ValueError(f"{self.name} uses undeclared {', '.join(unknown)}.")
        if self.onset_observable not in self.observables:
            raise ValueError(
                f"{self.name} has no observable {self.onset_observable!r}; "
                f"choose from {', '.join(sorted(self.observables))}."
            )
        object.__setattr__(self, "observables", MappingProxyType(dict(self.observables)))

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """Parameters and conditions."""
        return self.parameters + self.conditions

    def suggested(self) -> dict[str, float]:
        """Return parameters and conditions that show what the theory is known for."""
        return {quantity.name: quantity.suggested for quantity in self.quantities}

    @cached_property
    def _numeric(self) -> tuple[Callable[..., Any], Callable[..., Any], dict[str, Any]]:
        names = [q.name for q in self.quantities]
        arguments = [*self.state, *names]

        def compile_(expressions: Any, symbols: Any) -> Any:
            return sympy.lambdify(symbols, expressions, modules=[NUMPY, "numpy"], cse=True)

        return (
            compile_(list(self.dynamics), arguments),
            compile_(list(self.start), names),
            {name: compile_(e, arguments) for name, e in self.observables.items()},
        )

    def values(self, given: Mapping[str, Condition]) -> dict[str, Any]:
        """Pick the mechanism's quantities from `given`; parameters default to suggested.

        Raises
        ------
        ValueError
            If a condition is missing, no number, or out of bounds.
        """
        values: dict[str, Any] = {}
        parameters = {q.name for q in self.parameters}
        for quantity in self.quantities:
            name = quantity.name
            if name not in given and name not in parameters:
                known = ", ".join(sorted(given)) or "none"
                raise ValueError(f"{self.name} depends on {name}; the conditions are {known}.")
            value = given.get(name, quantity.suggested)
            if isinstance(value, str):
                raise ValueError(f"{name} must be a number for {self.name}; it is {value!r}.")
            every = value.value if isinstance(value, Schedule) else np.array([float(value)])
            outside = every[(every < quantity.lower) | (every > quantity.upper)]
            if outside.size:
                raise ValueError(
                    f"{name} must be in [{quantity.lower}, {quantity.upper}] for {self.name}; "
                    f"it is {outside[0]}."
                )
            values[name] = value if isinstance(value, Schedule) else float(value)
        return values

    def broken(self, given: Mapping[str, Condition]) -> tuple[str, ...]:
        """Return why the onset does not exist under these conditions; empty if it may.

        A guard is broken if it holds at no time: where conditions drift, integration decides.
        """
        values = self.values(given)
        drifting = [value.t for value in values.values() if isinstance(value, Schedule)]
        times = np.unique(np.concatenate([np.zeros(1), *drifting]))
        moments = [at_progress(values, float(t)) for t in times]
        return tuple(
            guard.otherwise
            for guard in self.guards
            if not any(guard.holds(moment) for moment in moments)
        )

    def velocity(self, state: FloatArray, values: Values) -> FloatArray:
        """Return the mean-field d state / d progress, or next state, (d, ...) like the state."""
        if self.drift is not None:
            return self.drift(state, values)
        rows = self._numeric[0](*state, *values.values())
        return np.array([np.broadcast_to(row, state.shape[1:]) for row in rows], np.float64)

    def observe(self, observable: str, states: FloatArray, values: Values) -> NDArray[Any]:
        """Return an observable of states (..., d), shape (...)."""
        measured = self._numeric[2][observable](*np.moveaxis(states, -1, 0), *values.values())
        return np.broadcast_to(np.asarray(measured, dtype=np.float64), states.shape[:-1])

    def integrate(self, given: Mapping[str, Condition], t: ArrayLike) -> tuple[FloatArray, float]:
        """Integrate the mean field.

        Parameters
        ----------
        given : mapping
            Conditions, and parameters that differ from the suggested ones.
        t : (n,) array
            Progress at which the states are wanted, increasing.

        Returns
        -------
        states : (n, d) array
        onset : float
            First upward passage of the onset level, infinite when none is reached.
        """
        return mean_field.integrate(self, self.values(given), np.asarray(t, dtype=np.float64))

    def onset(self, given: Mapping[str, Condition], horizon: float = 1e12) -> float:
        """Return the mean-field onset, by integration at the actual conditions.

        Returns
        -------
        float
            Infinite when it lies beyond the horizon.

        Raises
        ------
        NoOnset
            If a guard says that there is no onset under these conditions.
        """
        broken = self.broken(given)
        if broken:
            raise NoOnset(f"{self.name} implies no onset here: {' '.join(broken)}")
        return mean_field.onset(self, self.values(given), horizon)

    def onsets(self, given: Mapping[str, Any], horizon: float = 1e12) -> FloatArray:
        """Return the mean-field onsets of many settings at once, shape (N,).

        Parameters
        ----------
        given : mapping
            As in `onset`; a value may also be an array (N,), the same N for all.
        horizon : float
            Beyond it an onset is infinite.

        Returns
        -------
        (N,) array
            Guards are not asked.

        Raises
        ------
        ValueError
            If a setting cannot be integrated.
        """
        values = {q.name: given.get(q.name, q.suggested) for q in self.quantities}
        return mean_field.onsets(self, values, horizon)

    def start_state(self, values: Values) -> FloatArray:
        """Return the state at progress 0, (d, ...) for values that are numbers or arrays (...)."""
        rows = np.broadcast_arrays(*self._numeric[1](*values.values()))
        return np.array(rows, dtype=np.float64)

    def simulate(
        self,
        parameters: Mapping[str, Condition],
        conditions: Mapping[str, Condition],
        t: ArrayLike,
        *,
        rng: np.random.Generator,
        n_runs: int = 1,
    ) -> list[Curve]:
        """Simulate runs and observe them: one curve an observable and run.

        With a sampler the runs are exact draws of the algorithm and `t` holds whole
        updates; without one they are copies of the mean field.
        """
        given = {**parameters, **conditions}
        values = self.values(given)
        t = np.asarray(t, dtype=np.float64)
        if self.sampler is not None:
            states = self.sampler(values, t, rng=rng, n_runs=n_runs)
        else:
            mean, _ = self.integrate(given, t)
            states = np.broadcast_to(mean, (n_runs, *mean.shape))
        return [
            Curve(
                observable,
                t,
                self.observe(observable, states[run], along(values, t)),
                progress=self.progress,
                run=f"{self.name} {run}",
                conditions={**given, "mechanism": self.name},
                origin=Origin.SIMULATED,
            )
            for run in range(n_runs)
            for observable in self.observables
        ]
