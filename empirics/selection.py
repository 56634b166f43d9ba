"""Which curves are meant: a condition on conditions, such as ``alpha < 0.1 and seed in 0..7``.

::

    either     = both {"or" both}
    both       = one {"and" one}
    one        = "not" one | "(" either ")" | comparison
    comparison = name ("<" | "<=" | "=" | "==" | "!=" | ">=" | ">") value
               | name ["not"] "in" number ".." number          both ends included
               | name ["not"] "in" "{" value {"," value} "}"

A name is that of a condition, or `observable`, `run`, `run_id` or `progress`; a value a number,
``true``, ``false``, or a text, bare or in quotes. The grammar is read here; nothing is evaluated
as Python. What a curve does not say (a condition it lacks, one that is a schedule) is unknown,
in the sense of Kleene (1952, section 64): ``not`` leaves it unknown, and only what is true is
selected.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NoReturn, TypeVar, final

from empirics.curve_set import CurveSet
from empirics.header import Header
from empirics.notes import counted
from empirics.readers.names import no_such
from theory.curve import Condition, Curve

Key = TypeVar("Key")
Facts = Mapping[str, Condition]
Test = Callable[[Facts], bool | None]

FIELDS = ("observable", "progress", "run", "run_id")
"""Besides its conditions, what a curve can be asked for; `run` is also its run_id."""

ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
EQUAL = ("=", "==", "!=")
DEEPEST = 50
TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"[^"]*"|'[^']*')|(?P<sign><=|>=|==|!=|\.\.|[<>=(){},])"""
    r"""|(?P<word>(?:[\w/+:%-]|\.(?!\.))+))"""
)
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


@final
@dataclass(frozen=True, eq=False)
class Selection:
    """A condition on curves.

    Attributes
    ----------
    text : str
        As it was written.
    names : tuple of str
        What it asks for, sorted.
    test : callable
        True, False, or None where a curve does not say.
    """

    text: str
    names: tuple[str, ...]
    test: Test

    def holds(self, facts: Facts) -> bool | None:
        """Tell whether what a curve says fulfils the condition; None where it does not say."""
        return self.test(facts)


@final
@dataclass(frozen=True)
class _Token:
    text: str
    place: int
    kind: str

    @property
    def keyword(self) -> str:
        return self.text.lower() if self.kind == "word" else ""


def parse_selection(text: str) -> Selection:
    """Read a condition on curves.

    Raises
    ------
    ValueError
        If it does not follow the grammar: what is wrong, and at which place.
    """
    reader = _Reader(text, _tokens(text))
    test = reader.either(0)
    reader.end()
    return Selection(text, tuple(sorted(reader.names)), test)


def facts_of(header: Header) -> Facts:
    """Return what a header says that can be asked for; schedules stay as plain values."""
    return {**header["conditions"], **{name: header[name] for name in FIELDS}}


def facts_of_curve(curve: Curve) -> Facts:
    """Return what a curve says that can be asked for."""
    own = {name: str(getattr(curve, name)) for name in FIELDS}
    return {**curve.conditions, **own}


def chosen(
    selection: Selection, facts: Mapping[Key, Facts], place: str, what: str = "curve"
) -> tuple[set[Key], list[str]]:
    """Return what fulfils a condition, and a note on what does not say whether it does.

    Raises
    ------
    ValueError
        If nothing here has a condition of that name; those that there are, sorted.
    """
    known = {name for each in facts.values() for name in each}
    for name in selection.names:
        if name not in known:
            raise ValueError(no_such("condition", name, place, known))
    found = {key: selection.holds(each) for key, each in facts.items()}
    unsaid = sum(each is None for each in found.values())
    note = (
        f"{counted(unsaid, what)} not selected, since nothing there tells whether "
        f"{selection.text} (a condition that is absent, a schedule or of another kind)."
    )
    return {key for key, each in found.items() if each}, [note] if unsaid else []


def selected(found: CurveSet, where: str, place: str) -> CurveSet:
    """Return the curves of a set that fulfil a condition, with their runs.

    Raises
    ------
    ValueError
        As `parse_selection` and `chosen`.
    """
    facts = {i: facts_of_curve(curve) for i, curve in enumerate(found.curves)}
    kept, notes = chosen(parse_selection(where), facts, place)
    curves = tuple(found.curves[i] for i in sorted(kept))
    run_ids = {curve.run_id for curve in curves}
    return replace(
        found,
        curves=curves,
        notes=(*found.notes, *notes),
        logged=tuple(found.logged[i] for i in sorted(kept)) if found.logged else (),
        runs=tuple(record for record in found.runs if record.run_id in run_ids),
    )


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while text[at:].strip():
        match = TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            what = "a quote is not closed" if text[at] in "\"'" else f"{text[at]!r} has no meaning"
            raise ValueError(_wrong(text, what, at))
        kind = str(match.lastgroup)
        found.append(_Token(match[kind], match.start(kind), kind))
        at = match.end()
    return found


