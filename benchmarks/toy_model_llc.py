"""The toy model's learning coefficients at finite n: the posterior's own, and what SGLD finds.

    python -m benchmarks.toy_model_llc

The potential is the population loss, nbeta = n/ln n, and the center one of three critical points
with six features (5, 5+, 6; Chen et al. 2023). The posterior is taken within the phase: as many
features represented, as many positive biases of others (`empirics.llc.toy_model_phase`). HMC draws
from it exactly, since moves that end outside are refused; its share of them is counted. Scales
are 1, because scales would change the localization and so the posterior: trajectories are as long
as a quarter of the period of the flat directions instead.

In equilibrium the mean of v·∇U is that of div v for any field v. The virial takes v = w - w*; at
weak localization chains go round the circle of rotated copies, and it is noise. The virial along
the orbit takes v = w - R w*, R w* the nearest rotated copy. Both are given over d = 18; a wall of
the phase takes a little off.

SGLD runs on the whole loss, and its chains can leave the phase and come back; draws within it
count. The step size is corrected in closed form. Standard errors are those from chain to chain.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import final

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from numpy.typing import NDArray

from empirics.llc.chains import ChainPlan, Chains, draw_chains
from empirics.llc.confined import confined
from empirics.llc.convergence import split_rhat
from empirics.llc.hmc import HMC
from empirics.llc.sgld import SGLD
from empirics.llc.step_size import step_size_bias
from empirics.llc.toy_model_phase import phases, within_phase
from empirics.llc.toy_model_potential import toy_model_potential
from theory.learning_coefficients.k_gons import k_gon

Floats = NDArray[np.float64]

SEED = 1
FEATURES, PARAMETERS = 6, 18
STEEPEST = 2.2
"""Above every curvature of the loss at the three points."""
POINTS = tuple(k_gon(k, FEATURES, s) for k, s in ((5, 0), (5, 1), (6, 0)))
HMC_CHAINS = 64
HMC_DRAWS = {
    (5_000, 10.0): (20, 100),
    (5_000, 1.0): (30, 150),
    (5_000, 0.1): (20, 60),
    (50_000, 10.0): (10, 60),
    (50_000, 1.0): (10, 50),
    (50_000, 0.1): (8, 25),
    (500_000, 10.0): (10, 50),
    (500_000, 1.0): (8, 30),
    (500_000, 0.1): (6, 16),
}
"""Trajectories before the first draw, and draws, at every n and localization."""
SGLD_CHAINS, SGLD_BETWEEN = 16, 20
SGLD_DRAWS = {(5_000, 10.0): (150, 500), (5_000, 1.0): (500, 1500), (50_000, 10.0): (600, 1000)}
"""The same of SGLD, every draw 20 moves after the last."""
CLOSE, FAR_N = 0.3, 500_000


@final
@dataclass(frozen=True)
class Row:
    """What one sampler found at one point, n and localization."""

    n: int
    localization: float
    point: str
    llc: float
    llc_se: float
    virial: tuple[float, float]
    orbit: tuple[float, float]
    rhat: float
    outside: float
    ended_outside: int
    seconds: float
    bias: float = 0.0


def centers() -> torch.Tensor:
    """Return the three points, (3, 18)."""
    return torch.as_tensor(np.stack([np.concatenate([p.weights.ravel(), p.bias]) for p in POINTS]))


def truth(n: int, localization: float) -> list[Row]:
    """Draw from the posterior within the phase by HMC."""
    at, nbeta = centers(), n / math.log(n)
    stiffest = nbeta * STEEPEST + localization
    length = 0.65 / math.sqrt(stiffest)
    steps = math.ceil(math.pi / 2 / math.sqrt(localization) / length)
    burnin, draws = HMC_DRAWS[n, localization]
    plan = ChainPlan(nbeta, localization, HMC_CHAINS, draws, burnin)
    began = time.process_time()
    chains = draw_chains(
        confined(toy_model_potential(FEATURES), within_phase(at)),
        at,
        HMC(length**2, steps),
        plan,
        seeds=np.random.SeedSequence(SEED).spawn(len(POINTS)),
        keep_positions=True,
    )
    return rows(chains, np.ones(chains.excess.shape, bool), n, time.process_time() - began)


def langevin(n: int, localization: float) -> list[Row]:
    """Draw by SGLD on the exact gradient; what is drawn in other phases does not count."""
    at, nbeta = centers(), n / math.log(n)
    step_size = 0.2 / (nbeta * STEEPEST + localization)
    burnin, draws = SGLD_DRAWS[n, localization]
    plan = ChainPlan(nbeta, localization, SGLD_CHAINS, draws, burnin * SGLD_BETWEEN, SGLD_BETWEEN)
    potential, began = toy_model_potential(FEATURES), time.process_time()
    chains = draw_chains(
        potential,
        at,
        SGLD(step_size),
        plan,
        seeds=np.random.SeedSequence(SEED).spawn(len(POINTS)),
        keep_positions=True,
    )
    seconds = time.process_time() - began
    each = [torch.full((len(POINTS),), v, dtype=at.dtype) for v in (nbeta, localization, step_size)]
    bias = step_size_bias(
        potential, at, nbeta=each[0], localization=each[1], step_size=each[2]
    ).tolist()
    assert chains.positions is not None
    inside = (phases(chains.positions) == phases(at.numpy())[:, None, None]).all(-1)
    return rows(chains, inside, n, seconds, bias)


def rows(
    chains: Chains,
    inside: NDArray[np.bool_],
    n: int,
    seconds: float,
    bias: list[float] | None = None,
) -> list[Row]:
    """Return what was found at each point; `inside` says which draws count."""
    found = []
    orbits = orbit_virial(chains)
    lifted = bias or [0.0] * len(POINTS)
    for i, point in enumerate(POINTS):
        excess = chains.nbeta[i] * chains.excess[i]
        stayed = inside[i].all(-1)
        found.append(
            Row(
                n,
                float(chains.localization[i]),
                point.name,
                mean_and_se(excess, inside[i])[0] - lifted[i],
                mean_and_se(excess, inside[i])[1],
                mean_and_se(chains.virial[i] / PARAMETERS, inside[i]),
                mean_and_se(orbits[i] / PARAMETERS, inside[i]),
                split_rhat(excess[stayed]) if stayed.sum() > 1 else math.inf,
                float(1 - (chains.accepted[i].mean() if bias is None else inside[i].mean())),
                int((~inside[i][:, -1]).sum()),
                seconds / len(POINTS),
                lifted[i],
            )
        )
    return found


def mean_and_se(values: Floats, counts: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the mean over the draws (K, T) that count, and its error from chain to chain."""
    number = counts.sum(-1)
    total = np.where(counts, values, 0.0).sum(-1)
    mean = total.sum() / number.sum()
    off = total - mean * number
    chains = (number > 0).sum()
    return float(mean), float(np.sqrt((off**2).sum() * chains / (chains - 1)) / number.sum())


