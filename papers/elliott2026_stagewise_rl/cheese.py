"""Cheese in the corner: stages of training, and what the learning coefficient says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fitting.comparison import Comparison
from papers.elliott2026_stagewise_rl.cheese_energies import (
    ENERGIES,
    IN_CORNER,
    LOCALIZATION,
    NBETA,
    REGRET,
    UNIFORM,
    VISITED,
    Along,
    along,
)
from papers.elliott2026_stagewise_rl.cheese_moves import (
    chain_moves,
    exact_moves,
    transition_in_corner,
)
from papers.elliott2026_stagewise_rl.cheese_peaks import (
    PEAKED,
    matched_curves,
    peak_scores,
    peaks_find,
)
from papers.elliott2026_stagewise_rl.cheese_quadratic import (
    ENTROPY,
    FINE,
    MATCHED,
    chains_agree,
    quadratic,
    quadratic_curve,
)
from papers.elliott2026_stagewise_rl.cheese_runs import (
    ELSEWHERE,
    PLANS,
    WHOLE,
    CheesePlan,
    Trained,
    trained,
)
from papers.elliott2026_stagewise_rl.cheese_values import (
    COLUMNS,
    Floats,
    Quadratics,
    Read,
    value_rows,
)
from papers.elliott2026_stagewise_rl.expected import distrust, share_below, trust
from papers.llc_ladder.detector import (
    BOUNDARY_FORMS,
    Detection,
    DetectorScore,
    detect,
    midpoints,
    score,
)
from papers.llc_ladder.rung import Check, Rung, Trust
from papers.proposals import Progress, propose_all
from theory.curve import Curve

NAME = "Cheese in the corner: stages of an agent"
TOLERANCE = 0.1
"""Largest distance of a stage from its transition, as a share of training."""
BEHAVIORS = (VISITED, UNIFORM, IN_CORNER)
MOST_OPPOSED = 0.9
"""Share of steps in which opposing staircases must move against each other."""


def rung(*, seed: int, scale: str, progress: Progress) -> Rung:
    """Train agents with and without a transition, read their coefficients, find their stages."""
    if scale not in PLANS:
        raise ValueError(f"no scale {scale!r}; choose from {', '.join(PLANS)}.")
    plan = PLANS[scale]
    progress("Training cheese agents", 0, 2)
    agents = trained(plan.alpha, plan.num_seeds, plan, seed=seed)
    progress("Training cheese agents", 1, 2)
    control = trained(0.0, plan.num_control_seeds, plan, seed=seed)
    progress("Training cheese agents", 2, 2)
    read: dict[str, tuple[tuple[Along, ...], tuple[Along, ...]]] = {}
    for i, observable in enumerate(ENERGIES):
        progress("Learning coefficients of cheese agents", i, len(ENERGIES))
        read[observable] = (
            along(agents, observable, seed=seed, scale=scale),
            along(control, observable, seed=seed, scale=scale),
        )
    progress("Learning coefficients of cheese agents", len(ENERGIES), len(ENERGIES))
    quadratics = {
        name: (
            tuple(quadratic(each, name) for each in agents),
            tuple(quadratic(each, name) for each in control),
        )
        for name in (*BEHAVIORS, MATCHED)
    }
    curves = curves_of(agents, control, read, quadratics, plan)
    scores, comparisons = detected(curves, plan, seed=seed, progress=progress)
    made = page(plan, read, quadratics, scores, comparisons)
    matched = matched_curves((agents, control), quadratics)
    return replace(made, curves=(*(curve for _, _, curve in curves), *matched))


def page(
    plan: CheesePlan,
    read: Read,
    quadratics: Quadratics,
    scores: tuple[DetectorScore, ...],
    comparisons: tuple[Comparison, ...],
) -> Rung:
    """Return the page of what was measured."""
    agents = [each.trained for each in read[REGRET][0]]
    kept, flagged = never_below(read), no_minimum(read[REGRET])
    exact = {name: exact_moves(agents, fine(quadratics[name])[0]) for name in BEHAVIORS}
    agree = chains_agree(
        [pair for name in BEHAVIORS for arm in range(2)
         for pair in zip(read[name][arm], quadratics[name][arm], strict=True)]
    )  # fmt: skip
    arms = (agents, [each.trained for each in read[REGRET][1]])
    peaks = peak_scores(arms, quadratics, TOLERANCE * plan.total_timesteps)
    found = {name: peaks_find(name, peaks[2 * i : 2 * i + 2]) for i, name in enumerate(PEAKED)}
    staircases = tuple(opposing(name, *exact[name]) for name in (VISITED, UNIFORM))
    dropped = transition_in_corner(
        agents, fine(quadratics[IN_CORNER]), fine(quadratics[UNIFORM]), f"quadratic at {FINE:g}"
    )
    rows = [(f"{ENERGIES[name]}, chains", *chain_moves(read[name][0])) for name in ENERGIES]
    for name in BEHAVIORS:
        early = exact_moves(agents, fine(quadratics[name])[0], to_transition=True)
        rows.append((f"{ENERGIES[name]}, quadratic", *exact[name]))
        rows.append((f"{ENERGIES[name]}, quadratic until the last transition", *early))
    return Rung(
        NAME,
        f"Networks learn by PPO; in {100 * plan.alpha:g} % of the episodes the cheese lies "
        "anywhere, else in the corner. Every checkpoint is a center, all in one batch.",
        (
            f"There are {plan.num_seeds} agents, and {plan.num_control_seeds} in the control, in "
            "which the cheese always lies in the corner. A transition is the exact regret falling "
            "through half of its drop, in the corner or elsewhere; an agent may have both. "
            f"Readings are at nbeta {NBETA:g} and localization {LOCALIZATION:g}, so that they "
            "count directions with a curvature above 0.1 and are no asymptotic coefficients. The "
            f"localized quadratic is exact, and is given at nbeta {FINE:g} too.",
            "At matched entropy every checkpoint's logits are multiplied by one number, so that "
            f"its policy has a mean entropy of {ENTROPY:.2f}: the coefficient then no longer falls "
            "because a policy sharpens. The share of its range that a peak must stand out by was "
            "chosen on the agents of seeds 0 to 7.",
        ),
        checks=(kept, agree, flagged, *staircases, dropped, *found.values()),
        detectors=(*scores, *peaks),
        trust=(
            distrust("regularized regret at checkpoints of PPO", (flagged,), flagged.measured),
            trust("behavior KL at checkpoints of PPO", (kept, agree), "chains read the quadratic"),
            Trust(
                "behavior KL on corner states for what is learned elsewhere",
                dropped.holds,
                dropped.measured,
            ),
            *(
                Trust(f"peaks of behavior KL {PEAKED[name]}", check.holds, check.measured)
                for name, check in found.items()
            ),
        ),
        tables=(
            ("mean over runs ± sd", COLUMNS, value_rows(read, quadratics)),
            (
                "steps between checkpoints in which regret and coefficient moved (chains: by more "
                f"than twice the error; quadratic at nbeta {FINE:g}: exact)",
                ("energy", "opposed", "together (reversals)", "not told apart"),
                tuple(rows),
            ),
        ),
        comparisons=comparisons,
    )


def fine(arms: tuple[tuple[Floats, ...], tuple[Floats, ...]]) -> tuple[list[Floats], list[Floats]]:
    """Return the quadratic at `FINE` of agents and control."""
    agents, control = ([each[1] for each in arm] for arm in arms)
    return agents, control


def never_below(read: Read) -> Check:
    """Return whether the behavior KL has its minimum at every checkpoint."""
    readings = [
        r for name in BEHAVIORS for arm in read[name] for each in arm for r in each.readings
    ]
    worst = max(max(r.below_center) for r in readings)
    return Check(
        "the behavior KL has its minimum at every checkpoint",
        f"{len(readings)} readings, at most {100 * worst:.0f} % of a chain's draws below",
        worst == 0,
    )


def no_minimum(arms: tuple[tuple[Along, ...], tuple[Along, ...]]) -> Check:
    """Return whether readings of the regret say that checkpoints are no minima."""
    readings = [r for arm in arms for each in arm for r in each.readings]
    said = sum(any("minimum" in doubt for doubt in r.doubts) for r in readings)
    below = float(np.mean([share_below(r) for r in readings]))
    return Check(
        "checkpoints are no minima of the regret, and the readings say so",
        f"{said} of {len(readings)} readings refuse; on average {100 * below:.0f} % of the draws "
        "lie below the checkpoint",
        said >= 0.9 * len(readings),
    )


def opposing(observable: str, opposed: int, together: int, unsure: int) -> Check:
    """Return whether regret and a coefficient form opposing staircases."""
    told = opposed + together
    return Check(
        f"opposing staircases: {ENERGIES[observable]} moves against the regret in at least "
        f"{100 * MOST_OPPOSED:g} % of the steps",
        f"{opposed} of {told} steps of the exact quadratic; {together} reversals, {unsure} without "
        "a move",
        None if told == 0 else opposed >= MOST_OPPOSED * told,
    )


def curves_of(
    agents: Sequence[Trained],
    control: Sequence[Trained],
    read: Read,
    quadratics: Quadratics,
    plan: CheesePlan,
) -> tuple[tuple[str, Trained, Curve], ...]:
    """Return the curves to be fitted, each with its detector's name and its run."""
    arms = (agents[: plan.num_fitted], control[: plan.num_control_fitted])
    found: list[tuple[str, Trained, Curve]] = []
    for arm, runs in enumerate(arms):
        suffix = ", control" if arm else ""
        for i, each in enumerate(runs):
            regret = each.run.curve(WHOLE)
            fine = quadratic_curve(each, UNIFORM, quadratics[UNIFORM][arm][i][1])
            read_off = [read[name][arm][i].curve for name in (REGRET, UNIFORM, IN_CORNER)]
            for curve in (regret, each.run.curve(ELSEWHERE), *read_off, fine):
                if curve is not None:
                    found.append((f"{curve.observable}{suffix}", each, curve))
    return tuple(found)


def detected(
    curves: Sequence[tuple[str, Trained, Curve]],
    plan: CheesePlan,
    *,
    seed: int,
    progress: Progress,
) -> tuple[tuple[DetectorScore, ...], tuple[Comparison, ...]]:
    """Score the stages of every detector's curves, with transition and without."""
    found = propose_all(
        [curve for _, _, curve in curves],
        seed=seed,
        progress=progress,
        forms=BOUNDARY_FORMS,
        noises=plan.noises,
    )
    tolerance = TOLERANCE * plan.total_timesteps
    scored: dict[str, list[Detection | None]] = {}
    for (name, each, _), comparison in zip(curves, found, strict=True):
        middles = midpoints(comparison)
        hit = None if middles is None else detect(middles, each.transitions, tolerance=tolerance)
        scored.setdefault(name, []).append(hit)
    return tuple(score(name, runs) for name, runs in scored.items()), found
