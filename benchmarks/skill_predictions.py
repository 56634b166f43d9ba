"""Several skills: when trained agents have them, as predicted and as seen (T11, T12)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.prediction_rows import (
    SHARE,
    Row,
    ladder_slope,
    middle,
    resampled,
    resolution,
    slope,
)
from empirics.agent_run import AgentRun
from empirics.lock import LockCell, train_locks
from empirics.skill_cell import OneSkill, SkillCell, SkillRule
from empirics.skills import skill_onsets, train_skills
from theory.mechanism import Mechanism
from theory.mechanisms import MECHANISMS
from theory.mechanisms import ray_interference as ray

FloatArray = NDArray[np.float64]
COSINES = (0.0, -0.2, -0.4, -0.6)
NATURAL = SkillRule.NATURAL_POLICY_GRADIENT
PLAYED = 20_000


def t11_composition(seeds: int) -> Iterator[Row]:
    """T11: a task that needs several skills comes when the product of their chances does."""
    one = SkillCell(0.05, 0.01, 1, update_rule=NATURAL, batch_size=64)
    for number in (1, 2, 4, 8):
        yield from composition(replace(one, n_skills=number, learning_rate=0.01 * number), seeds)
    yield from composition(
        replace(one, n_skills=2, learning_rate=0.02, frequency_exponent=2.0), seeds
    )


def composition(cell: SkillCell, seeds: int) -> Iterator[Row]:
    """Compare the onset of a composed task with composition and with one skill as rare."""
    mechanism, given = MECHANISMS["composition"], cell.conditions(0)
    expected = mechanism.onset(given)
    runs = train_skills([cell], range(seeds), updates=int(3 * expected), checkpoints=2000)
    onsets = np.array([middle(run.curve("p_composed")) for run in runs])
    found = resampled([onsets], lambda s: np.median(s[0]))
    arm = f"skills: {cell.n_skills}, frequency ratio {given['frequency_ratio']:g}"
    what = "onset of the composed task"
    yield Row("T11", arm, what, expected, *found, SHARE * expected)
    if cell.n_skills == 1 or cell.frequency_exponent:
        return
    rare = cell.initial_probability**cell.n_skills
    hard = mechanism.onset({**given, "n_subskills": 1, "initial_probability": rare})
    yield Row("T11", f"one hard skill (expected to fail): {arm}", what, hard, *found, SHARE * hard)
    quotients = played(runs, np.random.default_rng(0))
    found = resampled([quotients], lambda s: s[0].mean())
    what = "success played out over the product of the skills', played apart"
    yield Row("T11", arm, what, 1.0, *found, SHARE)


def played(runs: Sequence[AgentRun], rng: np.random.Generator) -> FloatArray:
    """Return J/Π p of each run from fresh episodes, at the point where J is next to one half."""
    found = []
    for run in runs:
        at = int(np.argmin(np.abs(run.curve("p_composed").y - 0.5)))
        p = [curve.y[at] for curve in run.curves if curve.observable.startswith("p_skill")]
        right = rng.random((PLAYED, len(p))) < p
        apart = rng.binomial(PLAYED, p) / PLAYED
        found.append(right.all(axis=1).mean() / apart.prod())
    return np.array(found)


def t11_means(seeds: int) -> Iterator[Row]:
    """T11: of means over runs the product does not hold where skills come together."""
    cell = LockCell(0.25, 0.5)
    runs = train_locks([cell], range(seeds), updates=3000, steps=True)
    p = np.array([[run.curve(f"p_step_{h}").y for h in (1, 2, 3)] for run in runs])
    at = int(np.argmin(np.abs(p.prod(axis=1).mean(axis=0) - 0.5)))
    found = resampled(
        [np.arange(seeds)],
        lambda s: p[s[0], :, at].prod(axis=1).mean() / p[s[0], :, at].mean(axis=0).prod(),
    )
    arm = "lock of 3 steps, means over runs (expected to fail)"
    yield Row("T11", arm, "mean success over the product of the steps' means", 1.0, *found, SHARE)


def two_skills(cosine: float, on_policy: bool) -> SkillCell:
    """Return two skills that start at chances of 0.2 and 0.1."""
    return SkillCell(0.2, 0.1, 2, 0.5, gradient_cosine=cosine, on_policy=on_policy, batch_size=64)


def interference(cell: SkillCell) -> tuple[Mechanism, dict[str, Any]]:
    """Return the mechanism of an arm and its conditions.

    Off policy the chance of a reward no longer follows the skill: f is the fixed policy's chance
    times 1 - J instead of J (1 - J).
    """
    first, second = cell.starts.tolist()
    given = {**cell.conditions(0), "initial_first": first, "initial_second": second}
    mechanism = MECHANISMS["ray_interference"]
    if cell.on_policy:
        return mechanism, given
    pull_first, pull_second = (
        cell.behavior_probability * (1 - ray.success(z)) for z in (ray.FIRST, ray.SECOND)
    )
    dynamics = (
        ray.SPEED * (pull_first + ray.COSINE * pull_second),
        ray.SPEED * (pull_second + ray.COSINE * pull_first),
    )
    return replace(mechanism, name="fixed_data", dynamics=dynamics), given


def second_onset(cell: SkillCell) -> float:
    """Return the onset of the second skill that the mean field of an arm implies."""
    mechanism, given = interference(cell)
    return mechanism.onset(given)


def first_onset(cell: SkillCell) -> float:
    """Return the onset of the first."""
    mechanism, given = interference(cell)
    return replace(mechanism, onset_observable="p_first").onset(given)


def t12_delays(seeds: int) -> Iterator[Row]:
    """T12: how much later the second skill comes, to the first and to when they are separate."""
    for on_policy, data in ((True, "on-policy"), (False, "fixed data")):
        cells = [two_skills(cosine, on_policy) for cosine in COSINES]
        predicted = [second_onset(cell) for cell in cells]
        onsets = [
            skill_onsets(cell, seeds, 0, int(3 * onset))
            for cell, onset in zip(cells, predicted, strict=True)
        ]
        for cell, second, seen in zip(cells, predicted, onsets, strict=True):
            arm = f"{data}, cosine {cell.gradient_cosine:g}"
            ratio = second / first_onset(cell)
            found = resampled(list(seen.T), lambda s: np.median(s[1]) / np.median(s[0]))
            number = "onset of the second skill over that of the first"
            yield Row("T12", arm, number, ratio, *found, SHARE * ratio)
            if cell.gradient_cosine == 0:
                continue
            ratio = second / predicted[0]
            found = resampled(
                [seen[:, 1], onsets[0][:, 1]], lambda s: np.median(s[0]) / np.median(s[1])
            )
            number = "onset of the second skill over that without sharing"
            yield Row("T12", arm, number, ratio, *found, SHARE * ratio)


def t12_plateaus(seeds: int) -> Iterator[Row]:
    """T12: a plateau only where skills share parameters and the better one takes the data.

    A plateau is the part of the way to the second skill's onset at whose end its chance is still
    below where it began.
    """
    for cosine, parameters in ((0.0, "separate"), (-0.6, "shared")):
        for on_policy, data in ((True, "on-policy"), (False, "fixed data")):
            cell = two_skills(cosine, on_policy)
            mechanism, given = interference(cell)
            updates = int(3 * second_onset(cell))
            runs = train_skills([cell], range(seeds), updates=updates, checkpoints=2000)
            t = runs[0].curves[0].t
            states, _ = mechanism.integrate(given, t)
            mean = mechanism.observe("p_second", states, mechanism.values(given))
            shares = np.array([plateau(t, run.curve("p_skill_2").y) for run in runs])
            yield Row(
                "T12",
                f"{parameters}, {data}",
                "plateau of the second skill, as a share of the time to its onset",
                plateau(t, mean),
                *resampled([shares], lambda s: np.median(s[0])),
                SHARE,
            )


def plateau(t: FloatArray, y: FloatArray) -> float:
    """Return the last time below the start, over the first at one half; 1 if there is none."""
    if y.max() < 0.5:
        return 1.0
    onset = float(t[np.argmax(y >= 0.5)])
    below = t[(y < y[0]) & (t < onset)]
    return float(below[-1]) / onset if below.size else 0.0


def skill_frequencies(seeds: int) -> Iterator[Row]:
    """Onsets go as 1/frequency; the loss over many skills as a power of time."""
    mechanism = MECHANISMS["skill_frequencies"]
    plain = SkillCell(0.1, 0.5, 6, frequency_exponent=1.0)
    for arm, cell in (
        ("policy gradient", plain),
        ("policy gradient, fixed data", replace(plain, on_policy=False)),
        ("natural policy gradient", replace(plain, learning_rate=0.05, update_rule=NATURAL)),
    ):
        rungs = cell.frequencies.tolist()
        skills = [OneSkill(cell, k + 1).conditions(0) for k in range(cell.n_skills)]
        predicted = float(slope(rungs, np.array([mechanism.onset(given) for given in skills])))
        onsets = list(skill_onsets(cell, 4 * seeds, 0, 100_000).T)
        found = resampled(onsets, lambda s, rungs=rungs: ladder_slope(s, rungs))
        number = "slope of ln onset on ln frequency"
        yield Row("skills", arm, number, predicted, *found, resolution(onsets, rungs))
    yield from loss_of_many(mechanism)


def loss_of_many(mechanism: Mechanism) -> Iterator[Row]:
    """Compare the exponent of the loss between the onsets of the 3rd and the 100th skill.

    A replicator is the mechanism's logistic at half its step.
    """
    cell = SkillCell(
        0.01,
        0.5,
        300,
        frequency_exponent=2.0,
        update_rule=NATURAL,
        exact_gradient=True,
    )
    skills = [
        {**OneSkill(cell, k + 1).conditions(0), "step_factor": 0.5} for k in range(cell.n_skills)
    ]
    window = [mechanism.onset(skills[k - 1]) for k in (3, 100)]
    (run,) = train_skills([cell], [0], updates=int(window[1]), checkpoints=200)
    t = run.curves[0].t
    late = t >= window[0]
    learned = np.array([mechanism.integrate(given, t)[0][:, 0] for given in skills])
    losses = (1 - cell.frequencies @ learned, 1 - run.curve("p_correct").y)
    expected, observed = (float(np.polyfit(np.log(t[late]), np.log(y[late]), 1)[0]) for y in losses)
    a = cell.frequency_exponent - 1
    number = f"slope of ln loss on ln t (limit {-a / (a + 1):.2f})"
    arm = "natural, 300 skills, exact gradient"
    yield Row("skills", arm, number, expected, observed, observed, observed, 0.01)