def _wrong(text: str, what: str, at: int) -> str:
    return f"the selection {text!r} cannot be read: {what} at place {at + 1}."


@final
class _Reader:
    """Reads the tokens from left to right, one function a rule of the grammar."""

    def __init__(self, text: str, tokens: list[_Token]) -> None:
        self.text, self.tokens, self.at = text, tokens, 0
        self.names: set[str] = set()

    def either(self, depth: int) -> Test:
        tests = [self.both(depth)]
        while self.next_is("or"):
            tests.append(self.both(depth))
        return tests[0] if len(tests) == 1 else lambda facts: _any([t(facts) for t in tests])

    def both(self, depth: int) -> Test:
        tests = [self.one(depth)]
        while self.next_is("and"):
            tests.append(self.one(depth))
        return tests[0] if len(tests) == 1 else lambda facts: _all([t(facts) for t in tests])

    def one(self, depth: int) -> Test:
        if depth > DEEPEST:
            self.fail(f"more than {DEEPEST} levels of parentheses and 'not'")
        if self.next_is("not"):
            test = self.one(depth + 1)
            return lambda facts: _negated(test(facts), True)
        if self.next_is("("):
            test = self.either(depth + 1)
            if not self.next_is(")"):
                self.fail("')' is missing")
            return test
        return self.comparison()

    def comparison(self) -> Test:
        name = self.take("the name of a condition is missing").text.strip("\"'")
        self.names.add(name)
        if self.next_is("not"):
            if not self.next_is("in"):
                self.fail("'in' is missing after 'not'")
            test = self.among(name)
            return lambda facts: _negated(test(facts), True)
        if self.next_is("in"):
            return self.among(name)
        sign = self.peek()
        if sign is None or sign.text not in (*ORDER, *EQUAL):
            self.fail(f"a comparison is missing after {name!r} (<, <=, =, !=, >=, > or in)")
        self.at += 1
        if sign.text in ORDER:
            compare, bound = (
                ORDER[sign.text],
                self.number(f"a number is missing after {sign.text!r}"),
            )
            return lambda facts: None if (x := _number(facts, name)) is None else compare(x, bound)
        wanted, is_not = self.value(), sign.text == "!="
        return lambda facts: (
            None if name not in facts else _negated(_is(facts, name, wanted), is_not)
        )

    def among(self, name: str) -> Test:
        if not self.next_is("{"):
            low = self.number("a range such as 0..7 or a set such as {a, b} is missing after 'in'")
            if not self.next_is(".."):
                self.fail("'..' is missing")
            high = self.number("a number is missing after '..'")
            if low > high:
                self.at -= 1
                self.fail(f"the range ends below its beginning {low:g}")
            return lambda facts: None if (x := _number(facts, name)) is None else low <= x <= high
        wanted = [self.value()]
        while self.next_is(","):
            wanted.append(self.value())
        if not self.next_is("}"):
            self.fail("',' or '}' is missing")
        return lambda facts: _any([_is(facts, name, value) for value in wanted])

    def value(self) -> _Token:
        return self.take("a value is missing")

    def number(self, what: str) -> float:
        token = self.peek()
        if token is None or token.kind != "word" or not NUMBER.fullmatch(token.text):
            self.fail(what)
        self.at += 1
        return float(token.text)

    def take(self, otherwise: str) -> _Token:
        token = self.peek()
        if token is None or token.kind == "sign" or token.keyword in ("and", "or", "not", "in"):
            self.fail(otherwise)
        self.at += 1
        return token

    def peek(self) -> _Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def next_is(self, text: str) -> bool:
        token = self.peek()
        found = token is not None and text in (
            token.keyword,
            token.text if token.kind == "sign" else "",
        )
        self.at += found
        return found

    def end(self) -> None:
        if self.peek() is not None:
            self.fail("'and' or 'or' is missing")

    def fail(self, what: str) -> NoReturn:
        token = self.peek()
        raise ValueError(_wrong(self.text, what, len(self.text) if token is None else token.place))


def _any(found: list[bool | None]) -> bool | None:
    return True if True in found else None if None in found else False


def _all(found: list[bool | None]) -> bool | None:
    return False if False in found else None if None in found else True


def _negated(found: bool | None, is_not: bool) -> bool | None:
    return found if found is None or not is_not else not found


def _number(facts: Facts, name: str) -> float | None:
    value = facts.get(name)
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return value if known else None  # type: ignore[return-value]


def _is(facts: Facts, name: str, wanted: _Token) -> bool | None:
    value, said = facts.get(name), wanted.text
    if wanted.kind == "quoted":
        said = said[1:-1]
    if isinstance(value, str):
        return value == said or (name == "run" and facts.get("run_id") == said)
    if isinstance(value, bool):
        return said.lower() == str(value).lower()
    if isinstance(value, int | float):
        return bool(NUMBER.fullmatch(said)) and value == _exact(said)
    return None


def _exact(said: str) -> int | float:
    """Return a number, a whole one as such: float64 does not tell all of them apart."""
    return int(said) if said.lstrip("+-").isdigit() else float(said)
