"""The sentences of the study, made of the entries of its results document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from papers.goal_switch.maze_half import BLIND, GOAL, PROXY
from papers.wording import family_words, joined, plural, short3, upper_first

Entry = Mapping[str, Any]
FEW = 6
"""Runs up to which each gets a paragraph; beyond, each rung does."""

FEW_RUNGS = 3
"""Rungs up to which the headline says everything of each."""

STEPS = "environment steps"


def cue_sentence(rate: Entry) -> str:
    """Say in how many arms the flip times decided, and how many of those wrongly."""
    return (
        "Given each agent's alpha and salience and, up to a fitted factor, its step size, flip "
        f"times name a learning rule in {rate['decided']} of "
        f"{plural(rate['number'], 'arm')} of cue-competition agents (wrong/decided "
        f"{rate['wrong']}/{rate['decided']}, 95 % upper bound {100 * rate['upper_bound']:.0f} %)."
    )


def maze_sentence(runs: Sequence[Entry]) -> str:
    """Say where the measured goal came to lead for good, and how surely the fitted one does."""
    rungs = by_alpha(runs)
    end = "Which rule sets that date is INCONCLUSIVE."
    lead = "In the maze the measured goal comes to lead for good in"
    if len(rungs) <= FEW_RUNGS:
        return f"{lead} {'; in '.join(_rung_part(a, rung) for a, rung in rungs)}. {end}"
    parts = [f"{_count(a, rung)} ({_probabilities(rung)})" for a, rung in rungs]
    switched = [run for run in runs if has_switched(run)]
    where = f" The switches lie {_brackets(switched)}." if switched else ""
    never = _never(runs)
    return (
        f"{lead} {joined(parts)}; in brackets, the probability that the fitted goal ends above "
        f"the proxy{f'; {never}' if never else ''}.{where} {end}"
    )


def by_alpha(runs: Sequence[Entry]) -> list[tuple[float, list[Entry]]]:
    """Return the runs of each rung."""
    alphas = sorted({run["alpha"] for run in runs})
    return [(alpha, [run for run in runs if run["alpha"] == alpha]) for alpha in alphas]


def _rung_part(alpha: float, rung: Sequence[Entry]) -> str:
    switched = [run for run in rung if has_switched(run)]
    where = f" {_brackets(switched)}" if switched else ""
    never = _never(rung)
    return f"{_count(alpha, rung)}{where} ({_ends(rung)}{f'; {never}' if never else ''})"


def _count(alpha: float, rung: Sequence[Entry]) -> str:
    return f"{sum(map(has_switched, rung))} of {len(rung)} at alpha = {alpha:g}"


def _never(runs: Sequence[Entry]) -> str:
    number = sum(not run["onset"]["led_by_proxy"] for run in runs)
    return f"in {number} the proxy never led" if number else ""


def has_switched(run: Entry) -> bool:
    """Tell whether the measured goal came to lead for good after the proxy had led."""
    onset = run["onset"]
    return onset["upper"] is not None and bool(onset["led_by_proxy"])


def _brackets(runs: Sequence[Entry]) -> str:
    lower = min(run["onset"]["lower"] for run in runs)
    upper = max(run["onset"]["upper"] for run in runs)
    return f"between {short3(lower)} and {short3(upper)} {STEPS}"


def _ends(rung: Sequence[Entry]) -> str:
    if all(run["flip"]["ends_above"] is None for run in rung):
        return "no fitted curves to compare"
    return f"probability that the fitted goal ends above the proxy: {_probabilities(rung)}"


def _probabilities(rung: Sequence[Entry]) -> str:
    found = [run["flip"]["ends_above"] for run in rung]
    known = sorted(value for value in found if value is not None)
    return joined([f"{p:.2f}" for p in known]) if 0 < len(known) <= 2 else _range(known)


def paragraphs(runs: Sequence[Entry]) -> list[str]:
    """Return a paragraph a run, or a rung where there are many runs."""
    if len(runs) <= FEW:
        return [run_sentence(run) for run in runs]
    return [rung_sentence(alpha, rung) for alpha, rung in by_alpha(runs)]


def label(alpha: float) -> str:
    """Name a rung; the control as what it is."""
    return "Control (alpha = 0)" if alpha == 0 else f"Alpha = {alpha:g}"


def run_sentence(run: Entry) -> str:
    """Say what one maze run did: the switch, measured and fitted, the bump, and the end."""
    parts = [onset_said(run), flip_said(run), *proxy_said(run), *success_said(run), last_said(run)]
    first, *rest = parts
    return f"{label(run['alpha'])}, seed {run['seed']}: {first} " + " ".join(rest)


def onset_said(run: Entry) -> str:
    """Say when the measured goal took the lead for good."""
    onset = run["onset"]
    if not onset["led_by_proxy"]:
        return "measured, the goal leads at every checkpoint, and the proxy never does."
    if onset["upper"] is None:
        at = f"{short3(onset['lower'])} {STEPS}"
        return f"measured, the goal does not lead when training ends ({at})."
    return (
        "measured, the goal comes to lead for good between "
        f"{short3(onset['lower'])} and {short3(onset['upper'])} {STEPS}."
    )


def flip_said(run: Entry) -> str:
    """Say how surely the fitted goal ends above the fitted proxy, and since when."""
    flip = run["flip"]
    if flip["ends_above"] is None:
        return f"The fitted curves give no flip time: {flip['reason']}"
    said = f"Fitted, it ends above the proxy with probability {flip['ends_above']:.2f}"
    never = flip["never_led_by_proxy"]
    if never >= 0.005:
        said += f" (with {never:.2f} of it above from the start, never led by the proxy)"
    time = flip["time"]
    if time is not None and flip["crosses"] >= 0.05:
        said += (
            f"; if it overtakes (probability {flip['crosses']:.2f}), then after "
            f"{short3(time['value'])} ({short3(time['lower'])} to {short3(time['upper'])}) {STEPS}"
        )
    return f"{said}."


def proxy_said(run: Entry) -> list[str]:
    """Say whether P(proxy step) rises and falls, fitted and measured."""
    proxy = run["proxy"]
    top = proxy["largest_measured"]
    measured = (
        f"The largest measured P(proxy step) is {top['value']:.2f}, after {short3(top['t'])} "
        f"{STEPS}."
    )
    if proxy["family"] is None:
        return [f"P(proxy step) could not be fitted: {proxy['reason']}", measured]
    return [_peak_said(proxy), measured]


def _peak_said(proxy: Entry) -> str:
    family, peak = family_words(proxy["family"]), proxy["peak"]
    given = f"(probability {proxy['family_probability']:.2f})"
    if peak is None:
        rest = proxy["transient_probability"] or 0.0
        return (
            f"P(proxy step) is most likely {family} {given}, without a turn; transient with "
            f"probability {rest:.2f}."
        )
    height, time = peak["height"], peak["time"]
    verb = "turns up again at" if peak["kind"] == "trough" else "peaks at"
    turn = (
        f"{verb} {height['value']:.2f} ({height['lower']:.2f} to {height['upper']:.2f}) after "
        f"{short3(time['value'])} ({short3(time['lower'])} to {short3(time['upper'])}) {STEPS}."
    )
    if proxy["verdict"] == "decided":
        return f"P(proxy step) is {family} {given}: it {turn}"
    return f"If P(proxy step) is {family} {given}, it {turn}"


def success_said(run: Entry) -> list[str]:
    """Say how much success there was when the goal took the lead."""
    success = run["success"]
    if success["before"] is None:
        return []
    return [
        f"Success on training levels was {success['before']:.2f} and {success['after']:.2f} at "
        f"the two checkpoints around the switch, and {success['last']:.2f} at the end."
    ]


def last_said(run: Entry) -> str:
    """Say what the agent pursues at the end, with the error over levels."""
    last = run["last"]
    errors = " (± se over levels)" if last[GOAL]["se"] is not None else ""
    return (
        f"At the end P(goal step) = {_pm(last[GOAL])} and P(proxy step) = {_pm(last[PROXY])}, "
        f"with the cheese removed {_pm(last[BLIND])}{errors}."
    )


def _pm(reading: Entry) -> str:
    se = reading["se"]
    return f"{reading['value']:.3f}" + ("" if se is None else f" ± {se:.3f}")


def rung_sentence(alpha: float, rung: Sequence[Entry]) -> str:
    """Say what the runs of one rung did together: counts and ranges, never averages."""
    switched = [run for run in rung if has_switched(run)]
    where = f", {_brackets(switched)}" if switched else ""
    parts = [
        f"{label(alpha)}, {plural(len(rung), 'run')}: measured, the goal comes to lead for good "
        f"in {len(switched)}{where}.",
        f"{upper_first(_ends(rung))}.",
        f"P(proxy step) is transient with probability {_range(_transients(rung))}; its largest "
        f"measured value is {_range([r['proxy']['largest_measured']['value'] for r in rung])}.",
    ]
    for name, said in ((GOAL, "P(goal step)"), (PROXY, "P(proxy step)")):
        parts.append(f"At the end {said} is {_range([r['last'][name]['value'] for r in rung])}.")
    never = _never(rung)
    return " ".join([*parts, f"{upper_first(never)}."] if never else parts)


def _transients(rung: Sequence[Entry]) -> list[float]:
    found = [run["proxy"]["transient_probability"] for run in rung]
    return [value for value in found if value is not None]


def _range(values: Sequence[float]) -> str:
    if not values:
        return "unknown"
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low} to {high}"


def hidden_sentence(runs: Sequence[Entry]) -> str:
    """Say how much of its final success each run had when its goal took the lead."""
    switched = [run for run in runs if has_switched(run)]
    if not switched:
        return "In no run did the goal take the lead from the proxy."
    now = _range([run["success"]["after"] for run in switched])
    last = _range([run["success"]["last"] for run in switched])
    return (
        f"At the first checkpoint after the goal took the lead ({plural(len(switched), 'run')}), "
        f"success on training levels stood at {now}; at the end at {last}."
    )
