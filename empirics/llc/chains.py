"""Chains around checkpoints: how many, how long, and how they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from empirics.coerce import coerce_fields
from empirics.llc.chance import Streams
from empirics.llc.potential import Potential, check_centers
from empirics.llc.record import Chains, Record, as_array
from empirics.llc.sampler import Sampler, check_positive
from empirics.llc.target import Target
from theory.learning_coefficients.tempered import canonical_nbeta

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True)
class ChainPlan:
    """How many chains, how long, and how tightly they are held.

    Attributes
    ----------
    nbeta : float or None
        Inverse temperature times n; None takes n/ln n of the potential's `num_samples`.
    localization : float
        Strength of the pull to the center, per squared unit of the scales.
    num_chains, num_draws : int
        Chains a center, and draws kept of each.
    num_burnin_steps : int
        Moves before the first draw; their energies are not used.
    num_steps_bw_draws : int
        Moves from draw to draw.
    """

    nbeta: float | None = None
    localization: float = 1.0
    num_chains: int = 4
    num_draws: int = 500
    num_burnin_steps: int = 500
    num_steps_bw_draws: int = 1

    def __post_init__(self) -> None:
        coerce_fields(self)
        if self.nbeta is not None:
            check_positive("nbeta", self.nbeta)
        if self.localization < 0:
            raise ValueError(f"localization must not be negative; it is {self.localization}.")
        for name, least in (
            ("num_chains", 1),
            ("num_draws", 4),
            ("num_burnin_steps", 0),
            ("num_steps_bw_draws", 1),
        ):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}; it is {getattr(self, name)}.")

    def nbeta_for(self, potential: Potential) -> float:
        """Return the nbeta that is used.

        Raises
        ------
        ValueError
            If neither the plan nor the potential's n gives one.
        """
        if self.nbeta is not None:
            return self.nbeta
        n = potential.num_samples
        if n is None or n < 3:
            raise ValueError(
                f"nbeta is missing, and num_samples of {potential.name} is {n}; give nbeta, or "
                "an n of at least 3 of which n/ln n is taken."
            )
        return canonical_nbeta(n)


def draw_chains(
    potential: Potential,
    centers: Tensor,
    sampler: Sampler,
    plan: ChainPlan,
    *,
    seeds: Sequence[np.random.SeedSequence],
    nbeta: Floats | None = None,
    localization: Floats | None = None,
    step_size: Floats | None = None,
    scales: Tensor | None = None,
    keep_positions: bool = False,
    told: Callable[[int, int], None] | None = None,
) -> Chains:
    """Draw the chains of all centers as one batched program.

    A center's draws depend on its own seed alone, not on the centers beside it.

    Parameters
    ----------
    potential : Potential
    centers : (C, d) tensor
        Its type and device are those of the computation.
    sampler : Sampler
    plan : ChainPlan
    seeds : sequence of numpy.random.SeedSequence
        One a center.
    nbeta, localization, step_size : (C,) arrays, optional
        Each center's own, in place of the plan's and the sampler's: a sweep repeats a center.
    scales : (d,) or (C, d) tensor, optional
        Unit of length of every parameter; 1 if not given.
    keep_positions : bool
    told : callable, optional
        Told (moves made, moves in all) now and then.

    Raises
    ------
    ValueError
        If nbeta is missing, a setting of a center is no positive number, the centers, their
        settings or the scales do not fit, or the energy has no gradient.
    """
    at = check_centers(potential, centers)
    count = at.shape[0]

    if nbeta is None:
        nbeta = np.full(count, plan.nbeta_for(potential))
    if localization is None:
        localization = np.full(count, plan.localization)
    if step_size is None:
        step_size = np.full(count, sampler.step_size)
    temperatures = each_center("nbeta", nbeta, count)
    pulls = each_center("localization", localization, count)
    sizes = each_center("step_size", step_size, count)
    target = Target(
        potential,
        at[:, None, :],
        _column(temperatures, at),
        _column(pulls, at),
        _scales(scales, at),
    )
    init, slope = potential.energy_and_gradient(at[:, None, :])
    streams = Streams(list(seeds), plan.num_chains, at.shape[1], potential.num_rows, target.centers)
    record = Record(
        target,
        init,
        slope,
        shape=(plan.num_draws, count, plan.num_chains),
        num_burnin_steps=plan.num_burnin_steps,
        num_steps_bw_draws=plan.num_steps_bw_draws,
        on_minibatches=sampler.batch_size is not None,
        keep_positions=keep_positions,
    )
    _advance(target, sampler, plan, streams, _column(sizes, at), record, told)
    return record.chains(
        gradient_norm=as_array((slope[:, 0] * target.scales[:, 0]).norm(dim=-1)),
        nbeta=temperatures,
        localization=pulls,
        step_size=sizes,
    )


def _advance(
    target: Target,
    sampler: Sampler,
    plan: ChainPlan,
    streams: Streams,
    step_size: Tensor,
    record: Record,
    told: Callable[[int, int], None] | None,
) -> None:
    """Move all particles to the end of the plan, recording draws."""
    size = sampler.batch_size
    start = target.centers.expand(-1, plan.num_chains, -1).clone()
    state = sampler.start(target, start, None if size is None else streams.rows(1, size)[0])
    total = plan.num_burnin_steps + plan.num_draws * plan.num_steps_bw_draws
    chances = streams.moves(sampler, step_size, plan.num_burnin_steps)
    for made, chance in zip(range(1, total + 1), chances, strict=False):
        state = record.held(sampler.move(target, state, chance))
        record.count(state, made, chance.rows)
        if told is not None and (made % 100 == 0 or made == total):
            told(made, total)


def each_center(name: str, values: Floats, count: int) -> Floats:
    """Return a setting of every center, checked.

    Raises
    ------
    ValueError
        If there are not as many as centers, or one is no positive number; a localization may be 0.
    """
    each = np.array(values, dtype=np.float64)
    if each.shape != (count,):
        raise ValueError(f"{name} must be one number a center, ({count},); it is {each.shape}.")
    may_vanish = name == "localization"
    right = np.isfinite(each) & ((each >= 0) if may_vanish else (each > 0))
    if not right.all():
        what = "finite and not negative" if may_vanish else "positive and finite"
        i = int(np.flatnonzero(~right)[0])
        raise ValueError(f"{name} must be {what}; that of center {i} is {each[i]}.")
    return each


def _column(values: Floats, like: Tensor) -> Tensor:
    return torch.as_tensor(values, dtype=like.dtype, device=like.device)[:, None, None]


def _scales(scales: Tensor | None, at: Tensor) -> Tensor:
    if scales is None:
        return at.new_ones(1, 1, 1)
    given = scales.to(at)
    given = given[None] if given.ndim == 1 else given
    if given.shape[1] != at.shape[1] or given.shape[0] not in (1, at.shape[0]):
        raise ValueError(
            f"scales must be ({at.shape[1]},) or {tuple(at.shape)}; they are {tuple(scales.shape)}."
        )
    if not bool((given > 0).all()):
        raise ValueError(f"scales must be positive; the smallest is {float(given.min())}.")
    return given[:, None, :]
