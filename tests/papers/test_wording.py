import pytest

from papers.wording import (
    duration,
    family_words,
    joined,
    reason_of,
    sentence,
    short_names,
    upper_first,
)


def test_sentences_keep_names_as_they_are():
    assert upper_first("p_goal rises.") == "p_goal rises."
    assert upper_first("free medians lead.") == "Free medians lead."


@pytest.mark.parametrize(
    ("seconds", "text"), [(12.34, "12.3 s"), (150, "2 min 30 s"), (7300, "2 h 1 min")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("The shape is none with probability 0.98.", "is no change or steady drift with"),
        ("The shape is none (0.54) or sigmoid (0.44)", "is no change or steady drift (0.54) or s"),
        ("The shape is sigmoid (0.54) or none (0.44)", "or no change or steady drift (0.44)"),
        ("No one or two: sigmoid 0.71, none 0.15.", "sigmoid 0.71, no change or steady drift 0.15"),
        ("The lead of none depends on the priors.", "lead of no change or steady drift depends"),
        ("none of these mechanisms", "none of these mechanisms"),
    ],
)
def test_the_family_none_is_said_in_words(reason, text):
    assert text in reason_of({"reason": reason})
    assert family_words("none") == "no change or steady drift"


def test_mechanisms_are_said_in_words():
    verdict = {"kind": "decided", "reason": "cue_delta_rule leads cue_delta by 3 nats."}
    said = sentence(verdict, ["cue_delta", "cue_delta_rule"])
    assert said == "Decided. Cue delta rule leads cue delta by 3 nats."


def test_names_lose_what_they_share():
    assert short_names(["x alpha=0 seed=0", "x alpha=0 seed=1"]) == {
        "x alpha=0 seed=0": "seed=0",
        "x alpha=0 seed=1": "seed=1",
    }
    assert short_names(["an x seed 0", "an x seed 1"]) == {
        "an x seed 0": "seed 0",
        "an x seed 1": "seed 1",
    }
    assert short_names(["one run"]) == {"one run": "one run"}
    assert short_names(["a b", "a"]) == {"a b": "a b", "a": "a"}


def test_enumerations():
    assert [joined(p) for p in (["a"], ["a", "b"], ["a", "b", "c"])] == [
        "a",
        "a and b",
        "a, b and c",
    ]