def orbit_virial(chains: Chains) -> Floats:
    """Return v·∇U + (d - div v) of every draw, (C, K, T), with v = w - R w*."""
    w, c = chains.positions, FEATURES
    assert w is not None
    at = centers().numpy()[:, None, None]
    _, slope = toy_model_potential(c).energy_and_gradient(
        torch.as_tensor(w.reshape(len(w), -1, 18))
    )
    shape = (len(w), 1, 1, 1)
    force = chains.nbeta.reshape(shape) * slope.numpy().reshape(w.shape)
    force = force + chains.localization.reshape(shape) * (w - at)
    x, y, here_x, here_y = at[..., :c], at[..., c : 2 * c], w[..., :c], w[..., c : 2 * c]
    along = (x * here_x + y * here_y).sum(-1, keepdims=True)
    across = (x * here_y - y * here_x).sum(-1, keepdims=True)
    radius = np.hypot(along, across)
    cos, sin = along / radius, across / radius
    nearest = np.concatenate(
        [cos * x - sin * y, sin * x + cos * y, np.broadcast_to(at[..., 2 * c :], here_x.shape)], -1
    )
    turned = (x**2 + y**2).sum(-1) / radius[..., 0]
    return np.asarray(((w - nearest) * force).sum(-1) + turned)


