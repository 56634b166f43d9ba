"""All that follows from a registered mechanism by the means of this folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar, final

import sympy

from theory.derivation.exponents import Expansion, expand
from theory.derivation.fixed_point import roots
from theory.derivation.identifiability import Identifiability, identify
from theory.derivation.scales import Scaling, nondimensionalize
from theory.derivation.solving import Solution, solve
from theory.derivation.story import NotDerived, Story
from theory.mechanism import Mechanism

Part = TypeVar("Part")
_LONGEST = 200
"""Operations in a drift beyond which nothing is tried in symbols: it might take long."""


@final
@dataclass(frozen=True, eq=False)
class Derivation:
    """What could be derived from the mean field of a mechanism, and what could not.

    Attributes
    ----------
    mechanism : str
    scaling : Scaling or None
    solution : Solution or None
    onset : sympy expression or None
        Time at which the observable of the onset passes its level.
    expansion : Expansion or None
    identifiability : Identifiability or None
        Of one curve of the observable of the onset.
    caveats : tuple of str
        Under which restrictions all this holds.
    skipped : tuple of str
        A sentence for everything that is missing.
    """

    mechanism: str
    scaling: Scaling | None
    solution: Solution | None
    onset: sympy.Expr | None
    expansion: Expansion | None
    identifiability: Identifiability | None
    caveats: tuple[str, ...]
    skipped: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The results in sentences."""
        found: list[str] = []
        if self.scaling is not None:
            found.append(f"Scales: {self.scaling.words}")
        if self.solution is not None:
            found.append(f"Solution: {self.solution.words}")
        if self.onset is not None:
            found.append(f"Onset: {self.onset}.")
        if self.expansion is not None:
            found += [f"Limits: {words}" for words in self.expansion.words]
        if self.identifiability is not None:
            found.append(f"One curve: {self.identifiability.words}")
        found += [f"But {caveat}" for caveat in self.caveats]
        return (*found, *(f"Not derived: {sentence}" for sentence in self.skipped))


def derive(mechanism: Mechanism) -> Derivation:
    """Derive scales, solution, onset, exponents and identifiability of a mechanism.

    Scales, solutions and exponents are of mechanisms with one state variable; every step ends soon
    on any of them, because nothing is tried that may not.
    """
    caveats, skipped = [], []  # type: list[str], list[str]
    scaling, solution, onset, expansion, told = None, None, None, None, None
    if mechanism.drift is not None:
        caveats.append("the exact mean update has no closed form; this is of the limit given.")
    if mechanism.is_map:
        skipped.append("anything: the dynamics are a map from update to update, no flow.")
    elif len(mechanism.state) == 1 and mechanism.dynamics[0].count_ops() > _LONGEST:
        skipped.append("scales, solution and exponents: the dynamics are too long.")
    elif len(mechanism.state) == 1:
        story = story_of(mechanism)
        whole = _whole_exponents(story)
        if whole:
            given = ", ".join(f"{symbol} = {value}" for symbol, value in whole.items())
            caveats.append(f"solution and onset are those for {given}.")
        scaling = _tried("scales", lambda: nondimensionalize(story), skipped)
        expansion = _tried("exponents", lambda: expand(story), skipped)
        solution = _tried("the solution", lambda: solve(_with(story, whole)), skipped)
        if solution is not None:
            onset = _tried("the onset", lambda: _onset(mechanism, solution, whole), skipped)
    else:
        skipped.append("scales, solution and exponents, which are of one state variable.")
    if not mechanism.is_map:
        told = _tried("what one curve tells", lambda: _told(mechanism, scaling), skipped)
    return Derivation(
        mechanism.name, scaling, solution, onset, expansion, told, tuple(caveats), tuple(skipped)
    )


def story_of(mechanism: Mechanism) -> Story:
    """Return the mean field of a mechanism with one state variable as a story.

    Raises
    ------
    NotDerived
        If it is a map, or has several state variables.
    """
    if mechanism.is_map or len(mechanism.state) != 1:
        raise NotDerived(f"{mechanism.name} is no flow of one state variable.")
    (state,), (flow,), (start,) = mechanism.state, mechanism.dynamics, mechanism.start
    return Story(state, start, mechanism.suggested(), flow=flow)


def _tried(what: str, make: Callable[[], Part], skipped: list[str]) -> Part | None:
    """Return a result, or None with the reason among what was skipped."""
    try:
        return make()
    except NotDerived as reason:
        skipped.append(f"{what}: {reason}")
        return None


def _whole_exponents(story: Story) -> dict[sympy.Symbol, sympy.Integer]:
    """Return whole numbers for the parameters in exponents of the state: only these integrate."""
    exponents = [p.exp for p in story.drift.atoms(sympy.Pow) if p.base.has(story.state)]
    inside = sympy.Tuple(*exponents).free_symbols - {story.state}
    return {s: sympy.Integer(round(story.typical[s.name])) for s in sorted(inside, key=str)}


def _with(story: Story, given: Mapping[sympy.Symbol, sympy.Integer]) -> Story:
    """Return a story with numbers for some parameters."""
    start, flow = story.start.subs(given), story.drift.subs(given)
    return Story(story.state, start, story.typical, flow=flow)


def _onset(
    mechanism: Mechanism, solution: Solution, given: Mapping[sympy.Symbol, sympy.Integer]
) -> sympy.Expr:
    """Return the time at which the observable of the onset passes its level."""
    story = solution.story
    seen = mechanism.observables[mechanism.onset_observable]
    own = {s: story.symbol(s.name) for s in seen.free_symbols if s != story.state}
    seen = seen.xreplace(own).subs(given)
    level = sympy.nsimplify(mechanism.onset_level)
    ahead = [
        root
        for root in roots(seen - level, story.state)
        if story.direction * (story.number(root) - story.number(story.start)) > 0
    ]
    if not ahead:
        raise NotDerived(f"{mechanism.onset_observable} = {level} is not solved for the state.")
    onset = solution.elapsed.subs(story.state, ahead[0])
    expected = mechanism.onset(mechanism.suggested())
    if abs(story.number(onset) - expected) > 1e-5 * expected and mechanism.drift is None:
        raise NotDerived("the closed form does not meet the integrated onset.")
    return onset


def _told(mechanism: Mechanism, scaling: Scaling | None) -> Identifiability:
    """Return what one curve of the observable of the onset tells."""
    constant, _ = mechanism.dynamics[0].as_independent(*mechanism.state)
    named = [constant] if scaling is None else [1 / scaling.time_unit, *scaling.groups]
    return identify(
        mechanism.state,
        mechanism.dynamics,
        mechanism.start,
        mechanism.observables[mechanism.onset_observable],
        mechanism.suggested(),
        candidates=named,
    )
