"""States that move with the policy: equal coefficients at the optimum, unequal on a plateau."""

from __future__ import annotations

import torch
from torch import Tensor

from empirics.llc.estimate import estimate_llc
from empirics.llc.hmc import HMC
from empirics.llc.potential import Potential
from empirics.llc.potentials.freeze_states import uniform_states
from empirics.llc.potentials.frozen_regret import frozen_regret
from empirics.llc.potentials.outputs import LinearOutputs, tabular_outputs
from empirics.llc.potentials.tabular_regret import tabular_regret
from empirics.tabular.corner import corner_mdp
from empirics.tabular.optimum import optimum
from papers.elliott2026_stagewise_rl.effort import chain_plan
from papers.elliott2026_stagewise_rl.expected import agrees, distrust, localized_llc, rank, trust
from papers.elliott2026_stagewise_rl.plateau import CENTER, by_quadrature, plateau
from papers.llc_ladder.rung import Check, Rung
from papers.proposals import Progress

NAME = "Visits that move with the policy"
MDP = corner_mdp()
TABLE = tabular_outputs(9, 4)
TEMPERATURE = 0.3
NEWTON_STEPS = 50
Cell = str | int | float | None


def rung(*, seed: int, scale: str, progress: Progress) -> Rung:
    """Compare the regret with frozen and with moving visits, at an optimum and on plateaus."""
    progress(NAME, 0, 3)
    best = at_optimum(seed=seed, scale=scale)
    progress(NAME, 1, 3)
    flat = on_plateau(seed=seed, scale=scale)
    progress(NAME, 2, 3)
    blind, rows = with_shared_logits()
    progress(NAME, 3, 3)
    return Rung(
        NAME,
        "The states in which the policy is judged are those it visits, and they move with it.",
        (
            "By the performance difference lemma regret is a sum over states of the visits times "
            "what is lost there. At a global optimum no term is negative, and bounded weights do "
            "not matter: freezing the visits leaves the coefficient. Where the policy cannot be "
            "optimal terms cancel, and freezing keeps directions that the regret does not have.",
        ),
        checks=(*best, *flat, *blind),
        trust=(
            trust("regret with moving visits", (*best[:2], *flat[:2]), "agrees with exact values"),
            trust("frozen visits at a global optimum", best[2:], "the coefficient of the regret"),
            distrust(
                "frozen visits elsewhere",
                (*flat[2:4], *blind),
                "another rank, or another minimum, than the regret has",
            ),
        ),
        tables=(
            (
                "one set of logits for all squares of the corner, at its best (temperature 0.3)",
                ("energy", "gradient", "upward directions", "least curvature", "largest curvature"),
                rows,
            ),
        ),
    )


def at_optimum(*, seed: int, scale: str) -> tuple[Check, ...]:
    """Return the checks at the best policy with a temperature: rank and chains of each energy."""
    center = optimum(MDP, TEMPERATURE).policy.log().reshape(1, -1)
    checks = []
    for name, potential in {
        "moving": tabular_regret(MDP, TABLE, temperature=TEMPERATURE),
        "frozen at its own": frozen_regret(MDP, TABLE, center, temperature=TEMPERATURE),
        "uniform": frozen_regret(
            MDP, TABLE, center, temperature=TEMPERATURE, frozen=uniform_states(MDP)
        ),
    }.items():
        nbeta, localization = 1e6, 1e5
        hessian = potential.hessian(center)[0]
        scales = hessian.diagonal().rsqrt()
        plan = chain_plan(scale, nbeta, localization)
        sampler = HMC(1e-7, num_leapfrog_steps=5)
        found = estimate_llc(potential, center, sampler, plan, seed=seed, scales=scales)[0]
        exact = localized_llc(hessian, nbeta, localization, scales)
        directions = rank(hessian)
        checks += [
            Check(
                f"at the optimum {name} visits give rank 27",
                f"rank {directions}, half of it {directions / 2}",
                directions == 27,
            ),
            agrees(f"at the optimum chains with {name} visits read the localized value",
                   found, exact),
        ]  # fmt: skip
    return tuple(checks)


def on_plateau(*, seed: int, scale: str) -> tuple[Check, ...]:
    """Return the checks on the plateau: rank 1 against 2, chains against quadrature."""
    mdp, logits = plateau()
    energies: dict[str, tuple[Potential, int]] = {
        "moving": (tabular_regret(mdp, logits), 1),
        "frozen": (frozen_regret(mdp, logits, CENTER), 2),
        "judged by the checkpoint, frozen": (
            frozen_regret(mdp, logits, CENTER, judge="checkpoint"),
            1,
        ),
    }
    checks = []
    for name, (potential, expected) in energies.items():
        directions = rank(potential.hessian(CENTER)[0])
        checks.append(
            Check(
                f"on the plateau {name} visits give rank {expected}",
                f"rank {directions}",
                directions == expected,
            )
        )
        if name.startswith("judged"):
            continue
        plan = chain_plan(scale, 2000.0, 20.0)
        sampler = HMC(1.5e-3, num_leapfrog_steps=6)
        found = estimate_llc(potential, CENTER, sampler, plan, seed=seed)[0]
        exact = by_quadrature(potential.energy, 2000.0, 20.0)
        checks.append(agrees(f"on the plateau chains with {name} visits read the quadrature",
                             found, exact))  # fmt: skip
    return tuple(checks)


def with_shared_logits() -> tuple[tuple[Check, ...], tuple[tuple[Cell, ...], ...]]:
    """Return a check and a table at the best policy that cannot tell squares apart."""
    blind = LinearOutputs(torch.eye(4, dtype=torch.float64).expand(9, 4, 4))
    moving = tabular_regret(MDP, blind, temperature=TEMPERATURE)
    center = newton(moving)
    rows: list[tuple[Cell, ...]] = []
    slopes = {}
    for name, potential in {
        "moving visits": moving,
        "frozen, judged by the best policy": frozen_regret(
            MDP, blind, center, temperature=TEMPERATURE
        ),
        "frozen, judged by the checkpoint": frozen_regret(
            MDP, blind, center, judge="checkpoint", temperature=TEMPERATURE
        ),
    }.items():
        slope = float(potential.energy_and_gradient(center[None])[1].norm())
        values = torch.linalg.eigvalsh(potential.hessian(center)[0])
        values = values[values.abs() > 1e-9 * values.abs().max()]
        up, least, most = int((values > 0).sum()), float(values.min()), float(values.max())
        rows.append((name, slope, up, least, most))
        slopes[name] = slope
    judged = slopes["frozen, judged by the best policy"]
    minimum = Check(
        "with shared logits the minimum of the regret is none of the frozen one",
        f"gradient {judged:.1e} frozen, {slopes['moving visits']:.1e} moving",
        judged > 1e3 * slopes["moving visits"],
    )
    return (minimum,), tuple(rows)


def newton(potential: Potential) -> Tensor:
    """Return a minimum (1, d) from zero by Newton's steps, the flat directions left alone."""
    w = torch.zeros(1, potential.num_parameters, dtype=torch.float64)
    for _ in range(NEWTON_STEPS):
        slope = potential.energy_and_gradient(w[None])[1][0, 0]
        values, vectors = torch.linalg.eigh(potential.hessian(w)[0])
        step = vectors.T @ slope / values.abs().clamp(min=1e-3)
        w = w - (vectors @ step).clamp(-1, 1)
    return w
