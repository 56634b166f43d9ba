"""Chains around checkpoints: what is kept of every draw, and how they are drawn."""

from __future__ import annotations

import math
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
from empirics.llc.sampler import Sampler, State, check_positive
from empirics.llc.target import Point, Target

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
        return n / math.log(n)


@final
@dataclass(frozen=True, eq=False)
class Chains:
    """What was kept of the draws around C centers, K chains each, T draws a chain.

    Attributes
    ----------
    excess : (C, K, T) array
        Energy above that of the center.
    square_distance : (C, K, T) array
        From the center, in the scales.
    virial : (C, K, T) array
        (w - center) · ∇U, whose mean is d in equilibrium.
    accepted : (C, K) array
        Mean probability with which a move was, or would have been, accepted; NaN unknown.
    diverged : (C, K) boolean array
        Chains whose energy or gradient stopped being finite, or was not at the center; their
        draws from then on are NaN.
    init_energy : (C,) array
        The whole energy at the centers.
    gradient_norm : (C,) array
        Norm of the whole energy's gradient there, in the scales.
    nbeta, localization, step_size : (C,) arrays
    final : (C, K, d) array
        The last positions.
    positions : (C, K, T, d) array or None
        Every draw, if asked for.
    """

    excess: Floats
    square_distance: Floats
    virial: Floats
    accepted: Floats
    diverged: NDArray[np.bool_]
    init_energy: Floats
    gradient_norm: Floats
    nbeta: Floats
    localization: Floats
    step_size: Floats
    final: Floats
    positions: Floats | None = None


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
    temperatures = _each("nbeta", nbeta, 0.0, count)
    pulls = _each("localization", localization, plan.localization, count, zero=True)
    sizes = _each("step_size", step_size, sampler.step_size, count)
    target = Target(
        potential,
        at[:, None, :],
        _column(temperatures, at),
        _column(pulls, at),
        _scales(scales, at),
    )
    init, slope = potential.energy_and_gradient(at[:, None, :])
    streams = Streams(list(seeds), plan.num_chains, at.shape[1], potential.num_rows, target.centers)
    record = _Record(plan, target, init, keep_positions)
    _advance(target, sampler, plan, streams, _column(sizes, at), record, told)
    return record.chains(
        gradient_norm=_numpy((slope[:, 0] * target.scales[:, 0]).norm(dim=-1)),
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
    record: _Record,
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


@final
class _Record:
    """What is kept while the chains run."""

    def __init__(self, plan: ChainPlan, target: Target, init: Tensor, keep_positions: bool) -> None:
        count, d = target.centers.shape[0], target.centers.shape[2]
        shape = (plan.num_draws, count, plan.num_chains)
        self._plan, self._target, self._init = plan, target, init
        self._energy, self._distance, self._virial = (init.new_empty(shape) for _ in range(3))
        self._positions = init.new_empty((*shape, d)) if keep_positions else None
        self._accepted = init.new_zeros(shape[1:])
        self._dead = ~torch.isfinite(init).expand(shape[1:])
        self._any_dead = bool(self._dead.any())
        self._last = target.centers.expand(-1, plan.num_chains, -1)

    def held(self, state: State) -> State:
        """Return the state with diverged particles put back to their center, and count them."""
        point = state.point
        if not self._any_dead and math.isfinite(float(point.energy.sum() + point.force.sum())):
            return state
        finite = torch.isfinite(point.energy) & torch.isfinite(point.force).all(-1)
        self._dead |= ~finite
        self._any_dead = bool(self._dead.any())
        alive = ~self._dead[..., None]
        held = Point(
            torch.where(alive, point.w, self._target.centers),
            torch.where(self._dead, self._init, point.energy),
            torch.where(alive, point.gradient, torch.zeros_like(point.gradient)),
            torch.where(alive, point.force, torch.zeros_like(point.force)),
        )
        memory = tuple(torch.where(alive, each, torch.ones_like(each)) for each in state.memory)
        return State(held, state.accepted, memory)

    def count(self, state: State, made: int, rows: Tensor | None) -> None:
        """Keep the state after `made` moves, if it is a draw.

        A minibatch's energy is compared with the center's on the same rows, so that what the rows
        have in common does not enter with the weight nbeta.
        """
        after = made - self._plan.num_burnin_steps
        if after <= 0:
            return
        self._accepted += state.accepted
        if after % self._plan.num_steps_bw_draws:
            return
        i, point = after // self._plan.num_steps_bw_draws - 1, state.point
        dead, target = self._dead, self._target
        base = self._init
        if rows is not None:
            with torch.no_grad():
                base = target.potential.energy(target.centers.expand_as(point.w), rows)
        self._energy[i] = torch.where(dead, torch.nan, point.energy - base)
        self._distance[i] = torch.where(dead, torch.nan, target.square_distance(point.w))
        self._virial[i] = torch.where(dead, torch.nan, target.virial(point))
        if self._positions is not None:
            self._positions[i] = point.w
        self._last = point.w

    def chains(self, **facts: Floats) -> Chains:
        """Return what was kept."""
        moves = self._plan.num_draws * self._plan.num_steps_bw_draws
        return Chains(
            excess=_numpy(self._energy.permute(1, 2, 0)),
            square_distance=_numpy(self._distance.permute(1, 2, 0)),
            virial=_numpy(self._virial.permute(1, 2, 0)),
            accepted=_numpy(self._accepted / moves),
            diverged=self._dead.cpu().numpy(),
            init_energy=_numpy(self._init[:, 0]),
            final=_numpy(self._last),
            positions=None
            if self._positions is None
            else _numpy(self._positions.permute(1, 2, 0, 3)),
            **facts,
        )


def _each(
    name: str, given: Floats | None, default: float, count: int, *, zero: bool = False
) -> Floats:
    """Return a setting of every center."""
    values = np.full(count, default) if given is None else np.array(given, dtype=np.float64)
    if values.shape != (count,):
        raise ValueError(f"{name} must be one number a center, ({count},); it is {values.shape}.")
    right = np.isfinite(values) & ((values >= 0) if zero else (values > 0))
    if not right.all():
        what = "finite and not negative" if zero else "positive and finite"
        i = int(np.flatnonzero(~right)[0])
        raise ValueError(f"{name} must be {what}; that of center {i} is {values[i]}.")
    return values


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


def _numpy(tensor: Tensor) -> Floats:
    return tensor.detach().cpu().numpy().astype(np.float64)
