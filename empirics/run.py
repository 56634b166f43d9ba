"""What training left behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, final

from empirics.probe import Reading
from theory.curve import Condition, Curve


@final
@dataclass(frozen=True)
class Run:
    """One training run: its conditions, its curves, how it ended.

    Attributes
    ----------
    run : str
        Label a person reads.
    run_id : str
        Hash of everything that decides the run; equal inputs, equal `run_id`.
    conditions : mapping
        The ledger that every curve of the run carries.
    seed : int
    curves : tuple of Curve
        One for each observable.
    status : str
        Empty when the run reached its end undisturbed, else sentences: where it diverged, or
        in what it may differ because it was resumed.
    wall_seconds : float
        Wall time of the whole run, over all its starts.
    versions : mapping of str to str
        Versions of the packages that computed it, not of those that read it back.
    readings : tuple of (env_steps, mapping of observable to Reading)
        What the curves were made of, with the errors that all points share and the
        baselines, which a curve does not carry.
    git_commit : str
        Commit of Ontogeny that computed it; empty outside a git tree.
    device : str
        Kind and name of the device that computed it.
    """

    run: str
    run_id: str
    conditions: Mapping[str, Condition]
    seed: int
    curves: tuple[Curve, ...]
    status: str = ""
    wall_seconds: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)
    readings: tuple[tuple[int, Mapping[str, Reading]], ...] = ()
    git_commit: str = ""
    device: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "conditions", MappingProxyType(dict(self.conditions)))
        object.__setattr__(self, "versions", MappingProxyType(dict(self.versions)))

    def curve(self, observable: str) -> Curve:
        """Return the curve of one observable.

        Raises
        ------
        ValueError
            If the run has no such observable; those it has are listed.
        """
        for curve in self.curves:
            if curve.observable == observable:
                return curve
        known = ", ".join(sorted(curve.observable for curve in self.curves)) or "none"
        raise ValueError(f"run {self.run!r} has no observable {observable!r}; it has {known}.")

    def last_reading(self, observable: str) -> Reading:
        """Return the last reading of one observable: value, se over levels, baselines.

        Raises
        ------
        ValueError
            If the run has no such reading; the observables it has are listed.
        """
        for _, measured in reversed(self.readings):
            if observable in measured:
                return measured[observable]
        known = ", ".join(sorted({name for _, m in self.readings for name in m})) or "none"
        raise ValueError(f"run {self.run!r} has no reading of {observable!r}; it has {known}.")

    def __getstate__(self) -> dict[str, Any]:
        plain = {"conditions": dict(self.conditions), "versions": dict(self.versions)}
        return {**self.__dict__, **plain}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for name in ("conditions", "versions"):
            object.__setattr__(self, name, MappingProxyType(state[name]))
