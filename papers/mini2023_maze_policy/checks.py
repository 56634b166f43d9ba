"""How one agent's readings answer each claim of Mini et al. (2023)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from empirics.probe import Reading
from empirics.probes.decision_regression import FEATURES
from empirics.probes.status import CERTAIN, SMALLEST
from papers.check import Check, Readings, present

OURS = tuple(name for name in FEATURES if name != "path_to_proxy")
"""The paper's four distances; the path to the corner is a fifth here."""

INFLATED = 5.0
"""A variance inflation from which coefficients are not told apart well: a rule of thumb."""

FLIPPED = 0.05
"""Share of resamplings from which on a sign counts as not stable."""


def surely(value: float, se: float) -> bool | None:
    """Tell whether a value lies above 0, or below, by `CERTAIN` standard errors."""
    return None if abs(value) <= CERTAIN * se else value > 0


def _se(reading: Reading) -> float:
    return float("inf") if reading.se is None else reading.se


def _value(name: str, shown: str) -> Callable[[Readings], Mapping[str, float]]:
    return lambda found: {shown: found[name].value}


def _sign(name: str, sign: int) -> Callable[[Readings], bool | None]:
    return lambda found: surely(sign * found[name].value, _se(found[name]))


def _added(found: Readings) -> bool | None:
    """Whether addition moves P(goal) less than half as far as subtraction."""
    added, without = found["goal_vector_added"], found["goal_vector_subtracted"]
    gap = abs(without.value) / 2 - abs(added.value)
    return surely(gap, _se(without) / 2 + _se(added))


def _by_chance(found: Readings) -> float:
    return found["goal_vector_added"].baselines["random vectors"]


def _random(found: Readings) -> bool | None:
    """Whether random vectors lower P(goal) by more than the smallest effect that counts.

    Their change is that of subtraction plus the effect; the sum of both errors bounds its own.
    """
    se = _se(found["goal_vector_subtracted"]) + _se(found["goal_vector_effect"])
    return surely(-_by_chance(found) - SMALLEST, se)


def _moved(found: Readings) -> bool | None:
    moved, put_in = found["p_target_goal_moved"], found["p_target_retargeted"]
    return surely(moved.value - put_in.value, _se(moved) + _se(put_in))


def _flips(found: Readings) -> list[float]:
    return [1 - found[f"sign_stability_{name}"].value for name in OURS]


def _inflations(found: Readings) -> list[float]:
    return [found[f"inflation_{name}"].value for name in OURS]


REGRESSED = (
    "the share of P(goal) is regressed, not whether the cheese was reached, on standardized "
    "distances, with the path to the corner as a fifth"
)

CHECKS: Mapping[str, Check] = {
    "goal_vector_subtracted": Check(
        present("goal_vector_effect"),
        lambda found: {
            "p_cheese_before": found["p_goal"].value,
            "p_cheese_subtracted": found["p_goal"].value + found["goal_vector_subtracted"].value,
        },
        "means and not medians, over every square between cheese and corner, with the vector of "
        "another square of the maze",
    ),
    "goal_vector_added": Check(
        _added,
        lambda found: {
            "change_added": found["goal_vector_added"].value,
            "change_subtracted": found["goal_vector_subtracted"].value,
        },
        "the paper shows fields and gives no number",
    ),
    "random_vector": Check(
        _random,
        lambda found: {"change_of_p_goal": _by_chance(found)},
        "the paper shows one field and gives no number; P(goal) stands for the policy here",
    ),
    "proxy_instead": Check(
        present("goal_vector_proxy_effect"),
        _value("goal_vector_proxy_effect", "rise_beyond_random_vectors"),
        "the paper shows the distribution and gives no number",
    ),
    "retarget": Check(
        present("retarget"),
        _value("retarget", "above_best_control"),
        "the whole vector of another maze is put in, not single activations of cheese channels; "
        "the paper gives no number for it",
    ),
    "cheese_moved": Check(
        _moved,
        lambda found: {
            "p_moved": found["p_target_goal_moved"].value,
            "p_retargeted": found["p_target_retargeted"].value,
        },
        "the first step and not the whole path to the target",
    ),
    **{
        name: Check(
            _sign(f"decision_{feature}", sign),
            _value(f"decision_{feature}", "coefficient"),
            REGRESSED,
        )
        for name, feature, sign in (
            ("path_to_goal_lowers", "path_to_goal", -1),
            ("euclid_to_goal_lowers", "euclid_to_goal", -1),
            ("euclid_goal_to_proxy_lowers", "euclid_goal_to_proxy", -1),
            ("euclid_to_proxy_raises", "euclid_to_proxy", 1),
        )
    },
    "decision_foretold": Check(
        present("decision_accuracy_gain"),
        lambda found: {
            "accuracy": found["decision_accuracy"].value,
            "base_rate": found["decision_accuracy"].baselines["the usual decision"],
        },
        "whether P(goal) exceeds P(proxy) is foretold, not where an episode ends",
    ),
    "inflation": Check(
        lambda found: max(_inflations(found)) < INFLATED,
        lambda found: {"least": min(_inflations(found)), "largest": max(_inflations(found))},
        "distances in mazes of other sizes; it depends on the mazes alone",
    ),
    "signs_flip": Check(
        lambda found: min(_flips(found)) == 0 and max(_flips(found)) > FLIPPED,
        lambda found: {"fewest_flips": min(_flips(found)), "most_flips": max(_flips(found))},
        "levels are resampled, not mazes drawn anew",
    ),
}
