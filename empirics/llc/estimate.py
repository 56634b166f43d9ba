"""The local learning coefficients of checkpoints: one call."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from empirics.llc.chains import ChainPlan, draw_chains
from empirics.llc.potential import Potential, check_centers
from empirics.llc.reading import Facts, LLCReading, read
from empirics.llc.sampler import Sampler
from empirics.llc.sgld import SGLD
from empirics.llc.step_size import step_size_bias

AT_ONCE = 1_000_000
"""Numbers held to evaluate all particles at once; more centers are done in turn.

Few enough to stay in a processor's cache, many enough to be worth a call.
"""


def estimate_llc(
    potential: Potential,
    centers: Tensor,
    sampler: Sampler,
    plan: ChainPlan | None = None,
    *,
    seed: int = 0,
    scales: Tensor | None = None,
    correct_step_size: bool = False,
    as_negative_control: bool = False,
    device: str = "cpu",
    told: Callable[[int, int], None] | None = None,
) -> tuple[LLCReading, ...]:
    """Estimate the local learning coefficient at every center (Lau et al. 2023).

    nbeta · (E[energy] - energy(center)), the mean over chains that start at the center and draw
    from exp(-nbeta · energy - localization/2 · ‖w - center‖²).

    Parameters
    ----------
    potential : Potential
        What energy, over which parameters, on which data.
    centers : (C, d) or (d,) tensor
        Checkpoints; float64 unless the network is large.
    sampler : SGLD, MALA or HMC
    plan : ChainPlan, optional
    seed : int
    scales : (d,) or (C, d) tensor, optional
        Unit of length of every parameter. Scales that go with a reparametrization make the
        reading invariant under it.
    correct_step_size : bool
        Whether to subtract what the finite step of plain SGLD on the whole data adds
        (`step_size_bias`); it costs the Hessian at every center.
    as_negative_control : bool
        Whether an energy that has no learning coefficient is sampled all the same.
    device : str
        ``"cpu"`` or ``"cuda"``.
    told : callable, optional
        Told (moves made, moves in all) now and then.

    Returns
    -------
    readings : tuple of LLCReading
        One a center; one that failed says so and leaves the others alone.

    Raises
    ------
    ValueError
        If the potential refuses, the centers do not fit it, nbeta or n is missing, or a
        correction is asked for that has no closed form.
    """
    plan = ChainPlan() if plan is None else plan
    if potential.refused_because and not as_negative_control:
        raise ValueError(f"{potential.name} is refused: {potential.refused_because}")
    at = check_centers(potential, centers)
    if correct_step_size:
        _check_correction(sampler)
    seeds = np.random.SeedSequence(seed).spawn(at.shape[0])
    size = max(1, AT_ONCE // (potential.footprint(sampler.batch_size) * plan.num_chains))
    readings: list[LLCReading] = []
    for start in range(0, at.shape[0], size):
        part = slice(start, min(start + size, at.shape[0]))
        readings += _estimated(
            potential.chunk(part.start, part.stop).to(device),
            at[part].to(device),
            sampler,
            plan,
            seeds[part],
            scales if scales is None or scales.ndim == 1 else scales[part],
            correct_step_size,
            told,
        )
    return tuple(readings)


def _estimated(
    potential: Potential,
    at: Tensor,
    sampler: Sampler,
    plan: ChainPlan,
    seeds: list[np.random.SeedSequence],
    scales: Tensor | None,
    correct_step_size: bool,
    told: Callable[[int, int], None] | None,
) -> list[LLCReading]:
    """Return the readings of centers that fit into memory together."""
    chains = draw_chains(potential, at, sampler, plan, seeds=seeds, scales=scales, told=told)
    biases: list[float | None] = [None] * at.shape[0]
    if correct_step_size:
        given = (
            torch.as_tensor(v, dtype=at.dtype, device=at.device)
            for v in (chains.nbeta, chains.localization, chains.step_size)
        )
        nbeta, localization, step_size = given
        biases = list(
            step_size_bias(
                potential,
                at,
                nbeta=nbeta,
                localization=localization,
                step_size=step_size,
                scales=scales,
            ).tolist()
        )
    doubts = potential.doubts(at, torch.as_tensor(chains.final).to(at))
    return [
        read(
            chains,
            i,
            Facts(
                at.shape[1],
                plan.num_burnin_steps,
                potential.num_samples,
                sampler.is_exact,
                sampler.batch_size is not None,
                bias,
                doubts[i],
            ),
        )
        for i, bias in enumerate(biases)
    ]


def _check_correction(sampler: Sampler) -> None:
    plain = isinstance(sampler, SGLD) and sampler.preconditioner is None
    if not plain or sampler.batch_size is not None:
        raise ValueError(
            "the step size is corrected in closed form for plain SGLD on the whole data alone; "
            f"the sampler is {sampler}."
        )
