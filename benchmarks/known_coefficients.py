"""Sampled learning coefficients of linear networks against the known ones.

    python -m benchmarks.known_coefficients

Reduced rank regressions and deep linear networks whose λ and multiplicity m are theorems (Aoyagi
and Watanabe 2005; Aoyagi 2024), at nbeta t = n/ln n and a localization of 1.

The center is the deepest true parameter: every layer is 1 on the first r units, 0 elsewhere. The
theorems are about the whole set of true parameters, whose λ is the least of the local ones, and
that least is taken here, because every other kind of true parameter comes arbitrarily near. Where
the set is smooth the local coefficient is half its codimension and m is 1; that is no less, and may
be more: 15/2 instead of 13/2 around an A of rank 3 and B = 0 in 5-3-5, r = 0. A localization of 1
reaches from there to the deeper points too, and would decide how much of them is seen.

What a perfect sampler returns is not λ but λ - (m - 1)/ln t + O(1/ln² t), less powers of 1/t. At
rank 0 with two layers it is known exactly (`theory.learning_coefficients.tempered_reduced_rank`),
so that the sampler and the asymptotics are judged apart. Two corrections are made, chosen before
anything was drawn: (m - 1)/ln t added, with the known m and no free number; and the intercept of

    llc(t) = λ - (m - 1)/ln t + c/ln² t

through the three sizes, weighted by their errors.

HMC draws from the posterior of the population loss ½|W - W*|². SGLD is run at the largest n as
published for deep linear networks of that size (Lau et al. 2025, as quoted in public benchmark
code: step size 5e-7, 10⁴ moves, the first nine tenths not used), on the exact gradient, corrected
for its step. On data of n rows with noise of variance 1 the center stays the true parameter, which
is not the minimum of that loss: a regular model then gives λ (1 - 1/ln n) on average.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from benchmarks.known_coefficients_page import page
from benchmarks.linear_networks import (
    CELLS,
    DATA_CELLS,
    DATA_SETS,
    LOCALIZATION,
    SEED,
    SGLD_CHAINS,
    SIZES,
    Cell,
    Row,
)
from empirics.llc.chains import ChainPlan
from empirics.llc.estimate import estimate_llc
from empirics.llc.hmc import HMC
from empirics.llc.linear_network_potential import (
    LinearNetworkPotential,
    deepest_point,
    linear_network_data_potential,
    linear_network_potential,
)
from empirics.llc.sgld import SGLD
from theory.learning_coefficients.tempered import canonical_nbeta

STEP = 0.1
DEEP_STEPS = {(10,) * 4: 0.005, (5,) * 5: 0.005, (20, 8, 8, 20): 0.0015}
"""Squared leapfrog steps times nbeta, set by acceptance: of two layers, and of more."""
BURNINS = {1_000: 10, 10_000: 30, 100_000: 80}
"""By n: chains start at the deepest point, and leave it the later the larger n is. With 10 at the
largest n they read up to 5 % high, and Σ z² over the eight cells with an exact value was 35."""
DRAWS, DEEP_DRAWS = 20, 12
SGLD_STEP, SGLD_BURNIN, SGLD_DRAWS = 5e-7, 9_000, 1_000
DATA_CHAINS = 16


def true_map(cell: Cell) -> torch.Tensor:
    """Return W*, 1 on the first r diagonal entries."""
    best = torch.zeros(cell.widths[-1], cell.widths[0], dtype=torch.float64)
    best.diagonal()[: cell.rank] = 1
    return best


def data_of(cell: Cell, n: int, seed: int) -> LinearNetworkPotential:
    """Return the loss on n rows of data."""
    generator = torch.Generator().manual_seed(seed)
    inputs, noise = (
        torch.randn(n, width, generator=generator, dtype=torch.float64)
        for width in (cell.widths[0], cell.widths[-1])
    )
    return linear_network_data_potential(cell.widths, inputs, inputs @ true_map(cell).mT + noise)


def hamiltonian(cell: Cell, n: int) -> Row:
    """Draw from the posterior of the population loss."""
    potential = linear_network_potential(cell.widths, true_map(cell), num_samples=n)
    draws = DEEP_DRAWS if cell.is_deep else DRAWS
    # An effective 10,000/λ draws would have an error of 1 %; correlation leaves less.
    chains = max(24, math.ceil(10_000 / float(cell.known.value) / draws))
    return by_hmc(cell, n, potential, ChainPlan(None, LOCALIZATION, chains, draws, BURNINS[n]))


def on_data(cell: Cell, n: int, data_set: int) -> Row:
    """Draw from the posterior of the loss on data."""
    plan = ChainPlan(None, LOCALIZATION, DATA_CHAINS, DRAWS, BURNINS[n])
    return by_hmc(cell, n, data_of(cell, n, SEED + data_set), plan)


def by_hmc(cell: Cell, n: int, potential: LinearNetworkPotential, plan: ChainPlan) -> Row:
    """Draw by trajectories a quarter as long as the period of the flat directions."""
    step = DEEP_STEPS.get(cell.widths, STEP) / canonical_nbeta(n)
    sampler = HMC(step, math.ceil(math.pi / 2 / math.sqrt(LOCALIZATION * step)))
    began = time.process_time()
    at = deepest_point(cell.widths, cell.rank)
    [reading] = estimate_llc(potential, at, sampler, plan, seed=SEED)
    return Row(cell, n, reading, time.process_time() - began)


def langevin(cell: Cell, n: int) -> Row:
    """Draw by SGLD as published."""
    plan = ChainPlan(None, LOCALIZATION, SGLD_CHAINS, SGLD_DRAWS, SGLD_BURNIN)
    potential = linear_network_potential(cell.widths, true_map(cell), num_samples=n)
    at, began = deepest_point(cell.widths, cell.rank), time.process_time()
    [reading] = estimate_llc(
        potential, at, SGLD(SGLD_STEP), plan, seed=SEED, correct_step_size=True
    )
    return Row(cell, n, reading, time.process_time() - began)


def run_all(jobs: int) -> tuple[list[Row], list[Row], list[Row]]:
    """Return what HMC found, SGLD, and HMC on data."""
    with ProcessPoolExecutor(jobs, initializer=torch.set_num_threads, initargs=(1,)) as pool:

        def each(work: Callable[..., Row], plans: Iterable[tuple[object, ...]]) -> Iterator[Row]:
            return pool.map(work, *zip(*plans, strict=True))

        # All are handed over before the first is waited for.
        parts = (
            each(hamiltonian, [(cell, n) for cell in CELLS for n in SIZES]),
            each(langevin, [(cell, SIZES[-1]) for cell in CELLS]),
            each(on_data, [(c, n, s) for c in DATA_CELLS for n in SIZES for s in range(DATA_SETS)]),
        )
        exact, sampled, data = ([told(row) for row in part] for part in parts)
    return exact, sampled, data


def told(row: Row) -> Row:
    """Print a row, and return it."""
    print(row.cell, f"n = {row.n:,}: {row.llc:.3f} ± {row.se:.3f}", flush=True)
    return row


def main() -> None:
    """Run and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    args.out.write_text(page(*run_all(args.jobs)), encoding="utf-8")


if __name__ == "__main__":
    main()