def table(found: list[Row], leaving: str) -> list[str]:
    """Return the rows of one sampler as Markdown."""
    lines = [
        "| n | localization | point | λ | llc ± se | virial/d ± se | along the orbit ± se | "
        f"split R-hat of chains that stayed | {leaving} | chains that ended outside | seconds |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    limits = limit_by_name()
    for row in found:
        rhat = "–" if math.isinf(row.rhat) else f"{row.rhat:.2f}"
        lines.append(
            f"| {row.n:,} | {row.localization:g} | {row.point} | {limits[row.point]:g} | "
            f"{row.llc:.2f} ± {row.llc_se:.2f} | {row.virial[0]:.3f} ± {row.virial[1]:.3f} | "
            f"{row.orbit[0]:.3f} ± {row.orbit[1]:.3f} | {rhat} | {100 * row.outside:.0f} % | "
            f"{row.ended_outside} | {row.seconds:.1f} |"
        )
    return lines


def limit_by_name() -> dict[str, float]:
    """Return each point's learning coefficient as n goes to infinity."""
    return {point.name: float(point.coefficient.value) for point in POINTS}


def comparison(exact: list[Row], sampled: list[Row]) -> list[str]:
    """Return how far SGLD lies from HMC."""
    by_key = {(row.n, row.localization, row.point): row for row in exact}
    lines = [
        "| n | localization | point | HMC | SGLD, corrected | correction | difference in se |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in sampled:
        true = by_key[row.n, row.localization, row.point]
        off = (row.llc - true.llc) / math.hypot(row.llc_se, true.llc_se)
        lines.append(
            f"| {row.n:,} | {row.localization:g} | {row.point} | {true.llc:.2f} ± "
            f"{true.llc_se:.2f} | {row.llc:.2f} ± {row.llc_se:.2f} | {row.bias:.2f} | {off:+.1f} |"
        )
    return lines


def summary(exact: list[Row], sampled: list[Row]) -> list[str]:
    """Return what the tables come to, counted."""
    limits = limit_by_name()
    far = [row for row in exact if row.n == FAR_N]
    near = sum(abs(row.llc - limits[row.point]) <= CLOSE for row in far)
    even = sum(0.95 <= row.orbit[0] <= 1.05 for row in exact)
    by_key = {(row.n, row.localization, row.point): row for row in exact}
    agree = sum(
        abs(row.llc - (true := by_key[row.n, row.localization, row.point]).llc)
        <= 3 * math.hypot(row.llc_se, true.llc_se)
        for row in sampled
    )
    return [
        f"- At n = {FAR_N:,} the llc lies within {CLOSE} of λ in {near} of {len(far)} cells.",
        f"- The virial along the orbit lies within .95 and 1.05 in {even} of {len(exact)} cells.",
        f"- SGLD lies within 3 se of HMC in {agree} of {len(sampled)} cells.",
    ]


def main() -> None:
    """Run and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    began, exact, sampled = time.process_time(), [], []
    for key in HMC_DRAWS:
        exact += truth(*key)
        print(*table(exact[-3:], "refused")[2:], sep="\n", flush=True)
    for key in SGLD_DRAWS:
        sampled += langevin(*key)
        print(*table(sampled[-3:], "outside")[2:], sep="\n", flush=True)
    lines = [
        "# Learning coefficients of the toy model",
        "",
        f"`python -m benchmarks.toy_model_llc`, seed {SEED}, one thread, "
        f"{time.process_time() - began:.0f} processor seconds. What is measured is said in the "
        "script.",
        "",
        *summary(exact, sampled),
        "",
        f"## The posterior within the phase, by HMC, {HMC_CHAINS} chains",
        "",
        *table(exact, "moves refused"),
        "",
        f"## SGLD on the exact gradient, {SGLD_CHAINS} chains",
        "",
        *table(sampled, "draws outside"),
        "",
        "## SGLD against HMC",
        "",
        *comparison(exact, sampled),
        "",
    ]
    args.out.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
