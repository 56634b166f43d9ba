"""The local learning coefficients of checkpoints: one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from empirics.llc.chains import ChainPlan, draw_chains, each_center
from empirics.llc.potential import Potential, check_centers
from empirics.llc.reading import Bias, Facts, LLCReading, read
from empirics.llc.record import Chains, Floats
from empirics.llc.sampler import Sampler
from empirics.llc.sgld import SGLD
from empirics.llc.step_size import estimated_bias, noise_bound, step_size_bias

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
    nbeta: Floats | None = None,
    localization: Floats | None = None,
    step_size: Floats | None = None,
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
    nbeta, localization, step_size : (C,) arrays, optional
        Each center's own, in place of the plan's and the sampler's.
    correct_step_size : bool
        Whether to subtract what the finite step of plain SGLD adds: on the whole data exactly
        (`step_size_bias`), which costs the Hessian at every center; on minibatches as estimated
        (`estimated_bias`).
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
    count = at.shape[0]
    if nbeta is not None:
        nbeta = each_center("nbeta", nbeta, count)
    if localization is not None:
        localization = each_center("localization", localization, count)
    if step_size is not None:
        step_size = each_center("step_size", step_size, count)
    seeds = np.random.SeedSequence(seed).spawn(count)
    size = max(1, AT_ONCE // (potential.footprint(sampler.batch_size) * plan.num_chains))
    readings: list[LLCReading] = []
    for start in range(0, count, size):
        part = slice(start, min(start + size, count))
        some, here = potential.chunk(part.start, part.stop).to(device), at[part].to(device)
        lengths = _part(scales, part, count)
        chains = draw_chains(
            some,
            here,
            sampler,
            plan,
            seeds=seeds[part],
            nbeta=None if nbeta is None else nbeta[part],
            localization=None if localization is None else localization[part],
            step_size=None if step_size is None else step_size[part],
            scales=lengths,
            told=told,
        )
        biases = _biases(some, here, sampler, chains, lengths, is_corrected=correct_step_size)
        readings += _readings(chains, some, here, sampler, plan, biases)
    return tuple(readings)


def _part(scales: Tensor | None, part: slice, count: int) -> Tensor | None:
    """Return the scales of some centers; those of all centers as they are."""
    is_own = scales is not None and scales.ndim == 2 and scales.shape[0] == count
    return scales[part] if scales is not None and is_own else scales


def _biases(
    potential: Potential,
    at: Tensor,
    sampler: Sampler,
    chains: Chains,
    scales: Tensor | None,
    *,
    is_corrected: bool,
) -> Sequence[Bias]:
    """Return what the finite step adds at each center, where that can be said."""
    settings = {
        name: torch.as_tensor(getattr(chains, name)).to(at)
        for name in ("nbeta", "localization", "step_size")
    }
    lengths = None if scales is None else scales.to(at)
    if not _is_plain(sampler) or not (is_corrected or sampler.batch_size is not None):
        return [Bias()] * at.shape[0]
    if sampler.batch_size is None:
        value = step_size_bias(potential, at, **settings, scales=lengths)
        se = noise = torch.zeros_like(value)
    else:
        value, se = estimated_bias(potential, at, **settings, scales=lengths)
        draws = torch.as_tensor(chains.final).to(at)
        own = {name: settings[name] for name in ("nbeta", "step_size")}
        noise = noise_bound(potential, draws, **own, batch_size=sampler.batch_size, scales=lengths)
    columns = zip(value.tolist(), se.tolist(), noise.tolist(), strict=True)
    return [Bias(*each, is_corrected) for each in columns]


def _readings(
    chains: Chains,
    potential: Potential,
    at: Tensor,
    sampler: Sampler,
    plan: ChainPlan,
    biases: Sequence[Bias],
) -> list[LLCReading]:
    """Return the readings of centers whose chains were drawn together."""
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
                biases[i],
                doubts[i],
            ),
        )
        for i in range(at.shape[0])
    ]


def _is_plain(sampler: Sampler) -> bool:
    return isinstance(sampler, SGLD) and sampler.preconditioner is None


def _check_correction(sampler: Sampler) -> None:
    if not _is_plain(sampler):
        raise ValueError(
            f"the step size is corrected for plain SGLD alone; the sampler is {sampler}."
        )
