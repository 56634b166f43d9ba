"""A ladder: runs over the values of one condition, with arms and seeds, as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import final

from theory.curve import Condition, Curve, Schedule

Value = bool | int | float | str


@final
@dataclass(frozen=True)
class Ladder:
    """Curves of one observable over the values (rungs) of a condition.

    Attributes
    ----------
    condition : str
        The condition that is varied; every curve must carry it as a scalar.
    curves : tuple of Curve
        One curve a run; several runs (seeds, arms) may share a rung.

    Raises
    ------
    ValueError
        If there is no curve, a curve lacks the condition, or observables differ.
    """

    condition: str
    curves: tuple[Curve, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "curves", tuple(self.curves))
        if not self.curves:
            raise ValueError(f"a ladder over {self.condition!r} needs at least one curve.")
        for curve in self.curves:
            rung_of(curve, self.condition)
        observables = sorted({curve.observable for curve in self.curves})
        if len(observables) > 1:
            raise ValueError(
                f"a ladder holds one observable; these curves hold {', '.join(observables)}."
            )

    @property
    def rungs(self) -> tuple[Value, ...]:
        """The distinct values of the condition, sorted."""
        values = {rung_of(curve, self.condition) for curve in self.curves}
        return tuple(sorted(values, key=lambda value: (isinstance(value, str), value)))

    def at(self, value: Value) -> tuple[Curve, ...]:
        """Return the curves of one rung.

        Raises
        ------
        ValueError
            If no curve has this value; the rungs are listed.
        """
        curves = tuple(c for c in self.curves if rung_of(c, self.condition) == value)
        if not curves:
            rungs = ", ".join(str(rung) for rung in self.rungs)
            raise ValueError(f"no run has {self.condition} = {value}; the rungs are {rungs}.")
        return curves

    def arms(self, names: Iterable[str]) -> Mapping[tuple[Condition | None, ...], Ladder]:
        """Split the ladder by the values of further conditions.

        Returns
        -------
        dict
            From the tuple of values of `names` to the ladder of the runs that have them.
        """
        names = tuple(names)
        groups: dict[tuple[Condition | None, ...], list[Curve]] = {}
        for curve in self.curves:
            key = tuple(curve.conditions.get(name) for name in names)
            groups.setdefault(key, []).append(curve)
        return {key: Ladder(self.condition, tuple(curves)) for key, curves in groups.items()}


def rung_of(curve: Curve, condition: str) -> Value:
    """Return the scalar value of a condition of a curve.

    Raises
    ------
    ValueError
        If the curve does not carry the condition, or it drifts during training.
    """
    if condition not in curve.conditions:
        known = ", ".join(sorted(curve.conditions)) or "none"
        raise ValueError(
            f"run {curve.run!r} does not carry the condition {condition!r}; it carries {known}."
        )
    value = curve.conditions[condition]
    if isinstance(value, Schedule):
        raise ValueError(
            f"condition {condition!r} of run {curve.run!r} drifts during training; "
            "a ladder needs one value a run."
        )
    return value
