"""How the report writes names, numbers and verdicts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

PROGRESS = {
    "env_steps": "environment steps",
    "updates": "updates",
    "episodes": "episodes",
    "samples": "samples",
}
"""What each progress axis counts, in words."""

NO_CHANGE = "no change or steady drift"

HOLDS = {True: "yes", False: "no", None: "cannot tell"}
"""Whether something asked came out."""


def words(name: str) -> str:
    """Write an identifier as words."""
    return name.replace("_", " ")


def family_words(family: str) -> str:
    """Write the name of a family of shapes as words."""
    return NO_CHANGE if family == "none" else words(family)


def upper_first(text: str) -> str:
    """Begin a sentence with a capital, unless it begins with a name such as ``p_goal``."""
    first = text.split(" ", 1)[0]
    is_name = any(letter in first for letter in "_/=") or any(c.isdigit() for c in first)
    return text if is_name else text[:1].upper() + text[1:]


def joined(parts: Sequence[str]) -> str:
    """Join the parts of an enumeration: "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def plural(number: int, noun: str) -> str:
    """Write a number of things: "1 run", "2 runs"."""
    return f"{number} {noun if number == 1 else f'{noun}s'}"


def short(value: float) -> str:
    """Write a large number as on an axis: 1.5M, 200k, 0.25."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            scale = 1e3 if letter == "k" else size
            return f"{value / scale:.4g}{letter}".replace("-", "−")
    return f"{value:.4g}".replace("-", "−")


def short3(value: float) -> str:
    """Write a value with three significant digits."""
    return short(float(f"{value:.3g}"))


def between(value: float | None, interval: Sequence[float | None] | None) -> str:
    """Write a value with its interval, three digits."""
    if value is None:
        return "–"
    if interval is None or None in interval:
        return short3(value)
    lower, upper = (float(edge) for edge in interval if edge is not None)
    return f"{short3(value)} [{short3(lower)}, {short3(upper)}]"


def duration(seconds: float) -> str:
    """Write a wall time as a reader would."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def name_of(curve: Mapping[str, Any]) -> str:
    """Name a curve as a reader would: its observable and its run."""
    run = run_of(curve)
    return f"{curve['observable']} · {run}" if run else str(curve["observable"])


def run_of(curve: Mapping[str, Any]) -> str:
    """Name the run of a curve."""
    return str(curve["run"] or curve["run_id"])


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Return each name without the words that all of them begin with.

    A list whose every line begins with the name of the experiment is no list of names.
    """
    split = [name.split(" ") for name in dict.fromkeys(names)]
    shared = 0
    while len(split) > 1 and all(len(w) > shared + 1 for w in split):
        if len({w[shared] for w in split}) > 1:
            break
        shared += 1
    # "seed 3" without its word is no name.
    while shared and not all(re.search("[A-Za-z]", " ".join(w[shared:])) for w in split):
        shared -= 1
    return {" ".join(w): " ".join(w[shared:]) for w in split}


def reason_of(verdict: Mapping[str, Any], names: Sequence[str] = ()) -> str:
    """Return a verdict's reason in words: families, and the identifiers given as `names`."""
    none = r"\b(is|or|of) none\b|\bnone (?=[(\d])"
    reason = re.sub(none, _no_change, str(verdict["reason"]))
    for name in names:
        reason = re.sub(rf"\b{re.escape(name)}\b", words(name), reason)
    return reason


def _no_change(match: re.Match[str]) -> str:
    return match[0].replace("none", NO_CHANGE)


def sentence(verdict: Mapping[str, Any], names: Sequence[str] = ()) -> str:
    """Return a verdict as a sentence that says its kind."""
    return f"{upper_first(str(verdict['kind']))}. {upper_first(reason_of(verdict, names))}"
