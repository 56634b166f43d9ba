"""Found forms held against the registry."""

import numpy as np
import pytest

from fitting.search.enumeration import CENTERED, ELAPSED
from fitting.search.grammar import Node, Skeleton, apply
from fitting.search.making import form_of
from fitting.search.matching import Match, MatchKind, matches
from theory.forms import FORMS

T = np.linspace(1.0, 200.0, 60)
FEW = ("exponential_approach", "logistic", "probit", "hill", "weibull", "bump", "richards")


def found(node: Node, theta: list[float]) -> dict[str, Match]:
    form = form_of(Skeleton((node,)), "found_1", 200.0)
    known = {name: FORMS[name] for name in FEW}
    (all_of,) = matches([form], [np.array(theta)], T, known)
    return {match.form: match for match in all_of}


@pytest.mark.parametrize(
    ("node", "theta", "name", "values"),
    [
        (apply("logistic", CENTERED), [0.5, 2.0, 0.07, 90.0], "logistic", [0.07, 90.0]),
        (
            apply("probit", CENTERED),
            [0.5, 2.0, 0.05, 90.0],
            "probit",
            [0.05 * 4 / np.sqrt(np.pi), 90.0],
        ),
        (
            apply("saturation", apply("power", ELAPSED)),
            [0.0, 1.0, 80.0, 3.0],
            "hill",
            [80.0, 3.0],
        ),
        (apply("approach", ELAPSED), [1.0, -2.0, 50.0], "exponential_approach", [1 / 50.0]),
    ],
)
def test_a_rewritten_form_is_recognized_by_algebra(
    node: Node, theta: list[float], name: str, values: list[float]
) -> None:
    match = found(node, theta)[name]
    assert match.kind is MatchKind.PROVED
    assert match.is_equal
    assert list(match.parameters.values()) == pytest.approx(values, rel=1e-5)


def test_a_form_with_more_parameters_holds_it_as_a_special_case() -> None:
    match = found(apply("logistic", CENTERED), [0.5, 2.0, 0.07, 90.0])["richards"]
    assert match.special and not match.is_equal
    assert match.parameters["exponent"] == pytest.approx(1.0, abs=1e-4)
    assert match.words.startswith("is a special case of richards")


def test_parameters_beyond_the_default_priors_are_recognized() -> None:
    slow = found(apply("approach", ELAPSED), [0.0, 1.0, 900.0])["exponential_approach"]
    assert slow.is_equal and not slow.within
    assert found(apply("approach", ELAPSED), [0.0, 1.0, 50.0])["exponential_approach"].within


def test_a_bump_is_what_the_delta_rule_implies() -> None:
    rise_and_decay = apply("product", apply("approach", ELAPSED), apply("decay", ELAPSED))
    match = found(rise_and_decay, [0.0, 1.0, 30.0, 80.0])["bump"]
    assert match.kind in (MatchKind.PROVED, MatchKind.EQUAL)
    assert "cue_delta_rule" in match.words


def test_another_function_matches_nothing() -> None:
    assert not found(apply("arctangent", CENTERED), [0.5, 2.0, 0.07, 90.0])
