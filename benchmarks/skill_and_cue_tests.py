"""Predictions of mechanisms against trained agents: competing cues and several skills.

    python -m benchmarks.skill_and_cue_tests [--seeds N]

As `benchmarks.discriminating_tests`, for agents of `empirics.cue_competition` and
`empirics.skills`: the ladder of conflicts (T9), pretraining without conflicts (T10), composed
skills (T11), ray interference with each of its two causes taken away (T12), and skills that are
met at different rates. The table is written to benchmarks/skill_and_cue_tests.md.

The mechanisms follow the mean update; how far the median of sampled runs may be from it was
fixed beforehand: `SLOPE` on slopes, `SHARE` of a ratio.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from benchmarks.prediction_rows import Row, ladder_slope, resampled, resolution, slope, write_page
from empirics.cue_competition import CueCell, UpdateRule, train_cue_agents
from empirics.lock import LockCell, train_locks
from empirics.skill_cell import OneSkill, SkillCell, SkillRule
from empirics.skills import skill_onsets, train_skills
from theory.curve import Curve
from theory.implication import ImplicationKind
from theory.mechanism import Mechanism
from theory.mechanisms import MECHANISMS
from theory.mechanisms import ray_interference as ray
from theory.onset import lasting_onset

FloatArray = NDArray[np.float64]
HERE = Path(__file__).parent
SLOPE, SHARE = 0.05, 0.05
ALPHAS = (0.05, 0.02, 0.01, 0.005)
RATIOS = (1.2, 1.35, 1.5)
RATES: Mapping[UpdateRule, float] = {
    UpdateRule.DELTA_RULE: 0.01,
    UpdateRule.POLICY_GRADIENT: 0.25,
    UpdateRule.NORMALIZED_CRITIC: 0.05,
}
COSINES = (0.0, -0.2, -0.4, -0.6)
PLAYED = 20_000


def middle(curve: Curve) -> float:
    """Return when a curve passes one half for good, to half the spacing of its points."""
    onset = lasting_onset(curve)
    return (onset.lower + onset.upper) / 2


def flips(cell: CueCell, seeds: int, expected: float) -> FloatArray:
    """Return when runs turn to the goal; those that take three times as long are censored."""
    runs = train_cue_agents(
        [cell], range(seeds), updates=int(3 * expected), checkpoints=2000, observables=()
    )
    return np.array([middle(run.curves[0]) for run in runs])


def t9_ladder_of_conflicts(seeds: int) -> Iterator[Row]:
    """T9: the exponent of the flip in alpha, and how it grows with the salience of the proxy."""
    for rule, rate in RATES.items():
        mechanism = MECHANISMS[f"cue_{rule}"]
        law = next(
            i
            for i in mechanism.implications
            if i.kind is ImplicationKind.CONDITION and i.condition == "alpha"
        )
        for ratio in RATIOS:
            cells = [CueCell(alpha, ratio, rule, rate) for alpha in ALPHAS]
            predicted = [mechanism.onset(cell.conditions(0)) for cell in cells]
            limit = float(law.exponent.subs("salience_ratio", ratio))
            onsets = [
                flips(cell, seeds, onset) for cell, onset in zip(cells, predicted, strict=True)
            ]
            yield Row(
                "T9",
                f"{rule}, ratio {ratio}",
                f"slope of ln flip on ln alpha (limit {limit:.2f})",
                float(slope(ALPHAS, np.array(predicted))),
                *resampled(onsets, lambda s: slope(ALPHAS, np.median(s, axis=1))),
                SLOPE,
            )


def t9_proxy_bump(seeds: int) -> Iterator[Row]:
    """T9: when the weight of an equally salient proxy peaks under the delta rule."""
    mechanism = MECHANISMS["cue_delta_rule"]
    bump = next(i for i in mechanism.implications if i.form == "bump")
    for alpha in (0.1, 0.05, 0.02):
        cell = CueCell(alpha, 1.0, UpdateRule.DELTA_RULE, RATES[UpdateRule.DELTA_RULE])
        values = mechanism.values(cell.conditions(0))
        closed = float(bump.where["peak"].subs(values))
        runs = train_cue_agents(
            [cell],
            range(seeds),
            updates=int(10 * closed),
            checkpoints=400,
            observables=["w_proxy"],
        )
        t = runs[0].curves[0].t
        states, _ = mechanism.integrate(cell.conditions(0), t)
        found = np.array([peak(t, run.curve("w_proxy").y) for run in runs])
        expected = peak(t, states[:, 1])
        yield Row(
            "T9",
            f"delta_rule, ratio 1, alpha {alpha}",
            f"peak of the proxy's weight (closed form {closed:.1f})",
            expected,
            *resampled([found], lambda s: np.median(s[0])),
            SHARE * expected,
        )


def peak(t: FloatArray, y: FloatArray) -> float:
    """Return the top of a parabola in ln t through the points within a tenth of the highest."""
    high = (y > 0.9 * y.max()) & (t > 0)
    a, b, _ = np.polyfit(np.log(t[high]), y[high], 2)
    return float(np.exp(-b / (2 * a)))


def t10_blocking(seeds: int) -> Iterator[Row]:
    """T10: what the proxy learned without conflicts delays the goal, unless learners are Bayesian.

    Both count updates with conflict levels. A Bayesian learner weighs them the same whatever
    came before: their ratio is 1.
    """
    for rule, rate in RATES.items():
        mechanism = MECHANISMS[f"cue_{rule}"]
        plain = CueCell(0.02, 1.5, rule, rate)
        alone = mechanism.onset(plain.conditions(0))
        mixed = flips(plain, seeds, alone)
        for first in (500, 2000):
            cell = replace(plain, pretrained_updates=first)
            onset = mechanism.onset(cell.conditions(0))
            expected = (onset - first) / alone
            found = resampled(
                [flips(cell, seeds, onset) - first, mixed],
                lambda s: np.median(s[0]) / np.median(s[1]),
            )
            arm = f"{rule}, {first} updates of pretraining"
            number = "conflict updates to the flip over those without pretraining"
            yield Row("T10", arm, number, expected, *found, SHARE * expected)
            said = "expected to fail" if abs(expected - 1) > SHARE else "cannot tell here"
            yield Row("T10", f"Bayes ({said}): {arm}", number, 1.0, *found, SHARE)


def composed(cell: SkillCell) -> dict[str, Any]:
    """Return the conditions of composition: its step is that on the first skill alone."""
    step = cell.learning_rate * float(cell.frequencies[0])
    return {**cell.conditions(0), "learning_rate": step}


def t11_composition(seeds: int) -> Iterator[Row]:
    """T11: a task that needs several skills comes when the product of their chances does."""
    mechanism = MECHANISMS["composition"]
    natural = SkillCell(0.05, 0.01, 1, update_rule=SkillRule.NATURAL_POLICY_GRADIENT, batch_size=64)
    cells = [replace(natural, n_skills=m, learning_rate=0.01 * m) for m in (1, 2, 4, 8)]
    cells += [replace(natural, n_skills=2, learning_rate=0.02, frequency_exponent=2.0)]
    for cell in cells:
        given = composed(cell)
        expected = mechanism.onset(given)
        runs = train_skills([cell], range(seeds), updates=int(3 * expected), checkpoints=2000)
        onsets = np.array([middle(run.curve("p_composed")) for run in runs])
        found = resampled([onsets], lambda s: np.median(s[0]))
        arm = f"{cell.n_skills} skills, frequency ratio {given['frequency_ratio']:g}"
        yield Row("T11", arm, "onset of the composed task", expected, *found, SHARE * expected)
        if cell.n_skills == 1 or cell.frequency_exponent:
            continue
        chance = cell.initial_probability**cell.n_skills
        hard = mechanism.onset({**given, "n_subskills": 1, "initial_probability": chance})
        arm = f"one hard skill (expected to fail): {arm}"
        yield Row("T11", arm, "onset of the composed task", hard, *found, SHARE * hard)
        number = "success played out over the product of the skills', played apart"
        quotients = played(runs, np.random.default_rng(0))
        found = resampled([quotients], lambda s: s[0].mean())
        yield Row("T11", f"{cell.n_skills} skills", number, 1.0, *found, 0.05)


def played(runs: Sequence[Any], rng: np.random.Generator) -> FloatArray:
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
    yield Row("T11", arm, "mean success over the product of the steps' means", 1.0, *found, 0.05)


def two_skills(cosine: float, on_policy: bool) -> SkillCell:
    """Return two skills that start at chances of 0.2 and 0.1."""
    return SkillCell(0.2, 0.1, 2, 0.5, gradient_cosine=cosine, on_policy=on_policy, batch_size=64)


def interference(cell: SkillCell) -> tuple[Mechanism, dict[str, Any]]:
    """Return the mechanism of an arm and its conditions: its step is that on each skill.

    Off policy the chance of a reward no longer follows the skill: f is the fixed policy's chance
    times 1 - J instead of J (1 - J).
    """
    given = {**cell.conditions(0), "learning_rate": cell.learning_rate / 2}
    mechanism = MECHANISMS["ray_interference"]
    if cell.on_policy:
        return mechanism, given
    first, second = (
        cell.behavior_probability * (1 - ray.success(z)) for z in (ray.FIRST, ray.SECOND)
    )
    dynamics = (
        ray.SPEED * (first + ray.COSINE * second),
        ray.SPEED * (second + ray.COSINE * first),
    )
    return replace(mechanism, name="fixed_data", dynamics=dynamics), given


def t12_rays(seeds: int) -> Iterator[Row]:
    """T12: a plateau only where skills share parameters and the better one takes the data."""
    for on_policy in (True, False):
        for cosine in COSINES if on_policy else (0.0, -0.6):
            cell = two_skills(cosine, on_policy)
            mechanism, given = interference(cell)
            second = mechanism.onset(given)
            first = replace(mechanism, onset_observable="p_first").onset(given)
            runs = train_skills([cell], range(seeds), updates=int(3 * second), checkpoints=2000)
            t = runs[0].curves[0].t
            states, _ = mechanism.integrate(given, t)
            mean = mechanism.observe("p_second", states, mechanism.values(given))
            shared = "shared" if cosine else "separate"
            data = "on-policy" if on_policy else "fixed data"
            arm = f"{shared}, {data}, cosine {cosine:g}"
            onsets = skill_onsets(cell, seeds, 0, int(3 * second))
            number = "onset of the second skill over that of the first"
            found = resampled(
                [onsets[:, 0], onsets[:, 1]], lambda s: np.median(s[1]) / np.median(s[0])
            )
            yield Row("T12", arm, number, second / first, *found, SHARE * second / first)
            if cosine in (0.0, -0.6):
                shares = np.array([plateau(t, run.curve("p_skill_2").y) for run in runs])
                yield Row(
                    "T12",
                    arm,
                    "plateau: share of the way to its onset that the second is below its start",
                    plateau(t, mean),
                    *resampled([shares], lambda s: np.median(s[0])),
                    SHARE,
                )


def plateau(t: FloatArray, y: FloatArray) -> float:
    """Return the last time below the start, over the first at one half."""
    onset = float(t[np.argmax(y >= 0.5)])
    below = t[(y < y[0]) & (t < onset)]
    return float(below[-1]) / onset if below.size else 0.0


def skill_frequencies(seeds: int) -> Iterator[Row]:
    """Onsets go as 1/frequency; the loss over many skills as a power of time."""
    mechanism = MECHANISMS["skill_frequencies"]
    plain = SkillCell(0.1, 0.5, 6, frequency_exponent=1.0)
    natural = SkillRule.NATURAL_POLICY_GRADIENT
    for arm, cell in (
        ("policy gradient", plain),
        ("policy gradient, fixed data", replace(plain, on_policy=False)),
        ("natural policy gradient", replace(plain, learning_rate=0.05, update_rule=natural)),
    ):
        rungs = cell.frequencies.tolist()
        skills = [OneSkill(cell, k + 1).conditions(0) for k in range(cell.n_skills)]
        predicted = float(slope(rungs, np.array([mechanism.onset(given) for given in skills])))
        onsets = list(skill_onsets(cell, seeds, 0, 100_000).T)
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
        update_rule=SkillRule.NATURAL_POLICY_GRADIENT,
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


def main() -> None:
    """Run every test and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    args = parser.parse_args()
    tests = (
        t9_ladder_of_conflicts(args.seeds),
        t9_proxy_bump(args.seeds),
        t10_blocking(args.seeds),
        t11_composition(args.seeds),
        t11_means(args.seeds),
        t12_rays(args.seeds),
        skill_frequencies(args.seeds),
    )
    write_page(
        HERE / "skill_and_cue_tests.md",
        "Competing cues and several skills: predictions against trained agents",
        f"python -m benchmarks.skill_and_cue_tests --seeds {args.seeds}",
        tests,
    )


if __name__ == "__main__":
    main()
